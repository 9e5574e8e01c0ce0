"""A text without its layout, to be compared with what the SDKs' sources say (rank 1, pure).

Rules of this file:
1. Programs wrap, box, colour, indent and quote what an SDK said, in the middle of words too. So nothing that is layout
   is kept: no white space, no boxes, no colours, no JSON escapes, no capitals. Both sides of a comparison lose them.
2. Work is bounded: of a long text the beginning and the end are looked at, and no expression here can go back and forth
   over the same characters.
3. What comes out is for comparing alone; it is never shown and never run.
"""

from __future__ import annotations

import re

LOOKED_AT = 64 * 1024
"""Characters at either end of a text. An error is what a program says first or last; what stands deep inside a long
text is something the text tells of."""

_COLOURS = re.compile(r"(?:\x1b\[|\x9b)[0-?]{0,60}[ -/]{0,4}[@-~]|\x1b\][^\x07\x1b]{0,2000}(?:\x07|\x1b\\)")
# JSON and `repr` escapes, of text that was quoted more than once, too: \\\"x\\\", \n, \u001b, \x1b
_ESCAPES = re.compile(r"\\{1,8}(?:(?:u|x(?=[0-9a-fA-F]{2}))([0-9a-fA-F]{4}|[0-9a-fA-F]{2})|[nrt]|(?=[\"'/]))")
# The column at the right that `rich` gives a log line: "… from sso: Token      server.py:523"
_MARGIN = re.compile(r"[ \t][\w.]{1,60}\.py:\d{1,6}(?=[ \t\u2500-\u259f|]{0,40}$)", re.MULTILINE)
# What white space is not: control and invisible characters, boxes and blocks, and the signs that markdown puts around code
_LAYOUT = re.compile(r"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u2500-\u259f|`*]+")
_QUOTES = str.maketrans("\u2018\u2019\u201c\u201d", "''\"\"")


def flat(text: str) -> str:
    """`text` on one line, in lower case, with one space where there was white space; of a long one the two ends."""
    if len(text) > 2 * LOOKED_AT:
        text = f"{text[:LOOKED_AT]}…{text[-LOOKED_AT:]}"
    if "\\" in text:
        text = _ESCAPES.sub(_meant, text)
    if "\x1b" in text or "\x9b" in text:
        text = _COLOURS.sub("", text)
    if ".py:" in text:
        text = _MARGIN.sub("", text)
    text = _LAYOUT.sub("", " ".join(text.split())).strip().lower()
    return text if text.isascii() else text.translate(_QUOTES)


def squeeze(text: str) -> str:
    """The same without any white space: what was broken in the middle of a word is whole again."""
    return flat(text).replace(" ", "")


def _meant(escape: re.Match[str]) -> str:
    return chr(int(escape[1], 16)) if escape[1] else "\n" if escape[0][-1] in "nrt" else ""
