"""Where the browser comes back to: a listener on loopback, for one sign-in (an edge).

Rules of this file:
1. It binds 127.0.0.1 alone. Whoever asks must name it so in `Host` (another name may be anybody's, DNS rebinding), by
   GET, in at most 8 KiB and 5 seconds, each connection for itself: a slow one keeps nobody waiting.
2. The browser is given a link of our own that redirects to the authorize URL, once: what stands in a process's
   arguments is everybody's to read, and the authorize URL holds the state. On Linux the link and the way back serve this
   user (and root) alone, so that another user of the machine who reads the link cannot get in front of the browser.
3. The way back counts once, with the right state (compared in constant time), and with one code or one error. Whatever
   is wrong, forged, repeated, late or huge gets a plain page and ends nothing.
4. Nothing that was received is logged or shown.
"""

from __future__ import annotations

import asyncio
import hmac
import os
import re
import socket
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs

from ssowatch import pkce
from ssowatch.result_page import HEADERS, Page, refused, stale

_LARGEST = 8192
_SECONDS = 5.0
_PAGE_SECONDS = 90.0
"""How long a browser that came back is kept waiting for its page: AWS is asked meanwhile."""
_LAST_WORD_SECONDS = 0.5
_MOST_CONNECTIONS = 200
_HEAD = re.compile(rb"([A-Z]{1,16}) (/[!-~]*) HTTP/1\.[01]\r\n")
_HOST = re.compile(rb"\r\nhost:[ \t]*([!-~]*)[ \t]*(?=\r\n)", re.IGNORECASE)
_ESTABLISHED = "01"  # include/net/tcp_states.h
_ERROR = re.compile(r"[a-z_]{1,40}")


@dataclass(frozen=True, slots=True)
class Callback:
    """What the browser brought: a code, or an OAuth error such as `access_denied`."""

    code: str | None = field(default=None, repr=False)
    error: str | None = None


