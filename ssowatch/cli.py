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

COMMANDS = {
    "run": "watch in the foreground (what the service starts)",
    "status": "each sign-in: good until when, what happens next, what is needed from you",
    "login": "sign in, or join the sign-in that is under way",
    "logout": "end one sign-in, and no other",
    "exec": "run a program with a profile whose sign-in works",
    "ensure": "a sign-in that works, for scripts: renewed, or asked for",
    "refresh": "renew tokens now",
    "pause": "no notices and no tabs for a while; renewals go on",
    "mcp": "MCP servers: which of them hang on which sign-in",
    "explain": "what an AWS error text means here, and what to do",
    "history": "the last days as a picture, and what they came to",
    "events": "what happens to the sign-ins, as JSON lines, while it happens",
    "setup": "from nothing to protected, step by step; --remove takes all of it away",
    "service": "what keeps the watcher running: install, uninstall, restart, status, logs",
    "notify": "show a test notice",
    "demo": "see a whole day in a minute and a half, in a throw-away home with a simulated portal",
    "doctor": "what is wrong here, and the command that mends it",
    "upgrade-profile": "make a legacy or scope-less AWS profile renewable, with diff, backup and a way back",
    "config": "write, check or show the ssowatch config",
    "skill": "teach an AI agent to bring a sign-in back",
    "completion": "what bash, zsh or fish reads to complete commands and names",
}


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
    )
    parser.add_argument("--version", action="version", version=f"ssowatch {__version__}")
    parser.add_argument("--config", metavar="FILE", help="another config than ~/.config/ssowatch/config.yaml")
    parser.set_defaults(known=COMMANDS)  # for `completion`
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
        if name == chosen:
            _module(name).add_arguments(command)
    return parser


def _module(command: str) -> Any:  # noqa: ANN401 - a module with `add_arguments` and `run`
    return import_module(f"ssowatch.commands.{command.replace('-', '_')}")
