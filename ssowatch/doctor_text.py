"""What the doctor found, as a person reads it (rank 1, pure). It fits 80 columns, and 50; it needs no colour.

What needs somebody stands first, each with its mend on lines of its own, so that it can be copied; then what is well.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

Line = tuple[str, bool, str, str | None]
"""name, ok, message, fix"""


def text(rows: Sequence[Line], mended: Iterable[str], width: int) -> str:
    """The whole answer."""
    blocks = [_wrapped(f"mended: {one}", "", width) for one in mended]
    wrong = [row for row in rows if not row[1]]
    for name, _, message, fix in wrong:
        blocks.append(_wrapped(f"! {name}: {message}", "", width) + (_fix(fix, width) if fix else []))
    blocks += [_wrapped(f"ok {name}: {message}", "", width) for name, ok, message, _ in rows if ok]
    count = len(wrong)
    last = "All is well." if not count else f"{count} finding{'s' if count > 1 else ''}; each mend stands behind its >."
    return "\n".join([*(line for block in blocks for line in block), "", *_wrapped(last, "", width)])


def _fix(fix: str, width: int) -> list[str]:
    """A command that is to be copied stays on its line; words are broken."""
    lines = []
    for line in fix.splitlines():
        lines += _wrapped(f"> {line}", "  ", width)
    return lines


def _wrapped(said: str, indent: str, width: int) -> list[str]:
    rest = indent + " " * (len(said) - len(said.partition(" ")[2])) if said[:2] in {"! ", "> ", "ok"} else indent
    return textwrap.wrap(
        said,
        max(width, 20),
        initial_indent=indent,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
