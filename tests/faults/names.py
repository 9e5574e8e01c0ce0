"""A name server that has bad days, on port 53 of a network namespace of the campaign's own.

It knows one name, in every question: the simulated Identity Center's. The answer is 127.0.0.1, or no IPv6 address.
"""

from __future__ import annotations

import socket
import struct
import subprocess
import threading
from pathlib import Path

HOST = "center.test"
_ASKED = {
    Path("/etc/resolv.conf"): "nameserver 127.0.0.1\n",
    Path("/etc/nsswitch.conf"): "passwd: files\ngroup: files\nhosts: files dns\n",
}
"""Who is asked for a name, whatever else this machine has."""
_SLOW = 4.0
_A = 1
_REFUSED = 5


class Names(threading.Thread):
    """Answers questions as `how` says: good, slow, refused, mute."""

    how = "good"

    def __init__(self) -> None:
        super().__init__(daemon=True)

    def serve(self, folder: Path) -> None:
        """Become the name server of this mount and network namespace."""
        for place, text in _ASKED.items():
            if place.exists():
                ours = folder / place.name
                ours.write_text(text)
                subprocess.run(["mount", "--bind", ours, place], check=True)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 53))
        self.start()

    def run(self) -> None:
        """Until the campaign ends."""
        while True:
            question, asker = self._socket.recvfrom(4096)
            if self.how != "mute":
                delay = _SLOW if self.how == "slow" else 0.0
                answer = answer_to(question, refused=self.how == "refused")
                threading.Timer(delay, self._socket.sendto, (answer, asker)).start()


def answer_to(question: bytes, *, refused: bool) -> bytes:
    """One DNS message (RFC 1035, 4.1)."""
    end = question.index(b"\0", 12) + 5
    (kind,) = struct.unpack_from("!H", question, end - 4)
    address = b"\xc0\x0c" + struct.pack("!HHIH", _A, 1, 0, 4) + bytes([127, 0, 0, 1])
    found = kind == _A and not refused
    head = question[:2] + struct.pack("!HHHHH", 0x8180 | (_REFUSED if refused else 0), 1, int(found), 0, 0)
    return head + question[12:end] + (address if found else b"")


NAMES = Names()
"""The one of the campaign; programs know Identity Center by name while it serves."""
