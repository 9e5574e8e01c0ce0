"""`ssowatch mcp servers`: which MCP server hangs on which sign-in."""

from __future__ import annotations

import argparse
import json

from ssowatch.mcp import found
from ssowatch.mcp.model import McpServer
from ssowatch.plain import plain


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--json", action="store_true", help="as JSON (docs/json.md)")


def run(options: argparse.Namespace) -> int:
    """Show them; exit 0."""
    servers = found.load() or ()
    if options.json:
        print(json.dumps({"version": 1, "servers": [_row(one) for one in servers]}, ensure_ascii=False))
        return 0
    for one in servers:
        print(f"{plain(one.server)} ({plain(one.client)}): {plain(one.profile or 'unknown')}")
    if not servers:
        print("No MCP server that uses AWS is known.")
    return 0


def _row(one: McpServer) -> dict[str, object]:
    problem = one.problem and {"code": one.problem.code, "message": one.problem.message, "fix": one.problem.fix}
    return {
        "client": one.client,
        "server": one.server,
        "file": one.file,
        "profile": one.profile,
        "sign_in": one.sign_in,
        "certain": one.certain,
        "problem": problem,
    }
