"""Real loops and short real times; the clocks that are moved are given in."""

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta

import apscheduler.schedulers.base
import apscheduler.triggers.date
import pytest

from ssowatch.clock import utc_now
from ssowatch.wakeup import Wakeup

DEADLINE = 120.0
NEVER = timedelta(days=1)
HOUR = timedelta(hours=1)
BLINK = timedelta(milliseconds=10)


class Clocks:
    """A wall clock and a monotonic one that stand still unless moved."""

    def __init__(self) -> None:
        self.wall = datetime(2026, 1, 5, 8, tzinfo=UTC)
        self.mono = 1000.0

    def pass_time(self, span: timedelta) -> None:
        self.wall += span
        self.mono += span.total_seconds()


class World:
    """A Wakeup on the running loop, and the story of its calls."""

    def __init__(self, heartbeat: timedelta = NEVER, clocks: Clocks | None = None) -> None:
        self.calls = []
        self._news = asyncio.Event()
        sources = {"clock": lambda: clocks.wall, "monotonic": lambda: clocks.mono} if clocks else {}
        self.wakeup = Wakeup(lambda: self._called("tick"), self._called, heartbeat=heartbeat, **sources)
        self.wakeup.start()

    def _called(self, what: object) -> None:
        self.calls.append(what)
        self._news.set()

    async def until_calls(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.calls) < count:
                self._news.clear()
                await self._news.wait()

    async def until_taken_out(self) -> None:
        """Until APScheduler has taken the job out and not yet begun its coroutine: that is a turn of the loop."""
        for _ in range(10):
            if not self.wakeup._scheduler.get_jobs():
                return
            await asyncio.sleep(0)
        raise AssertionError("still there")

    async def __aenter__(self) -> "World":  # noqa: PYI034 - nobody derives from it
        return self

    async def __aexit__(self, *_: object) -> None:
        self.wakeup.close()


async def turns(count: int = 10) -> None:
    """Let everything run that is ready on the loop."""
    for _ in range(count):
        await asyncio.sleep(0)


def test_moment_in_the_past_ticks_at_once_and_once():
    async def story():
        async with World() as world:
            world.wakeup.at(utc_now() - 6 * HOUR)
            await world.until_calls(1)
            await turns()
            assert world.calls == ["tick"]
            assert not world.wakeup._scheduler.get_jobs()

    asyncio.run(story())


def test_moment_given_before_start_counts():
    async def story():
        ticked = asyncio.Event()
        wakeup = Wakeup(ticked.set, lambda _: None, heartbeat=NEVER)
        wakeup.at(utc_now() + BLINK)
        await turns()
        assert not ticked.is_set()
        wakeup.start()
        await asyncio.wait_for(ticked.wait(), DEADLINE)
        wakeup.close()

    asyncio.run(story())


def test_moment_comes_and_not_too_early():
    async def story():
        async with World() as world:
            when = utc_now() + 10 * BLINK
            world.wakeup.at(when)
            await world.until_calls(1)
            assert utc_now() >= when

    asyncio.run(story())


def test_replaced_moment_ticks_once():
    async def story():
        async with World() as world:
            for hours in range(1, 5):
                world.wakeup.at(utc_now() + hours * HOUR)
            assert len(world.wakeup._scheduler.get_jobs()) == 1
            world.wakeup.at(utc_now() + BLINK)
            await world.until_calls(1)
            await turns()
            assert world.calls == ["tick"]

    asyncio.run(story())


def test_moment_far_beyond_every_timer_is_harmless():
    async def story():
        async with World() as world:
            world.wakeup.at(datetime.max.replace(tzinfo=UTC))
            await turns()
            world.wakeup.at(utc_now())
            await world.until_calls(1)

    asyncio.run(story())


