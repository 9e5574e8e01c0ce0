"""A notification server on the session bus, for a story under a real user manager: it writes each title to a file.

It runs on the Python that ssowatch was installed with, whose desktop-notifier brings dbus-fast.
"""

import asyncio
import sys
from pathlib import Path

from dbus_fast.aio import MessageBus
from dbus_fast.service import ServiceInterface, dbus_method

TITLES = Path(sys.argv[1])


class Notifications(ServiceInterface):
    """As much of it as a client asks for."""

    def __init__(self) -> None:
        super().__init__("org.freedesktop.Notifications")
        self.last = 0

    @dbus_method()
    def GetCapabilities(self) -> "as":  # noqa: F722, N802
        return ["body", "actions"]

    @dbus_method()
    def GetServerInformation(self) -> "ssss":  # noqa: F821, N802
        return ["a server", "tests", "1.0", "1.2"]

    @dbus_method()
    def Notify(  # noqa: N802
        self,
        app: "s",  # noqa: F821
        replaces: "u",  # noqa: F821
        icon: "s",  # noqa: F821
        title: "s",  # noqa: F821
        message: "s",  # noqa: F821
        actions: "as",  # noqa: F722
        hints: "a{sv}",  # noqa: F722
        timeout: "i",  # noqa: F821
    ) -> "u":  # noqa: F821
        self.last += 1
        with TITLES.open("a") as file:
            file.write(f"{title}\n")
        return self.last

    @dbus_method()
    def CloseNotification(self, number: "u") -> None:  # noqa: F821, N802
        """It is gone."""


async def serve() -> None:
    bus = await MessageBus().connect()
    bus.export("/org/freedesktop/Notifications", Notifications())
    await bus.request_name("org.freedesktop.Notifications")
    TITLES.touch()  # noqa: ASYNC240 - it answers from here on, and nobody waits for this file but once
    await bus.wait_for_disconnect()


asyncio.run(serve())
