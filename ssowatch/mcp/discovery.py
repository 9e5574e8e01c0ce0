"""Finds the MCP servers of every known client (composition; run in a child or by a command, never by the watcher itself).

Rules of this file:
1. Files are data. Nothing found in one is run, and no value of a variable leaves this process but a profile's name.
2. A file that cannot be used costs its own servers and nobody else's; it is named as broken.
3. Every file that bears on the result is remembered with its stat, so that the watcher can tell by stats alone when to
   look again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from ssowatch import files, paths
from ssowatch.mcp import clients, command_line, parsers, profiles, projects, shapes
from ssowatch.mcp.clients import PLACES, Place
from ssowatch.mcp.due import asked
from ssowatch.mcp.model import Broken, Found, McpServer
from ssowatch.mcp.names import CLIENTS
from ssowatch.mcp.places import Where
from ssowatch.model import AwsConfig
from ssowatch.settings import Mcp

_MOST_MISSING = 500
"""Paths that are remembered because nothing is there yet; where more are missing, what comes to the rest is found with
the next other change."""


def discover(mcp: Mcp, aws: AwsConfig, where: Where | None = None) -> Found:
    """Look everywhere; never raises."""
    return _Discovery(mcp, aws, where or Where(paths.home(), os.environ)).result()


class _Discovery:
    def __init__(self, mcp: Mcp, aws: AwsConfig, where: Where) -> None:
        self._mcp, self._where = mcp, where
        self._profiles = frozenset(
            [
                *(name for one in aws.sign_ins for name in (*one.profiles, one.name)),
                *(one.profile for one in aws.unwatched),
            ]
        )
        self._documents: dict[str, Any] = {}
        self._seen: dict[str, tuple[int, ...] | None] = {}
        self._missing = 0
        self._broken: dict[str, Broken] = {}
        self._done: set[str] = set()
        self._servers: dict[McpServer, None] = {}

    def result(self) -> Found:
        """The servers, in the order of the clients."""
        if self._mcp.discover:
            self._search()
        for written in self._mcp.configs:
            path = written.replace("~", self._where.home, 1) if written.startswith("~/") else written
            place = clients.known_by(path) or Place("other", path, shapes.ANY)
            self._take(place, path, os.path.dirname(path))  # noqa: PTH120
            if self._seen.get(path) is None and path not in self._broken:
                self._broken[path] = Broken(place.client, path, "does not exist, although `mcp.configs` names it")
        order = {client: number for number, client in enumerate(CLIENTS)}
        servers = sorted(self._servers, key=lambda one: order[one.client])
        return Found(tuple(servers), tuple(self._broken.values()), self._seen, asked(self._mcp))

    def _search(self) -> None:
        home = self._where.home
        recorded = [
            folder
            for pattern, read in projects.SOURCES
            for path in self._files(pattern)
            for folder in read(self._document("", path))
        ]
        there = [folder for folder in projects.with_parents(recorded, home) if os.path.isdir(folder)]  # noqa: PTH112
        folders = {"<project>": there, "<plugin>": self._plugins()}
        # The home's own files first: what is missing there is to be remembered before what is missing in projects.
        for place in sorted(PLACES, key=lambda place: place.pattern.startswith("<project>")):
            variable = place.pattern.partition("/")[0]
            for folder in folders.get(variable, [""]):
                for path in self._files(place.pattern, folder):
                    if not place.agents or self._legacy_counts(place, folder):
                        self._take(place, path, folder)

    def _files(self, pattern: str, folder: str = "") -> Iterator[str]:
        if (base := self._where.base(pattern, folder)) and os.path.isdir(base):  # noqa: PTH112
            self._see(base)
        return self._where.files(pattern, folder)

    def _see(self, path: str) -> None:
        if path in self._seen:
            return
        stat = files.signature(path)
        self._missing += stat is None
        if stat or self._missing <= _MOST_MISSING:
            self._seen[path] = stat

    def _plugins(self) -> list[str]:
        """Claude Code's installed plugins; where no list of them can be read, all that lie there."""
        path = self._where.path(projects.INSTALLED_PLUGINS) or ""
        if installed := projects.installed(self._document("claude-code", path)):
            return list(dict.fromkeys(installed))
        lying = (projects.plugin_folder(one) for pattern in projects.PLUGINS for one in self._files(pattern))
        return list(dict.fromkeys(lying))

    def _legacy_counts(self, place: Place, folder: str) -> bool:
        agents = [path for pattern in place.agents for path in self._files(pattern, folder)]
        documents = [self._document("", path) for path in agents]
        return not agents or any(isinstance(one, dict) and one.get("useLegacyMcpJson") is True for one in documents)

    def _take(self, place: Place, path: str, folder: str) -> None:
        """The servers in one file."""
        document = self._document(place.client, path)
        if document is None or (real := os.path.realpath(path)) in self._done:
            return
        self._done.add(real)
        for entry in place.shape(document):
            for server in self._resolved(place, path, entry, entry.folder or folder):
                self._servers[server] = None

    def _resolved(self, place: Place, path: str, entry: shapes.Entry, folder: str) -> Iterator[McpServer]:
        return profiles.resolve(
            entry,
            place.client,
            path,
            known=self._known(place.client, folder),
            profiles=self._profiles,
            home=self._where.home,
            aws_config=paths.aws_config(),
            env_file=partial(self._env_file, folder),
            elsewhere=place.elsewhere,
        )

    def _known(self, client: str, folder: str) -> dict[str, str]:
        """What the client puts in for variables, as far as files tell."""
        home = self._where.home
        known = {"HOME": home, "userHome": home, "workspaceFolder": folder, "pathSeparator": "/"}
        if client == "claude-code":
            for pattern in clients.CLAUDE_SETTINGS:
                path = self._where.path(pattern, folder) if folder or "<project>" not in pattern else None
                settings = self._document(client, path) if path else None
                env = settings.get("env") if isinstance(settings, dict) else None
                if isinstance(env, dict):
                    known |= {
                        name: value for name, value in env.items() if isinstance(name, str) and isinstance(value, str)
                    }
        return known

    def _env_file(self, folder: str, path: str) -> Mapping[str, str]:
        path = path.replace("~", self._where.home, 1) if path.startswith("~/") else path
        if not path.startswith("/"):
            path = f"{folder or self._where.home}/{path}"
        content = self._content(path)
        return command_line.variables(content.decode("utf-8", "replace")) if content else {}

    def _content(self, path: str) -> bytes | None:
        if "\0" in path:
            return None
        self._see(path)
        try:
            return files.read(path, parsers.LARGEST)
        except files.NotReadableError as error:
            self._broken[path] = Broken("", path, str(error))
            return None

    def _document(self, client: str, path: str) -> Any:  # noqa: ANN401 - any document
        """What stands in a file, or None; read once."""
        if path not in self._documents:
            self._documents[path] = None
            content = self._content(path)
            try:
                self._documents[path] = parsers.parse(path, content) if content else None
            except parsers.BrokenError as error:
                self._broken[path] = Broken(client, path, str(error))
        return self._documents[path]
