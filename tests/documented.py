"""The ssowatch commands that a document tells its reader to type, checked against the command line itself."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from ssowatch import cli
from ssowatch.commands import mcp

ROOT = Path(__file__).parent.parent
_FENCED = re.compile(r"```[a-z]*\n(.*?)```", re.DOTALL)
_INLINE = re.compile(r"`(ssowatch [^`\n]+)`")
_CALL = re.compile(r"""(?:^|[|;&(\s"'])(ssowatch [^\n]*)""", re.MULTILINE)
_ENDS = {"|", "||", "&&", ";", "&", ">", "2>", "2>/dev/null", "<", "<<", "2>&1", "then", "#"}


def commands(text: str) -> Iterator[list[str]]:
    """The arguments of each `ssowatch …` in code, fenced or inline."""
    for fenced in _FENCED.findall(text):
        for call in _CALL.findall(fenced):
            yield _arguments(call)
    for inline in _INLINE.findall(_FENCED.sub("", text)):
        yield _arguments(inline)


def _arguments(call: str) -> list[str]:
    """The words up to what ends a simple command in a shell, or in the JSON that a shell command stands in."""
    words = shlex.shlex(call.replace('\\"', '"'), posix=False, punctuation_chars="();<>|&")
    words.whitespace_split = True
    words.commenters = "#"
    found: list[str] = []
    for word in words:
        bare = word.rstrip("\"',}])")
        if word in _ENDS or word[0] in "();<>|&":
            break
        found.append(word.strip("\"'") if word[0] in "\"'" and word[-1] == word[0] else bare.lstrip("[{"))
        if bare != word and word[0] not in "\"'":
            break
    return found[1:]


def is_accepted(arguments: list[str]) -> bool:
    """Whether the command line takes these words; nothing is run."""
    words = [word.replace("…", "x") for word in arguments]
    if len(words) == 1 and words[0] in cli.COMMANDS:
        return True  # it is spoken of
    if words[:1] == ["mcp"] and len(words) > 1:
        return words[1] in mcp.COMMANDS
    parser = cli._parser(next((word for word in words if word in cli.COMMANDS), None))
    try:
        parser.parse_args(words)
    except SystemExit as left:
        return left.code == 0
    return True
