"""An Identity Center that can be called over HTTP: the state machine, a clock and a listener, put together.

Rules of this file:
1. One lock around the state machine, never held while anything waits.
2. The only clock is the one that was given, and only here is it read.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime
from typing import Any, Self

from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Call, Caller
from ssowatch.demo.center.edge import Listener
from ssowatch.demo.center.identity_center import IdentityCenter
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.state import Result


class Server:
    """An Identity Center on loopback; a context manager."""

    def __init__(self, clock: Callable[[], datetime], port: int = 0, **settings: Any) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._listener = self.listener(port)
        self.port = self._listener.port
        self.url = f"http://127.0.0.1:{self.port}"
        self._center = IdentityCenter(url=self.url)
        self._center.change(**settings)

    def listener(self, port: int) -> Listener:
        """What listens; a worse network has its own."""
        return Listener(self, port=port)

    @property
    def environ(self) -> dict[str, str]:
        """What points an AWS client here."""
        return {f"AWS_ENDPOINT_URL_{service}": self.url for service in ("SSO_OIDC", "SSO", "STS")}

    def __enter__(self) -> Self:
        self._listener.up()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    # What happens to it

    def now(self) -> datetime:
        """Its clock."""
        return self._clock()

    def change(self, **settings: Any) -> None:
        """Turn knobs; see `settings.Settings`."""
        with self._lock:
            self._center.change(**settings)

    def sign_in(
        self, *, user: str = "", start_url: str = "", refreshable: bool = True, client_id: str = ""
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

    def calls(self, operation: str = "") -> list[Call]:
        """The log so far, of one operation or all."""
        with self._lock:
            return [call for call in self._center.calls if operation in {"", call.operation}]

    # What the edge does

    def act(self, request: wire.Request, caller: Caller, sent: Callable[[Result], Result] = dict) -> wire.Answer:
        """What the state machine answers; `sent` is what becomes of its result on the way."""
        with self._lock:
            if request.operation in wire.PAGES:
                return wire.page(self._center.visit(request.operation, request.parameters, self.now(), caller))
            try:
                result = self._center.call(request.operation, request.parameters, self.now(), caller)
            except Refusal as refusal:
                return wire.bad(request.operation, refusal)
        return wire.good(request.operation, sent(result))
