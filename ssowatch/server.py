"""The watcher's socket: one line in, one line out (an edge).

Rules of this file:
1. The socket lies in a directory 0700 and is made 0600 before it can be connected to; the peer's uid is asked of the
   kernel all the same, and an unknown peer is refused.
2. A connection has one request, five seconds and 4 KiB; who does not read its answer is cut off. Of those that are open
   at once 32 are served, as many again are told no, and the rest is closed: no crowd takes the descriptors by which
   renewals are made.
3. Only the holder of the watcher's lock comes here, so a socket that lies there already is a dead one.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress

from ssowatch import files, paths, protocol

_SECONDS = 5.0
_MOST = 32
_MOST_REFUSED = 2 * _MOST
_SOL_LOCAL, _LOCAL_PEERCRED = 0, 1  # macOS <sys/un.h>


class Server:
    """Answers requests by `respond(do) -> line`."""

    def __init__(self, respond: Callable[[str], bytes], uid: int | None = None) -> None:
        self._respond = respond
        self._uid = os.getuid() if uid is None else uid
        self._open = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen.

        Raises:
            OSError: the directory is not ours, or the socket cannot be made.

        """
        path = paths.socket_path()
        files.private_dir(path.rpartition("/")[0])
        with suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        umask = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(umask)
        self._bound = os.stat(path)  # noqa: PTH116
        self._server = await asyncio.start_unix_server(
            self._serve, sock=listener, limit=protocol.LONGEST_REQUEST, backlog=_MOST_REFUSED
        )

    async def close(self) -> None:
        """Stop listening and take the socket away."""
        if self._server:
            self._server.close()
            path = paths.socket_path()
            with suppress(OSError):
                if os.path.samestat(self._bound, os.stat(path)):  # noqa: PTH116 - not another watcher's
                    os.unlink(path)  # noqa: PTH108
                if not path.startswith(paths.state_dir()):
                    os.rmdir(path.rpartition("/")[0])  # noqa: PTH106 - the one in /tmp

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            if self._open <= _MOST_REFUSED:
                async with asyncio.timeout(_SECONDS):
                    writer.write(await self._answer(reader, writer))
                    await writer.drain()
                    writer.close()
                    await writer.wait_closed()
        except (TimeoutError, OSError):
            pass  # the asker is gone or slow; it asks again
        finally:
            self._open -= 1
            writer.transport.abort()  # closing would wait for who does not read, for ever

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
        try:
            line = await reader.readline()  # even to be refused: closing with unread bytes would drop the answer
        except ValueError:  # StreamReader: the line is longer than its limit
            return protocol.refusal(f"a request has at most {protocol.LONGEST_REQUEST} bytes")
        if peer_uid(writer.get_extra_info("socket")) != self._uid:
            return protocol.refusal("this socket answers its own user only")
        if self._open > _MOST:
            return protocol.refusal("too many requests at once")
        try:
            return self._respond(protocol.request(line))
        except protocol.RequestError as error:
            return protocol.refusal(str(error))


def peer_uid(connection: socket.socket) -> int | None:
    """The uid at the other end, as the kernel knows it; None where it cannot be told."""
    try:
        if sys.platform == "linux":
            raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int(struct.unpack("3i", raw)[1])
        if sys.platform == "darwin":
            raw = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, 76)  # struct xucred: version, uid, groups
            return int(struct.unpack_from("2I", raw)[1])
    except (OSError, struct.error):
        return None
    return None
