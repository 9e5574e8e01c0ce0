"""Runs the campaign and prints it as a Markdown table; exit 1 at a breach."""

from __future__ import annotations

import argparse
import os
import sys
import time

from attacks import campaign
from attacks.scene import standing


def main() -> int:
    """The command."""
    options = argparse.ArgumentParser(prog="scripts/attacks", description="Attack a running service, and the commands.")
    options.add_argument("words", nargs="*", metavar="WORD", help="only attacks with this word in part or name")
    options.add_argument("--essential", action="store_true", help="only what CI runs, too")
    chosen = options.parse_args()
    rows = [
        one
        for one in campaign.ATTACKS
        if (one.essential or not chosen.essential)
        and (not chosen.words or any(word in f"{one.part} {one.name}" for word in chosen.words))
    ]
    print("| part | attack | result | seconds |", flush=True)
    print("|---|---|---|---:|", flush=True)
    began, breaches, skipped = time.monotonic(), 0, 0
    left = list(rows)
    while left:
        with standing() as scene:  # after a breach a new one
            while left:
                row = left.pop(0)
                if row.root and os.getuid() != 0:
                    skipped += 1
                    print(f"| {row.part} | {row.name} | skipped: needs root | |", flush=True)
                    continue
                start = time.monotonic()
                said, breach = campaign.tried(row, scene)
                took = time.monotonic() - start
                print(f"| {row.part} | {row.name} | {'**BREACH** ' if breach else ''}{said} | {took:.1f} |", flush=True)
                if breach:
                    breaches += 1
                    break
    print(f"\n{len(rows) - skipped} attacks, {breaches} breaches, {skipped} skipped, {time.monotonic() - began:.0f} s")
    return int(bool(breaches))


if __name__ == "__main__":
    sys.exit(main())
