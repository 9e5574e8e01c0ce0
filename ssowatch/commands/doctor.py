"""`ssowatch doctor`: what is wrong here, what follows from it, and the command that mends it. `--fix` runs the harmless ones."""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from typing import TYPE_CHECKING

from ssowatch.clock import utc_now
from ssowatch.plain import escaped

if TYPE_CHECKING:
    from ssowatch.doctor import Row

_GOOD, _FOUND = 0, 1


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--fix", action="store_true", help="do those mends that can lose nothing; say what remains")
    parser.add_argument("--json", action="store_true", help="as JSON (docs/json.md)")
    parser.add_argument("--knock", action="store_true", help=argparse.SUPPRESS)  # a child of ours: is AWS reached?
    parser.add_argument("names", nargs="*", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Exit 0 if all is well, 1 if something was found, 78 if the ssowatch config is what is wrong."""
    if options.knock:
        return _knock(options.names)
    from ssowatch import doctor

    scene = doctor.Scene(utc_now())
    rows = doctor.examine(scene)
    mended: list[str] = []
    if options.fix and any(row.finding.mend for row in rows):
        mended = _mend(rows)
        scene = doctor.Scene(utc_now())
        rows = doctor.examine(scene)
    found = [(row.name, row.finding.ok, row.message, row.fix) for row in rows]
    if options.json:
        checks = [dict(zip(("name", "ok", "message", "fix"), row, strict=True)) for row in found]
        print(escaped(json.dumps({"version": 1, "checks": checks}, ensure_ascii=False)))
    else:
        from ssowatch.doctor_text import text

        print(text(found, mended, min(shutil.get_terminal_size().columns, 100)))
    if scene.world.settings_error:
        return os.EX_CONFIG
    return _GOOD if all(row.finding.ok for row in rows) else _FOUND


def _mend(rows: list[Row]) -> list[str]:
    """Do what can be done; what was done."""
    done = []
    for row in rows:
        if row.finding.mend is None:
            continue
        try:
            row.finding.mend()
        except Exception as error:  # noqa: BLE001 - whatever a mend meets, the others are tried, and the finding stays
            print(f"ssowatch: {row.name}: this could not be mended: {error}", file=sys.stderr)
        else:
            done.append(row.message)
    return done


def _knock(names: list[str]) -> int:
    """A line of JSON for each sign-in: why AWS is not reached, or by how many seconds our clock differs."""
    from datetime import timedelta

    from ssowatch import named
    from ssowatch.identity_center import IdentityCenter

    world = named.world()
    for name in names:
        answer = IdentityCenter(named.sign_in(world, name)).knock(utc_now())
        why, skew = (None, answer.total_seconds()) if isinstance(answer, timedelta) else (answer.reason, None)
        print(json.dumps({"name": name, "why": why, "skew": skew}), flush=True)
    return _GOOD
