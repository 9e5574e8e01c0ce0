"""`ssowatch notify test`: does a notice reach me? And, hidden, the notifier child that the watcher starts."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable

from ssowatch import notifier
from ssowatch.notify.channel import NotShownError
from ssowatch.world import World

_EVENT = {
    "version": 1,
    "event": "test",
    "sign_in": None,
    "title": "ssowatch: this is a test",
    "message": "Notices about your AWS sign-ins reach you here.",
    "buttons": [],
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("what", nargs="?", choices=["test"], help="show a test notice through every channel")
    parser.add_argument("--probe", action="store_true", help=argparse.SUPPRESS)  # the doctor's: who would show it?
    parser.add_argument("--json", action="store_true", help="a line of JSON per channel")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)  # the watcher's


def run(options: argparse.Namespace) -> int:
    """Exit 0 if at least one channel showed it, 1 if none did, 2 without a word, 78 with a config that cannot be used."""
    if not options.child and not options.probe and not options.what:
        print("ssowatch: say what: `ssowatch notify test`", file=sys.stderr)
        return 2
    world = World(recording=False)
    # The others' children have their environment already, and go on with the last good config.
    if not (options.child or options.probe):
        if world.settings_error:
            print(f"ssowatch: {world.settings_error}", file=sys.stderr)
            return os.EX_CONFIG
        os.environ.update(world.settings.environment)
    say = _say_json if options.json else _say
    code = asyncio.run(_child(world) if options.child else _probe(world) if options.probe else _test(world, say))
    sys.stdout.flush()
    os._exit(
        code
    )  # a library's thread that hangs in the network, or a dialog that is still read, must not be waited for


async def _child(world: World) -> int:
    await notifier.serve(notifier.configured(world.settings, os.environ))
    sys.stderr.flush()
    os._exit(0)  # before the loop waits for the threads of a channel


async def _probe(world: World) -> int:
    """A line of JSON for every channel, in order."""
    for way in notifier.configured(world.settings, os.environ):
        try:
            said = {"channel": way.name, "shows": await way.probe()}
        except NotShownError as error:
            said = {"channel": way.name, "why": str(error), "fix": error.fix}
        print(json.dumps(said), flush=True)
    return 0


async def _test(world: World, say: Callable[[str, str, NotShownError | None], None]) -> int:
    """Try every channel, in order."""
    ways = notifier.configured(world.settings, os.environ)
    if not ways:
        print("no channel: `notify` in the config names none that works here")
    shown = 0
    for number, way in enumerate(ways):
        try:
            how = await way.show(notifier.notice(f"test-{number}", _EVENT, stays=False), _Nobody())
            say(way.name, how, None)
            shown += 1
        except NotShownError as error:
            say(way.name, "", error)
    return 0 if shown else 1


def _say(channel: str, shown: str, error: NotShownError | None) -> None:
    fix = f"; {error.fix}" if error and error.fix else ""
    print(f"{channel}: not shown: {error}{fix}" if error else f"{channel}: {shown}", flush=True)


def _say_json(channel: str, shown: str, error: NotShownError | None) -> None:
    why, fix = (str(error), error.fix or None) if error else (None, None)
    print(json.dumps({"channel": channel, "shown": shown or None, "why": why, "fix": fix}), flush=True)


class _Nobody:
    """What becomes of a test is not waited for."""

    def pressed(self, notice_id: str, button: str) -> None:
        """A test has no buttons."""

    def closed(self, notice_id: str) -> None:
        """It was seen, then."""

    def lost(self, notice_id: str) -> None:
        """We end anyway."""
