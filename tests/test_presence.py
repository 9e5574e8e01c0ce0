"""Presence: what logind, screen savers and macOS say, and programs that say nonsense or nothing."""

from __future__ import annotations

import asyncio
import json
import os
import plistlib
import sys
import time
from pathlib import Path

import pytest

from ssowatch import presence
from ssowatch.model import Presence

PRESENT, LOCKED, IDLE, UNKNOWN = Presence.PRESENT, Presence.LOCKED, Presence.IDLE, Presence.UNKNOWN
SCREEN = {
    "Class": "user",
    "Type": "wayland",
    "State": "active",
    "Active": True,
    "Seat": ["seat0", "/seat"],
    "Remote": False,
    "LockedHint": False,
    "IdleHint": False,
}
TEXT = SCREEN | {"Type": "tty"}
SSH = TEXT | {"Remote": True, "Seat": ["", "/"]}
WSL = TEXT | {"Seat": ["", "/"]}

SESSIONS = [
    ("a person at the screen", [SCREEN], PRESENT),
    ("locked", [SCREEN | {"LockedHint": True}], LOCKED),
    ("idle", [SCREEN | {"IdleHint": True}], IDLE),
    ("locked and idle is locked", [SCREEN | {"LockedHint": True, "IdleHint": True}], LOCKED),
    ("another session is in front", [SCREEN | {"Active": False, "State": "online"}], LOCKED),
    ("x11", [SCREEN | {"Type": "x11"}], PRESENT),
    ("a remote desktop", [SCREEN | {"Remote": True, "Seat": ["", "/"]}], PRESENT),
    ("a locked remote desktop", [SCREEN | {"Remote": True, "Seat": ["", "/"], "LockedHint": True}], LOCKED),
    ("locked here, present there", [SCREEN | {"LockedHint": True}, SCREEN | {"Remote": True}], PRESENT),
    ("locked here, idle there", [SCREEN | {"LockedHint": True}, SCREEN | {"IdleHint": True}], IDLE),
    ("a text session does not count beside a locked screen", [SCREEN | {"LockedHint": True}, TEXT], LOCKED),
    ("nor does ssh", [SCREEN | {"LockedHint": True}, SSH], LOCKED),
    ("a text console", [TEXT], PRESENT),
    ("an idle text console", [TEXT | {"IdleHint": True}], IDLE),
    ("ssh alone", [SSH], UNKNOWN),
    ("WSL", [WSL], UNKNOWN),
    ("no session", [], UNKNOWN),
    ("the login screen", [SCREEN | {"Class": "greeter"}], UNKNOWN),
    ("the service manager's own session", [SCREEN | {"Class": "manager"}], UNKNOWN),
    ("a session that is closing", [SCREEN | {"State": "closing"}], UNKNOWN),
    ("a lightweight session is no screen", [TEXT | {"Class": "background"}], UNKNOWN),
    ("no hints", [{"Class": "user", "Type": "x11", "Active": True}], UNKNOWN),
    ("hints that are no booleans", [SCREEN | {"LockedHint": "no"}], UNKNOWN),
    ("a list for a type", [SCREEN | {"Type": ["x11"]}], PRESENT),
    ("nothing known of one of two", [{}, SCREEN | {"IdleHint": True}], IDLE),
]


@pytest.mark.parametrize(("what", "sessions", "expected"), SESSIONS, ids=[row[0] for row in SESSIONS])
def test_sessions(what, sessions, expected):
    assert presence.of_sessions(sessions) is expected


LISTS = [
    ("ours", [["1", 7, "me", "seat0", "/s/1"]], ["/s/1"]),
    ("not another user's", [["1", 8, "you", "seat0", "/s/1"]], []),
    ("those with a seat first", [["1", 7, "me", "", "/s/1"], ["2", 7, "me", "seat0", "/s/2"]], ["/s/2", "/s/1"]),
    ("a server's hundreds", [[str(n), 7, "me", "", f"/s/{n}"] for n in range(300)], [f"/s/{n}" for n in range(16)]),
    ("no list", {"x": 1}, []),
    ("nothing", None, []),
    ("rows of another shape", [["1", 7], 3, None], []),
]


@pytest.mark.parametrize(("what", "listed", "expected"), LISTS, ids=[row[0] for row in LISTS])
def test_whose_sessions(what, listed, expected):
    assert presence.of_user(listed, 7) == expected


SAVERS = [
    ("none runs", PRESENT, [], PRESENT),
    ("watching", PRESENT, [False], PRESENT),
    ("active", PRESENT, [True], LOCKED),
    ("one of two active", PRESENT, [False, True], LOCKED),
    ("no logind, watching", UNKNOWN, [False], PRESENT),
    ("no logind, active", UNKNOWN, [True], LOCKED),
    ("neither", UNKNOWN, [], UNKNOWN),
]


@pytest.mark.parametrize(("what", "found", "active", "expected"), SAVERS, ids=[row[0] for row in SAVERS])
def test_screen_savers(what, found, active, expected):
    assert presence.with_screen_savers(found, active) is expected


def root(*users: dict, **more: object) -> bytes:
    return plistlib.dumps({"IOConsoleUsers": list(users), **more})


def hid(seconds: float) -> bytes:
    return plistlib.dumps([{"HIDIdleTime": int(seconds * 1e9)}])


