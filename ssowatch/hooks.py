"""The user's own commands on an event (an edge; asyncio subprocess).

Rules of this file:
1. argv as the user wrote it, no shell. The event is one line of JSON on stdin, which is a file without a name and not a
   pipe: a hook that does not read it, or only a part, is as good as any.
2. A hook has a time limit: SIGTERM, then SIGKILL, to it and to what it started, which is why it has a process group of
   its own. What it leaves running after its own end is its affair, but cannot print any more.
3. Its environment is ours plus the config's `environment`, less every AWS_* that may name an identity or a secret and
   less what systemd gave to us. It inherits no descriptor.
4. What it prints goes nowhere but into a complaint's last line, of which at most 2 KiB are kept.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from ssowatch.plain import escaped, plain

_GRACE_SECONDS = 3.0
_TAIL = 2048
_KEPT_AWS = frozenset({"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CA_BUNDLE", "AWS_REGION"})
_SERVICE = ("NOTIFY_SOCKET", "INVOCATION_ID", "JOURNAL_STREAM", "SYSTEMD_EXEC_PID", "MAINPID", "MANAGERPID")
_TAKEN = ("AWS_", "WATCHDOG_", "LISTEN_", "MEMORY_PRESSURE_")


async def run(
    argv: Sequence[str], event: dict[str, Any], environment: Mapping[str, str], seconds: float = 30
) -> str | None:
    """Run a hook with `event`; None when it ended well, else a complaint for the log.

    `environment` is the config's own and may name what is else taken away. Raises nothing but CancelledError, which
    ends the hook.
    """
    tail = bytearray()
    try:
        read_end, write_end = os.pipe()  # close-on-exec, both
    except OSError as error:
        return f"cannot be started: {error.strerror}"
    os.set_blocking(read_end, False)
    loop = asyncio.get_running_loop()
    try:
        try:
            process = await _start(argv, event, {**scrubbed(os.environ), **environment}, write_end)
        except (OSError, ValueError) as error:  # ValueError: a zero byte in argv or environment
            return f"cannot be started: {error.strerror if isinstance(error, OSError) else error}"
        finally:
            os.close(write_end)
        loop.add_reader(read_end, _drain, read_end, tail)
        try:
            async with asyncio.timeout(seconds):
                code = await process.wait()
        except TimeoutError:
            return f"ran longer than {seconds:g} s and was ended"
        finally:
            await _end(process)
        _drain(read_end, tail)
    finally:
        loop.remove_reader(read_end)
        os.close(read_end)
    if code == 0:
        return None
    ended = f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}"
    last = tail.decode(errors="replace").strip().splitlines()
    return f"{ended}: {plain(last[-1])}" if last else ended


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """What of our environment a hook may see."""
    return {
        name: value
        for name, value in environ.items()
        if name in _KEPT_AWS or not (name in _SERVICE or name.startswith(_TAKEN))
    }


async def _start(
    argv: Sequence[str], event: dict[str, Any], environment: Mapping[str, str], output: int
) -> asyncio.subprocess.Process:
    with tempfile.TemporaryFile() as line:
        line.write(escaped(json.dumps(event, ensure_ascii=False)).encode() + b"\n")
        line.seek(0)
        return await asyncio.create_subprocess_exec(
            *argv, stdin=line, stdout=output, stderr=output, env=environment, start_new_session=True
        )


def _drain(descriptor: int, tail: bytearray) -> None:
    """Take what lies in the pipe, a bounded part of it per call: the loop comes again."""
    for _ in range(16):
        try:
            part = os.read(descriptor, 65536)
        except BlockingIOError:
            return
        if not part:
            with suppress(RuntimeError):
                asyncio.get_running_loop().remove_reader(descriptor)  # else it would be ready for ever
            return
        tail += part
        del tail[:-_TAIL]


async def _end(process: asyncio.subprocess.Process) -> None:
    """After a hook's own end nothing; else make sure that it is gone, with what it started."""
    if process.returncode is not None:
        return
    try:
        _signal(process, signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_GRACE_SECONDS):
                await process.wait()
    finally:
        _signal(process, signal.SIGKILL)  # its children may have stayed when it went
        await process.wait()


def _signal(process: asyncio.subprocess.Process, number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # PermissionError: macOS, of a group of zombies
        os.killpg(process.pid, number)
