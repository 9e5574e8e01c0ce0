"""`ssowatch run`: the watcher in the foreground; what the service starts."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

from ssowatch import sdnotify, spared
from ssowatch.only_one import AlreadyRunningError
from ssowatch.undumpable import refuse_dumps

if TYPE_CHECKING:
    import argparse


def main() -> int:
    """`ssowatch run` with no further word; see `cli.main`."""
    os.umask(0o077)
    try:
        return run()
    except KeyboardInterrupt:
        return 130


def add_arguments(_: argparse.ArgumentParser) -> None:
    """There are no options."""


def run(_: object = None) -> int:
    """Watch until SIGTERM or Ctrl-C; exit 0, also when one runs already; 78 if our config is wrong at the start."""
    # The journal and launchd add the time themselves; a terminal wants it.
    form = "%(asctime)s %(message)s" if sys.stderr and sys.stderr.isatty() else "%(message)s"
    logging.basicConfig(format=form, datefmt="%H:%M:%S", level=logging.INFO)
    logging.raiseExceptions = False  # a full disk below our stderr is no reason for a traceback there
    logging.getLogger("asyncio").setLevel(logging.WARNING)
    refuse_dumps()
    spared.go_without()
    import asyncio

    from ssowatch.watcher import Watcher
    from ssowatch.world import World

    world = World(recording=True)
    if world.settings_error:
        print(f"ssowatch: {world.settings_error}", file=sys.stderr)
        return os.EX_CONFIG
    watcher = Watcher(world)
    try:
        code = asyncio.run(watcher.run())
        if watcher.succeeded:
            sys.stderr.flush()
            os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - as we were started
    except AlreadyRunningError as error:
        print(f"ssowatch: already running (pid {error.args[0] or 'unknown'})")
        sdnotify.notify(READY=1, STATUS="another watcher runs already")  # else systemd takes our end for a failed start
        return 0
    except OSError as error:
        print(f"ssowatch: cannot start: {error.filename or 'the socket'}: {error.strerror}", file=sys.stderr)
        return 1
    return code
