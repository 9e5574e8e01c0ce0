"""`ssowatch ensure`: a sign-in that works when this ends well. For scripts, hooks, and a client's `awsAuthRefresh`."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime, timedelta

from ssowatch import doubt, durations, ensuring, named, time_of_day
from ssowatch.clock import utc_now
from ssowatch.plain import plain
from ssowatch.unusable import UnusableError
from ssowatch.wish import Login, Verdict, Wish

_MIN = "5m"
_SECONDS = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("name", metavar="NAME", help="a sign-in, else a profile")
    parser.add_argument(
        "--min", metavar="D", default=_MIN, help=f"renew if the token lasts shorter than this (default: {_MIN})"
    )
    parser.add_argument("--until", metavar="HH:MM", help="exit 1 if it will not last until then")
    parser.add_argument(
        "--timeout",
        metavar="D",
        help="how long to wait for a person (default: 60s; at a terminal as long as the sign-in takes)",
    )
    parser.add_argument(
        "--login",
        choices=tuple(Login),
        type=Login,
        default=Login.AUTO,
        help="if a person is needed: a browser, a notice, nobody; auto: a browser at a terminal, else as `mode` says",
    )
    # For `mcp wrap`: the answer for a program; AWS is asked about the token; NAME is a profile, whatever else it is.
    for hidden in ("--json", "--doubt", "--of-profile"):
        parser.add_argument(hidden, action="store_true", help=argparse.SUPPRESS)


def run(options: argparse.Namespace) -> int:
    """Ensure it; exit 0 it works, 1 a person is needed, 2 usage, 75 unreachable, 78 misconfigured."""
    now = utc_now()
    try:
        wish = _wish(options, now)
    except ValueError as error:
        print(f"ssowatch: {error}", file=sys.stderr)
        return 2
    try:
        world = named.world()
        sign_in = (named.of_profile if options.of_profile else named.sign_in)(world, options.name)
    except UnusableError as error:
        if not options.json:
            raise
        _answer(None, Verdict(error.code, " ".join(str(error).split())))
        return error.code
    if options.doubt:
        doubt.settle(sign_in, world.policy(sign_in))
    verdict = ensuring.ensure(world, sign_in, wish, _say)
    if options.json:
        _answer(sign_in.name, verdict)
    else:
        print(f"{plain(sign_in.name)}: {verdict.message}", file=sys.stderr if verdict.code else sys.stdout, flush=True)
    return verdict.code


def _answer(name: str | None, verdict: Verdict) -> None:
    """For a program: the sign-in, None where there is none, and the verdict."""
    print(json.dumps({"version": 1, "name": name, "code": verdict.code, "message": verdict.message}), flush=True)


def _wish(options: argparse.Namespace, now: datetime) -> Wish:
    """What the options ask for.

    Raises:
        ValueError: one of them is no duration, or no time of day.

    """
    terminal = ensuring.at_terminal()
    minutes = _span("--min", options.min)
    seconds = _span("--timeout", options.timeout).total_seconds() if options.timeout else None if terminal else _SECONDS
    return Wish(now, terminal, options.login, minutes, _at(options.until, now) if options.until else None, seconds)


def _span(option: str, written: str) -> timedelta:
    try:
        return durations.parse(written)
    except ValueError as error:
        raise ValueError(f"{option} {plain(written)}: {error}") from None


def _at(written: str, now: datetime) -> datetime:
    try:
        return time_of_day.next_at(written, now)
    except ValueError as error:
        raise ValueError(f"--until {plain(written)} {error}") from None


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
