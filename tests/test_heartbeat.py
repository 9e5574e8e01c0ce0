"""How quick the heart beats: the rule as rows, and what the watcher makes of a real home."""

from __future__ import annotations

import asyncio
import fcntl
import os
import shutil
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import homes
import pytest

from ssowatch import heartbeat, paths
from ssowatch.heartbeat import QUICK, SLOW
from ssowatch.model import Kind, Memory, Plan, SignIn, State
from ssowatch.protocol import Row
from ssowatch.watcher import Watcher
from ssowatch.world import World

DEADLINE = 60.0
MINUTE = timedelta(minutes=1)
linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells of everything")


@pytest.mark.parametrize(
    ("wished", "hears", "waits", "interval"),
    [
        (None, True, False, 10 * MINUTE),
        (None, True, True, MINUTE / 2),
        (None, False, False, MINUTE / 2),
        (None, False, True, MINUTE / 2),
        (MINUTE, True, False, MINUTE),
        (MINUTE, False, True, MINUTE),
    ],
)
def test_slow_where_all_is_heard_and_nothing_is_awaited(wished, hears, waits, interval):
    assert heartbeat.interval(wished, hears=hears, waits=waits) == interval


def test_ten_lost_minutes_still_leave_the_renewal_to_us():
    """Due 30 minutes before the end; botocore renews by itself from 15 on."""
    assert 30 * MINUTE - SLOW > 15 * MINUTE


def row(*, waits: bool = False, signing_in: bool = False, wake_at=None, paused_until=None) -> Row:
    sign_in = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1")
    plan = Plan(State.VALID, Memory(), wake_at=wake_at, waits=waits)
    return Row(sign_in, None, plan, paused_until, signing_in)


@pytest.mark.parametrize(
    ("rows", "awaited"),
    [([], False), ([row()], False), ([row(), row(waits=True)], True), ([row(signing_in=True), row()], True)],
)
def test_a_person_and_a_flow_are_awaited(rows, awaited):
    assert heartbeat.awaited(rows) is awaited


def test_plans_and_pauses_have_their_moments(now):
    rows = [row(wake_at=now), row(paused_until=now + MINUTE)]
    assert set(heartbeat.moments(rows)) == {now, now + MINUTE, None}


def well(home: Path) -> None:
    """A home as people have it: nothing to do, and everything tells of itself."""
    (home / ".config").mkdir()
    homes.aws_config(home)
    homes.write_token(homes.token())


def no_config_directory(home: Path) -> None:
    (home / ".config").rmdir()


def no_token_yet(home: Path) -> None:
    """A home before its first sign-in: ~/.aws tells of what is made below it."""
    shutil.rmtree(home / ".aws/sso")


def torn_token(home: Path) -> None:
    homes.token_path().write_text("{")


def broken_aws_config(home: Path) -> None:
    (home / ".aws/config").write_text("[sso-session corp\n")


def a_flow_runs(home: Path) -> int:
    """Somebody signs in; the lock goes with the file that is returned."""
    lock = Path(paths.flow_lock("corp"))
    lock.parent.mkdir(parents=True, mode=0o700)
    file = os.open(lock, os.O_RDWR | os.O_CREAT)
    fcntl.flock(file, fcntl.LOCK_EX)
    return file


def a_wish(home: Path) -> None:
    homes.own_config(home, "heartbeat: 7s\n")


@linux
@pytest.mark.parametrize(
    ("situation", "interval"),
    [
        (lambda _: None, SLOW),
        (no_token_yet, SLOW),
        (no_config_directory, QUICK),
        (torn_token, QUICK),
        (broken_aws_config, QUICK),
        (a_flow_runs, QUICK),
        (a_wish, timedelta(seconds=7)),
    ],
)
def test_the_watchers_heart(home, situation: Callable[[Path], int | None], interval):
    well(home)
    held = situation(home)

    async def story():
        watcher = Watcher(World(recording=True))
        running = asyncio.ensure_future(watcher.run())
        async with asyncio.timeout(DEADLINE):
            while watcher._sight is None or watcher._wakeup._heartbeat != interval:
                await asyncio.wait({running}, timeout=0.01)
                assert not running.done()
        watcher._stop.set()
        assert await running == 0

    try:
        asyncio.run(story())
    finally:
        if held:
            os.close(held)
