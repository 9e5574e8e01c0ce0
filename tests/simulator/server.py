"""An Identity Center that can be called over HTTP: the state machine, the weather, a clock and a listener, put together.

Rules of this file:
1. One lock around the state machine; it is not held while a call waits, so a hanging call stops no other.
2. The only clock is the one that was given, and only here is it read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from simulator import wire
from simulator.calls import Call, Caller
from simulator.edge import Listener
from simulator.faults import UNSEEN, Fault, Faults, Kind
from simulator.identity_center import IdentityCenter
from simulator.refusal import Refusal
from ssowatch.clock import utc_now

_GARBAGE = wire.Answer(200, b"<html><body>Please accept the terms of this hotel.</body></html>", "text/html")


class Simulator:
    """An Identity Center that can be called over HTTP; a context manager.

    The methods a test uses are the same as `remote.RemoteSimulator`'s.
    """

    def __init__(self, clock: Callable[[], datetime] = utc_now, **settings: Any) -> None:
        self._center = IdentityCenter()
        self._center.change(**settings)
        self._faults = Faults()
        self._clock = clock
        self._lock = threading.Lock()
        self._fine = threading.Event()
        self._listener = Listener(self)
        self.port = self._listener.port
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        """What points an AWS client here."""
        return {f"AWS_ENDPOINT_URL_{service}": self.url for service in ("SSO_OIDC", "SSO", "STS")}

    def __enter__(self) -> Self:
        self._listener.up()
        return self

    def __exit__(self, *_: object) -> None:
        self._let_go()
        self._listener.close()

    # What a test does

    def now(self) -> datetime:
        """The simulator's clock."""
        return self._clock()

    def change(self, **settings: Any) -> None:
        """Turn knobs; see `settings.Settings`."""
        with self._lock:
            self._center.change(**settings)

    def sign_in(
        self, *, user: str = "someone", start_url: str = "", refreshable: bool = True, client_id: str = ""
    ) -> dict[str, str]:
        """A person signs in; see `IdentityCenter.sign_in`."""
        with self._lock:
            return self._center.sign_in(
                self.now(), user=user, start_url=start_url, refreshable=refreshable, client_id=client_id
            )

    def end_session(self, *, user: str = "", start_url: str = "") -> int:
        """End living sessions; see `IdentityCenter.end_session`."""
        with self._lock:
            return self._center.end_session(self.now(), user=user, start_url=start_url)

    def revoke_registrations(self) -> None:
        """See `IdentityCenter.revoke_registrations`."""
        with self._lock:
            self._center.revoke_registrations()

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

    def calls(self, operation: str = "") -> list[Call]:
        """The log so far, of one operation or all."""
        with self._lock:
            return [call for call in self._center.calls if operation in {"", call.operation}]

    # What the edge does

    def begin(self, request: wire.Request, caller: Caller) -> tuple[dict[Kind, Fault], Caller, threading.Event]:
        """The faults this call meets, the caller with their names, and what ends its waiting."""
        with self._lock:
            met = self._faults.meet(request.operation)
            caller = Caller(caller.user_agent, caller.source, tuple(met))
            if Kind.HANG in met:
                self._center.log(request.operation, Kind.HANG, request.parameters, self.now(), caller)
            return met, caller, self._fine

    def act(self, request: wire.Request, met: dict[Kind, Fault], caller: Caller) -> wire.Answer | None:
        """What the state machine answers, or the weather in its place; None when nothing is answered."""
        now = self.now()
        with self._lock:
            for kind in (Kind.RESET_BEFORE, Kind.GARBAGE, *UNSEEN):
                if kind in met:
                    self._center.log(request.operation, UNSEEN.get(kind, kind), request.parameters, now, caller)
                    if kind in UNSEEN:
                        return wire.bad(request.operation, Refusal(UNSEEN[kind]))
                    return _GARBAGE if kind is Kind.GARBAGE else None
            try:
                result = self._center.call(request.operation, request.parameters, now, caller)
            except Refusal as refusal:
                return None if Kind.RESET_AFTER in met else wire.bad(request.operation, refusal)
        if lacking := met.get(Kind.MISSING_KEYS):
            result = {name: v for name, v in result.items() if lacking.keys and name not in lacking.keys}
        return None if Kind.RESET_AFTER in met else wire.good(request.operation, result)

    def _let_go(self) -> None:
        """End the waiting of the calls that wait now, and only of them."""
        with self._lock:
            self._fine.set()
            self._fine = threading.Event()
