"""Text from somewhere else, made safe to show (rank 1, pure)."""

from __future__ import annotations


def plain(text: str, limit: int = 200) -> str:
    """Text from a file or a server on one line: no control, bidirectional or invisible characters, at most `limit`.

    Names in config files are anybody's text: they must not move a cursor, turn a line around or forge a log line.
    """
    shown = "".join(char if char.isprintable() else " " for char in text[: 4 * limit])
    shown = " ".join(shown.split())
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def escaped(json: str) -> str:
    """One line of JSON that means the same, with whatever is not printable in its strings written as an escape of JSON.

    Programs read exactly the name that stands in the file, and a terminal that is shown the line shows text.
    """
    if json.isprintable():
        return json
    text = json.encode(errors="replace").decode()  # half a surrogate pair is no text to many programs
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    units = char.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
