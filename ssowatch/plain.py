"""Text from somewhere else, made safe to show (rank 1, pure)."""

from __future__ import annotations


def plain(text: str, limit: int = 200) -> str:
    """Text from a file or a server on one line: no control, bidirectional or invisible characters, at most `limit`.

    Names in config files are anybody's text: they must not move a cursor, turn a line around or forge a log line.
    """
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
