"""The control channel of a simulator in its own process: HTTP on a port of its own, so that no fault touches it.

Rules of this file:
1. `POST /_control/NAME` with a JSON object of arguments does what the method NAME of `server.Simulator` does, for each
   NAME in the table, and answers `{"result": …}`; a mistake in the request is 400 `{"error": …}`.
2. This is a test tool on loopback: there is no password.
"""

from __future__ import annotations

import http.server
import json
import socketserver
from collections.abc import Callable, Mapping
from typing import Any

from simulator.faults import Fault, Kind
from simulator.server import Simulator

PREFIX = "/_control/"


def commands(simulator: Simulator) -> Mapping[str, Callable[..., Any]]:
    """The table."""
    return {
        "about": lambda: {"url": simulator.url, "now": simulator.now().isoformat()},
        "change": simulator.change,
        "sign_in": simulator.sign_in,
        "end_session": simulator.end_session,
        "revoke_registrations": simulator.revoke_registrations,
        "add_fault": lambda **row: simulator.add_fault(fault_from_json(row)),
        "clear_faults": simulator.clear_faults,
        "calls": lambda operation="": [call.to_json() for call in simulator.calls(operation)],
    }


def fault_from_json(row: Mapping[str, Any]) -> Fault:
    """The fault that `dataclasses.asdict` made a row of."""
    return Fault(**{**row, "kind": Kind(row["kind"]), "keys": tuple(row.get("keys", ()))})


class ControlServer(socketserver.ThreadingTCPServer):
    """Listens once it is made; `serve_forever` answers."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Edge)
        self.commands = commands(simulator)


class _Edge(http.server.BaseHTTPRequestHandler):
    server: ControlServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, value = self._do(body)
        answer = json.dumps(value).encode()
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def _do(self, body: bytes) -> tuple[int, dict[str, Any]]:
        command = self.server.commands.get(self.path.removeprefix(PREFIX))
        if command is None:
            return 404, {"error": f"no such command: {self.path}"}
        try:
            return 200, {"result": command(**json.loads(body or b"{}"))}
        except (TypeError, ValueError, KeyError) as error:
            return 400, {"error": f"{type(error).__name__}: {error}"}

    def log_message(self, *_: object) -> None:
        """Nothing."""
