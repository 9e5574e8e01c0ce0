"""Notices in WSL: a toast of Windows (owner of `powershell.exe`).

Rules of this file:
1. Every word goes in on stdin, as one line of ASCII JSON (the console's code page cannot spoil it); the script never
   changes and holds no double quotes, which WSL's way into Windows argument lists would mangle.
2. A toast has no buttons here: a press starts a program registered with Windows, or opens a URL, and neither can
   reach a sign-in that has not begun. So its text says what to type.
3. It is withdrawn by its tag, of which Windows takes 16 characters.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Mapping
from contextlib import suppress
from hashlib import sha256
from typing import ClassVar, Self

from ssowatch.notify.channel import Listener, Notice, NotShownError
from ssowatch.plain import plain

_SECONDS = 20.0  # a cold start of PowerShell takes several
_INTEROP = "allow WSL to run Windows programs (interop)"
_POWERSHELL = "/mnt/c/Windows/System32/WindowsPowerShell/v1.0/powershell.exe"
# Windows shows toasts of registered programs only; PowerShell's own registration is there on every machine.
_PROGRAM = r"{1AC14E77-02E7-4E5D-B744-2EB1AF5198B7}\WindowsPowerShell\v1.0\powershell.exe"
_BEGIN = (
    "$ErrorActionPreference = 'Stop'; "
    "$n = [Console]::In.ReadLine() | ConvertFrom-Json; "
    "$m = [Windows.UI.Notifications.ToastNotificationManager, Windows.UI.Notifications, ContentType = WindowsRuntime]; "
)
_SHOW = _BEGIN + (
    "$x = $m::GetTemplateContent([Windows.UI.Notifications.ToastTemplateType, Windows.UI.Notifications, ContentType = WindowsRuntime]::ToastText02); "
    "$x.DocumentElement.SetAttribute('duration', 'long'); "
    "$t = $x.GetElementsByTagName('text'); "
    "[void]$t.Item(0).AppendChild($x.CreateTextNode($n.title)); "
    "[void]$t.Item(1).AppendChild($x.CreateTextNode($n.message)); "
    "$o = New-Object Windows.UI.Notifications.ToastNotification $x; "
    "$o.Tag = $n.tag; $o.Group = 'ssowatch'; "
    "$m::CreateToastNotifier($n.program).Show($o)"
)
_WITHDRAW = _BEGIN + "$m::History.Remove($n.tag, 'ssowatch', $n.program)"


class Toast:
    """A Windows toast."""

    word: ClassVar[str] = "desktop"
    name = "toast"

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._shown: set[str] = set()

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:  # noqa: ARG003 - not used
        """The one Windows around us."""
        return cls()

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:
        """WSL, whose kernels name Microsoft."""
        return platform == "linux" and "microsoft" in release.lower()

    async def show(self, notice: Notice, listener: Listener) -> str:  # noqa: ARG002 - nobody answers
        """Hand it to Windows."""
        await self._run(_SHOW, notice.id, title=notice.title, message=notice.text)
        self._shown.add(notice.id)
        return "handed to Windows as a toast, which has no buttons"

    async def probe(self) -> str:
        """Whether Windows can be asked."""
        if not (shutil.which("powershell.exe") or os.access(_POWERSHELL, os.X_OK)):
            raise NotShownError("there is no powershell.exe", _INTEROP)
        return "a toast of Windows, which has no buttons"

    async def _run(self, script: str, notice_id: str, **words: str) -> None:
        program = shutil.which("powershell.exe") or _POWERSHELL  # a service's PATH has nothing of Windows
        tag = sha256(notice_id.encode()).hexdigest()[:16]
        line = json.dumps({"tag": tag, "program": _PROGRAM, **words}).encode() + b"\n"
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                "-NoLogo",
                "-NoProfile",
                "-NonInteractive",
                "-Command",
                script,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.PIPE,
                cwd="/mnt/c" if os.path.isdir("/mnt/c") else None,  # noqa: ASYNC240, PTH112 - Windows complains of a Linux folder
            )
        except OSError as error:
            raise NotShownError(f"powershell.exe cannot be started: {error.strerror}", _INTEROP) from None
        try:
            async with asyncio.timeout(self._seconds):
                _, complaint = await process.communicate(line)
        except TimeoutError:
            raise NotShownError(f"powershell.exe gave no answer within {self._seconds:g} s") from None
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        if process.returncode:
            said = complaint.decode(errors="replace").strip().splitlines()
            raise NotShownError(plain(said[0]) if said else f"powershell.exe: exit code {process.returncode}")

    async def withdraw(self, notice_id: str) -> None:
        """Take it off the screen and out of the action centre."""
        if notice_id in self._shown:
            self._shown.discard(notice_id)
            with suppress(NotShownError):
                await self._run(_WITHDRAW, notice_id)

    async def close(self) -> None:
        """Nothing is held; what is shown stays."""
