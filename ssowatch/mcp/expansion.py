"""What clients put in for variables in their config files (rank 1, pure).

Rules of this file:
1. What was put in is marked, so that whoever takes a name out of the text later knows that it is not written there:
   `EXPANDED` stands before a value that we know, `UNKNOWN` in place of one that we do not.
2. A client's environment is not ours. So `AWS_*` is never taken from our own: a service would then tell another tale
   than a shell.
3. What stands inside braces has none itself: no client nests them in what a server is started with, and a text of
   nothing but openings is read in one pass.
4. Each client has one form (facts and sources in docs/mcp.md); one that is not named here puts in nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

EXPANDED, UNKNOWN = "\ue000", "\ue001"

_BRACED = re.compile(r"\$\{(?P<name>[\w.]+)(?::-(?P<default>[^{}]*))?\}")
_DOLLAR = re.compile(r"\$(?:\{(?P<name>\w+)(?::-(?P<default>[^{}]*))?\}|(?P<bare>[A-Za-z_]\w*))")
_EDITOR = re.compile(r"\$\{(?:(?P<kind>\w+):)?(?P<name>[^{}]*)\}")
_OPENCODE = re.compile(r"\{(?P<kind>env|file):(?P<name>[^{}]*)\}")
_SECRETS = re.compile(r"\$\{\{(?P<name>[^{}]*)\}\}")

_FORMS = {
    "claude-code": _BRACED,
    "kiro": _BRACED,
    "gemini-cli": _DOLLAR,
    "cursor": _EDITOR,
    "vscode": _EDITOR,
    "windsurf": _EDITOR,
    "amazon-q": _EDITOR,
    "roo": _EDITOR,
    "opencode": _OPENCODE,
    "continue": _SECRETS,
}


def expand(text: str, client: str, known: Mapping[str, str]) -> str:
    """The text as the client hands it on. `known`: variables, and `userHome` and `workspaceFolder` of the editors."""
    form = _FORMS.get(client)
    return _put_in(text, form, known) if form else text


def shell(text: str, known: Mapping[str, str]) -> str:
    """The text as a POSIX shell would read its variables."""
    return _put_in(text, _DOLLAR, known)


def marked(text: str) -> str:
    """A value that is not written in the server's own file."""
    return EXPANDED + text


def plain_text(text: str) -> str | None:
    """The text without marks; None where a part of it is unknown."""
    return None if UNKNOWN in text else text.replace(EXPANDED, "")


def is_literal(text: str) -> bool:
    """Whether all of it is written in the file."""
    return EXPANDED not in text and UNKNOWN not in text


def _put_in(text: str, form: re.Pattern[str], known: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        parts = found.groupdict()
        if parts.get("kind") not in {None, "env"}:  # ${input:…}, {file:…}
            return UNKNOWN
        name = parts.get("bare") or parts["name"]
        if name in known:
            return EXPANDED + known[name]
        default = parts.get("default")
        return UNKNOWN if default is None else EXPANDED + default

    return form.sub(value, text)
