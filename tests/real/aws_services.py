"""AWS services for real MCP servers: moto, behind a gate that looks at the keys, because moto takes any.

Rules of this file:
1. Whether keys are good is asked of the simulator that gave them (`GetCallerIdentity`), by its clock.
2. Keys can be revoked, as an administrator does: the service refuses them while their end, as their owner knows it, is
   far away. Later ones are good.
3. A refusal has the form of the protocol that was spoken: XML for query, JSON for the newer one.
"""

from __future__ import annotations

import http.client
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

VENVS = Path(__file__).parents[2] / ".venv/mcp"
_PROGRAMS = Path(__file__).parent / "mcp"
_CREDENTIAL = re.compile(r"Credential=([^/]+)/")
_SPOKEN = ("IAM", "SQS", "SNS")


@contextmanager
def program(venv: str, script: str, environ: dict[str, str] | None = None) -> Iterator[int]:
    """A program of `tests/real/mcp` in that environment, once it said its port."""
    command = [VENVS / venv / "bin/python", _PROGRAMS / script]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environ, text=True
    ) as process:
        try:
            assert process.stdout
            yield int(process.stdout.readline())
        finally:
            process.kill()


class Services(http.server.ThreadingHTTPServer):
    """The gate; a context manager. `environ` points an AWS client there."""

    daemon_threads = True

    def __init__(self, moto: int, simulator: str) -> None:
        super().__init__(("127.0.0.1", 0), _Gate)
        self.moto = f"127.0.0.1:{moto}"
        self.simulator = urlsplit(simulator).netloc
        self.seen: set[str] = set()
        self.revoked: set[str] = set()
        self.refused = 0
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def environ(self) -> dict[str, str]:
        """For the servers."""
        return {f"AWS_ENDPOINT_URL_{name}": f"http://127.0.0.1:{self.server_address[1]}" for name in _SPOKEN}

    def revoke(self) -> None:
        """All keys that were used so far."""
        self.revoked |= self.seen


@contextmanager
def running(simulator: str) -> Iterator[Services]:
    """moto and the gate."""
    with program("moto", "moto_program.py") as port, Services(port, simulator) as services:
        try:
            yield services
        finally:
            services.shutdown()


class _Gate(http.server.BaseHTTPRequestHandler):
    server: Services
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = _CREDENTIAL.search(self.headers.get("Authorization", ""))
        key = found[1] if found else ""
        self.server.seen.add(key)
        if key in self.server.revoked or not self._good(key):
            self.server.refused += 1
            self._refuse()
            return
        self._answer(*_passed_on(self.server.moto, "POST", self.path, body, dict(self.headers)))

    def _good(self, key: str) -> bool:
        headers = {
            "Authorization": f"AWS4-HMAC-SHA256 Credential={key}/20260101/us-east-1/sts/aws4_request",
            "X-Amz-Security-Token": self.headers.get("X-Amz-Security-Token", ""),
        }
        return _passed_on(self.server.simulator, "POST", "/", b"Action=GetCallerIdentity", headers)[0] == 200

    def _refuse(self) -> None:
        words = "The security token included in the request is expired"
        if "json" in self.headers.get("Content-Type", ""):
            text = json.dumps({"__type": "com.amazonaws.sqs#ExpiredTokenException", "message": words})
            self._answer(400, "application/x-amz-json-1.0", text.encode())
        else:
            error = f"<Error><Type>Sender</Type><Code>ExpiredToken</Code><Message>{words}</Message></Error>"
            self._answer(403, "text/xml", f"<ErrorResponse>{error}<RequestId>1</RequestId></ErrorResponse>".encode())

    def _answer(self, status: int, content_type: str, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


def _passed_on(place: str, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, str, bytes]:
    with closing(http.client.HTTPConnection(place, timeout=30)) as connection:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
