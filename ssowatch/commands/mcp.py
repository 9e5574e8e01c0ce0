"""`ssowatch mcp …`: words to modules. Each is a module `mcp_<name>` with `add_arguments` and `run`, imported when chosen."""

from __future__ import annotations

import argparse
from importlib import import_module

COMMANDS = {
    "servers": "which MCP server hangs on which sign-in",
    "snippet": "the config entry to paste, with the wrapper in front of a server",
    "wrap": "run an MCP server so that its calls wait for the sign-in instead of failing",
}
_HIDDEN = ("discover",)  # the watcher's


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words; what follows one is read by its module."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "\n".join(["commands:", *(f"  {name:12}{summary}" for name, summary in COMMANDS.items())])
    parser.add_argument("what", choices=(*COMMANDS, *_HIDDEN), metavar="COMMAND", help="one of those below")
    rest = parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    rest.required = False  # else the Python before 3.12 asks for it by that name


def run(options: argparse.Namespace) -> int:
    """Run it; the exit code is its own."""
    module = import_module(f"ssowatch.commands.mcp_{options.what}")
    summary = COMMANDS.get(options.what, "")
    parser = argparse.ArgumentParser(
        prog=f"ssowatch mcp {options.what}", description=f"{summary[:1].upper()}{summary[1:]}."
    )
    module.add_arguments(parser)
    chosen = parser.parse_args(options.rest)
    chosen.umask = options.umask
    return int(module.run(chosen))
