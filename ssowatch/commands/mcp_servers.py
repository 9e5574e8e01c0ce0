"""`ssowatch mcp servers`: look for MCP servers now, and say which hangs on which sign-in.

What it finds it leaves for the watcher and for `status`, which never look themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys

from ssowatch import client, files, paths, protocol
from ssowatch.mcp import discovery, found, hanging, table
from ssowatch.plain import escaped
from ssowatch.world import World


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="as JSON (docs/json.md)")


def run(options: argparse.Namespace) -> int:
    """Look and show; exit 0, 78 with a config that cannot be used."""
    world = World(recording=False)
    if world.settings_error:
        print(f"ssowatch: {world.settings_error}", file=sys.stderr)
        return os.EX_CONFIG
    mcp, aws = world.settings.mcp, world.aws_config()
    result = discovery.discover(mcp, aws)
    try:
        found.save(result)
        client.ask("look")
    except (OSError, files.BusyError):
        print("ssowatch: what was found cannot be kept for `status` and the watcher", file=sys.stderr)
    servers = hanging.hang(result.servers, aws)
    if options.json:
        broken = [{"client": one.client or None, "file": one.file, "message": one.message} for one in result.broken]
        document = {"version": 1, "servers": [protocol.mcp_server(one) for one in servers], "broken": broken}
        print(escaped(json.dumps(document, ensure_ascii=False)))
        return 0
    print(table.table(servers, result.broken, paths.home(), min(shutil.get_terminal_size().columns, 120)))
    if not mcp.discover:
        print("\nOnly the files of `mcp.configs` were read: the ssowatch config says `mcp.discover: false`.")
    return 0
