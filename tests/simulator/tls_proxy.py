"""The way to the simulator for clients that know no AWS_ENDPOINT_URL: a proxy that ends TLS in Amazon's name.

Rules of this file:
1. It listens on loopback and goes nowhere but to the simulator's port: another host is refused (403), so nothing of a
   test ever reaches the real AWS.
2. One thread per tunnel, which alone touches its TLS connection: OpenSSL's are not for two threads at once.
3. The end of one side of a tunnel is the end of the other: an answer that the simulator cuts off is cut off here.
"""

from __future__ import annotations

import re
import select
import socket
import socketserver
import ssl
import sys
import threading
from pathlib import Path
from typing import Any, Self

from simulator import certificates

_CONNECT = re.compile(rb"CONNECT ([\w.-]+):443 HTTP/1\.[01]\r\n")
_LONGEST_HEAD = 16_384
_PATIENCE = 30.0
_AT_ONCE = 65_536


class TlsProxy:
    """A CONNECT proxy in front of a simulator's port; a context manager.

    `latency` (seconds until a tunnel opens) and `refuse` (no tunnel opens: 503) may be set at any time.
    """

    def __init__(self, port: int, folder: Path, region: str = "us-east-1") -> None:
        self.latency = 0.0
        self.refuse = False
        self.hosts = (
            *(f"{name}.{region}.amazonaws.com" for name in ("oidc", "portal.sso", "sts")),
            "sts.amazonaws.com",
        )
        self.tunnels: list[str] = []
        """The hosts that were asked for, in order."""
        self._target = port
        self._closing = threading.Event()
        self._ca, self._tls = certificates.make(folder, self.hosts)
        self._server = _Server(("127.0.0.1", 0), _Tunnel)
        self._server.proxy = self
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)

    @property
    def environ(self) -> dict[str, str]:
        """What leads an AWS client through here."""
        return {
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_address[1]}",
            "AWS_CA_BUNDLE": str(self._ca),
        }

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()  # joins the tunnels

    def carry(self, client: socket.socket) -> None:
        """One tunnel, from its CONNECT to its end."""
        client.settimeout(_PATIENCE)
        host = _asked(client)
        self.tunnels.append(host)
        self._closing.wait(self.latency)
        if self.refuse:
            client.sendall(b"HTTP/1.1 503 Service Unavailable\r\n\r\n")
        elif host not in self.hosts:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")
        else:
            try:
                upstream = socket.create_connection(("127.0.0.1", self._target), _PATIENCE)
            except ConnectionRefusedError:
                client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n\r\n")
                return
            with upstream:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with self._tls.wrap_socket(client, server_side=True) as tls:
                    self._pump(tls, upstream)

    def _pump(self, tls: ssl.SSLSocket, upstream: socket.socket) -> None:
        while not self._closing.is_set():
            ready, _, _ = select.select([tls, upstream], [], [], 0.1)
            if tls in ready:
                asked, more = _decrypted(tls)
                upstream.sendall(asked)
                if not more:
                    return
            if upstream in ready:
                if not (answer := upstream.recv(_AT_ONCE)):
                    return
                tls.sendall(answer)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    proxy: TlsProxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A side that went away is no news; anything else is a mistake of ours and is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Tunnel(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.server.proxy.carry(self.request)


def _asked(client: socket.socket) -> str:
    """The host that the CONNECT names, byte by byte: what follows the head is TLS's."""
    head = b""
    while not head.endswith(b"\r\n\r\n") and len(head) < _LONGEST_HEAD:
        if not (byte := client.recv(1)):
            break
        head += byte
    found = _CONNECT.match(head)
    return found[1].decode() if found else ""


def _decrypted(tls: ssl.SSLSocket) -> tuple[bytes, bool]:
    """What has arrived, without waiting, and whether more may come. It may be nothing: not every record is data."""
    chunks = []
    tls.settimeout(0)
    try:
        while chunk := tls.recv(_AT_ONCE):
            chunks.append(chunk)
    except ssl.SSLWantReadError:
        return b"".join(chunks), True
    finally:
        tls.settimeout(_PATIENCE)
    return b"".join(chunks), False
