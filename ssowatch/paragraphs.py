"""Sentences for a terminal of any width (rank 1, pure)."""

from __future__ import annotations

import textwrap


def wrapped(text: str, columns: int, indent: str = "") -> str:
    """Prose broken at words; a line that begins with a space is one to copy, and stays whole."""
    width = max(columns, 20)
    return "\n".join(
        indent + line
        if line.startswith(" ")
        else textwrap.fill(
            line, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
        for line in text.splitlines()
    )
