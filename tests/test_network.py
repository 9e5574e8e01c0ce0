"""Netlink datagrams as bytes, and a real address in a network namespace of its own."""

import asyncio
import errno
import os
import shutil
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from ssowatch.network import NetworkUp, announces_up

linux = pytest.mark.skipif(sys.platform != "linux", reason="netlink")
NEWLINK, DELLINK, NEWADDR, DELADDR, NEWROUTE, DELROUTE, NEWNEIGH = 16, 17, 20, 21, 24, 25, 28
ERROR, DONE = 2, 3


def message(kind: int, body: bytes = bytes(12), length: int | None = None) -> bytes:
    size = 16 + len(body) if length is None else length
    return struct.pack("=IHHII", size, kind, 0, 0, 0) + body + bytes(-len(body) % 4)


@pytest.mark.parametrize(
    ("datagram", "up"),
    [
        (message(NEWADDR), True),
        (message(NEWROUTE), True),
        (message(NEWLINK), False),
        (message(DELLINK), False),
        (message(DELADDR), False),
        (message(DELROUTE), False),
        (message(NEWNEIGH), False),
        (message(ERROR), False),
        (message(DONE), False),
        (message(DELADDR) + message(NEWADDR), True),
        (message(NEWLINK, bytes(5)) + message(NEWROUTE), True),  # padded to 4
        (message(NEWLINK) * 50 + message(NEWADDR), True),
        (message(NEWLINK) * 50, False),
        (message(NEWADDR)[:16], True),  # cut off behind its header
        (message(NEWADDR)[:15], False),
        (message(NEWADDR, length=1 << 31), True),  # longer than what was received
        (message(DELADDR, length=1 << 31) + message(NEWADDR), False),  # where does the next one begin?
        (message(DELADDR, length=0xFFFFFFFF) + message(NEWADDR), False),
        (message(NEWADDR, length=0), False),
        (message(DELADDR, length=0) + message(NEWADDR), False),  # would never end
        (message(DELADDR, length=15) + message(NEWADDR), False),
        (b"", False),
        (b"\x00", False),
        (bytes(1000), False),
        (b"\xff" * 1000, False),
        (b"libudev\x00" + bytes(range(256)), False),
    ],
)
def test_which_datagrams_announce_a_network(datagram, up):
    assert announces_up(datagram) is up


def test_no_datagram_makes_it_fail_or_hang():
    whole = message(NEWLINK) + message(DELADDR, bytes(7)) + message(NEWADDR)
    for cut in range(len(whole)):
        announces_up(whole[:cut])
        announces_up(whole[cut:])
    for place in range(len(whole)):
        for value in (0, 1, 3, 16, 255):
            announces_up(whole[:place] + bytes([value]) + whole[place + 1 :])


@linux
def test_open_and_close_can_be_repeated_and_leave_nothing():
    async def story():
        before = set(os.listdir("/proc/self/fd"))  # noqa: PTH208
        network = NetworkUp(asyncio.get_running_loop(), lambda: None)
        network.close()
        for _ in range(3):
            assert network.open()
            assert network.open()
            network.close()
            network.close()
        assert set(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208

    asyncio.run(story())


def test_other_systems_have_the_back_off_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")

    async def story():
        network = NetworkUp(asyncio.get_running_loop(), lambda: None)
        assert not network.open()
        network.close()

    asyncio.run(story())


@linux
@pytest.mark.parametrize("step", ["socket", "bind"])
def test_sandbox_without_netlink_has_the_back_off_alone(monkeypatch, step):
    made = []

    class Forbidden(socket.socket):
        def __init__(self, *arguments):
            if step == "socket":
                raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
            super().__init__(*arguments)
            made.append(self)

        def bind(self, _):
            raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    async def story():
        monkeypatch.setattr(socket, "socket", Forbidden)
        assert not NetworkUp(asyncio.get_running_loop(), lambda: None).open()
        assert [one.fileno() for one in made] == ([-1] if step == "bind" else [])

    try:
        with asyncio.Runner() as runner:
            runner.get_loop()  # its own sockets come before
            runner.run(story())
    finally:
        monkeypatch.undo()


class Scripted(socket.socket):
    """A socket that is always readable and answers from a list."""

    answers: list

    def recv(self, _size: int) -> bytes:
        answer = self.answers.pop(0) if self.answers else BlockingIOError(errno.EAGAIN, "")
        if isinstance(answer, Exception):
            raise answer
        return answer


@linux
@pytest.mark.parametrize(
    ("answers", "calls", "still_open"),
    [
        ([message(NEWADDR), message(NEWROUTE), message(NEWADDR)], 1, True),  # one burst, one call
        ([message(NEWLINK), message(DELADDR)], 0, True),
        ([OSError(errno.ENOBUFS, "")], 1, True),
        ([OSError(errno.ENOBUFS, ""), message(NEWLINK)], 1, True),
        ([OSError(errno.EBADF, "")], 1, False),
        ([], 0, True),
    ],
)
def test_what_is_read_decides(answers, calls, still_open):
    called = []

    async def story():
        loop = asyncio.get_running_loop()
        network = NetworkUp(loop, lambda: called.append(1))
        one, other = socket.socketpair()
        with other, Scripted(one.family, one.type, fileno=one.detach()) as scripted:
            scripted.answers = list(answers)
            network._socket = scripted
            loop.add_reader(scripted, network._readable)
            network._readable()
            assert len(called) == calls
            assert (network._socket is not None) is still_open
            network.close()

    asyncio.run(story())


@linux
def test_call_may_close():
    async def story():
        loop = asyncio.get_running_loop()
        network = NetworkUp(loop, loop.stop)
        network._came_up = network.close
        one, other = socket.socketpair()
        with other, Scripted(one.family, one.type, fileno=one.detach()) as scripted:
            scripted.answers = [message(NEWADDR)]
            network._socket = scripted
            network._readable()
            assert network._socket is None

    asyncio.run(story())


REAL = """
import asyncio, subprocess, sys
sys.path[:0] = sys.argv[1:]
from ssowatch.network import NetworkUp
async def story():
    up = asyncio.Event()
    network = NetworkUp(asyncio.get_running_loop(), up.set)
    async def expect(*commands):
        up.clear()
        for command in commands:
            subprocess.run(['ip', *command.split()], check=True)
        await asyncio.wait_for(up.wait(), 60)
        # What else these commands said is read before the next ones, so that it cannot stand for them.
        network.close()
        assert network.open()
    assert network.open()
    await expect('address add 192.0.2.1/32 dev lo')
    await expect('address add 2001:db8::1/128 dev lo', 'link set lo up')
    await expect('route add 198.51.100.0/24 dev lo')
    network.close()
    up.clear()
    subprocess.run(['ip', 'address', 'add', '192.0.2.2/32', 'dev', 'lo'], check=True)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not up.is_set()
asyncio.run(story())
print('good')
"""


@linux
def test_real_address_and_route_are_announced():
    """In a network namespace of its own; needs root or user namespaces."""
    for namespace in (("unshare", "--net"), ("unshare", "--user", "--map-root-user", "--net")):
        if (
            shutil.which("ip")
            and shutil.which("unshare")
            and not subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode
        ):
            break
    else:
        if os.environ.get("SSOWATCH_CI") == "1":
            pytest.fail("CI must be able to make a network namespace (root, `ip`, `unshare`)")
        pytest.skip("no network namespace without root, `ip` and `unshare`")
    places = [place for place in sys.path if place] + [str(Path(__file__).parent.parent)]
    command = [*namespace, sys.executable, "-c", REAL, *places]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=240)
    assert done.stdout == "good\n", done.stderr
