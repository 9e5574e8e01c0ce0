"""From a parsed config file to the servers in it (rank 1, pure): where they stand, and what an entry is called there.

Rules of this file:
1. A document is anybody's data: whatever is not of the expected type counts as not there. Nothing is walked but the
   keys that are named here, so neither depth nor size matters.
2. An entry's values may be secrets; its `repr` shows none, and no message is made of them.
3. A server that is switched off, or that is reached by a URL, starts no program here: it has no entry.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_MOST = 200  # servers in a file, words of a command, variables of a server: a file may be made to keep us busy
_LONGEST = 8 << 10  # characters of a word
_NAME = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One server as a file has it."""

    server: str
    words: tuple[str, ...] = field(default=(), repr=False)
    """The command and its arguments."""
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_file: str = field(default="", repr=False)
    inherits: tuple[str, ...] = ()
    """Variables that it is handed from the client's own environment (Codex `env_vars`)."""
    from_keyring: tuple[str, ...] = ()
    """Variables whose values lie in a key ring (Goose `env_keys`)."""
    folder: str = ""
    """The project that it belongs to, where the file says so."""


Shape = Callable[[Any], Iterator[Entry]]


def keyed(*places: str) -> Shape:
    """A mapping of names to servers, or a list of servers with a `name`, at each of these dotted places."""

    def read(document: Any) -> Iterator[Entry]:  # noqa: ANN401 - what a parser gave
        for place in places:
            yield from _servers(_at(document, place))

    return read


def claude_code(document: Any) -> Iterator[Entry]:  # noqa: ANN401
    """`~/.claude.json`: servers of the user, and of each project."""
    yield from _servers(_at(document, "mcpServers"))
    for folder, project in _mapping(_at(document, "projects")).items():
        yield from _servers(_at(project, "mcpServers"), _clean(folder))


def plugin(document: Any) -> Iterator[Entry]:  # noqa: ANN401
    """`.mcp.json` of a Claude Code plugin: wrapped in `mcpServers`, or the mapping itself."""
    yield from _servers(_at(document, "mcpServers") if "mcpServers" in _mapping(document) else document)


def opencode(document: Any) -> Iterator[Entry]:  # noqa: ANN401
    """opencode: `mcp.servers` (v2), or the mapping `mcp` itself (v1, where a server may be called `servers`)."""
    inner = _mapping(_at(document, "mcp.servers"))
    new = all(isinstance(one, dict) for one in inner.values()) and inner
    yield from _servers(inner if new else _at(document, "mcp"))


MCP_SERVERS = keyed("mcpServers")
SERVERS = keyed("servers")
EDITOR_SETTINGS = keyed("mcp.servers")
CURSOR_USER = keyed("mcpServers", "servers", "mcp.servers")
DEV_CONTAINER = keyed("customizations.vscode.mcp.servers")
WORKSPACE = keyed("settings.mcp.servers")
KIRO = keyed("mcpServers", "powers.mcpServers")
ZED = keyed("context_servers")
CODEX = keyed("mcp_servers")
GOOSE = keyed("extensions")
ANY = keyed("mcpServers", "servers", "mcp.servers", "context_servers", "mcp_servers", "extensions")


def _servers(found: Any, folder: str = "") -> Iterator[Entry]:  # noqa: ANN401
    """Entries of a mapping by name, or of a list with names."""
    if isinstance(found, list):
        found = {
            one["name"]: one for one in found[:_MOST] if isinstance(one, dict) and isinstance(one.get("name"), str)
        }
    for name, server in list(_mapping(found).items())[:_MOST]:
        if isinstance(server, dict) and (entry := _entry(name, server, folder)):
            yield entry


def _entry(name: str, server: Mapping[str, Any], folder: str) -> Entry | None:
    if server.get("disabled") is True or server.get("enabled") is False:
        return None
    command = server.get("command", server.get("cmd"))
    inner = _mapping(command)  # an older form of Zed's: {"path", "args", "env"}
    if inner:
        command, server = inner.get("path"), {**server, **inner}
    words = _words(command) if isinstance(command, list) else _words([command])
    if not words:
        return None
    arguments = _words(server.get("args"))
    if not arguments and len(words) == 1:
        words = split(words[0])
    env: dict[str, str] = {}
    for key in ("env", "envs", "environment"):
        for variable, value in list(_mapping(server.get(key)).items())[:_MOST]:
            if isinstance(value, str | int) and not isinstance(value, bool):
                env[variable] = _clean(str(value))
    env_file = server.get("envFile")
    return Entry(
        server=_clean(name[:_NAME]),
        words=(*words, *arguments),
        env=env,
        env_file=_clean(env_file) if isinstance(env_file, str) else "",
        inherits=_words(server.get("env_vars")),
        from_keyring=_words(server.get("env_keys")),
        folder=folder,
    )


def split(command: str) -> tuple[str, ...]:
    """A command line as words; quotes that do not end are taken as they are."""
    try:
        return tuple(shlex.split(command))
    except ValueError:
        return tuple(command.split())


def _words(found: Any) -> tuple[str, ...]:  # noqa: ANN401
    return (
        tuple(_clean(one) for one in found[:_MOST] if isinstance(one, str) and one) if isinstance(found, list) else ()
    )


def _clean(text: str) -> str:
    """Without the characters by which `expansion` marks what it put in, and without what is no text (lone surrogates)."""
    return re.sub("[\ue000\ue001]", " ", text[:_LONGEST].encode("utf-8", "replace").decode())


def _at(document: Any, place: str) -> Any:  # noqa: ANN401
    for key in place.split("."):
        document = _mapping(document).get(key)
    return document


def _mapping(found: Any) -> dict[str, Any]:  # noqa: ANN401
    return {key: value for key, value in found.items() if isinstance(key, str)} if isinstance(found, dict) else {}
