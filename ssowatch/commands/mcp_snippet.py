"""`ssowatch mcp snippet CLIENT SERVER`: the config entry to paste, with the wrapper in front. No file is changed."""

from __future__ import annotations

import argparse
import os
import shutil
import sys

from ssowatch import files
from ssowatch.mcp import discovery, hanging, names, parsers
from ssowatch.mcp.model import McpServer
from ssowatch.mcp.snippets import YOURS, Snippet, snippets
from ssowatch.model import AwsConfig
from ssowatch.paths import shown
from ssowatch.plain import plain
from ssowatch.world import World

_NO_HINDRANCE = ("unknown_profile", "read_only")
"""Problems that the wrapper has nothing to do with: it sees what the server is started with, and renews outside of it."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("client", metavar="CLIENT", choices=tuple(names.CLIENTS), help=", ".join(names.CLIENTS))
    parser.add_argument("server", metavar="SERVER", help="the server, as that client's config file calls it")


def run(options: argparse.Namespace) -> int:
    """Print it; exit 0, 1 if the wrapper would not help, 2 if there is no such server, 78 with a bad config of ours."""
    world = World(recording=False)
    if world.settings_error:
        print(f"ssowatch: {world.settings_error}", file=sys.stderr)
        return os.EX_CONFIG
    aws = world.aws_config()
    servers = discovery.discover(world.settings.mcp, aws).servers
    of_client = [one for one in servers if one.client == options.client]
    wanted = [one for one in of_client if one.server == options.server]
    if not wanted:
        known = ", ".join(dict.fromkeys(plain(one.server, 60) for one in of_client)) or "none"
        print(
            f"ssowatch: {names.called(options.client)} has no server {plain(options.server)} that uses AWS",
            file=sys.stderr,
        )
        print(f"known: {known}", file=sys.stderr)
        return 2
    worst = 0
    for path in dict.fromkeys(one.file for one in wanted):
        worst = max(worst, _one_file(path, [one for one in wanted if one.file == path], aws))
    return worst


def _one_file(path: str, rows: list[McpServer], aws: AwsConfig) -> int:
    problems = [one.problem for one in hanging.hang(tuple(rows), aws) if one.problem]
    if hopeless := next((one for one in problems if one.code not in _NO_HINDRANCE), None):
        fix = f"; {plain(hopeless.fix, 300)}" if hopeless.fix else ""
        print(f"ssowatch: the wrapper does not help it: {plain(hopeless.message, 300)}{fix}", file=sys.stderr)
        return 1
    found = _snippets(path, rows[0], rows[0].profile if len(rows) == 1 else None)
    if not any(one.text for one in found):
        why = "runs through ssowatch already" if found else "cannot be read any more"
        print(f"ssowatch: {plain(rows[0].server)} in {plain(shown(path))} {why}", file=sys.stderr)
        return 1
    for one in (one for one in found if one.text):
        kept = f" Keep its other keys: {', '.join(plain(key, 40) for key in one.kept)}." if one.kept else ""
        note = f" {YOURS} stands for what is not shown: keep what you have there." if one.masked else ""
        print(
            f"In {plain(shown(path), 300)}, put these keys into its entry.{kept}{note}\n", file=sys.stderr, flush=True
        )
        print(one.text, flush=True)
    return 0


def _snippets(path: str, server: McpServer, profile: str | None) -> list[Snippet]:
    try:
        document = parsers.parse(path, files.read(path, parsers.LARGEST) or b"")
    except (files.NotReadableError, parsers.BrokenError):
        return []
    # A client that is started from a desktop has another PATH than this shell.
    program = shutil.which("ssowatch") or "ssowatch"
    return snippets(path, document, server.client, server.server, profile, program)
