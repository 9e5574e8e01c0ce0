"""Notices on macOS: a dialog with real buttons (owner of `osascript`).

Rules of this file:
1. desktop-notifier has only a dummy outside an app bundle, and inside one its buttons need the main thread's
   CFRunLoop; a dialog of the system works from every Python.
2. What is said goes in as arguments of a script that never changes; nothing is pasted into it.
3. The dialog is a child that lives as long as it is on the screen. One that ends at once, with an error, was none:
   over SSH and in the background there is no screen ("No user interaction allowed", -1713).
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar, Self

from ssowatch.notify.channel import Listener, Notice, NotShownError
from ssowatch.plain import plain

_PATIENCE_SECONDS = 1.5
_GOES_AFTER_SECONDS = 120
_CLOSE = "Close"
_SCRIPT = """\
on run argv
    set theTitle to item 1 of argv
    set theText to item 2 of argv
    set theSeconds to (item 3 of argv) as integer
    set theButtons to items 4 thru -1 of argv
    set theAnswer to display dialog theText with title theTitle buttons theButtons default button (count of theButtons) with icon caution giving up after theSeconds
    if gave up of theAnswer then return ""
    return button returned of theAnswer
end run
"""


class Dialog:
    """`osascript -e 'display dialog …'`."""

    word: ClassVar[str] = "desktop"
    name = "dialog"

    def __init__(self, patience: float = _PATIENCE_SECONDS) -> None:
        self._patience = patience
        self._open: dict[str, asyncio.subprocess.Process] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:  # noqa: ARG003 - not used
        """The one screen."""
        return cls()

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:  # noqa: ARG003 - not used
        """On macOS."""
        return platform == "darwin"

    async def show(self, notice: Notice, listener: Listener) -> str:
        """Start the dialog; it is shown once it did not fail at once."""
        # The last one stands at the right and is the default: the button that helps.
        buttons = (*reversed(notice.buttons[:3]),) or (_CLOSE,)
        seconds = 0 if notice.stays else _GOES_AFTER_SECONDS  # 0: never
        try:
            process = await asyncio.create_subprocess_exec(
                "osascript",
                "-e",
                _SCRIPT,
                notice.title,
                f"{notice.title}\n\n{notice.message}",
                str(seconds),
                *buttons,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise NotShownError(f"osascript cannot be started: {error.strerror}") from None
        answer = asyncio.ensure_future(process.communicate())
        done, _ = await asyncio.wait({answer}, timeout=self._patience)
        if done and process.returncode:
            complaint = answer.result()[1].decode(errors="replace").strip().splitlines()
            raise NotShownError(
                plain(complaint[-1]) if complaint else f"osascript ended with exit code {process.returncode}",
                "log in at the screen, or add another channel to `notify`",
            )
        self._open[notice.id] = process
        task = asyncio.get_running_loop().create_task(self._answered(notice, answer, listener))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return "a dialog of macOS"

    async def _answered(self, notice: Notice, answer: asyncio.Future[tuple[bytes, bytes]], listener: Listener) -> None:
        label = (await answer)[0].decode(errors="replace").strip()
        if self._open.pop(notice.id, None):
            if label in notice.buttons:
                listener.pressed(notice.id, label)
            else:
                listener.closed(notice.id)

    async def probe(self) -> str:
        """Whether there is an `osascript`. Whether there is a screen only a dialog tells."""
        if not shutil.which("osascript"):
            raise NotShownError("there is no osascript")
        return "a dialog of macOS, if you are at its screen"

    async def withdraw(self, notice_id: str) -> None:
        """End it: the dialog goes with its program."""
        if process := self._open.pop(notice_id, None):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def close(self) -> None:
        """Take every dialog off the screen."""
        for notice_id in list(self._open):
            await self.withdraw(notice_id)
        await asyncio.gather(*self._tasks, return_exceptions=True)
