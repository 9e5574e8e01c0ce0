"""The socket: a thin HTTP edge on loopback that does to a connection what the weather says.

Rules of this file:
1. Keep-alive with a right Content-Length and without Nagle, as AWS answers; otherwise clients measure 40 ms stalls.
2. While it is down its port stays bound but not listening, so connections are refused and nobody else gets the port.
3. `Date` is by the simulator's clock, which is the test's.
"""

from __future__ import annotations

import contextlib
import http.server
import socket
import socketserver
import struct
import sys
import threading
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any, Protocol

from simulator import wire
from simulator.calls import Caller
from simulator.faults import Fault, Kind


class Service(Protocol):
    """What answers."""

    def now(self) -> datetime:
        """Its clock."""

    def begin(self, request: wire.Request, caller: Caller) -> tuple[dict[Kind, Fault], Caller, threading.Event]:
        """The faults this call meets, the caller with their names, and what ends its waiting."""

    def act(self, request: wire.Request, met: dict[Kind, Fault], caller: Caller) -> wire.Answer | None:
        """The answer, if any."""


class Listener(socketserver.ThreadingTCPServer):
    """A port that can be closed and opened again."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service) -> None:
        super().__init__(("127.0.0.1", 0), _Edge, bind_and_activate=False)
        self.service = service
        self._connections: set[Any] = set()
        self._thread: threading.Thread | None = None
        self.server_bind()
        self.port: int = self.socket.getsockname()[1]

    def up(self) -> None:
        """Listen; nothing where it does."""
        if self._thread is None:
            self.server_activate()
            self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
            self._thread.start()

    def down(self) -> None:
        """Refuse connections and cut the open ones; nothing where it does."""
        if self._thread is not None:
            self.close()
            self.socket = socket.socket(self.address_family, self.socket_type)
            self.server_bind()

    def close(self) -> None:
        """For good, unless `down` binds the port anew."""
        if self._thread is not None:
            self.shutdown()
            self._thread.join()
            self._thread = None
        self.server_close()
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def get_request(self) -> tuple[Any, Any]:
        """Accept; remembers the connection."""
        connection, address = super().get_request()
        self._connections.add(connection)
        return connection, address

    def close_request(self, request: Any) -> None:
        """Forget it again."""
        self._connections.discard(request)
        super().close_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is what a fault wanted; anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Edge(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: Listener
    _reset = False

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = wire.read_request(self.command, self.path, headers, body)
        if request is None:
            self.send_error(404)
            return
        service = self.server.service
        caller = Caller(headers.get("user-agent", ""), f"{self.client_address[0]}:{self.client_address[1]}")
        met, caller, fine = service.begin(request, caller)
        if Kind.HANG in met:
            fine.wait()
            self.close_connection = True
            return
        if latency := met.get(Kind.LATENCY):
            fine.wait(latency.seconds)
        answer = service.act(request, met, caller)
        if answer is not None:
            self._send(answer, met)
        else:
            self._reset = Kind.RESET_BEFORE in met
            self.close_connection = True

    def _send(self, answer: wire.Answer, met: dict[Kind, Fault]) -> None:
        off = met[Kind.WRONG_DATE].seconds if Kind.WRONG_DATE in met else 0.0
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.server.service.now() + timedelta(seconds=off), usegmt=True))
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.error_type:
            self.send_header("x-amzn-ErrorType", answer.error_type)
        self.end_headers()
        if Kind.HALF in met:
            self.wfile.write(answer.body[: len(answer.body) // 2])
            self.close_connection = True
        else:
            self.wfile.write(answer.body)

    def finish(self) -> None:
        # For RST instead of FIN: no lingering, and the socket really closed before the library sends FIN by shutdown.
        if self._reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        super().finish()
        if self._reset:
            self.connection.close()

    def log_message(self, *_: object) -> None:
        """Nothing: the call log has it."""
