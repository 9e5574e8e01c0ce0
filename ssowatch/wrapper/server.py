"""The MCP server's process and its three pipes (an edge: owner of that process).

Rules of this file:
1. It leads a process group, so that signals reach what it started (`uvx`, `npx`, `sh -c`), and it is tied to the leash.
2. One thread waits for it (`wait`); whoever stops it is told by that thread.
3. Lines are read whole up to `LONGEST`; what is longer comes in pieces, which say so.
"""

from __future__ import annotations

import io
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress

from ssowatch.wrapper.leash import Leash

LONGEST = 64 << 20
_BUFFER = 1 << 16
_ENDING_SECONDS = 3.0


class Server:
    """The process that is now; `start` makes another one in its place."""

    process: subprocess.Popen[bytes]

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str], leash: Leash) -> None:
        self._argv = list(argv)
        self._environment = dict(environment)
        self._leash = leash
        self._ended = threading.Event()
        self.writing = threading.RLock()
        """Held while a line is written; who restarts the server holds it all the time."""

    def start(self) -> None:
        """Start it.

        Raises:
            OSError: there is no such program, or it cannot be started.

        """
        self._ended.clear()
        self.process = subprocess.Popen(
            self._argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self._environment,
            bufsize=0,
            process_group=0,
        )
        self._leash.tie(self.process.pid)

    def pipes(self) -> Iterator[io.RawIOBase]:
        """Its stdout and its stderr. Who reads one keeps it open."""
        for pipe in (self.process.stdout, self.process.stderr):
            if isinstance(pipe, io.RawIOBase):
                yield pipe

    def write(self, line: bytes) -> None:
        """To its stdin. Nothing where it has closed that: its end is seen by who waits for it."""
        with self.writing, suppress(OSError, ValueError):
            if self.process.stdin:
                write(self.process.stdin.fileno(), line)

    def close_input(self) -> None:
        """The client has nothing more to say."""
        if self.writing.acquire(timeout=_ENDING_SECONDS):  # a server that reads nothing may keep a writer for ever
            with suppress(OSError):
                if self.process.stdin:
                    self.process.stdin.close()
            self.writing.release()

    def wait(self) -> int:
        """Until it ends; its exit status as `subprocess` has it, negative for a signal."""
        status = self.process.wait()
        self._ended.set()
        return status

    def signal(self, number: int) -> None:
        """Pass a signal on to its group. Takes no lock, as signal handlers call it."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """As MCP says: close its stdin, then SIGTERM, then SIGKILL; the whole group. Another thread must be in `wait`."""
        self.close_input()
        for strike in (signal.SIGTERM, signal.SIGKILL):
            if self._ended.wait(_ENDING_SECONDS):
                break
            self.signal(strike)
        self._ended.wait(_ENDING_SECONDS)
        self.signal(signal.SIGKILL)  # whatever its leader left behind
        self._leash.untie(self.process.pid)


def each_line(source: io.RawIOBase, take: Callable[[bytes, bool], None]) -> None:
    """Hand over each line with its end, and whether it is whole.

    One that is too long comes in pieces, and so does a last one without an end.
    """
    with io.BufferedReader(source, _BUFFER) as buffered:
        whole: bool | None = True
        while whole is not None:
            whole = _next_line(buffered, take, whole)


def _next_line(
    buffered: io.BufferedReader[io.RawIOBase], take: Callable[[bytes, bool], None], begins: bool
) -> bool | None:
    """A function of its own, so that a line of 10 MB is not kept until the next one comes."""
    if not (line := buffered.readline(LONGEST)):
        return None
    ends = line.endswith(b"\n")
    take(line, begins and ends)
    return ends


def write(fd: int, content: bytes) -> None:
    """All of it, however the pipe takes it.

    Raises:
        OSError: nobody reads it any more.

    """
    done = os.write(fd, content)
    if done < len(content):
        view = memoryview(content)
        while done < len(content):
            done += os.write(fd, view[done:])
