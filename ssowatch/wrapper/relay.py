"""The wrapper as a whole: three pumps, and threads for the calls that are held (composition).

Rules of this file:
1. A line goes on at once, unless it is a call that must wait or an answer that may be the sign-in's fault. Lines of one
   direction keep their order, apart from those.
2. The wrapper ends as the server ends: the same exit code, the same signal. Signals that reach it reach the server.
3. When the client is gone so that nobody can stop a server that does not stop by itself, the wrapper does.
"""

from __future__ import annotations

import io
import os
import queue
import select
import signal
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

from ssowatch.wrapper import limits, messages
from ssowatch.wrapper.calls import Call, Calls, Reply
from ssowatch.wrapper.ensuring import Ensuring
from ssowatch.wrapper.holding import Holding
from ssowatch.wrapper.restarting import Restarting
from ssowatch.wrapper.server import Server, each_line, write
from ssowatch.wrapper.sign_in import OurSignIn

_TAIL = 64 << 10
_FIND_SECONDS = 30.0
_LAST_SECONDS = 5.0
_SENT_SECONDS = 20.0
_GONE_SECONDS = 3.0


class Relay:
    """Between a client at our standard streams and a server that was not started yet."""

    def __init__(self, server: Server, sign_in: OurSignIn, ensuring: Ensuring, wait: timedelta | None) -> None:
        """`wait`: how long a call is held; None: as long as its client waits."""
        self._server = server
        self._sign_in = sign_in
        self._ensuring = ensuring
        self._wait = wait
        self._client: str | None = None
        self._calls = Calls()
        self._repeatable: dict[str, bool] = {}
        self._restarting = Restarting(server, self._calls, self._listen)
        self._holding = Holding(
            sign_in,
            self._calls,
            self._restarting,
            send=self._send,
            tell=self._tell,
            stderr=self._stderr,
            repeatable=self._repeatable,
        )
        self._out = threading.Lock()
        self._tail, self._said = b"", 0
        self._readers: list[threading.Thread] = []
        self._held: list[threading.Thread] = []
        self._ended = threading.Event()

    def run(self) -> int:
        """Until the server ends; its status as `subprocess` has it.

        Raises:
            OSError: it cannot be started.

        """
        self._server.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: self._server.signal(number))
        self._thread(partial(self._sign_in.find, _FIND_SECONDS))
        self._listen()
        self._thread(self._from_client)
        replaced = True
        while replaced:
            process = self._server.process
            status = self._server.wait()
            replaced = self._restarting.replaced(process)
        self._ended.set()
        self._server.close_input()
        for thread in self._readers:
            thread.join(_LAST_SECONDS)
        self._calls.close()
        for thread in self._held:
            thread.join(_LAST_SECONDS)
        self._ensuring.close()
        return status

    def _thread(self, target: Callable[[], object]) -> threading.Thread:
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        return thread

    def _listen(self) -> None:
        """To the server's process."""
        output, errors = self._server.pipes()
        self._readers = [
            self._thread(partial(each_line, output, self._line_from_server)),
            self._thread(partial(self._errors, errors)),
        ]

    # From the client

    def _from_client(self) -> None:
        each_line(io.FileIO(0, closefd=False), self._line_from_client)
        self._calls.all_sent(_SENT_SECONDS)
        self._server.close_input()
        while not self._ended.wait(_GONE_SECONDS):
            if _nobody_reads(1):
                self._server.signal(signal.SIGTERM)
                if not self._ended.wait(_GONE_SECONDS):
                    self._server.signal(signal.SIGKILL)

    def _line_from_client(self, line: bytes, whole: bool) -> None:
        body = messages.read(line) if whole else None
        if body is None or not self._waits(line, body):
            self._server.write(line)

    def _waits(self, line: bytes, body: messages.Body) -> bool:
        """Take note of a line of the client; whether somebody else sends it."""
        method, key = messages.method(body), messages.key(body.get("id"))
        if method is None:
            return False
        if method == messages.INITIALIZED:
            self._restarting.seen(method, line, body)
        elif method == messages.CANCELLED:
            self._calls.cancel(messages.cancels(body) or "")
        self._client = messages.client_name(body) or self._client
        if key is None:
            return False
        call = Call(key, line, body, method, time.monotonic() + self._seconds(method))
        self._calls.add(call)
        if method in messages.STARTS:
            self._holding.prepare(call)  # here, because all that follows comes after it
        if method == messages.CALL and (not self._sign_in.found.is_set() or self._sign_in.due()):
            self._hold(call, None)
        else:
            self._send(call)
        return True

    def _seconds(self, method: str) -> float:
        if method in messages.STARTS:
            return limits.start_seconds(self._client)
        if self._wait is not None:
            return self._wait.total_seconds()
        return limits.call_seconds(self._client, os.environ)

    def _send(self, call: Call) -> None:
        token = self._sign_in.token()
        with self._server.writing:
            self._calls.sent(
                call,
                fingerprint=token.fingerprint if token else None,
                worked=self._sign_in.works(token),
                said=self._said,
            )
            self._server.write(call.line)

    def _hold(self, call: Call, reply: Reply | None) -> None:
        call.inbox = queue.SimpleQueue()
        self._held = [thread for thread in self._held if thread.is_alive()]
        self._held.append(self._thread(partial(self._holding.hold, call, reply)))

    # From the server

    def _line_from_server(self, line: bytes, whole: bool) -> None:
        if not (whole and self._keeps(line)):
            self._tell(line)

    def _keeps(self, line: bytes) -> bool:
        """Take note of a line of the server; whether the client does not get it now."""
        body = messages.read(line)
        if body is None:
            return False
        if not messages.is_answer(body):
            return messages.method(body) == messages.PROGRESS and self._outdated(body)
        return self._keeps_answer(line, body)

    def _keeps_answer(self, line: bytes, body: messages.Body) -> bool:
        key = messages.key(body.get("id"))
        if key is None:
            return False
        if self._restarting.swallows(key):
            return True
        reply = (line, body)
        call = self._calls.answered(key, reply)
        if call is None:
            return False
        if call.method in messages.HANDSHAKE and "result" in body:
            self._restarting.seen(call.method, call.line, call.body)
        if call.inbox is not None:
            return True
        if call.cancelled:
            self._calls.finished(call)
            return True
        if call.method == messages.LIST:
            self._repeatable.update(messages.repeatable(body))
        elif (call.method == messages.CALL or call.method in messages.STARTS) and self._holding.needs_it(call, reply):
            self._hold(call, reply)
            return True
        self._calls.finished(call)
        return False

    def _outdated(self, body: messages.Body) -> bool:
        """Whether we have told the client a later figure already: progress must not go back."""
        token, value = messages.progressed(body)
        call = self._calls.by_token(token)
        if call is None:
            return False
        if call.ours and value <= call.progress:
            return True
        call.progress = max(call.progress, value)
        return False

    def _errors(self, source: io.RawIOBase) -> None:
        while content := source.read(1 << 16):
            self._tail, self._said = (self._tail + content)[-_TAIL:], self._said + len(content)
            with suppress(OSError):
                write(2, content)

    def _stderr(self, since: int) -> str:
        """What the server has said since then, as far as it was kept."""
        tail, said = self._tail, self._said
        return tail[-(said - since) :].decode(errors="replace") if said > since else ""

    def _tell(self, line: bytes) -> None:
        try:
            with self._out:
                write(1, line)
        except OSError:  # the client is gone
            self._server.close_input()


def _nobody_reads(fd: int) -> bool:
    look = select.poll()
    look.register(fd, 0)
    return any(events & (select.POLLERR | select.POLLHUP | select.POLLNVAL) for _, events in look.poll(0))
