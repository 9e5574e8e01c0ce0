"""Is a person at the screen? An edge: it asks small programs, which cannot hang us.

Rules of this file:
1. Nothing is guessed: what cannot be asked, does not answer within `_SECONDS` or makes no sense is UNKNOWN.
2. Linux: logind knows. `busctl` asks it, whose JSON has types (systemd 240; without it, as with elogind, UNKNOWN). The
   user's graphical sessions count; where there is none, the text sessions at this machine's seat. A session over ssh,
   or one in WSL, sits at no screen of ours and says nothing.
3. Several sessions: the best of them counts, for a person sits at one screen only. A session in the background (another
   one is in front, on the same seat) is as good as locked.
4. Some lockers never tell logind (i3lock, swaylock #382, xfce4-screensaver, cinnamon-screensaver, mate-screensaver). So
   the screen savers on the session bus are asked too, those that run; asking starts none. An active one means locked.
5. macOS: the I/O registry, by `ioreg`: `IOConsoleLocked` and `CGSSessionScreenIsLocked` of our own console session, and
   `HIDIdleTime`, the nanoseconds since the last key or move. (From public sources; not run on a Mac.)
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from typing import Any

from ssowatch import paths
from ssowatch.model import Presence

_SECONDS = 5.0
"""For all questions together. A machine that wakes up is busy, and "unknown" lets a notice appear."""
_LARGEST = 256 << 10
"""Bytes of an answer; a longer one is none."""
_GRAPHICAL = ("x11", "wayland", "mir")
_BEST_FIRST = (Presence.PRESENT, Presence.IDLE, Presence.LOCKED)
_MAC_IDLE = timedelta(minutes=5)
"""GNOME's own default before it calls a session idle (`org.gnome.desktop.session idle-delay`, 300 s)."""
_MOST_SESSIONS = 16
"""A server's user may have hundreds over ssh; those with a seat are asked first."""
_SCREEN_SAVERS = {
    "org.gnome.ScreenSaver": "/org/gnome/ScreenSaver",
    "org.freedesktop.ScreenSaver": "/org/freedesktop/ScreenSaver",
    "org.cinnamon.ScreenSaver": "/org/cinnamon/ScreenSaver",
    "org.mate.ScreenSaver": "/org/mate/ScreenSaver",
    "org.xfce.ScreenSaver": "/org/xfce/ScreenSaver",
}
_BUSCTL = ("busctl", "--auto-start=no", "--json=short")  # without a time-out of its own: it is killed at ours
_LOGIND = "org.freedesktop.login1"


async def ask() -> Presence:
    """Whether a person is at the screen. Takes at most `_SECONDS`; raises nothing but CancelledError."""
    found = Presence.UNKNOWN
    try:
        async with asyncio.timeout(_SECONDS):
            if sys.platform == "darwin":
                return await _macos()
            found = await _logind()
            if found in {Presence.PRESENT, Presence.UNKNOWN}:
                found = with_screen_savers(found, await _screen_savers())
    except TimeoutError:
        pass  # what logind said stands; a hung screen saver takes nothing back
    return found


async def _logind() -> Presence:
    bus = (*_BUSCTL, "--system", "call", _LOGIND)
    paths_found = of_user(reply(await _output(*bus, "/org/freedesktop/login1", f"{_LOGIND}.Manager", "ListSessions")))
    facts = ("org.freedesktop.DBus.Properties", "GetAll", "s", f"{_LOGIND}.Session")
    said = await asyncio.gather(*(_output(*bus, path, *facts) for path in paths_found))
    return of_sessions([properties(reply(one)) for one in said])


def of_user(listed: object, uid: int | None = None) -> list[str]:
    """The D-Bus paths of a user's sessions (ours), of what ListSessions answered: `(id, uid, name, seat, path)` each."""
    wanted = os.getuid() if uid is None else uid
    rows = listed if isinstance(listed, list) else []
    ours = [row for row in rows if isinstance(row, list) and len(row) == 5 and row[1] == wanted]
    ours.sort(key=lambda row: not row[3])
    return [str(row[4]) for row in ours[:_MOST_SESSIONS]]


def properties(answered: object) -> dict[str, Any]:
    """A session's properties, of what GetAll answered: each is `{"type": …, "data": …}`."""
    named = answered.items() if isinstance(answered, dict) else ()
    return {name: value.get("data") for name, value in named if isinstance(value, dict)}