def test_same_moment_again_is_free_and_none_removes_it():
    async def story():
        async with World() as world:
            when = utc_now() + HOUR
            world.wakeup.at(when)
            await turns()
            (job,) = world.wakeup._scheduler.get_jobs()
            timer = world.wakeup._scheduler._timeout
            world.wakeup.at(when)
            await turns()
            assert world.wakeup._scheduler.get_jobs()[0] is job
            assert world.wakeup._scheduler._timeout is timer
            world.wakeup.at(None)
            world.wakeup.at(None)
            assert not world.wakeup._scheduler.get_jobs()

    asyncio.run(story())


def test_none_or_another_moment_while_the_job_is_about_to_run():
    async def story():
        async with World() as world:
            world.wakeup.at(utc_now() - HOUR)
            await world.until_taken_out()
            world.wakeup.at(None)
            await world.until_calls(1)
            world.wakeup.at(utc_now() - HOUR)
            await world.until_taken_out()
            later = utc_now() + HOUR
            world.wakeup.at(later)
            await world.until_calls(2)
            assert world.wakeup._when == later
            world.wakeup.at(None)
            assert not world.wakeup._scheduler.get_jobs()

    asyncio.run(story())


def test_tick_may_set_the_next_moment_each_time():
    async def story():
        async with World() as world:
            plain = world._called
            world._called = lambda what: (plain(what), world.wakeup.at(utc_now() + BLINK))
            world.wakeup.at(utc_now())
            await world.until_calls(5)

    asyncio.run(story())


def test_heartbeat_beats_on_and_reports_no_gap_of_its_own():
    async def story():
        async with World(BLINK) as world:
            await world.until_calls(5)
            assert set(world.calls) == {"tick"}

    asyncio.run(story())


def test_beat_on_demand_ticks_at_once_and_the_next_one_is_a_heartbeat_away():
    async def story():
        async with World(NEVER) as world:
            timer = world.wakeup._timer
            world.wakeup.beat()
            assert world.calls == ["tick"]
            assert timer.cancelled()
            assert not world.wakeup._timer.cancelled()
            world.wakeup.close()
            world.wakeup.beat()
            assert world.calls == ["tick"]
        Wakeup(lambda: 1 / 0, lambda _: None, heartbeat=NEVER).beat()  # not started

    asyncio.run(story())


def test_heartbeat_can_be_changed():
    async def story():
        async with World(NEVER) as world:
            timer = world.wakeup._timer
            world.wakeup.every(NEVER)
            assert world.wakeup._timer is timer
            world.wakeup.every(BLINK)
            await world.until_calls(2)

    asyncio.run(story())


@pytest.mark.parametrize(
    "gap", [6 * HOUR, -6 * HOUR, timedelta(days=365), timedelta(seconds=11), timedelta(seconds=-11)]
)
def test_gap_between_the_clocks_is_told_before_the_tick_and_once(gap):
    async def story():
        clocks = Clocks()
        async with World(BLINK, clocks) as world:
            await world.until_calls(1)
            clocks.pass_time(30 * BLINK)
            clocks.wall += gap
            before = len(world.calls)
            await world.until_calls(before + 4)
            assert world.calls[before:][:4] == [gap, "tick", "tick", "tick"]

    asyncio.run(story())


@pytest.mark.parametrize("gap", [timedelta(seconds=9), timedelta(seconds=-9), timedelta()])
def test_small_gaps_are_not_told_and_do_not_add_up(gap):
    async def story():
        clocks = Clocks()
        async with World(BLINK, clocks) as world:
            for _ in range(3):
                clocks.pass_time(6 * HOUR)  # the loop was stopped: both clocks went on
                clocks.wall += gap
                await world.until_calls(len(world.calls) + 1)
            assert set(world.calls) == {"tick"}

    asyncio.run(story())


def test_moment_after_a_suspend_tells_the_gap_too():
    async def story():
        clocks = Clocks()
        async with World(NEVER, clocks) as world:
            clocks.wall += HOUR
            world.wakeup.at(utc_now())
            await world.until_calls(2)
            assert world.calls == [HOUR, "tick"]

    asyncio.run(story())


