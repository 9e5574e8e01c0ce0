"""Children: the same commands that a person types, run by the watcher (an edge, owner of subprocesses).

Rules of this file:
1. Effects happen in children, so that a hung call, a crash or a secret stays there. A child speaks JSON lines on
   stdout; each has a hard deadline: SIGTERM, then SIGKILL.
2. What a child prints is bounded: lines of at most 64 KiB, the last 2 KiB of stderr.
3. A child's environment is ours plus the config's `environment`, less everything that names an AWS identity: a profile
   that does not exist would stop boto3, static keys would be wrong.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_GRACE_SECONDS = 5.0
_LINE_LIMIT = 64 << 10
_STDERR_TAIL = 2048
_SCRUBBED = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "NOTIFY_SOCKET",  # a child must not speak for the service
    "WATCHDOG_USEC",
    "WATCHDOG_PID",
)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a child ended: what it said, and why it said nothing more."""

    lines: tuple[dict[str, Any], ...]
    complaint: str
    """The tail of its stderr, or that the deadline passed."""
    code: int | None = None
    """Its exit code; None where it gave none in time."""


def environment(extra: Mapping[str, str], base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a child."""
    kept = {name: value for name, value in (os.environ if base is None else base).items() if name not in _SCRUBBED}
    return {**kept, **extra}


async def run(
    arguments: Sequence[str], extra: Mapping[str, str], deadline: float, base: Mapping[str, str] | None = None
) -> Ended:
    """Run `ssowatch ARGUMENTS…` and collect its JSON lines; never raises but CancelledError, which ends the child.

    `base` is another environment than ours, as a service would have it.
    """
    try:
        process = await _started(arguments, environment(extra, base), asyncio.subprocess.DEVNULL)
    except OSError as error:
        return Ended((), f"cannot start a child: {error.strerror}")
    lines: list[dict[str, Any]] = []
    tail = bytearray()
    try:
        async with asyncio.timeout(deadline):
            await asyncio.gather(_hear(process.stdout, lines.append), _read_tail(process.stderr, tail))
            code = await process.wait()
    except TimeoutError:
        return Ended(tuple(lines), f"gave no answer within {deadline:.0f} s")
    finally:
        await _end(process)
    return Ended(tuple(lines), _complaint(tail, code), code)


async def talk(
    arguments: Sequence[str],
    extra: Mapping[str, str],
    wishes: asyncio.Queue[dict[str, Any]],
    hear: Callable[[dict[str, Any]], None],
) -> str:
    """Run `ssowatch ARGUMENTS…`, tell it each wish as a line of JSON, and `hear` each of its lines.

    Returns why it ended, which nobody asked it to: to end it, cancel this. Raises CancelledError alone.
    """
    try:
        process = await _started(arguments, environment(extra), asyncio.subprocess.PIPE)
    except OSError as error:
        return f"cannot start a child: {error.strerror}"
    tail = bytearray()

    async def tell() -> None:
        while process.stdin:
            process.stdin.write(json.dumps(await wishes.get()).encode() + b"\n")
            await process.stdin.drain()

    telling = asyncio.get_running_loop().create_task(tell())
    try:
        await asyncio.gather(_hear(process.stdout, hear), _read_tail(process.stderr, tail))
        code = await process.wait()
    finally:
        telling.cancel()
        if process.stdin:
            process.stdin.close()
        with suppress(asyncio.CancelledError, OSError):
            await telling
        await _end(process)
    return _complaint(tail, code)


async def _started(arguments: Sequence[str], environ: Mapping[str, str], stdin: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-P",  # a module lying in the working directory must not be imported
        "-m",
        "ssowatch",
        *arguments,
        stdin=stdin,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environ,
        limit=_LINE_LIMIT,
    )


def _complaint(tail: bytearray, code: int) -> str:
    """Why it ended: its last word on stderr, or its exit code."""
    last = tail.decode(errors="replace").strip().splitlines()
    return last[-1] if last else f"ended with exit code {code}"


async def _hear(stream: asyncio.StreamReader | None, hear: Callable[[dict[str, Any]], None]) -> None:
    while stream:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the limit: skipped
            continue
        if not line:
            return
        with suppress(ValueError, RecursionError):
            said = json.loads(line)
            if isinstance(said, dict):
                hear(said)


async def _read_tail(stream: asyncio.StreamReader | None, tail: bytearray) -> None:
    while stream and (part := await stream.read(4096)):
        tail += part
        del tail[:-_STDERR_TAIL]


async def _end(process: asyncio.subprocess.Process) -> None:
    """Make sure that it is gone."""
    if process.returncode is not None:
        return
    with suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_GRACE_SECONDS):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