class Listener:
    """One sign-in's listener; a context manager.

    Args:
        authorize_url: makes the authorize URL out of the redirect address, which is known once the port is.
        state: what the way back must bring.
        port: 0 for any; a fixed one is for a tunnel (`ssh -L`).

    Raises:
        OSError: the port is not free.

    """

    def __init__(self, authorize_url: Callable[[str], str], state: str, port: int = 0) -> None:
        self._socket = socket.create_server(("127.0.0.1", port), backlog=64)
        self.port: int = self._socket.getsockname()[1]
        self.redirect = pkce.redirect_uri(self.port)
        self._authorize_url = authorize_url(self.redirect)
        self._path = f"/{pkce.draw()}"
        self.link = f"http://127.0.0.1:{self.port}{self._path}"
        """What the browser is given."""
        self._state = state.encode()
        self._opened = False
        self._came: Future[Callback] = Future()
        self._page: Future[Page] = Future()
        self._open = 0
        self._shown = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ending = asyncio.Event()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._page.cancel()
        with suppress(RuntimeError):  # the loop ended by itself
            self._loop.call_soon_threadsafe(self._ending.set)
        self._thread.join()
        self._loop.close()
        self._socket.close()

    def wait(self, seconds: float) -> Callback | None:
        """What the browser brought; None while nothing valid came."""
        try:
            return self._came.result(seconds)
        except TimeoutError:
            return None

    def show(self, page: Page) -> None:
        """The page for the browser that came back; returns once it was sent, or could not be within 5 seconds."""
        with suppress(InvalidStateError):  # it was kept waiting for too long
            self._page.set_result(page)
        self._shown.wait(_SECONDS)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._connection, sock=self._socket, limit=_LARGEST)
        await self._ending.wait()
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        if tasks and self._came.done() and not self._shown.is_set():
            await asyncio.wait(tasks, timeout=_LAST_WORD_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        back = False
        try:
            if self._open <= _MOST_CONNECTIONS:
                peer: tuple[str, int] = writer.get_extra_info("peername")
                page, back = await self._answer(reader, peer)
                async with asyncio.timeout(_SECONDS):
                    writer.write(_raw(page))
                    await writer.drain()
                    writer.write_eof()
                    if back:
                        self._shown.set()
                    while await reader.read(_LARGEST):  # what is unread at the close would cut the page off (RST)
                        pass
        except (OSError, TimeoutError, asyncio.CancelledError):
            pass  # gone, too slow, or the end; a cancelled task would be complained of by Python 3.11's streams
        finally:
            self._open -= 1
            if back:
                self._shown.set()
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, peer: tuple[str, int]) -> tuple[Page, bool]:
        """The page, and whether it is the one for the way back."""
        try:
            async with asyncio.timeout(_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
        except TimeoutError:
            return refused(408, "The request did not come in time."), False
        except asyncio.LimitOverrunError:
            return refused(431, "The request is too large."), False
        except asyncio.IncompleteReadError:
            return refused(400, "The request is not complete."), False
        page = self._look(head, peer)
        if page is not None:
            return page, False
        try:
            async with asyncio.timeout(_PAGE_SECONDS):
                return await asyncio.wrap_future(self._page), True
        except (TimeoutError, asyncio.CancelledError):
            return refused(500, "The sign-in ended before it could say how."), True

    def _look(self, head: bytes, peer: tuple[str, int]) -> Page | None:
        """The answer; None for the way back, whose page comes later."""
        asked = _HEAD.match(head)
        if asked is None or len(head) > _LARGEST:
            return refused(400, "The request makes no sense.")
        if _HOST.findall(head) != [f"127.0.0.1:{self.port}".encode()]:
            return refused(421, "The request is meant for another host.")
        if asked[1] != b"GET":
            return refused(405, "Only GET is answered.")
        path, _, query = asked[2].decode().partition("?")
        link, back = (hmac.compare_digest(path.encode(), known.encode()) for known in (self._path, pkce.CALLBACK))
        if not (link or back):
            return refused(404, "There is nothing at this address.")
        if not _ours(peer, self.port):
            return refused(403, "Another user of this machine began this sign-in.")
        if link:
            if self._opened:
                return stale()
            self._opened = True
            return Page(302, location=self._authorize_url)
        return self._back(query)

    def _back(self, query: str) -> Page | None:
        try:
            given = parse_qs(query, keep_blank_values=True, max_num_fields=10)
        except ValueError:
            return refused(400, "The request makes no sense.")
        state, code, error = (given.get(name, []) for name in ("state", "code", "error"))
        if len(state) != 1 or not hmac.compare_digest(state[0].encode(errors="replace"), self._state):
            return refused(403, "This does not belong to the sign-in that was begun here.")
        if len(code) + len(error) != 1 or not (code or error)[0]:
            return refused(400, "The request brings neither a code nor an error.")
        if self._came.done():
            return stale()
        said = error[0] if error and _ERROR.fullmatch(error[0]) else "unknown_error" if error else None
        self._came.set_result(Callback(code[0] if code else None, said))
        return None


def _raw(page: Page) -> bytes:
    lines = [f"HTTP/1.1 {page.status} {HTTPStatus(page.status).phrase}"]
    lines += [f"{name}: {value}" for name, value in HEADERS]
    lines += [f"Location: {page.location}"] if page.location else []
    lines += [f"Content-Length: {len(page.body)}", "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + page.body


def _ours(peer: tuple[str, int], port: int) -> bool:
    """Whether the other end of the connection is this user's, or root's (a tunnel of the system's).

    Linux lists the owner of each living end (proc(5), /proc/net/tcp); where there is no such list it cannot be told.
    """
    ends = [(_word(address), number) for address, number in (peer, ("127.0.0.1", port))]
    for table, prefix in (("tcp", ""), ("tcp6", "0" * 16 + _word("0.0.255.255"))):
        wanted = [f"{prefix}{address}:{number:04X}" for address, number in ends]
        with suppress(OSError, ValueError, IndexError):
            for line in Path(f"/proc/net/{table}").read_text(encoding="ascii").splitlines():
                cells = line.split()
                if cells[1:3] == wanted:  # of an end that was closed the kernel no longer knows the owner
                    return int(cells[7]) in {os.getuid(), 0} and cells[3] == _ESTABLISHED
    return True


def _word(address: str) -> str:
    """An IPv4 address as the kernel prints it: the number that its bytes are on this machine."""
    return f"{int.from_bytes(socket.inet_aton(address), sys.byteorder):08X}"
