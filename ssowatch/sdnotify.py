"""Tells systemd how the service is, by sd_notify(3) (an edge; standard library).

Rules of this file:
1. It never raises and hardly waits: whoever started us, the service goes on.
2. The watchdog is fed by the tick alone, at half of `watchdog_interval()`: a ping proves progress, not a living thread.
3. A value is one line without control characters (a newline in a STATUS would begin another field) and short: systemd
   ignores a whole datagram of more than 4096 bytes.
"""

from __future__ import annotations

import contextlib
import os
import socket
from datetime import timedelta

_LONGEST = 900  # characters; up to 4 bytes each
_WAIT = 1.0  # seconds for a full socket: a lost READY would cost the start


def notify(**fields: str | int) -> None:
    """Send fields such as `READY=1`, `STATUS="…"`, `WATCHDOG=1`, `RELOADING=1`, `STOPPING=1`; outside systemd nothing."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")) or not fields:
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # Linux's abstract namespace
    message = "\n".join(f"{name}={_line(value)}" for name, value in fields.items())
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(_WAIT)
        sender.sendto(message.encode(), address)


def _line(value: str | int) -> str:
    return "".join(char if char.isprintable() else " " for char in str(value))[:_LONGEST]


def watchdog_interval() -> timedelta | None:
    """How long systemd waits for a WATCHDOG=1 before it kills us; None where it does not watch this process."""
    try:
        if int(os.environ.get("WATCHDOG_PID") or os.getpid()) != os.getpid():
            return None  # a child inherited the environment
        interval = timedelta(microseconds=int(os.environ["WATCHDOG_USEC"]))
    except (KeyError, ValueError, OverflowError):
        return None
    return interval if interval > timedelta() else None