@pytest.mark.parametrize("told", [True, False], ids=["at once", "at the next heartbeat"])
@pytest.mark.parametrize(("step", "runs"), [(6 * HOUR, True), (-6 * HOUR, False)])
def test_job_overslept_runs_when_the_clock_is_seen(monkeypatch, step, runs, told):
    """What a suspend of 6 h does to a job due in 5 h: its countdown has not moved, the wall clock has."""

    async def story():
        async with World(NEVER) as world:
            world.wakeup.at(utc_now() + 5 * HOUR)
            await turns()

            class Stepped(datetime):
                @classmethod
                def now(cls, tz=None):
                    return utc_now().astimezone(tz) + step

            monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Stepped)
            await turns()
            assert world.calls == []
            world.wakeup.beat() if told else world.wakeup.every(BLINK)
            await world.until_calls(1 + runs)
            await turns()
            assert bool(world.wakeup._scheduler.get_jobs()) is not runs

    asyncio.run(story())


def test_no_thread_is_started_nothing_is_logged_and_the_local_zone_is_not_asked_for(monkeypatch, caplog):
    def refuse():
        raise AssertionError("tzlocal was asked")

    monkeypatch.setattr(apscheduler.schedulers.base, "get_localzone", refuse)
    monkeypatch.setattr(apscheduler.triggers.date, "get_localzone", refuse)
    caplog.set_level(logging.DEBUG)
    before = set(threading.enumerate())

    async def story():
        async with World(BLINK) as world:
            world.wakeup.at(utc_now() + BLINK)
            await world.until_calls(3)
            world.wakeup.at(utc_now() - HOUR)
            world.wakeup.at(utc_now() + HOUR)
            await world.until_calls(5)
        await turns()
        assert set(threading.enumerate()) <= before

    asyncio.run(story())
    assert not [record for record in caplog.records if record.name.startswith("apscheduler")]


def test_tick_that_fails_is_reported_by_the_loop_and_the_heart_goes_on():
    async def story():
        failures, enough = [], asyncio.Event()

        def report(_: object, context: dict) -> None:
            failures.append(context["exception"])
            if len(failures) == 3:
                enough.set()

        asyncio.get_running_loop().set_exception_handler(report)
        wakeup = Wakeup(lambda: 1 / 0, lambda _: None, heartbeat=BLINK)
        wakeup.start()
        wakeup.at(utc_now() - HOUR)
        await asyncio.wait_for(enough.wait(), DEADLINE)
        wakeup.close()
        assert {type(failure) for failure in failures} == {ZeroDivisionError}

    asyncio.run(story())


def test_close_ends_everything_and_can_be_called_at_any_time():
    Wakeup(lambda: None, lambda _: None, heartbeat=NEVER).close()

    async def story():
        world = World(BLINK)
        world.wakeup.at(utc_now() - HOUR)
        world.wakeup.close()
        world.wakeup.close()
        world.wakeup.at(utc_now() - HOUR)
        world.wakeup.every(BLINK / 2)
        await turns()
        await asyncio.sleep(3 * BLINK.total_seconds())  # the time in which it would have ticked
        assert world.calls == []
        assert not world.wakeup._scheduler.running
        return world

    world = asyncio.run(story())
    world.wakeup.close()


def test_close_from_within_a_tick():
    async def story():
        world = World(BLINK)
        plain = world._called

        def last(what):
            plain(what)
            world.wakeup.close()

        world._called = last
        world.wakeup.at(utc_now() - HOUR)
        await world.until_calls(1)
        await turns()
        assert world.calls == ["tick"]

    asyncio.run(story())


def test_loop_that_ends_without_close_leaves_no_noise():
    async def story():
        world = World(BLINK)
        world.wakeup.at(utc_now() + HOUR)
        await world.until_calls(1)
        return world

    world = asyncio.run(story())
    world.wakeup.close()
