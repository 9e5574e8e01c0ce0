"""Attacks on the service's socket: whoever connects, and whatever it sends or does not read."""

from __future__ import annotations

import array
import contextlib
import os
import random
import select
import socket
import time

from attacks.scene import Scene
from attacks.table import Attack, must

_STATUS = b'{"version": 1, "do": "status"}\n'


def _answers(scene: Scene) -> None:
    """Somebody else is served all the same."""
    began = time.monotonic()
    scene.until(lambda: b'"ok": true' in scene.say(_STATUS), "others are answered")
    must(time.monotonic() - began < 60, "others are answered in time")


@contextlib.contextmanager
def _crowd(scene: Scene, number: int, line: bytes = b""):
    crowd = []
    try:
        for _ in range(number):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(10)
            crowd.append(one)
            with contextlib.suppress(OSError):  # a full backlog, or refused at once
                one.settimeout(0)
                one.connect(str(scene.state / "socket"))
                if line:
                    one.send(line)
        yield crowd
    finally:
        for one in crowd:
            one.close()


def another_user(scene: Scene) -> str:
    """Closed to others by the home's modes; with all of them loosened, by the kernel's word on who asks."""
    program = """
s = socket.socket(socket.AF_UNIX); s.settimeout(60)
try:
    s.connect(sys.argv[1]); s.sendall(b'{"version": 1, "do": "status"}\\n'); print(s.recv(1 << 20).decode())
except PermissionError:
    print("closed")
"""
    must(scene.as_nobody(program, str(scene.state / "socket")).strip() == "closed", "the home is closed")
    folders = [scene.home, scene.home / ".local", scene.home / ".local/state", scene.state, scene.state / "socket"]
    modes = [one.stat().st_mode & 0o7777 for one in folders]
    try:
        for one in folders:
            one.chmod(0o777)
        said = scene.as_nobody(program, str(scene.state / "socket"))
    finally:
        for one, mode in zip(folders, modes, strict=True):
            one.chmod(mode)
    must("its own user only" in said and "sign_ins" not in said, said)
    return "closed by its modes; with the modes loosened refused by the kernel's word on the peer"


def flood(scene: Scene) -> str:
    with _crowd(scene, 1500):
        peak = max(scene.weight()["descriptors"] for _ in range(50))
        must(peak < 500, f"descriptors are bounded ({peak})")
        scene.until(lambda: scene.weight()["descriptors"] < 120, "most are closed again")
        scene.run("status", "--check", "corp").must(0)
        scene.run("status").must(0)
        scene.write_token(scene.token(50))  # a file event is acted upon meanwhile
    scene.until(lambda: scene.works() is None, "answered again")
    return "1,500 connections at once: few are held, the rest is cut off; `status` goes on"


def half_open(scene: Scene) -> str:
    with _crowd(scene, 25, b'{"version": 1, '):
        _answers(scene)
    return "25 requests without an end: others are answered meanwhile"


def byte_by_byte(scene: Scene) -> str:
    with scene.connect() as slow, contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for byte in _STATUS * 30:
            slow.send(bytes([byte]))
            if byte == ord("o"):
                _answers(scene)
    began = time.monotonic()
    with scene.connect(60) as slower:
        slower.send(b"{")
        must(slower.recv(1 << 16) == b"", "a slow one is ended")
    must(time.monotonic() - began < 60, "in bounded time")
    return "served while it comes at once, ended after 5 s"


def endless_line(scene: Scene) -> str:
    block = b"x" * (1 << 20)
    sent = 0
    with scene.connect(30) as long, contextlib.suppress(BrokenPipeError, ConnectionResetError, TimeoutError):
        for _ in range(100):
            long.sendall(block)
            sent += len(block)
    must(sent < 100 << 20, "100 MB are not taken")
    _answers(scene)
    return "100 MB without a newline: cut off at 4 KiB"


def junk(scene: Scene) -> str:
    drawn = random.Random(8)
    for size in [0, 1, 2, 3, 4095, 4096, 4097, 5000] + [drawn.randrange(1, 4000) for _ in range(40)]:
        scene.say(drawn.randbytes(size) + b"\n")
    scene.seen.clear()
    for line in (
        b"\0\n",
        b"[" * 4000 + b"\n",
        b'{"version": 1, "do": "\\u001b[31m"}\n',
        b'{"version": 1e999}\n',
        b"\xff\n",
    ):
        must(b'"ok": false' in scene.say(line), "refused")
    _answers(scene)
    return "53 lines of noise: refused with a word, nothing echoed"


def pipelined(scene: Scene) -> str:
    with scene.connect(30) as many, contextlib.suppress(BrokenPipeError, ConnectionResetError):
        many.sendall(_STATUS * 20_000)
        answer = b""
        while part := many.recv(1 << 16):
            answer += part
        must(answer.count(b"\n") <= 1, "one answer")
    _answers(scene)
    return "20,000 requests in one connection: one is answered"


def never_reads(scene: Scene) -> str:
    """The state is made large, so that it does not fit into the kernel's buffers."""
    config = scene.home / ".aws/config"
    more = "".join(
        f"[profile {'p' * 190}{number}]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = x\n"
        for number in range(2000)
    )
    with scene.kept(config):
        config.write_text(config.read_text() + more)
        scene.until(lambda: len(scene.say(_STATUS)) > 300_000, "the state is large")
        before = scene.weight()["descriptors"]
        with _crowd(scene, 20, _STATUS) as crowd:
            ready, _, _ = select.select(crowd, [], [], 60)  # some have been answered
            must(ready, "they are answered")
            scene.until(lambda: scene.weight()["descriptors"] <= before + 2, "who does not read is cut off", 60)
            _answers(scene)
    scene.seen.clear()
    return "20 peers that ask for 400 KB and never read: cut off after 5 s, descriptors given back"


def goes_away(scene: Scene) -> str:
    for number in range(500):
        with scene.connect() as gone, contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if number % 3:
                gone.sendall(_STATUS if number % 2 else b"{")
    _answers(scene)
    return "500 peers that go away before, in and after their request"


def descriptors_sent(scene: Scene) -> str:
    fds = array.array("i", [os.open(os.devnull, os.O_RDONLY) for _ in range(100)])
    try:
        for _ in range(20):
            with scene.connect() as one, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                one.sendmsg([_STATUS], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
                one.recv(1 << 16)
    finally:
        for fd in fds:
            os.close(fd)
    _answers(scene)
    return "2,000 open files sent along: none is kept"


ATTACKS = (
    Attack("socket", "another user asks", another_user, essential=True, root=True),
    Attack("socket", "a flood of connections", flood, essential=True),
    Attack("socket", "half-open connections", half_open, essential=True),
    Attack("socket", "byte by byte", byte_by_byte),
    Attack("socket", "a line of 100 MB", endless_line, essential=True),
    Attack("socket", "noise", junk),
    Attack("socket", "pipelined requests", pipelined),
    Attack("socket", "peers that never read", never_reads, essential=True),
    Attack("socket", "peers that go away", goes_away),
    Attack("socket", "passed descriptors", descriptors_sent),
)
