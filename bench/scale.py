"""What many sign-ins cost: 100 sign-ins, 1,000 profiles and 10,000 foreign files in the cache, beside 1 and 2 and none.

A *look* reads the world and plans, in a process of its own. A *tick* of the running watcher is a look, publishing and
arming the next wake-up; it is asked for through the socket, so its time holds the way there and back.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

import subject
from reaction import reactions
from stopwatch import Stopwatch

import homes  # isort: skip - found through subject
from ssowatch import client  # isort: skip

SMALL, LARGE = (1, 2, 0), (100, 1000, 10_000)
LOOKS = {
    "first": "first look of all, memories are made",
    "cold": "cold look of a new process",
    "unchanged": "look, nothing changed",
    "changed": "look, one token file changed",
}


def main() -> None:
    """Measure and print."""
    with subject.subject(__doc__ or "") as it:
        large = (10, 100, 1000) if it.quick else LARGE
        small_figures, large_figures = (_figures(it, *size) for size in (SMALL, large))
    head = ["{} sign-in(s), {} profiles, {} foreign".format(*size) for size in (SMALL, large)]
    rows = [[what, figure, large_figures[what]] for what, figure in small_figures.items()]
    subject.table(["what (medians)", *head], rows)


def _figures(it: subject.Subject, sign_ins: int, profiles: int, foreign: int) -> dict[str, str]:
    rounds = 3 if it.quick else 30
    with subject.home() as home:
        names = _fill(home, sign_ins, profiles, foreign)
        looks = json.loads(
            subprocess.run(
                [it.python, Path(__file__).with_name("look.py"), names[-1], str(rounds)],
                check=True,
                stdout=subprocess.PIPE,
                env=os.environ,
            ).stdout
        )
        figures = {what: f"{looks[key]:.2f} ms" for key, what in LOOKS.items()}
        began = time.perf_counter()
        with subject.watcher(it) as running, Stopwatch(it.python) as watch:
            figures["watcher: start to published"] = f"{1000 * (time.perf_counter() - began):.0f} ms"
            figures["watcher: tick, nothing changed"] = f"{_ticks(rounds):.2f} ms"
            figures["watcher: token replaced to published"] = (
                f"{statistics.median(reactions(rounds, names[-1])):.1f} ms"
            )
            if sys.platform == "linux":
                figures["watcher: Rss"] = f"{_rss(running.pid) / 1024:.1f} MiB"
            for words in ("--json", "--check dev0"):
                command = {"it": [it.ssowatch, "status", *words.split()]}
                _, _, ratios = watch.turns([it.python, "-c", "pass"], command, rounds)
                figures[f"status {words}, x of python -c pass"] = f"{statistics.median(ratios['it']):.2f}"
    return figures


def _fill(home: Path, sign_ins: int, profiles: int, foreign: int) -> list[str]:
    names = [f"corp{number}" for number in range(sign_ins)]
    text = "".join(
        f"[sso-session {name}]\nsso_start_url = https://d-{number:010}.awsapps.com/start\nsso_region = us-east-1\n"
        f"sso_registration_scopes = sso:account:access\n\n"
        for number, name in enumerate(names)
    )
    text += "".join(
        f"[profile dev{number}]\nsso_session = {names[number % sign_ins]}\nsso_account_id = {number:012}\n"
        f"sso_role_name = ReadOnly\n\n"
        for number in range(profiles)
    )
    homes.aws_config(home, text)
    for name in names:
        homes.write_token(homes.token(accessToken=f"access-canary-{name}"), name)
    for number in range(foreign):
        (homes.token_path().parent / f"foreign-{number}.json").write_text(json.dumps(homes.token()))
    return names


def _ticks(count: int) -> float:
    """The middle one of so many, in milliseconds."""
    took = []
    for _ in range(count):
        began = time.perf_counter()
        client.ask("look")
        took.append(1000 * (time.perf_counter() - began))
    return statistics.median(took)


def _rss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))


if __name__ == "__main__":
    main()
