"""`ssowatch config init|check|show`: make, check and print the config file."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ssowatch import carried, files, paths, settings
from ssowatch.yaml_layers import place

_GOOD, _NO, _CONFIG_ERROR = 0, 1, 78


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The three sub-commands."""
    acts = parser.add_subparsers(dest="act", metavar="init|check|show", required=True)
    acts.add_parser("init", help="write a config file with every key explained")
    check = acts.add_parser("check", help="tell whether a config file is right")
    check.add_argument("file", nargs="?", metavar="FILE", help="default: the file in use")
    acts.add_parser("show", help="print the settings in effect; passwords as ***")


def run(args: argparse.Namespace) -> int:
    """Do what `args.act` names; the exit status: 0 good, 1 no, 78 configuration error."""
    try:
        match args.act:
            case "init":
                return _init()
            case "check":
                return _check(args.file)
            case _:
                return _show()
    except settings.SettingsError as error:
        print(error, file=sys.stderr)
        return _CONFIG_ERROR


def _init() -> int:
    target = paths.config_file()
    if os.path.lexists(target):
        print(f"{place(target, None)} is there already and stays as it is.", file=sys.stderr)
        return _NO
    try:
        # Not files.private_dir: --config may name a directory whose mode is not ours to change.
        Path(target).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        files.replace(target, carried.read("config.example.yaml"), follow=True)
    except OSError as error:
        print(f"{place(target, None)} cannot be written: {error.strerror}.", file=sys.stderr)
        return _NO
    print(f"{place(target, None)} is written: every key with its default, to be changed where you like.")
    return _GOOD


def _check(named: str | None) -> int:
    file = os.path.abspath(named) if named else paths.config_file()  # noqa: PTH100 - a plain string as the paths are
    loaded = settings.load(file)
    for note in loaded.notes:
        print(note)
    if file in loaded.files:
        print(f"{place(file, None)} is right.")
        return _GOOD
    if named:
        print(f"{named}: there is no such file.", file=sys.stderr)
        return _CONFIG_ERROR
    print(f"There is no {place(file, None)}, so the defaults hold; `ssowatch config init` writes one.")
    return _GOOD


def _show() -> int:
    loaded = settings.load(paths.config_file())
    for note in loaded.notes:
        print(f"# {note}")
    print(settings.as_yaml(loaded.settings), end="")
    return _GOOD
