"""An AWS config or credentials file as lines that can be changed one by one (rank 1, pure; it alone knows configupdater).

Rules of this file:
1. What is not changed stays byte for byte: comments, order, spacing, each line's own end, a byte order mark.
2. A changed or new line looks like the one it replaces or follows: its indentation, its delimiter, its end.
3. Blank lines and comments below a key stay when the key goes: configupdater counts indented ones as part of its value,
   AWS does not (`configparser.RawConfigParser._read`).
"""

from __future__ import annotations

import re

from configupdater import ConfigUpdater, Option

_MARK = "\ufeff"
_LINES = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_PARTS = re.compile(r"(\s*)[^=:]*?([ \t]*[=:][ \t]*)[^\r\n]*?([\r\n]*)\Z", re.DOTALL)


class OddLayoutError(Exception):
    """The file could not be put together again as it was, so it must not be changed."""


class Document:
    """One file's text, and what is changed in it."""

    def __init__(self, text: str) -> None:
        """Take it apart. AWS must be able to read it: `AwsFile.flaw` is None.

        Raises:
            OddLayoutError: it does not come together again.

        """
        self._mark = _MARK if text.startswith(_MARK) else ""
        lines = _LINES.findall(text.removeprefix(_MARK))
        self._end = "\r\n" if lines and lines[0].endswith("\r\n") else "\n"
        self._updater = ConfigUpdater(strict=False)
        self._updater.read_file(lines)
        self._new = ""
        if self.text != text:
            raise OddLayoutError

    @property
    def text(self) -> str:
        """As it stands now."""
        return f"{self._mark}{self._updater}{self._new}"

    def has(self, header: str, key: str) -> bool:
        """Whether the section has this key itself, not lent by `[DEFAULT]`."""
        return self._option(header, key) is not None

    def rewrite(self, header: str, key: str, new: str, value: str) -> None:
        """Put `new = value` into the place of a key's line."""
        lines = self._updater[header][key].lines
        lines[0] = _like(lines[0], new, value)

    def remove(self, header: str, key: str) -> None:
        """Take a key's line away."""
        if option := self._option(header, key):
            option.lines[0] = ""

    def insert(self, header: str, below: str, key: str, value: str) -> None:
        """Add `key = value` right below another key's line.

        Raises:
            OddLayoutError: the section has no such line itself.

        """
        if not (option := self._option(header, below)):
            raise OddLayoutError
        lines = option.lines
        new = _like(lines[0], key, value)
        if not lines[0].endswith(("\r", "\n")):  # the last line of the file
            lines[0] += self._end
        lines.insert(1, new)

    def append(self, header: str, keys: dict[str, str], like: str) -> None:
        """Add a section at the end of the file; its lines have the delimiter of the line `like`."""
        text = self.text.removeprefix(self._mark)
        if text and not text.endswith(("\r", "\n")):
            self._new += self._end
        if text.strip() and not text.endswith(("\n\n", "\r\n\r\n")):
            self._new += self._end
        lines = (f"[{header}]", *(_like(like.strip(), key, value) for key, value in keys.items()))
        self._new += "".join(f"{line}{self._end}" for line in lines)

    def line(self, header: str, key: str) -> str:
        """The line of a key, as it is written."""
        return self._updater[header][key].lines[0]

    def _option(self, header: str, key: str) -> Option | None:
        section = self._updater[header] if self._updater.has_section(header) else None
        return section[key] if section is not None and key in section else None


def _like(line: str, key: str, value: str) -> str:
    """`key = value`, written as `line` is."""
    return _PARTS.sub(lambda parts: f"{parts[1]}{key}{parts[2]}{value}{parts[3]}", line)
