"""Says that the network came up, while a renewal fails (an edge; Linux netlink route socket, rtnetlink(7)).

Rules of this file:
1. It causes a tick and decides nothing. It is open only while somebody waits for the network: idle it costs nothing.
2. Only a new address or a new route counts; nobody reaches AWS by an interface that is merely there, so the link group
   is not even joined. IPv6 routers announce the same address again every few minutes, and containers come and go: the
   listener must bear a call that changes nothing.
3. ENOBUFS means that the kernel had more to tell than fitted (netlink(7)): then something happened.
4. Elsewhere than on Linux the back-off alone must do.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import struct
import sys
from collections.abc import Callable

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, sequence, port
_NEWADDR, _NEWROUTE = 20, 24
_GROUPS = 0x10 | 0x40 | 0x100 | 0x400  # RTMGRP_IPV4_IFADDR, IPV4_ROUTE, IPV6_IFADDR, IPV6_ROUTE
_SIZE = 1 << 16


def announces_up(datagram: bytes) -> bool:
    """True if one of the netlink messages in `datagram` tells of a new address or route."""
    start = 0
    while start + _HEADER.size <= len(datagram):
        length, kind, *_ = _HEADER.unpack_from(datagram, start)
        if length < _HEADER.size:
            return False  # not netlink
        if kind in {_NEWADDR, _NEWROUTE}:
            return True
        start += (length + 3) & ~3
    return False


class NetworkUp:
    """Calls `came_up` on `loop`, between `open` and `close`, when the machine gets an address or a route."""

    def __init__(self, loop: asyncio.AbstractEventLoop, came_up: Callable[[], None]) -> None:
        self._loop = loop
        self._came_up = came_up
        self._socket: socket.socket | None = None

    def open(self) -> bool:
        """Listen from now on. False where that is not possible. Harmless when it listens already."""
        if self._socket:
            return True
        if sys.platform != "linux":
            return False
        try:
            listener = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.NETLINK_ROUTE)
        except OSError:  # a sandbox without AF_NETLINK, no descriptor left
            return False
        try:
            listener.bind((0, _GROUPS))
        except OSError:
            listener.close()
            return False
        self._socket = listener
        self._loop.add_reader(listener, self._readable)
        return True

    def close(self) -> None:
        """Listen no longer. Harmless when it does not."""
        if self._socket:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _readable(self) -> None:
        up = False
        while self._socket:
            try:
                datagram = self._socket.recv(_SIZE)
            except BlockingIOError:
                break
            except OSError as error:
                up = True
                if error.errno != errno.ENOBUFS:
                    self.close()  # a broken socket would be readable for ever
            else:
                up = announces_up(datagram) or up
        if up:
            self._came_up()
