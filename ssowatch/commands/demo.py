"""`ssowatch demo`: a working day in a minute and a half, in a throw-away home."""

from __future__ import annotations

import argparse
import signal

from rich.console import Console

from ssowatch.demo.story import tell


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--fast", action="store_true", help="a shorter day, in ten seconds")


def run(options: argparse.Namespace) -> int:
    """Play it; exit 0 if all went as told, 1 if a call failed while the sign-in lived."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # tidy up as after Ctrl-C
    return 0 if tell(Console(highlight=False), fast=options.fast) else 1
