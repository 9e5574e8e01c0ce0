"""`ssowatch events`: what happens to the sign-ins, as JSON lines, while it happens."""

from __future__ import annotations

import argparse
import json
import sys

from ssowatch import act_log, durations, published
from ssowatch.clock import utc_now
from ssowatch.plain import plain
from ssowatch.protocol import moment


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--since", metavar="D", help="first what happened in the last D, like 8h")


def run(options: argparse.Namespace) -> int:
    """Print until it is interrupted; exit 130 then, 2 for a wrong option."""
    since = None
    if options.since:
        try:
            since = moment(utc_now() - durations.parse(options.since))
        except (ValueError, OverflowError) as error:
            print(f"ssowatch: --since {plain(options.since)}: {error}", file=sys.stderr)
            return 2
    if published.running_watcher() is None:
        print("ssowatch: no watcher is running; what happens is told once one does", file=sys.stderr, flush=True)
    for act in act_log.follow(since):
        if act:
            print(json.dumps(act), flush=True)  # ASCII: nothing in a name can move a cursor
    return 0