def of_sessions(sessions: Iterable[Mapping[str, Any]]) -> Presence:
    """What logind's facts about the user's sessions mean."""
    people = [one for one in sessions if str(one.get("Class", "")).startswith("user") and one.get("State") != "closing"]
    screens = [one for one in people if one.get("Type") in _GRAPHICAL]
    found = {_of_session(one) for one in screens or filter(_at_our_seat, people)}
    return next((best for best in _BEST_FIRST if best in found), Presence.UNKNOWN)


def _at_our_seat(session: Mapping[str, Any]) -> bool:
    seat = session.get("Seat")
    return isinstance(seat, list) and bool(seat) and bool(seat[0]) and session.get("Remote") is False


def _of_session(session: Mapping[str, Any]) -> Presence:
    locked, idle, in_front = (session.get(name) for name in ("LockedHint", "IdleHint", "Active"))
    if not (isinstance(locked, bool) and isinstance(idle, bool) and isinstance(in_front, bool)):
        return Presence.UNKNOWN
    return Presence.LOCKED if locked or not in_front else Presence.IDLE if idle else Presence.PRESENT


async def _screen_savers() -> list[bool]:
    """Whether each running screen saver is active; empty where none answers."""
    bus = ("org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus")
    call = (*_BUSCTL, "--user", "call")
    names = reply(await _output(*call, *bus, "ListNames"))
    running = [name for name in _SCREEN_SAVERS if isinstance(names, list) and name in names]
    calls = [_output(*call, name, _SCREEN_SAVERS[name], name, "GetActive") for name in running]
    answers = [reply(output) for output in await asyncio.gather(*calls)]
    return [answer for answer in answers if isinstance(answer, bool)]


def reply(output: bytes) -> object:
    """The one value of a D-Bus reply as `busctl --json=short` prints it; None where it is none."""
    with suppress(ValueError, RecursionError, LookupError, TypeError):
        return json.loads(output)["data"][0]
    return None


def with_screen_savers(found: Presence, active: list[bool]) -> Presence:
    """What logind said, and what the screen savers said. Without logind a saver that watches stands for a person."""
    if any(active):
        return Presence.LOCKED
    return Presence.PRESENT if active else found


async def _macos() -> Presence:
    root, keyboard = await asyncio.gather(
        _output("ioreg", "-a", "-n", "Root", "-d", "1"), _output("ioreg", "-a", "-r", "-c", "IOHIDSystem", "-d", "1")
    )
    return of_registry(root, keyboard, os.getuid())


def of_registry(root: bytes, keyboard: bytes, uid: int) -> Presence:
    """What macOS's I/O registry means for the user `uid`: `ioreg -a` of its root, and of its keyboard and mouse."""
    facts, idle = _plist(root), _plist(keyboard)
    users = facts.get("IOConsoleUsers")
    if not isinstance(users, list):
        return Presence.UNKNOWN
    ours = [one for one in users if isinstance(one, dict) and one.get("kCGSSessionUserIDKey") == uid]
    if not ours:
        return Presence.UNKNOWN  # over ssh, nobody of this name at the screen
    in_front = [one for one in ours if one.get("kCGSSessionOnConsoleKey") is True]
    if not in_front or facts.get("IOConsoleLocked") is True or in_front[0].get("CGSSessionScreenIsLocked"):
        return Presence.LOCKED
    nanoseconds = idle.get("HIDIdleTime")
    if not isinstance(nanoseconds, int):
        return Presence.UNKNOWN
    return Presence.IDLE if nanoseconds >= _MAC_IDLE.total_seconds() * 1e9 else Presence.PRESENT


def _plist(output: bytes) -> dict[str, Any]:
    """A registry entry: the document itself, or with `ioreg -r` its first one."""
    import plistlib  # 1 MB that the service on Linux does without
    from xml.parsers.expat import ExpatError

    with suppress(ValueError, ExpatError, LookupError, AttributeError, TypeError, OverflowError):
        read = plistlib.loads(output)
        entry = read[0] if isinstance(read, list) else read
        if isinstance(entry, dict):
            return entry
    return {}


async def _output(*argv: str) -> bytes:
    """What a program prints; empty where it cannot be started or fails. It does not outlive the question."""
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={**os.environ, **paths.session_bus(), "LC_ALL": "C"},
            start_new_session=True,
        )
    except OSError:
        return b""
    try:
        assert process.stdout  # noqa: S101 - PIPE, just above
        await process.stdout.readexactly(_LARGEST)
    except asyncio.IncompleteReadError as whole:
        return whole.partial if await process.wait() == 0 else b""
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    return b""
