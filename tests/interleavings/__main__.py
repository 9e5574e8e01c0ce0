"""The table of interleavings, as Markdown; see scripts/interleavings."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections import Counter

from interleavings.actors import ACTS
from interleavings.explore import explore
from interleavings.stage import LIVES, stage
from ssowatch.demo.center.settings import RefreshTokens

CASTS = [
    # actors, what else may happen, and how often in one schedule; small ones first
    ("child, hand", {"crash": 2, "lost": 1, "busy": 1}),
    ("child, boto3", {"crash": 1, "lost": 1}),
    ("child, aws logout", {"crash": 1, "lost": 1}),
    ("child, aws login", {"crash": 1, "lost": 1}),
    ("child, logout", {"crash": 1, "lost": 1}),
    ("child, login", {"crash": 1, "lost": 1}),
    ("child, fresh", {"crash": 1, "lost": 1}),
    ("child, hand, aws logout", {"crash": 1}),
    ("child, hand, login", {"crash": 1}),
    ("child, hand, boto3", {"crash": 1}),
    ("child, login, aws logout", {"crash": 1}),
    ("child, hand, aws login", {"crash": 1}),
    ("child, hand, login, aws logout", {}),
    ("child, hand, login, aws logout", {"crash": 1}),
]
"""Of two, with a token that lives and one that has run out; of more, with one that lives."""
WITHOUT_EXCHANGE = [("child, aws logout", {}), ("child, aws login", {}), ("child, hand, boto3", {})]
"""Where two files cannot change their names (NFS, old C libraries)."""


def main() -> int:
    """Explore and print; 1 where anything is breached."""
    logging.disable(logging.CRITICAL)  # botocore's, of its own refusals
    asked = argparse.ArgumentParser(prog="scripts/interleavings", description=__doc__)
    asked.add_argument("--cast", help=f"actors, with commas: {', '.join(ACTS)}")
    asked.add_argument("--may", default="", help="what else may happen how often: crash=1,lost=1,busy=1")
    asked.add_argument("--policy", choices=[*RefreshTokens], action="append")
    asked.add_argument("--life", choices=[*LIVES], action="append")
    arguments = asked.parse_args()
    if hasattr(os, "sched_setaffinity"):  # threads of which one runs at a time hand over quicker on one core
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    casts = [(*row, True) for row in CASTS] + [(*row, False) for row in WITHOUT_EXCHANGE]
    if arguments.cast:
        may = dict(one.split("=") for one in arguments.may.split(",") if one)
        casts = [(arguments.cast, {name: int(times) for name, times in may.items()}, True)]
    print("| actors | may happen | policy | token | states | schedules | ends | breaches |")
    print("|---|---|---|---|---|---|---|---|", flush=True)
    began, total, breached = time.process_time(), Counter[str](), 0
    with stage() as scene:
        for cast, budget, exchanges in casts:
            for policy in arguments.policy or RefreshTokens:
                names = tuple(name.strip() for name in cast.split(","))
                for life in arguments.life or (LIVES if len(names) == 2 else ("lives",)):
                    found = explore(scene, names, policy, life, budget, exchanges=exchanges)
                    may = ", ".join(f"{times} {name}" for name, times in budget.items()) or "-"
                    may += "" if exchanges else ", no exchange"
                    ends = "; ".join(f"{count} {verdict}" for verdict, count in found.verdicts.most_common())
                    breaches = sum(found.breaches.values())
                    row = (cast, may, policy, life, f"{found.states:,}", f"{found.schedules():,}", ends, breaches)
                    print("| " + " | ".join(map(str, row)) + " |", flush=True)
                    total += Counter(states=found.states, schedules=found.schedules(), runs=found.runs)
                    breached += breaches
                    for breach, schedule in found.examples.items():
                        print(f"\n{breach}:\n  " + "\n  ".join(schedule) + "\n", file=sys.stderr, flush=True)
    print(
        f"\n{total['schedules']:,} schedules through {total['states']:,} states, in {total['runs']:,} runs and "
        f"{time.process_time() - began:.0f} s of CPU: {breached} breaches."
    )
    return 1 if breached else 0


if __name__ == "__main__":
    sys.exit(main())
