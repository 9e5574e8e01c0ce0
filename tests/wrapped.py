"""A client of `ssowatch mcp wrap` for tests: writes lines, reads lines, and nothing outlives the test."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from homes import PATIENCE

FAKE = str(Path(__file__).with_name("fake_mcp_server.py"))


class Client:
    """Lines out, lines in. Every wait ends after two minutes."""

    def __init__(self, *arguments: str, server: Sequence[str], **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "ssowatch", "mcp", "wrap", *arguments, "--", *server],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, **environ},
            start_new_session=True,
        )
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self.stderr = b""
        self._threads = [threading.Thread(target=one, daemon=True) for one in (self._listen, self._errors)]
        for thread in self._threads:
            thread.start()

    def _listen(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self._lines.put(line)
        self._lines.put(b"")

    def _errors(self) -> None:
        assert self.process.stderr
        with contextlib.suppress(ValueError):
            for line in self.process.stderr:
                self.stderr += line

    def write(self, line: bytes) -> None:
        """These very bytes."""
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def send(self, method: str, key: Any = None, **params: Any) -> None:
        """A request, or a notification where there is no key."""
        body = {"jsonrpc": "2.0", **({} if key is None else {"id": key}), "method": method, "params": params}
        self.write(json.dumps(body).encode() + b"\n")

    def line(self) -> bytes:
        """The next line; nothing at the end."""
        try:
            return self._lines.get(timeout=PATIENCE)
        except queue.Empty:
            raise AssertionError(f"no line within {PATIENCE} s; stderr: {self.stderr.decode()}") from None

    def next(self) -> dict[str, Any]:
        """The next message."""
        line = self.line()
        assert line, f"the end; stderr: {self.stderr.decode()}"
        return json.loads(line)

    def ask(self, method: str, key: Any, **params: Any) -> dict[str, Any]:
        """A request and the next message, which must be its answer."""
        self.send(method, key, **params)
        answer = self.next()
        assert answer.get("id") == key, answer
        return answer

    def begin(self, name: str = "a-test") -> dict[str, Any]:
        """The handshake."""
        answer = self.ask("initialize", 0, protocolVersion="2025-11-25", capabilities={}, clientInfo={"name": name})
        self.send("notifications/initialized")
        return answer

    def call(self, tool: str, key: Any = 1, **arguments: Any) -> dict[str, Any]:
        """A tool call; its result, or the error."""
        answer = self.ask("tools/call", key, name=tool, arguments=arguments)
        return answer.get("result") or answer["error"]

    def ended(self) -> int:
        """Close its stdin; its exit code."""
        assert self.process.stdin
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it, and read what it said last."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for thread in self._threads:
            thread.join(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


@contextlib.contextmanager
def wrapped(*arguments: str, shape: str = "visible", server: Sequence[str] = (), **environ: str) -> Iterator[Client]:
    """A wrapped server for the time of a `with`; the fake one in this shape, or another."""
    client = Client(*arguments, server=server or (sys.executable, FAKE, shape), **environ)
    try:
        yield client
    finally:
        client.close()


def text(result: dict[str, Any]) -> str:
    """What a result says, its texts one after the other."""
    return "\n".join(part["text"] for part in result["content"])
