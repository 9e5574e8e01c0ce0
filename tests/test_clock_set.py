"""The kernel's word that the clock was set: by a real step of a nanosecond, and by a descriptor of the test's own."""

import asyncio
import errno
import os
import sys

import pytest
import stepped_clock

from ssowatch import clock_set
from ssowatch.clock_set import ClockSet

DEADLINE = 60.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="timerfd")


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208


@linux
def test_each_step_of_the_real_clock_is_told():
    stepped_clock.required()

    async def story():
        told = asyncio.Queue()
        clock = ClockSet(asyncio.get_running_loop(), lambda: told.put_nowait("set"))
        clock.open()
        for _ in range(3):
            stepped_clock.step()
            await asyncio.wait_for(told.get(), DEADLINE)
        clock.close()

    asyncio.run(story())


@linux
@pytest.mark.parametrize("told", ["data", "error"])
def test_a_readable_timer_calls_once_whatever_a_read_says(monkeypatch, told):
    async def story():
        loop, calls = asyncio.get_running_loop(), []
        clock = ClockSet(loop, lambda: calls.append("set"))
        read, write = os.pipe2(os.O_NONBLOCK)
        clock._timer = read
        loop.add_reader(read, clock._readable)
        os.write(write, b"12345678")
        if told == "error":
            real = os.read

            def cancelled(fd: int, size: int) -> bytes:
                real(fd, size)
                raise OSError(errno.ECANCELED, os.strerror(errno.ECANCELED))

            monkeypatch.setattr(os, "read", cancelled)
        for _ in range(10):
            await asyncio.sleep(0)
        assert calls == ["set"]
        clock.close()
        clock._readable()  # it was ready before it was closed
        assert calls == ["set"]
        os.close(write)

    asyncio.run(story())


@linux
def test_open_and_close_leave_nothing():
    async def story():
        before = descriptors()
        for _ in range(3):
            clock = ClockSet(asyncio.get_running_loop(), lambda: None)
            clock.close()
            assert clock.open() is not bool(os.environ.get("LD_PRELOAD"))
            assert len(descriptors()) == len(before) + 1
            clock.close()
            clock.close()
        assert descriptors() == before

    asyncio.run(story())


@linux
def test_a_preloaded_library_may_move_the_clock_unheard(monkeypatch):
    monkeypatch.setenv("LD_PRELOAD", "libfaketime.so.1")

    async def story():
        clock = ClockSet(asyncio.get_running_loop(), lambda: None)
        assert not clock.open()
        assert clock._timer is not None  # a true step is told all the same
        clock.close()

    asyncio.run(story())


@linux
@pytest.mark.parametrize("refused", ["timerfd_create", "timerfd_settime"])
def test_sandbox_without_timers_has_the_heartbeat_alone(monkeypatch, refused):
    real = clock_set.ctypes.CDLL(None)

    class Kernel:
        def __init__(self, _: object) -> None:
            self.timerfd_create, self.timerfd_settime = real.timerfd_create, real.timerfd_settime
            setattr(self, refused, lambda *_: -1)

    monkeypatch.setattr(clock_set.ctypes, "CDLL", Kernel)

    async def story():
        before = descriptors()
        clock = ClockSet(asyncio.get_running_loop(), lambda: None)
        assert not clock.open()
        clock.close()
        assert descriptors() == before

    asyncio.run(story())


def test_other_systems_have_the_heartbeat_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    async def story():
        clock = ClockSet(asyncio.get_running_loop(), lambda: None)
        assert not clock.open()
        clock.close()

    asyncio.run(story())
