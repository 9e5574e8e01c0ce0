"""A server that keeps dead keys is replaced, and the client does not notice (composition: server, calls).

Rules of this file:
1. At most once in ten minutes, and never while the server still has a call to answer.
2. In the handshake era the new server gets the client's own `initialize` and what belongs to it; its answers are ours.
3. The client's lines wait meanwhile: whoever restarts holds the server's `writing`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from ssowatch.wrapper import messages
from ssowatch.wrapper.calls import Call, Calls
from ssowatch.wrapper.messages import Body
from ssowatch.wrapper.server import Server

_REST_SECONDS = 600.0
_QUIET_SECONDS = 10.0
_HANDSHAKE_SECONDS = 20.0


class Restarting:
    """Knows the handshake, and does it again."""

    def __init__(self, server: Server, calls: Calls, begin: Callable[[], None]) -> None:
        self._server = server
        self._calls = calls
        self._begin = begin
        self._turn = threading.Lock()
        self._at: float | None = None
        self._requests: dict[str, Body] = {}
        self._initialized: bytes | None = None
        self._own: dict[str, threading.Event] = {}
        self._replacing = threading.Lock()
        self._closed = False

    def seen(self, method: str, line: bytes, body: Body) -> None:
        """A line of the client that a new server must be told, too. Of a request, that the server took it: a client that
        tries both eras must not be introduced in the one that was refused.
        """
        if method == messages.INITIALIZED:
            self._initialized = line
        else:
            self._requests[method] = body

    def swallows(self, key: str) -> bool:
        """Whether this is the answer to a request of ours."""
        event = self._own.pop(key, None)
        if event:
            event.set()
        return event is not None

    def replaced(self, process: object) -> bool:
        """Whether this process of the server, which has ended, has a successor. If not, there will be none any more."""
        with self._replacing:
            self._closed = self._server.process is process
            return not self._closed

    def restart(self, call: Call) -> bool:
        """Have the server that gave `call` its answer replaced; False: it was not."""
        with self._turn:
            if self._at is not None and call.sent_at < self._at:
                return True
            if self._at is not None and time.monotonic() - self._at < _REST_SECONDS:
                return False
            if not self._calls.quiet(_QUIET_SECONDS):
                return False
            with self._server.writing:
                if not self._calls.quiet(0):
                    return False
                self._at = time.monotonic()
                return self._replace() and self._shake_hands()

    def _replace(self) -> bool:
        with self._replacing:
            if self._closed:
                return False
            self._server.stop()
            try:
                self._server.start()
            except OSError:
                return False
        self._begin()
        return True

    def _shake_hands(self) -> bool:
        for method in messages.HANDSHAKE:
            body = self._requests.get(method)
            if body is None:
                continue
            own = f"ssowatch-{os.urandom(8).hex()}"
            answered = self._own[messages.key(own) or ""] = threading.Event()
            self._server.write(messages.under_another_id(body, own))
            if not answered.wait(_HANDSHAKE_SECONDS):
                return False
            if method == messages.INITIALIZE and self._initialized:
                self._server.write(self._initialized)
        return True
