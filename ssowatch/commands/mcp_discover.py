"""`ssowatch mcp discover` (hidden): look for MCP servers, and leave what was found in our state. The watcher's child."""

from __future__ import annotations

import argparse
import json
import sys

from ssowatch import files
from ssowatch.mcp import discovery, found
from ssowatch.world import World


def add_arguments(_parser: argparse.ArgumentParser) -> None:
    """It has no options."""


def run(_options: argparse.Namespace) -> int:
    """Look; exit 0, or 1 if the result cannot be written."""
    world = World(recording=False)
    result = discovery.discover(world.settings.mcp, world.aws_config())
    try:
        found.save(result)
    except (OSError, files.BusyError) as error:
        print(f"ssowatch: {getattr(error, 'strerror', None) or 'another discovery runs'}", file=sys.stderr)
        return 1
    print(json.dumps({"servers": len(result.servers), "broken": len(result.broken)}))
    return 0
