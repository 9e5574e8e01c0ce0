"""The entry of an MCP server with our wrapper in front, as its client's config file has it (rank 1, pure).

Rules of this file:
1. Only the keys that start the server are written, at their place. Everything else of the entry (`env`, time limits) is
   the user's to keep: an `env` holds secrets, and this text is shown on a screen.
2. A word of the command that looks like a secret is shown as `YOURS`.
3. Names in a config file are anybody's text: nothing is written that a terminal would not show as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ssowatch.mcp.clients import PLACES
from ssowatch.mcp.shapes import ANY, Entry, Shape

YOURS = "<yours>"
_CONTAINERS = (
    *("mcpServers", "servers", "mcp.servers", "context_servers", "mcp_servers", "extensions", "powers.mcpServers"),
    *("customizations.vscode.mcp.servers", "settings.mcp.servers", "mcp", ""),
)
_SECRET = re.compile(r"(?i)secret|token|passw|credential|(?:api|access|private|auth)[-_]?key|^-?-?key\b")
_ASSIGNED = re.compile(r"((?:--?[\w-]+=)?[\w.-]+=)(.+)", re.DOTALL)
_LOGIN = re.compile(r"(?<=://)[^/\s@]+@")


@dataclass(frozen=True, slots=True)
class Snippet:
    """What to paste, or "" where the wrapper is in front already; whether a word of it is `YOURS`; and which keys of the
    entry stay as they are.
    """

    text: str
    masked: bool
    kept: tuple[str, ...]


def snippets(
    path: str,
    document: Any,  # noqa: ANN401 - what a parser gave
    client: str,
    server: str,
    profile: str | None,
    program: str,
) -> list[Snippet]:
    """One for each entry called `server` in the file; `program` is how the client starts ssowatch."""
    found = []
    entries = _entries(document, client, server)
    placed = [(entry, place) for entry in entries if (place := _place(document, entry))]
    for entry, (keys, raw) in placed:
        words = tuple(_shown(entry.words))
        starts = _starts(raw, [program, "mcp", "wrap", *(["--profile", profile] if profile else []), "--", *words])
        kept = tuple(key for key in raw if key not in {*starts, "args", "name"})
        text = _written(path, keys, server, starts, listed=isinstance(_at(document, keys), list))
        found.append(Snippet("" if _is_wrapped(entry.words) else text, words != entry.words, kept))
    return found


def _is_wrapped(words: tuple[str, ...]) -> bool:
    return any(
        word.rpartition("/")[2] == "ssowatch" and words[place + 1 : place + 3] == ("mcp", "wrap")
        for place, word in enumerate(words)
    )


def _entries(document: Any, client: str, server: str) -> list[Entry]:  # noqa: ANN401
    shapes: dict[Shape, None] = dict.fromkeys([*(one.shape for one in PLACES if one.client == client), ANY])
    for shape in shapes:
        if entries := [entry for entry in shape(document) if entry.server == server]:
            return entries
    return []


def _place(document: Any, entry: Entry) -> tuple[tuple[str, ...], dict[str, Any]] | None:  # noqa: ANN401
    """Where an entry of this name stands, and what stands there."""
    places = [tuple(place.split(".")) if place else () for place in _CONTAINERS]
    for keys in [("projects", entry.folder, "mcpServers")] if entry.folder else places:
        found = _at(document, keys)
        if isinstance(found, list):
            found = {one.get("name"): one for one in found if isinstance(one, dict)}
        raw = found.get(entry.server) if isinstance(found, dict) else None
        if isinstance(raw, dict) and ("command" in raw or "cmd" in raw):
            return keys, raw
    return None


def _at(document: Any, keys: tuple[str, ...]) -> Any:  # noqa: ANN401
    for key in keys:
        document = document.get(key) if isinstance(document, dict) else None
    return document


def _shown(words: tuple[str, ...]) -> Iterator[str]:
    """The words of the server's own command, without what looks like a secret."""
    secret = False
    for word in words:
        named = _ASSIGNED.fullmatch(word)
        if secret and not word.startswith("-"):
            yield YOURS
        elif named and _SECRET.search(named[1]):
            yield named[1] + YOURS
        else:
            yield _LOGIN.sub(f"{YOURS}@", word)
        secret = word.startswith("-") and not named and bool(_SECRET.search(word))


def _starts(raw: dict[str, Any], words: list[str]) -> dict[str, Any]:
    """The keys that start the server, in the form in which the entry has them."""
    if isinstance(raw.get("command"), list):
        return {"command": words}
    if isinstance(raw.get("command"), dict):
        return {"command": {"path": words[0], "args": words[1:]}}
    return {"command" if "command" in raw else "cmd": words[0], "args": words[1:]}


# Written

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def _written(path: str, keys: tuple[str, ...], server: str, starts: dict[str, Any], *, listed: bool) -> str:
    if path.endswith(".toml"):
        table = ".".join(_key(one) for one in (*keys, server))
        return "\n".join([f"[{table}]", *(f"{key} = {_value(value)}" for key, value in starts.items())])
    if path.endswith((".yaml", ".yml")):
        return _yaml(keys, server, starts, listed=listed)
    inner: Any = [{"name": server, **starts}] if listed else {server: starts}
    for key in reversed(keys):
        inner = {key: inner}
    return _escaped(json.dumps(inner, indent=2, ensure_ascii=False), pairs=True)


def _yaml(keys: tuple[str, ...], server: str, starts: dict[str, Any], *, listed: bool) -> str:
    lines = [f"{'  ' * depth}{_key(key)}:" for depth, key in enumerate(keys)]
    indent = "  " * len(keys)
    lines.append(f"{indent}- name: {_value(server)}" if listed else f"{indent}{_value(server)}:")
    return "\n".join([*lines, *(f"{indent}  {key}: {_value(value)}" for key, value in starts.items())])


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _value(value: Any) -> str:  # noqa: ANN401
    """A string or a list in JSON, which TOML and YAML read as their own."""
    return _escaped(json.dumps(value, ensure_ascii=False), pairs=False)


def _escaped(text: str, *, pairs: bool) -> str:
    """Without characters that a terminal does not show; `pairs`: beyond 16 bits as JSON writes them."""

    def code(char: str) -> str:
        if char == "\n" or char.isprintable():
            return char
        number = ord(char)
        if number < 0x10000:
            return f"\\u{number:04x}"
        return json.dumps(char)[1:-1] if pairs else f"\\U{number:08x}"

    return "".join(map(code, text))
