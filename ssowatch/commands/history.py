"""`ssowatch history`: the last days as a picture, and what they came to."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ssowatch import act_log, history
from ssowatch.clock import utc_now
from ssowatch.history import Cell, Day
from ssowatch.plain import plain

if TYPE_CHECKING:
    from rich.text import Text

_LONGEST = 60
_MARKS = {
    Cell.GOOD: ("━", "green"),
    Cell.UNATTENDED: ("─", "green"),
    Cell.EXPIRED: ("x", "bold red"),
    Cell.UNREACHABLE: ("?", "yellow"),
    Cell.OVER: ("·", "dim"),
    Cell.UNKNOWN: (" ", ""),
}
_SIGNED_IN = ("▲", "bold")
_WIDE = 80


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="a sign-in (default: all)")
    parser.add_argument("--days", metavar="N", type=int, default=7, help="how many days, today included (default: 7)")
    parser.add_argument("--json", action="store_true", help="the days as JSON")


def run(options: argparse.Namespace) -> int:
    """Show them; exit 0, or 2 for a name or a number that makes no sense."""
    if not 1 <= options.days <= _LONGEST:
        print(f"ssowatch: --days is from 1 to {_LONGEST}", file=sys.stderr)
        return 2
    acts, now = act_log.read(), utc_now().astimezone()
    known = sorted({act["sign_in"] for act in acts if isinstance(act.get("sign_in"), str)})
    if unknown := [name for name in options.names if name not in known]:
        print(f"ssowatch: nothing is written down of {', '.join(map(plain, unknown))}", file=sys.stderr)
        print(f"known: {', '.join(map(plain, known)) or 'none'}", file=sys.stderr)
        return 2
    names = options.names or known
    acts = [act for act in acts if act.get("sign_in") in names]
    if options.json:
        print(json.dumps(history.document(history.days(acts, now, options.days))))
        return 0
    _show(acts, names, now, options.days)
    return 0


def _show(acts: list[dict[str, Any]], names: list[str], now: datetime, count: int) -> None:
    from rich.console import Console  # 100 ms, which `--json` does without
    from rich.text import Text

    console = Console(highlight=False)
    if not names:
        console.print("Nothing is written down yet: a running watcher does that.")
        return
    cells = 48 if console.width >= _WIDE else 24
    pictures = {
        name: history.days((act for act in acts if act["sign_in"] == name), now, count, cells) for name in names
    }
    for name, found in pictures.items():
        console.print(Text(plain(name, 60), "bold"))
        console.print(_head(cells))
        for day in found:
            console.print(_row(day, cells))
        console.print()
    seen = {cell for found in pictures.values() for day in found for cell in day.cells}
    legend = [f"{mark} {cell}" for cell, (mark, _) in _MARKS.items() if cell in seen and mark != " "]
    console.print(Text("   ".join([*legend, f"{_SIGNED_IN[0]} signed in"]), "dim"))
    for line in history.totals(history.days(acts, now, count)):
        console.print(line)


def _head(cells: int) -> Text:
    """The hours above the bars, and the columns beside them."""
    from rich.text import Text

    hours = "".join(f"{hour:<{cells // 4}}" for hour in (0, 6, 12, 18))
    return Text(f"{'':{_label(cells)}}{hours}{_gap(cells)}RENEWED{_gap(cells)}SIGN-INS", "dim")


def _row(day: Day, cells: int) -> Text:
    from rich.text import Text

    label = f"{day.date:%a %d %b}" if cells == 48 else f"{day.date:%a %d}"
    row = Text(f"{label:{_label(cells)}}")
    signed_in = {(at.hour * 60 + at.minute) * cells // 1440 for at in day.sign_ins_at}
    for number, cell in enumerate(day.cells):
        row.append(*(_SIGNED_IN if number in signed_in else _MARKS[cell]))
    row.append(f"{_gap(cells)}{day.renewed or '':>7}{_gap(cells)}{day.signed_in or '':>8}")
    return row


def _label(cells: int) -> int:
    return 12 if cells == 48 else 7


def _gap(cells: int) -> str:
    return "  " if cells == 48 else " "
