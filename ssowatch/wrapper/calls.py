"""The requests that have no answer yet (an edge of the threads: one lock, and who waits for whom).

Rules of this file:
1. A call has one owner at a time: the client's line is with the server (`kept` is False), or its answer is in the hands of
   the one thread that holds it.
2. A cancelled call is over: nothing more is sent for it, in either direction.
"""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field

from ssowatch.wrapper import messages
from ssowatch.wrapper.messages import Body

Reply = tuple[bytes, Body]
"""A line of the server, and what it says."""


@dataclass(slots=True, eq=False)
class Call:
    """A request of the client. Moments are monotonic."""

    key: str
    line: bytes
    body: Body
    method: str
    deadline: float
    """Until when its answer may be held."""
    worked: bool = True
    """The token was good when it was last sent."""
    fingerprint: str | None = None
    """Of that token."""
    sent_at: float = 0.0
    said: int = 0
    """How much the server had said on its stderr by then."""
    inbox: queue.SimpleQueue[Reply | None] | None = None
    """Where its thread waits for the next answer; None: nobody holds it."""
    kept: bool = True
    over: threading.Event = field(default_factory=threading.Event)
    """It was cancelled, or the server is gone."""
    cancelled: bool = False
    repeated: bool = False
    told_at: float = 0.0
    progress: float = 0.0
    """The last that the client was told, by the server or by us."""
    ours: bool = False
    """We told it something."""


class Calls:
    """All that wait."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[str, Call] = {}
        self._closed = False

    def add(self, call: Call) -> None:
        """A new one."""
        with self._changed:
            self._waiting[call.key] = call
            if self._closed:
                call.over.set()

    def sent(self, call: Call, *, fingerprint: str | None, worked: bool, said: int) -> None:
        """It goes to the server now."""
        with self._changed:
            call.kept, call.sent_at, call.said = False, time.monotonic(), said
            call.fingerprint, call.worked = fingerprint, worked

    def answered(self, key: str, reply: Reply) -> Call | None:
        """Whose answer this is; None: nobody's. Its thread gets it, if it has one."""
        with self._changed:
            call = self._waiting.get(key)
            if call is not None:
                call.kept = True
                if call.inbox is not None:
                    call.inbox.put(reply)
                self._changed.notify_all()
            return call

    def finished(self, call: Call) -> bool:
        """It is done with; whether the client may be told. Of a cancelled one that was repeated the answer is dropped."""
        with self._changed:
            call.inbox = None
            if self._waiting.get(call.key) is call and (call.kept or not (call.cancelled and call.repeated)):
                del self._waiting[call.key]
            self._changed.notify_all()
            return not call.cancelled

    def cancel(self, key: str) -> None:
        """The client wants no answer. One that the server has had only once may still answer as it likes."""
        with self._changed:
            call = self._waiting.get(key)
            if call is None:
                return
            call.cancelled = True
            call.over.set()
            if call.inbox is not None:
                call.inbox.put(None)
            elif not call.repeated:
                del self._waiting[key]
            self._changed.notify_all()

    def by_token(self, token: str | None) -> Call | None:
        """Whose progress it is."""
        with self._changed:
            for call in self._waiting.values():
                if token is not None and messages.key(messages.progress_token(call.body)) == token:
                    return call
        return None

    def quiet(self, seconds: float) -> bool:
        """Wait until the server has nothing to answer; False where it has after so long."""
        with self._changed:
            return self._changed.wait_for(self._none_with_server, seconds)

    def all_sent(self, seconds: float) -> bool:
        """Wait until every call has been sent once."""
        with self._changed:
            return self._changed.wait_for(lambda: all(call.sent_at for call in self._waiting.values()), seconds)

    def _none_with_server(self) -> bool:
        return all(call.kept for call in self._waiting.values())

    def close(self) -> None:
        """The server is gone: nothing will be answered any more."""
        with self._changed:
            self._closed = True
            for call in self._waiting.values():
                call.over.set()
                if call.inbox is not None:
                    call.inbox.put(None)
            self._changed.notify_all()
