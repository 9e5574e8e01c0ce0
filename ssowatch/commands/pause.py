"""`ssowatch pause [NAME] [D|off]`: no notices and no tabs for a while; renewals go on.

Without a time it only shows what is paused. A pause of a length that nobody named would be either too short for the
meeting or so long that the end of a sign-in passes unseen; and who types `pause` to see how things stand must not have
changed them.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import suppress
from datetime import datetime, timedelta

from ssowatch import client, durations, files, pauses, time_of_day
from ssowatch.clock import utc_now
from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.world import World

_LONGEST = timedelta(days=31)
_OFF = "off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.usage = "ssowatch pause [NAME] [D|off]"
    what = (
        "NAME: a sign-in, else a profile; none: all. D: how long (2h), or until when (17:30); none: show. off: end it"
    )
    parser.add_argument("words", nargs="*", metavar="NAME|D|off", help=what)


def run(options: argparse.Namespace) -> int:
    """Do it; 0 good, 1 cannot be written, 2 an unknown name or no time."""
    words = options.words
    if len(words) > 2:
        return _usage("too many words: ssowatch pause [NAME] [D|off]")
    now = utc_now()
    name, time = (words[0], words[1]) if len(words) == 2 else _one_word(words)
    sign_in = None
    if name is not None:
        world = World(recording=False)
        sign_in = _find(world.sign_ins(), name)
        if sign_in is None:
            if problem := world.aws_problem():
                print(f"ssowatch: {plain(problem.message, 600)}", file=sys.stderr)
            hint = "" if len(words) == 2 else ", and it is no time like 2h or 17:30 either"
            return _usage(f"no sign-in or profile is called {plain(name)}{hint}")
    own = sign_in.name if sign_in else None
    if time is None:
        _show(own, now)
        return 0
    try:
        until = None if time == _OFF else moment(time, now)
    except ValueError as error:
        return _usage(f"{plain(time)}: {error}")
    try:
        pauses.set(own, until)
    except (OSError, files.BusyError) as error:
        print(f"ssowatch: the pause cannot be written: {getattr(error, 'strerror', None) or 'busy'}", file=sys.stderr)
        return 1
    _show(own, now)
    client.ask("look")
    return 0


def moment(written: str, now: datetime) -> datetime:
    """When a pause ends that is written as a span (`2h`) or a time of day here (`17:30`, the next one).

    Raises:
        ValueError: it is neither, or nothing, or longer than a month; the message says so.

    """
    with suppress(ValueError):
        return time_of_day.next_at(written, now)
    try:
        span = durations.parse(written)
    except ValueError:
        raise ValueError("neither a span like 2h or 30m, nor a time of day like 17:30, nor off") from None
    if not span:
        raise ValueError("is no time at all; `off` ends a pause")
    if span > _LONGEST:
        raise ValueError("a pause lasts 31d at most; for good there is `mode: silent` in the config")
    return now + span


def _one_word(words: list[str]) -> tuple[str | None, str | None]:
    """A word alone is a time where it can be one, else a name."""
    if not words:
        return None, None
    word = words[0]
    for parse in (durations.parse, lambda written: time_of_day.next_at(written, utc_now())):
        with suppress(ValueError):
            parse(word)
            return None, word
    return (None, word) if word == _OFF else (word, None)


def _find(sign_ins: tuple[SignIn, ...], name: str) -> SignIn | None:
    own = (one for one in sign_ins if one.name == name)
    return next(own, None) or next((one for one in sign_ins if name in one.profiles), None)


def _show(name: str | None, now: datetime) -> None:
    """What holds now, of one sign-in or of all."""
    running = {one: until for one, until in pauses.load().items() if until > now}
    everything = running.pop(pauses.ALL, None)
    if everything:
        print(f"No notices and no tabs until {time_of_day.shown(everything, now)}; renewals go on.")
    for one, until in sorted(running.items()):
        if name in {None, one} and not (everything and everything >= until):
            print(f"No notices and no tabs for {plain(one)} until {time_of_day.shown(until, now)}; renewals go on.")
    if everything and name and name not in running:
        print(f"That is for all of them, {plain(name)} too; `ssowatch pause off` ends it.")
    if not everything and (name not in running if name else not running):
        print(f"{plain(name)} is not paused." if name else "Nothing is paused.")


def _usage(message: str) -> int:
    print(f"ssowatch: {message}", file=sys.stderr)
    return 2
