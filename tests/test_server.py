"""The watcher's socket: who may ask, and what bad requests are told."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from pathlib import Path

import pytest
from homes import REQUIRED

from ssowatch import client, paths, protocol
from ssowatch.server import Server, peer_uid

BAD = [
    # id, line, words
    ("empty", b"\n", "one line of JSON"),
    ("not JSON", b"status\n", "one line of JSON"),
    ("half", b'{"version": 1, "do"', "one line of JSON"),
    ("a list", b"[1]\n", "object"),
    ("no version", b'{"do": "status"}\n', '"version": 1'),
    ("another version", b'{"version": 2, "do": "status"}\n', '"version": 1'),
    ("unknown", b'{"version": 1, "do": "reboot"}\n', "status, look"),
    ("of a wrong type", b'{"version": 1, "do": ["status"]}\n', "status, look"),
    ("too long", b'{"version": 1, "do": "' + b"x" * 10_000 + b'"}\n', "4096 bytes"),
    ("deep", b"[" * 4000 + b"\n", "one line of JSON"),
    ("not UTF-8", b"\xff\xfe\n", "one line of JSON"),
]


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Two seconds is what a person waits at most; here the answer is what matters."""
    monkeypatch.setattr(client, "_SECONDS", 60.0)


def served(ask, respond=lambda do: protocol.answer(b'{"asked": "%s"}' % do.encode()), uid=None):
    """What `ask()`, run beside the server in a thread, returns."""

    async def both():
        server = Server(respond, uid)
        await server.start()
        try:
            return await asyncio.to_thread(ask)
        finally:
            await server.close()

    return asyncio.run(both())


def say(line: bytes, where: str = "") -> dict:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(60)
        connection.connect(where or paths.socket_path())
        connection.sendall(line)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while part := connection.recv(65536):
            answer += part
    return json.loads(answer)


@pytest.mark.parametrize("do", protocol.REQUESTS)
def test_a_request_is_answered(home, do):
    assert served(lambda: client.ask(do)) == {"version": 1, "ok": True, "status": {"asked": do}}


@pytest.mark.parametrize(("line", "words"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_a_bad_request_is_told_why(home, line, words):
    answer = served(lambda: say(line))
    assert answer["ok"] is False
    assert words in answer["error"]


def test_an_unexpected_uid_is_refused(home):
    answer = served(lambda: client.ask("status"), uid=os.getuid() + 1)
    assert answer["ok"] is False
    assert "its own user only" in answer["error"]


def test_the_kernel_names_the_peer(home):
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        assert peer_uid(ours) == os.getuid()
    with socket.socket(socket.AF_INET) as unconnected:
        assert peer_uid(unconnected) != os.getuid() or os.getuid() == 0


@pytest.mark.skipif(
    os.getuid() != 0 and not REQUIRED, reason="only root can become somebody else; the uid check itself is tested above"
)
def test_another_uid_is_refused(home, tmp_path):
    """The regression test of OpenSSH's agent: loosened modes must not matter."""

    def ask_as_nobody():
        inside = [home, home / ".local", home / ".local/state", Path(paths.state_dir()), Path(paths.socket_path())]
        Path(paths.state_dir()).mkdir(parents=True, exist_ok=True)
        for place in (*inside, Path(paths.socket_path()).parent, tmp_path, *tmp_path.parents):
            place.chmod(place.stat().st_mode | (0o777 if place in inside else 0o011))
        where = paths.socket_path()
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setresgid(65534, 65534, 65534)
                os.setresuid(65534, 65534, 65534)
                os.write(writing, json.dumps(say(b'{"version": 1, "do": "status"}\n', where)).encode())
            except BaseException as error:  # noqa: BLE001 - reported to the parent
                os.write(writing, json.dumps({"error": repr(error)}).encode())
            os._exit(0)
        os.close(writing)
        with os.fdopen(reading, "rb") as pipe:
            answer = json.loads(pipe.read())
        os.waitpid(child, 0)
        return answer

    answer = served(ask_as_nobody)
    assert "its own user only" in answer["error"]


def test_no_watcher_is_no_answer(home):
    assert client.ask("status") is None


def test_a_silent_asker_does_not_hold_the_others(home):
    def ask():
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(paths.socket_path())
            silent.sendall(b'{"version"')
            return client.ask("look")

    assert served(ask)["ok"] is True


def test_a_flood_is_refused_and_forgotten(home):
    def ask():
        crowd = [socket.socket(socket.AF_UNIX) for _ in range(60)]
        try:
            for one in crowd:
                one.connect(paths.socket_path())
            refused = client.ask("look")
        finally:
            for one in crowd:
                one.close()
        return refused, client.ask("look")

    refused, answered = served(ask)
    assert "too many" in refused["error"]
    assert answered is not None


def test_a_dead_socket_file_is_replaced(home):
    served(lambda: None)
    Path(paths.socket_path()).parent.mkdir(mode=0o700, exist_ok=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(paths.socket_path())
    assert served(lambda: client.ask("look"))["ok"] is True
