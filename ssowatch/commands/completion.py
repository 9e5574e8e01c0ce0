"""`ssowatch completion SHELL`: what a shell reads once, and the words that it asks for at each press of Tab."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import cache
from importlib import import_module, resources
from typing import Any

from ssowatch import completing, published, survey
from ssowatch.clock import utc_now
from ssowatch.mcp import found

_SHELLS = ("bash", "zsh", "fish")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("shell", choices=[*_SHELLS, "words"], metavar="|".join(_SHELLS), help="print what it reads")


def run(options: argparse.Namespace) -> int:
    """Print it; exit 0. `words`: standard input has one word a line, the last one is being typed."""
    if options.shell in _SHELLS:
        print(
            resources.files("ssowatch").joinpath("data", "completion", f"ssowatch.{options.shell}").read_text(), end=""
        )
        return 0
    words = sys.stdin.read().removesuffix("\n").split("\n")
    for word in completing.offered(_parser(options.known, words), words, _names):
        print(word.text, *([word.summary] if word.summary else []), sep="\t")
    return 0


def _parser(known: dict[str, str], words: list[str]) -> argparse.ArgumentParser:
    """The command line, with the command read that stands in `words`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--version", action="store_true", help="show the version")
    parser.add_argument("--config", metavar="FILE", help="another config file")
    _fill(parser, "ssowatch.commands.", known, words)
    return parser


def _fill(parser: argparse.ArgumentParser, where: str, known: dict[str, str], words: list[str]) -> None:
    commands = parser.add_subparsers()
    for name, summary in known.items():
        command = commands.add_parser(name, help=summary)
        if name in words:
            module = import_module(f"{where}{name.replace('-', '_')}")
            if hasattr(module, "COMMANDS"):  # a command of words, like `mcp`
                _fill(command, f"{where}{name}_", module.COMMANDS, words)
            else:
                module.add_arguments(command)


def _names(kind: str) -> Sequence[str]:
    """What a metavar stands for in this home."""
    if kind == "SERVER":
        return [one.server for one in known.servers] if (known := found.load()) else []
    sign_ins = _document()["sign_ins"] if kind in {"NAME", "PROFILE"} else []
    profiles = [profile for one in sign_ins for profile in one["profiles"]]
    if kind == "PROFILE":
        return profiles
    return [*(one["name"] for one in sign_ins if one["kind"] == "sso-session"), *profiles]


@cache
def _document() -> dict[str, Any]:
    return published.document() or survey.document(utc_now())
