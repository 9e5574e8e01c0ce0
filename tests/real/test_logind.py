"""Presence asked of a logind on a real D-Bus, with the real `busctl`."""

from __future__ import annotations

import asyncio
import os
import time

import homes
import pytest
from real import logind
from real.logind import Bus, Logind

from ssowatch import presence
from ssowatch.model import Presence

pytestmark = [pytest.mark.real, pytest.mark.sign_in]
PRESENT, LOCKED, IDLE, UNKNOWN = Presence.PRESENT, Presence.LOCKED, Presence.IDLE, Presence.UNKNOWN
SECONDS = 120.0
"""Instead of five: this machine may be slow, and the answer is what is tested here."""


@pytest.fixture(autouse=True)
def able(monkeypatch):
    lacks = logind.missing()
    if lacks and not homes.REQUIRED:
        pytest.skip(lacks)
    assert not lacks
    monkeypatch.setattr(presence, "_SECONDS", SECONDS)
    for name in ("DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("ssowatch.paths.session_bus", dict)


@pytest.fixture
def bus(folder, monkeypatch):
    with Bus(folder) as bus:
        use(monkeypatch, bus)
        yield bus


@pytest.fixture
def seat(folder, monkeypatch):
    with Logind(folder) as seat:
        use(monkeypatch, seat)
        yield seat


def use(monkeypatch, bus):
    for name, value in bus.environ.items():
        monkeypatch.setenv(name, value)


def ask() -> Presence:
    return asyncio.run(presence.ask())


def test_a_person_locks_unlocks_idles_and_leaves(seat):
    assert ask() is UNKNOWN, "nobody is logged in"
    seat.session()
    assert ask() is PRESENT
    seat.change(LockedHint=True)
    assert ask() is LOCKED
    seat.change(LockedHint=False, IdleHint=True)
    assert ask() is IDLE
    seat.change(IdleHint=False)
    assert ask() is PRESENT
    seat.change(Active=False, State="online")
    assert ask() is LOCKED, "another session is in front"
    seat.change(State="closing")
    assert ask() is UNKNOWN


def test_one_present_session_of_two_is_enough(seat):
    seat.session("c1", LockedHint=True)
    assert ask() is LOCKED
    seat.session("c2")
    assert ask() is PRESENT
    seat.change("c2", LockedHint=True)
    assert ask() is LOCKED


def test_sessions_that_say_nothing_of_us(seat):
    seat.session("c1", uid=os.getuid() + 1)
    assert ask() is UNKNOWN, "another user"
    seat.session("c2", Type="tty", Remote=True)
    assert ask() is UNKNOWN, "ssh"
    seat.session("c3", Type="tty")
    assert ask() is PRESENT, "a text console at this seat"
    seat.session("c4", LockedHint=True)
    assert ask() is LOCKED, "a screen counts before a console"


def test_a_hung_logind_costs_its_time(seat, monkeypatch):
    seat.session()
    monkeypatch.setattr(presence, "_SECONDS", 2.0)
    with seat.hung():
        began = time.monotonic()
        assert ask() is UNKNOWN
        assert 1.9 < time.monotonic() - began < SECONDS
    monkeypatch.setattr(presence, "_SECONDS", SECONDS)
    assert ask() is PRESENT


def test_a_bus_without_logind(bus):
    assert ask() is UNKNOWN


def test_a_bus_that_died(bus):
    bus.end()
    assert ask() is UNKNOWN


def test_no_bus(folder, monkeypatch):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={folder}/none")
    assert ask() is UNKNOWN
