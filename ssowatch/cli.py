"""The command line: words to modules. Each command is a module with `add_arguments` and `run`, imported when chosen."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from itertools import pairwise
from typing import Any

from ssowatch import __version__
from ssowatch.unusable import UnusableError

_FIRST = {
    "setup": "from nothing to protected, step by step; --remove takes all of it away",
    "status": "each sign-in: good until when, what happens next, what is needed from you",
    "login": "sign in, or join the sign-in that is under way",
    "logout": "end one sign-in, and no other",
    "exec": "run a program with a profile whose sign-in works",
    "pause": "no notices and no tabs for a while; renewals go on",
    "doctor": "what is wrong here, and the command that mends it",
    "mcp": "MCP servers: which of them hang on which sign-in, and calls that wait",
    "run": "watch in the foreground (what the service starts)",
}
"""What a newcomer needs; `--help` shows these, and the names of the others."""
_MORE = {
    "ensure": "a sign-in that works, for scripts: renewed, or asked for",
    "refresh": "renew tokens now",
    "explain": "what an AWS error text means here, and what to do",
    "history": "the last days as a picture, and what they came to",
    "events": "what happens to the sign-ins, as JSON lines, while it happens",
    "upgrade-profile": "make a legacy or scope-less AWS profile renewable, with diff, backup and a way back",
    "service": "what keeps the watcher running: install, uninstall, restart, status, logs",
    "config": "write, check or show the ssowatch config",
    "notify": "show a test notice",
    "completion": "what bash, zsh or fish reads to complete commands and names",
    "skill": "teach an AI agent to bring a sign-in back",
    "demo": "see a whole day in a minute and a half, in a throw-away home with a simulated portal",
}
COMMANDS = {**_FIRST, **_MORE}


def main(arguments: list[str]) -> int:
    """Run a command; returns the exit code of the contract (0, 1, 2, 75, 78, 130)."""
    umask = os.umask(0o077)
    parser = _parser(
        next((word for before, word in pairwise(["", *arguments]) if word in COMMANDS and before != "--config"), None)
    )
    try:
        options = parser.parse_args(arguments)
        options.umask = umask  # for a program that takes our place
        if options.config:
            os.environ["SSOWATCH_CONFIG"] = os.path.abspath(os.path.expanduser(options.config))  # noqa: PTH100, PTH111
        if not options.command:
            parser.print_help()
            return 2
        return int(_module(options.command).run(options))
    except UnusableError as error:
        print(f"ssowatch: {error}", file=sys.stderr)
        return error.code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `ssowatch status | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 0
    except SystemExit as left:  # argparse
        return left.code if isinstance(left.code, int) else 2


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="ssowatch",
        description="Keeps AWS IAM Identity Center (SSO) sign-ins alive, so that programs never meet an expired token.",
        epilog=f"More: {', '.join(_MORE)}. `ssowatch COMMAND --help` tells about each.",
    )
    parser.add_argument("--version", action="version", version=f"ssowatch {__version__}")
    parser.add_argument("--config", metavar="FILE", help="another config than ~/.config/ssowatch/config.yaml")
    parser.set_defaults(known=COMMANDS)  # for `completion`
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        shown: dict[str, Any] = {"help": summary} if name in _FIRST else {}
        command = commands.add_parser(name, description=f"{summary[0].upper()}{summary[1:]}.", **shown)
        if name == chosen:
            _module(name).add_arguments(command)
    return parser


def _module(command: str) -> Any:  # noqa: ANN401 - a module with `add_arguments` and `run`
    return import_module(f"ssowatch.commands.{command.replace('-', '_')}")
