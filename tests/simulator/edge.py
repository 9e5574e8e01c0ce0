"""The socket in bad weather: what `center.edge` does, and what the faults do to a connection.

Rules of this file:
1. While it is down its port stays bound but not listening, so connections are refused and nobody else gets the port.
2. A fault that is waited for is waited for here, where no lock is held.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Protocol

from simulator.faults import Fault, Kind
from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Caller
from ssowatch.demo.center.edge import Edge, Listener, Service


class WeatheredService(Service, Protocol):
    """What answers, or does not."""

    def begin(self, request: wire.Request, caller: Caller) -> tuple[dict[Kind, Fault], Caller, threading.Event]:
        """The faults this call meets, the caller with their names, and what ends its waiting."""

    def act_in(self, request: wire.Request, met: dict[Kind, Fault], caller: Caller) -> wire.Answer | None:
        """The answer, if any."""


class WeatheredListener(Listener):
    """A port that can be closed and opened again."""

    service: WeatheredService

    def __init__(self, service: WeatheredService, port: int = 0) -> None:
        super().__init__(service, WeatheredEdge, port)

    def down(self) -> None:
        """Refuse connections and cut the open ones; nothing where it does."""
        if self._thread is not None:
            self.close()
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_address = ("127.0.0.1", self.port)
            self.server_bind()


class WeatheredEdge(Edge):
    """One connection."""

    server: WeatheredListener
    _met: Mapping[Kind, Fault] = {}
    _reset = False

    def respond(self, request: wire.Request, caller: Caller) -> None:
        """Answer this, or do what the weather says."""
        service = self.server.service
        met, caller, fine = service.begin(request, caller)
        self._met = met
        if Kind.HANG in met:
            fine.wait()
            self.close_connection = True
            return
        if latency := met.get(Kind.LATENCY):
            fine.wait(latency.seconds)
        answer = service.act_in(request, met, caller)
        if answer is not None:
            self.send(answer)
        else:
            self._reset = Kind.RESET_BEFORE in met
            self.close_connection = True

    def date(self) -> datetime:
        """What the header says, which may be off."""
        off = self._met[Kind.WRONG_DATE].seconds if Kind.WRONG_DATE in self._met else 0.0
        return super().date() + timedelta(seconds=off)

    def write(self, body: bytes) -> None:
        """Write the body out, or half of it."""
        if Kind.HALF in self._met:
            super().write(body[: len(body) // 2])
            self.close_connection = True
        else:
            super().write(body)

    def finish(self) -> None:
        """For RST instead of FIN: no lingering, and the socket closed before the library sends FIN by shutdown."""
        if self._reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().finish()
        if self._reset:
            self.connection.close()
