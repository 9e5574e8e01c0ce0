"""`ssowatch status`: what the running watcher published, else the same computed here.

Rules of this file:
1. While a watcher runs the standard library is enough, and nothing is imported before it is needed: `--json` copies
   bytes, `--check [NAME…]` compares moments as the contract writes them, whose order as text is their order in time.
   `__main__` comes here before argparse; whatever is not one of these takes the long way through it.
2. It writes nothing and calls nothing.
"""

from __future__ import annotations

import os
import sys
import time

from ssowatch import published

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from datetime import datetime
    from typing import Any

_WATCH_SECONDS = 1.0
_MOST_DIGITS = 9  # of a width that is one; Python refuses to read thousands of them
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def main(arguments: list[str]) -> int:
    """Run with the arguments after `status`; returns the exit code."""
    if arguments == ["--json"] and (content := published.read()):
        return _copied(content)
    if "--check" in arguments:
        names = [word for word in arguments if word != "--check"]
        if not any(word.startswith("-") for word in names) and (document := published.document()):
            wanted = _wanted(document, names)
            now = time.strftime(_MOMENT, time.gmtime())
            return 2 if wanted is None else _check(*wanted, document, now, reach=now)
    from ssowatch import cli

    return cli.main(["status", *arguments])


def _copied(content: bytes) -> int:
    try:
        while content:
            content = content[os.write(1, content) :]
    except BrokenPipeError:
        pass
    return 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="a sign-in, else a profile (default: all)")
    parser.add_argument("--json", action="store_true", help="the published state as JSON")
    parser.add_argument("--check", action="store_true", help="say nothing but what fails; exit 0 if all work, else 1")
    parser.add_argument("--min", metavar="D", help="check that it is still good for at least D, like 30m")
    parser.add_argument("--until", metavar="HH:MM", help="check that it is still good at HH:MM")
    parser.add_argument("--watch", action="store_true", help="show it again whenever it changes")


def run(options: argparse.Namespace) -> int:
    """Answer; exit 0 good, 1 no, 2 unknown name or a wrong option."""
    from datetime import UTC, datetime

    said = ""
    while True:
        now = datetime.now(UTC).astimezone()  # noqa: TID251 - a command of its own: importing the service's clock costs
        document = _document(now)
        wanted = _wanted(document, options.names)
        if wanted is None:
            return 2
        chosen, left_out = wanted
        if options.check or options.min or options.until:
            try:
                reach = _reach(now, options)
            except ValueError as error:
                print(f"ssowatch: {error}", file=sys.stderr)
                return 2
            return _check(chosen, left_out, document, _moment(now), reach)
        shown = {**document, "sign_ins": chosen} if options.names else document
        if options.names:
            shown["unwatched"] = left_out
        text = _text(shown, now, options)
        if text != said:
            said = text
            if options.watch and sys.stdout.isatty():
                print("\033[H\033[2J", end="")
            print(text, flush=True)
        if not options.watch:
            return 0
        time.sleep(_WATCH_SECONDS)


def _document(now: datetime) -> dict[str, Any]:
    if published_one := published.document():
        return published_one
    from ssowatch import survey

    return survey.document(now)


def _text(document: dict[str, Any], now: datetime, options: argparse.Namespace) -> str:
    if options.json:
        import json

        from ssowatch.plain import escaped

        return escaped(json.dumps(document, ensure_ascii=False))
    from ssowatch.status_table import table

    return table(document, now, min(_columns() or 80, 120))


def _columns() -> int:
    """The width of the screen, 0 where there is none; as `shutil` tells it, which loads three compressors."""
    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and len(given) < _MOST_DIGITS and int(given):
        return int(given)
    try:
        return os.get_terminal_size(1).columns
    except OSError:
        return 0


def _wanted(document: dict[str, Any], names: list[str]) -> tuple[list[Any], list[Any]] | None:
    """The sign-ins that the names mean, and the profiles named that are not watched; None if a name is unknown."""
    if not names:
        return document["sign_ins"], []
    chosen: list[Any] = []
    left_out: list[Any] = []
    for name in names:
        found = [one for one in document["sign_ins"] if one["name"] == name]
        found = found or [one for one in document["sign_ins"] if name in one["profiles"]]
        outside = [one for one in document["unwatched"] if one["profile"] == name]
        if not found and not outside:
            known = [one["name"] for one in document["sign_ins"]]
            known += [profile for one in document["sign_ins"] for profile in one["profiles"]]
            print(f"ssowatch: no sign-in or profile is called {_plain(name)}", file=sys.stderr)
            print(f"known: {', '.join(map(_plain, known)) or 'none'}", file=sys.stderr)
            return None
        chosen += [one for one in found if one not in chosen]
        left_out += outside if not found else []
    return chosen, left_out


def _check(chosen: list[Any], left_out: list[Any], document: dict[str, Any], now: str, reach: str) -> int:
    """Say what fails; what is good until `reach` only does, too."""
    bad = [f"{_plain(one['profile'])}: not watched: {_plain(one['reason'])}" for one in left_out]
    bad += [f"{_plain(one['name'])}: {why}" for one in chosen if (why := _fails(one, now, reach))]
    if not chosen and not left_out:
        problem = document["problem"]
        bad.append(problem["message"] if problem else "there is no sign-in to check")
    for line in bad:
        print(line)
    return 1 if bad else 0


def _fails(one: dict[str, Any], now: str, reach: str) -> str | None:
    """Why this sign-in does not work now, or not beyond `reach`; None if it does."""
    if one["state"] not in {"valid", "expiring"}:
        return str(one["state"].replace("_", " "))
    renewed_in_use = one["kind"] not in {"sso-session", "legacy"}  # then the next call renews it
    if not renewed_in_use and not _later(one["token_expires_at"], now):
        return "the token has run out"
    if not (renewed_in_use and reach <= now) and not _later(one["good_until"], reach):
        return f"good until {one['good_until'] or 'unknown'} only"
    return None


def _later(moment: str | None, than: str) -> bool:
    """Both as the contract writes them, in UTC and with four digits of a year, so that the text tells."""
    return moment is not None and len(moment) == len(than) and moment > than


def _moment(at: datetime) -> str:
    """As the contract writes it, the fraction of a second cut off."""
    from datetime import UTC

    return at.astimezone(UTC).strftime(_MOMENT)


def _reach(now: datetime, options: argparse.Namespace) -> str:
    """The last moment that is too early for what `--min` and `--until` ask for.

    Raises:
        ValueError: one of them is no duration, or no time of day.

    """
    from datetime import timedelta

    until = now
    if options.min:
        from ssowatch import durations

        try:
            until = now + durations.parse(options.min)
            _moment(until)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"--min {_plain(options.min)}: {error}") from None
    if options.until:
        from ssowatch import time_of_day

        try:
            until = max(until, time_of_day.next_at(options.until, now))
        except ValueError as error:
            raise ValueError(f"--until {_plain(options.until)} {error}") from None
    return _moment(until - timedelta.resolution)


def _plain(text: str) -> str:
    from ssowatch.plain import plain

    return plain(text)
