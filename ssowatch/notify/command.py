"""Notices through a program of the user's (owner of that child).

Rules of this file:
1. The program gets the event as one JSON line on its stdin. Exit 0 within the time limit means that it was shown.
2. A line of its stdout that is the label of one of the notice's buttons presses that button.
3. Nothing of the notice stands in its argv or environment, which other users may read; and nothing that names or
   opens an AWS identity is left in its environment.
4. It is a process group of its own; past its time the whole group is killed. What a program that ended well leaves in
   the background is its own business.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import ClassVar, Self

from ssowatch.notify.channel import Listener, Notice, NotShownError
from ssowatch.plain import plain

_SECONDS = 30.0
_REST_SECONDS = 0.5
_MOST = 64 << 10
_KEPT = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CA_BUNDLE")
_OURS = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")


class Command:
    """One program."""

    word: ClassVar[str] = "command"

    def __init__(self, argv: tuple[str, ...], environment: Mapping[str, str], seconds: float = _SECONDS) -> None:
        self.name = f"command {plain(os.path.basename(argv[0]), 40)}"  # noqa: PTH119 - of a word of the config
        self._argv = (os.path.expanduser(argv[0]), *argv[1:])  # noqa: PTH111 - see above
        self._environment = scrubbed(environment)
        self._seconds = seconds

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:
        """The program `arguments[0]` with the other arguments."""
        return cls(arguments, environment)

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:  # noqa: ARG003 - a program is a program
        """Everywhere."""
        return True

    async def show(self, notice: Notice, listener: Listener) -> str:
        """Run it to its end."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env=self._environment,
                start_new_session=True,
            )
        except OSError as error:
            raise NotShownError(
                f"{plain(self._argv[0])} cannot be started: {error.strerror}", "correct `command` in `notify`"
            ) from None
        said = bytearray()
        talk = asyncio.ensure_future(_talk(process, json.dumps(dict(notice.event)).encode() + b"\n", said))
        code = None
        try:
            async with asyncio.timeout(self._seconds):
                code = await process.wait()
            await asyncio.wait({talk}, timeout=_REST_SECONDS)  # what it left behind may hold its stdout for ever
        except TimeoutError:
            raise NotShownError(
                f"{plain(self._argv[0])} did not end within {self._seconds:g} s",
                "let it end when the notice is shown",
            ) from None
        finally:
            talk.cancel()
            if code is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
            process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001 - nothing public closes the pipes
            await asyncio.gather(talk, return_exceptions=True)
        if code:
            raise NotShownError(
                f"{plain(self._argv[0])} ended with exit code {code}", "try it by hand, with one JSON line on its stdin"
            )
        lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
        if pressed := next((line for line in lines if line in notice.buttons), None):
            listener.pressed(notice.id, pressed)
        return "ended with exit code 0"

    async def probe(self) -> str:
        """Whether there is such a program. What it does with a notice only a notice tells."""
        if not shutil.which(self._argv[0], path=self._environment.get("PATH")):
            raise NotShownError(
                f"{plain(self._argv[0])} is no program that can be run", "correct `command` in `notify`"
            )
        return f"{plain(self._argv[0])} is there"

    async def withdraw(self, notice_id: str) -> None:
        """A program that has ended cannot take back what it did."""

    async def close(self) -> None:
        """Nothing is held."""


async def _talk(process: asyncio.subprocess.Process, line: bytes, said: bytearray) -> None:
    """Give it the line, and add to `said` the first part of what it says."""
    assert process.stdin  # noqa: S101 - for mypy
    assert process.stdout  # noqa: S101 - for mypy
    with suppress(OSError):  # it need not read
        process.stdin.write(line)
        await process.stdin.drain()
    process.stdin.close()
    while part := await process.stdout.read(4096):
        said += part[: max(0, _MOST - len(said))]


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment without AWS identities and without what speaks to our service manager."""
    return {
        name: value
        for name, value in environment.items()
        if name not in _OURS and (not name.startswith("AWS_") or name in _KEPT or name.startswith("AWS_ENDPOINT_URL"))
    }
