"""An Identity Center in any weather: `center.server` with the faults that a test sets.

Rules of this file:
1. The lock is not held while a call waits, so a hanging call stops no other.
2. What the weather keeps from the state machine is logged all the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any

from simulator.edge import WeatheredListener
from simulator.faults import UNSEEN, Fault, Faults, Kind
from ssowatch.clock import utc_now
from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Caller
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.server import Server
from ssowatch.demo.center.state import Result

_GARBAGE = wire.Answer(200, b"<html><body>Please accept the terms of this hotel.</body></html>", "text/html")


class Simulator(Server):
    """An Identity Center that can be called over HTTP; a context manager.

    The methods a test uses are the same as `remote.RemoteSimulator`'s.
    """

    _listener: WeatheredListener

    def __init__(self, clock: Callable[[], datetime] = utc_now, **settings: Any) -> None:
        super().__init__(clock, **settings)
        self._faults = Faults()
        self._fine = threading.Event()

    def listener(self, port: int) -> WeatheredListener:
        """The one that knows weather."""
        return WeatheredListener(self, port)

    def __exit__(self, *error: object) -> None:
        self._let_go()
        super().__exit__(*error)

    # What a test does

    def add_fault(self, fault: Fault) -> None:
        """From now on; DOWN at once closes what is open."""
        if fault.kind is Kind.DOWN:
            self._let_go()
            self._listener.down()
            return
        with self._lock:
            self._faults.add(fault)

    def clear_faults(self) -> None:
        """Fine weather: hanging calls are let go, a closed port opens."""
        with self._lock:
            self._faults.clear()
        self._let_go()
        self._listener.up()

    # What the edge does

    def begin(self, request: wire.Request, caller: Caller) -> tuple[dict[Kind, Fault], Caller, threading.Event]:
        """The faults this call meets, the caller with their names, and what ends its waiting."""
        with self._lock:
            met = self._faults.meet(request.operation)
            caller = Caller(caller.user_agent, caller.source, tuple(met))
            if Kind.HANG in met:
                self._center.log(request.operation, Kind.HANG, request.parameters, self.now(), caller)
            return met, caller, self._fine

    def act_in(self, request: wire.Request, met: dict[Kind, Fault], caller: Caller) -> wire.Answer | None:
        """What the state machine answers, or the weather in its place; None when nothing is answered."""
        for kind in (Kind.RESET_BEFORE, Kind.GARBAGE, *UNSEEN):
            if kind in met:
                with self._lock:
                    outcome = UNSEEN.get(kind, kind)
                    self._center.log(request.operation, outcome, request.parameters, self.now(), caller)
                if kind in UNSEEN:
                    return wire.bad(request.operation, Refusal(UNSEEN[kind]))
                return _GARBAGE if kind is Kind.GARBAGE else None

        def sent(result: Result) -> Result:
            lacking = met.get(Kind.MISSING_KEYS)
            return {
                name: value
                for name, value in result.items()
                if lacking is None or (lacking.keys and name not in lacking.keys)
            }

        answer = self.act(request, caller, sent)
        return None if Kind.RESET_AFTER in met else answer

    def _let_go(self) -> None:
        """End the waiting of the calls that wait now, and only of them."""
        with self._lock:
            self._fine.set()
            self._fine = threading.Event()