ME = {"kCGSSessionUserIDKey": 501, "kCGSSessionOnConsoleKey": True}
MAC = [
    ("at the keys", root(ME, IOConsoleLocked=False), hid(3), PRESENT),
    ("idle for five minutes", root(ME, IOConsoleLocked=False), hid(300), IDLE),
    ("just not idle", root(ME), hid(299), PRESENT),
    ("locked", root(ME, IOConsoleLocked=True), hid(3), LOCKED),
    ("locked, said by the session", root(ME | {"CGSSessionScreenIsLocked": True}), hid(3), LOCKED),
    ("another user is in front", root(ME | {"kCGSSessionOnConsoleKey": False}), hid(3), LOCKED),
    ("somebody else's Mac, by ssh", root(ME | {"kCGSSessionUserIDKey": 502}), hid(3), UNKNOWN),
    ("nobody there", root(), hid(3), UNKNOWN),
    ("no idle time", root(ME), b"", UNKNOWN),
    ("an idle time that is text", root(ME), plistlib.dumps([{"HIDIdleTime": "3"}]), UNKNOWN),
    ("garbage", b"\x00garbage", b"<plist>", UNKNOWN),
    ("nothing", b"", b"", UNKNOWN),
    ("an empty list", plistlib.dumps([]), plistlib.dumps([]), UNKNOWN),
]


@pytest.mark.parametrize(("what", "registry", "keyboard", "expected"), MAC, ids=[row[0] for row in MAC])
def test_macos(what, registry, keyboard, expected):
    assert presence.of_registry(registry, keyboard, 501) is expected


def busctl(folder: Path, body: str) -> None:
    """A `busctl` of ours, first on PATH. Its words are `args`; `answer` prints a reply's one value."""
    program = folder / "busctl"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import json, os, sys, time\n"
        "args = ' '.join(sys.argv[1:])\n"
        "def answer(value): print(json.dumps({'type': '?', 'data': [value]}))\n"
        f"SCREEN = {SCREEN!r}\n"
        "def session(**more): answer({k: {'type': '?', 'data': v} for k, v in (SCREEN | more).items()})\n"
        "def one_session(): answer([['1', os.getuid(), 'me', 'seat0', '/s/1']])\n"
        f"{body}\n"
    )
    program.chmod(0o755)


LOGIND_SAYS = "if 'ListSessions' in args: one_session()\nelif 'GetAll' in args: session({})\nelse: {}"
PROGRAMS = [
    ("present", LOGIND_SAYS.format("", "sys.exit(1)"), PRESENT),
    ("locked", LOGIND_SAYS.format("LockedHint=True", "sys.exit(1)"), LOCKED),
    ("idle", LOGIND_SAYS.format("IdleHint=True", "sys.exit(1)"), IDLE),
    (
        "a screen saver that logind knows nothing of",
        LOGIND_SAYS.format("", "answer(True if 'GetActive' in args else ['org.mate.ScreenSaver'])"),
        LOCKED,
    ),
    pytest.param(
        "a screen saver that hangs",
        LOGIND_SAYS.format("", "time.sleep(600) if 'GetActive' in args else answer(['org.mate.ScreenSaver'])"),
        PRESENT,
        marks=pytest.mark.real,  # costs its time-out
        id="a screen saver that hangs",
    ),
    ("fails", "sys.exit(1)", UNKNOWN),
    ("fails after an answer", "one_session() if 'List' in args else session(); sys.exit(1)", UNKNOWN),
    ("hangs", "time.sleep(600)", UNKNOWN),
    ("hangs and ignores SIGTERM", "import signal; signal.signal(15, signal.SIG_IGN); time.sleep(600)", UNKNOWN),
    ("says nothing", "", UNKNOWN),
    ("garbage", "sys.stdout.buffer.write(bytes(range(256)))", UNKNOWN),
    ("other JSON", "print('[1]')", UNKNOWN),
    ("JSON too deep", "print('[' * 100000)", UNKNOWN),
    ("without end", "while True: print('x' * 65536)", UNKNOWN),
]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no busctl")
@pytest.mark.parametrize(("what", "body", "expected"), PROGRAMS, ids=[getattr(row, "id", row[0]) for row in PROGRAMS])
def test_programs(tmp_path, monkeypatch, what, body, expected):
    busctl(tmp_path, body)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    late = 15.0 if "saver" in what else 2.0  # a noisy machine answers late
    monkeypatch.setattr(presence, "_SECONDS", late if "hangs" in what else 30.0)
    began = time.monotonic()
    assert asyncio.run(presence.ask()) is expected
    assert time.monotonic() - began < 300


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no busctl")
def test_no_busctl(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert asyncio.run(presence.ask()) is UNKNOWN


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no busctl")
@pytest.mark.real  # slow
def test_no_process_and_no_descriptor_is_left(tmp_path, monkeypatch):
    busctl(tmp_path, f"open({str(tmp_path)!r} + f'/{{os.getpid()}}', 'w').close()\ntime.sleep(600)")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    async def often() -> None:
        await presence.ask()
        before = descriptors()
        for _ in range(3):
            assert await presence.ask() is UNKNOWN
        assert descriptors() < before + 2

    asyncio.run(often())
    for pid in (int(one.name) for one in tmp_path.iterdir() if one.name.isdigit()):
        assert not Path(f"/proc/{pid}").exists()


def test_what_busctl_of_this_machine_prints():
    """A reply as busctl 252 prints it."""
    printed = {"type": "a{sv}", "data": [{"LockedHint": {"type": "b", "data": True}}]}
    assert presence.properties(presence.reply(json.dumps(printed).encode())) == {"LockedHint": True}
