"""Desktops for tests: a private session bus, a notification server on it that does what it is told, a notifier child."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import homes
import pytest

SECONDS = homes.PATIENCE
_BUS = """\
<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={path}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
"""


class Bus:
    """A session bus of its own, without service files: nothing is started behind a test's back."""

    def __init__(self, folder: Path) -> None:
        if not shutil.which("dbus-daemon"):
            assert not homes.REQUIRED, "dbus-daemon is missing"
            pytest.skip("needs dbus-daemon")
        self.socket = folder / "bus"
        self.address = f"unix:path={self.socket}"
        self._config = folder / "bus.conf"
        self._config.write_text(_BUS.format(path=self.socket))
        self.start()

    def start(self) -> None:
        """Start it, at the address it had before."""
        self.socket.unlink(missing_ok=True)
        command = ["dbus-daemon", f"--config-file={self._config}", "--nofork", "--nopidfile", "--print-address"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout
        assert self.process.stdout.readline(), "the bus did not start"

    def stop(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait()
        assert self.process.stdout
        self.process.stdout.close()


class Talker:
    """A child that speaks JSON lines, each of which is waited for with a deadline."""

    def __init__(self, *command: str, **environ: str) -> None:
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environ},
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.errors = b""
        self._threads = [threading.Thread(target=read, daemon=True) for read in (self._read, self._read_errors)]
        for thread in self._threads:
            thread.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(b"")

    def _read_errors(self) -> None:
        assert self.process.stderr
        for line in self.process.stderr:
            self.errors += line

    def say(self, line: Any) -> None:
        """One line to its stdin."""
        assert self.process.stdin
        self.process.stdin.write(json.dumps(line).encode() + b"\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Its next line."""
        try:
            line = self._lines.get(timeout=SECONDS)
        except queue.Empty:
            raise AssertionError(f"it says nothing; stderr: {self.errors.decode()}") from None
        assert line, f"it has ended; stderr: {self.errors.decode()}"
        return json.loads(line)

    def silent(self) -> bool:
        """Nothing more was said so far."""
        return self._lines.empty()

    def end_input(self) -> None:
        """Close its stdin."""
        assert self.process.stdin
        self.process.stdin.close()

    def gone(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(SECONDS)
        for thread in self._threads:
            thread.join(SECONDS)
        return code

    def close(self) -> None:
        """End it, whatever it does."""
        self.process.kill()
        self.gone()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            if stream:
                with suppress(BrokenPipeError):
                    stream.close()


class Server(Talker):
    """A notification server; `hear` tells of each Notify and CloseNotification."""

    def __init__(self, bus: Bus, *capabilities: str) -> None:
        super().__init__(sys.executable, __file__, bus.address, *capabilities)
        assert self.hear() == {"ready": True}

    def notified(self) -> dict[str, Any]:
        """The next notice."""
        said = self.hear()
        assert "title" in said, said
        return said

    def press(self, number: int, key: str) -> None:
        """A person presses the button with this key. As with dunst, that alone does not close the notice."""
        self.say({"press": number, "key": key})

    def dismiss(self, number: int, reason: int = 2) -> None:
        """A person closes it (2), or its time is over (1)."""
        self.say({"dismiss": number, "reason": reason})

    def freeze(self) -> None:
        """From now on it answers nothing."""
        self.process.send_signal(signal.SIGSTOP)


class Child(Talker):
    """`ssowatch notify --child`."""

    def __init__(self, **environ: str) -> None:
        super().__init__(sys.executable, "-P", "-m", "ssowatch", "notify", "--child", **environ)

    def show(self, *notices: dict[str, Any]) -> None:
        """The whole wished list."""
        self.say({"show": notices})

    def descriptors(self) -> int:
        """How many it has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def children(self) -> list[str]:
        """The processes it has, ended ones included."""
        found = []
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            found += (task / "children").read_text().split()
        return found


def wish(notice_id: str = "corp", *, stays: bool = True, **event: Any) -> dict[str, Any]:
    """One entry of the wished list."""
    filled = {
        "version": 1,
        "event": "login_required",
        "sign_in": {"name": "corp", "kind": "sso-session", "profiles": ["dev", "prod"]},
        "title": "corp: sign in to AWS",
        "message": "dev and prod have stopped.",
        "buttons": ["Sign in", "Not today"],
        **event,
    }
    return {"id": notice_id, "stays": stays, "event": filled}


@contextmanager
def closing(*things: Any) -> Iterator[None]:
    """End them, whatever happens."""
    try:
        yield
    finally:
        for thing in things:
            thing.close()


def steady(count: Any, seconds: float = SECONDS) -> Any:
    """The value of `count()` once it is the same twice, 0.2 s apart: what ends by itself has ended."""
    deadline = time.monotonic() + seconds
    value = count()
    while time.monotonic() < deadline:
        time.sleep(0.2)
        if value == (value := count()):
            return value
    return value


async def _serve(address: str, capabilities: list[str]) -> None:
    """Be the server: what is asked on stdin happens, what happens is told on stdout."""
    from dbus_fast import Message, MessageType
    from dbus_fast.aio import MessageBus
    from dbus_fast.service import ServiceInterface, dbus_method, dbus_signal

    def tell(**line: Any) -> None:
        print(json.dumps(line), flush=True)

    class Notifications(ServiceInterface):
        def __init__(self) -> None:
            super().__init__("org.freedesktop.Notifications")
            self.last = 0

        @dbus_method()
        def GetCapabilities(self) -> "as":  # type: ignore[valid-type]  # noqa: F722, N802
            return capabilities

        @dbus_method()
        def GetServerInformation(self) -> "ssss":  # type: ignore[name-defined]  # noqa: F821, N802, UP037
            return ["fake", "tests", "1.0", "1.2"]

        @dbus_method()
        def Notify(  # noqa: N802
            self,
            app: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
            replaces: "u",  # type: ignore[name-defined]  # noqa: F821, UP037
            icon: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
            title: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
            message: "s",  # type: ignore[name-defined]  # noqa: F821, UP037
            actions: "as",  # type: ignore[valid-type]  # noqa: F722
            hints: "a{sv}",  # type: ignore[valid-type]  # noqa: F722
            timeout: "i",  # type: ignore[name-defined]  # noqa: F821, UP037
        ) -> "u":  # type: ignore[name-defined]  # noqa: F821, UP037
            self.last += 1
            urgency = hints["urgency"].value
            tell(number=self.last, title=title, message=message, actions=actions, urgency=urgency, timeout=timeout)
            return self.last

        @dbus_method()
        def CloseNotification(self, number: "u"):  # type: ignore[name-defined]  # noqa: F821, N802, UP037
            tell(withdrawn=number)
            self.NotificationClosed(number, 3)

        @dbus_signal()
        def ActionInvoked(self, number, key) -> "us":  # type: ignore[name-defined]  # noqa: F821, N802, UP037
            return [number, key]

        @dbus_signal()
        def NotificationClosed(self, number, reason) -> "uu":  # type: ignore[name-defined]  # noqa: F821, N802, UP037
            return [number, reason]

    bus = await MessageBus(bus_address=address).connect()
    notifications = Notifications()
    bus.export("/org/freedesktop/Notifications", notifications)
    await bus.request_name("org.freedesktop.Notifications")
    # A round trip, so that the name is ours before anybody is told.
    ping = Message("org.freedesktop.DBus", "/", "org.freedesktop.DBus.Peer", "Ping")
    answer = await bus.call(ping)
    assert answer
    assert answer.message_type is not MessageType.METHOD_CALL
    tell(ready=True)
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        asked = json.loads(line)
        if "press" in asked:
            notifications.ActionInvoked(asked["press"], asked["key"])
        else:
            notifications.NotificationClosed(asked["dismiss"], asked["reason"])


if __name__ == "__main__":
    asyncio.run(_serve(sys.argv[1], sys.argv[2:]))
