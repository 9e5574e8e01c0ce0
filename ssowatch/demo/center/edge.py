"""The socket: a thin HTTP edge on loopback.

Rules of this file:
1. Keep-alive with a right Content-Length and without Nagle, as AWS answers; otherwise clients measure 40 ms stalls.
2. `Date` is by the service's clock.
3. `Edge.respond`, `date` and `write` are what a worse network than this one overrides.
"""

from __future__ import annotations

import contextlib
import http.server
import re
import socket
import socketserver
import sys
import threading
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Protocol

from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Caller

_LARGEST_BODY = 65_536
_LENGTH = re.compile(r"[0-9]{1,9}")


class Service(Protocol):
    """What answers."""

    def now(self) -> datetime:
        """Its clock."""

    def act(self, request: wire.Request, caller: Caller) -> wire.Answer:
        """The answer."""


class Edge(http.server.BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: Listener

    def do_GET(self) -> None:
        """One request."""
        self._answer()

    def do_POST(self) -> None:
        """One request."""
        self._answer()

    def _answer(self) -> None:
        length = self.headers.get("Content-Length") or "0"
        if not (_LENGTH.fullmatch(length) and int(length) <= _LARGEST_BODY):
            self.close_connection = True
            self.send_error(413)
            return
        body = self.rfile.read(int(length))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = wire.read_request(self.command, self.path, headers, body)
        if request is None:
            self.send_error(404)
            return
        source = f"{self.client_address[0]}:{self.client_address[1]}"
        self.respond(request, Caller(headers.get("user-agent", ""), source))

    def respond(self, request: wire.Request, caller: Caller) -> None:
        """Answer this."""
        self.send(self.server.service.act(request, caller))

    def send(self, answer: wire.Answer) -> None:
        """Write it out."""
        self.send_response_only(answer.status)
        self.send_header("Date", format_datetime(self.date(), usegmt=True))
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.write(answer.body)

    def date(self) -> datetime:
        """What the header says."""
        return self.server.service.now()

    def write(self, body: bytes) -> None:
        """Write the body out."""
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the call log has it."""


class Listener(socketserver.ThreadingTCPServer):
    """A port on loopback; `up` answers there until `close`."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: Service, edge: type[Edge] = Edge, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), edge, bind_and_activate=False)
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

    def close(self) -> None:
        """Close the port and cut the open connections."""
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
        """A client that went away is no news; anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)
