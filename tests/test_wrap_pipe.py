"""`ssowatch mcp wrap` as a pipe: every byte passes in its order, and it ends as its server ends, leaving nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import homes
import pytest
from fake_mcp_server import RUN_OUT
from homes import gone, wait_for
from wrapped import FAKE, PATIENCE, wrapped

pytestmark = [pytest.mark.real, pytest.mark.mcp, pytest.mark.usefixtures("home")]

MIRROR = """
import sys
for line in sys.stdin.buffer:
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()
"""
"""What the client says comes back as the server's: so any line can be tried in both directions."""
STDIN_IGNORED = 'import os, time; os.write(1, b"%d\\n" % os.getpid()); time.sleep(3600)'


def mirror():
    return [sys.executable, "-c", MIRROR]


def line(**body):
    return json.dumps({"jsonrpc": "2.0", **body}).encode() + b"\n"


NEW = {"_meta": {"io.modelcontextprotocol/clientInfo": {"name": "x"}, "io.modelcontextprotocol/clientCapabilities": {}}}
CONVERSATIONS = [
    # id, lines: each is sent to the server, which says the same
    ("a notification", [line(method="notifications/message", params={"level": "info", "data": RUN_OUT})]),
    ("a server's request and its answer", [line(id=7, method="sampling/createMessage", params={}), line(id=7, result={})]),
    ("elicitation", [line(id="e", method="elicitation/create", params={"mode": "url", "url": "https://x", "message": "m"})]),
    ("the newest era", [line(id=1, method="server/discover", params=NEW), line(id=2, method="tools/list", params=NEW)]),
    ("input is required", [line(id=2, result={"resultType": "input_required", "inputRequests": {}, "requestState": "s"})]),
    ("spaces and order of keys", [b'{ "id" : 1,"method":"ping" , "jsonrpc":"2.0" }\r\n']),
    ("escapes", [b'{"jsonrpc":"2.0","id":"\\u00e4\\ud800","result":"\\u2028 \xc3\xa4 \\/"}\n']),
    ("no JSON", [b"Starting server...\n", b"\n", b"{\n", b'{"id":\n', b"[1,2]\n", b"null\n", b"\xff\xfe\x00\n"]),
    ("a batch", [b'[{"jsonrpc":"2.0","id":1,"method":"tools/call"},{"jsonrpc":"2.0","id":1,"result":{}}]\n']),
    ("odd fields", [line(id=True, method=3, params=[]), line(id=None, result=1), line(id={}, method="tools/call", params=7)]),
    ("progress", [line(method="notifications/progress", params={"progressToken": 1, "progress": 5}), line(method="notifications/progress")]),
    ("nested deep", [b"[" * 100_000 + b"\n"]),
    ("10 MB", [line(id=1, result={"content": [{"type": "text", "text": "x" * 10_000_000}]})]),
    ("70 MB", [b'{"id":1,"result":"' + b"y" * 70_000_000 + b'"}\n']),
]  # fmt: skip


@pytest.mark.parametrize("lines", [row[1] for row in CONVERSATIONS], ids=[row[0] for row in CONVERSATIONS])
def test_every_byte_passes_both_ways(lines):
    with wrapped(server=mirror()) as client:
        for one in lines:
            client.write(one)
            assert client.line() == one
        assert client.ended() == 0
        assert client.line() == b""


def test_lines_keep_their_order():
    with wrapped(server=mirror()) as client:
        sent = [line(id=number, method="ping") for number in range(500)]
        client.write(b"".join(sent))
        assert [client.line() for _ in sent] == sent


def test_a_last_line_without_an_end_passes():
    with wrapped(server=mirror()) as client:
        client.write(b'{"half')
        assert client.process.stdin
        client.process.stdin.close()
        assert client.line() == b'{"half'


def test_what_is_piped_in_at_once_is_answered_in_order():
    asked = (
        line(id=1, method="initialize", params={})
        + line(method="notifications/initialized")
        + line(id=2, method="ping")
    )
    answer = subprocess.run(
        [sys.executable, "-m", "ssowatch", "mcp", "wrap", "--", sys.executable, FAKE],
        input=asked,
        capture_output=True,
        timeout=PATIENCE,
        check=True,
    )
    assert [json.loads(one)["id"] for one in answer.stdout.splitlines()] == [1, 2]


def test_stderr_passes():
    with wrapped(server=["sh", "-c", "printf 'one\\ntwo\\377' >&2"]) as client:
        assert client.ended() == 0
        wait_for(lambda: client.stderr == b"one\ntwo\xff", "stderr has come", PATIENCE)


ENDS = [
    # id, what the server does, how the wrapper ends
    ("well", "exit 0", 0),
    ("with a code", "exit 7", 7),
    ("by a signal", "kill -TERM $$", -signal.SIGTERM),
    ("killed", "kill -KILL $$", -signal.SIGKILL),
    ("crashed", "ulimit -c 0; kill -SEGV $$", -signal.SIGSEGV),
]


@pytest.mark.parametrize(("script", "code"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_it_ends_as_its_server_ends(script, code):
    with wrapped(server=["sh", "-c", script]) as client:
        assert client.process.wait(PATIENCE) == code


def test_a_server_that_ends_in_the_middle_ends_it_after_its_last_word():
    with wrapped() as client:
        client.begin()
        client.send("tools/call", 1, name="leaves", arguments={})
        assert client.line() == b""
        assert client.process.wait(PATIENCE) == 7


WRONG = [
    # id, arguments, exit code, words
    ("no program", [], 2, "give it a server"),
    ("a wrong wait", ["--wait", "5", "--", "true"], 2, "--wait 5: not a duration"),
    ("unknown program", ["--", "no-such-program"], 127, "no-such-program: command not found"),
    ("a directory", ["--", "/"], 126, "/: Permission denied"),
    ("an unknown option", ["--what", "--", "true"], 2, "unrecognized arguments"),
]


@pytest.mark.parametrize(("arguments", "code", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_cannot_begin(arguments, code, words):
    answer = homes.ssowatch("mcp", "wrap", *arguments)
    assert (answer.returncode, words in answer.stderr) == (code, True), answer.stderr
    assert "Traceback" not in answer.stderr


def test_help():
    answer = homes.ssowatch("mcp", "wrap", "--help")
    assert answer.returncode == 0
    assert "--wait" in answer.stdout


# Nothing is left behind


SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_reaches_the_server_and_all_it_started(number):
    script = f"{sys.executable} -c '{STDIN_IGNORED}' & {sys.executable} -c '{STDIN_IGNORED}'; wait"
    with wrapped(server=["sh", "-c", f"trap 'exit 9' TERM INT HUP; {script}"]) as client:
        pids = [int(client.line()), int(client.line())]
        client.process.send_signal(number)
        assert client.process.wait(PATIENCE) == 9
        wait_for(lambda: all(map(gone, pids)), "they are gone", PATIENCE)


@pytest.mark.parametrize("shape", ["visible", "deaf"])
def test_a_killed_wrapper_takes_its_server_along(home, shape):
    with wrapped(shape=shape) as client:
        client.begin()
        pids = [int(word) for word in (home / "starts").read_text().split()]
        client.process.kill()
        client.process.wait(PATIENCE)
        wait_for(lambda: all(map(gone, pids)), "the server is gone", PATIENCE)
    assert pids


def test_a_killed_group_does_too(home):
    """As MCP clients end a server's process tree."""
    with wrapped(shape="deaf") as client:
        client.begin()
        pid = int((home / "starts").read_text())
        os.killpg(client.process.pid, signal.SIGKILL)
        wait_for(lambda: gone(pid), "the server is gone", PATIENCE)


def test_a_server_that_does_not_hear_the_end_of_a_client_is_ended(home):
    reading, writing = os.pipe()
    wrapper = [sys.executable, "-m", "ssowatch", "mcp", "wrap", "--", sys.executable, FAKE, "deaf"]
    with subprocess.Popen(wrapper, stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.DEVNULL) as process:
        os.close(writing)
        wait_for((home / "starts").exists, "the server runs", PATIENCE)
        process.stdin.close()
        os.close(reading)
        assert process.wait(PATIENCE) == -signal.SIGTERM
    wait_for(lambda: gone(int((home / "starts").read_text())), "the server is gone", PATIENCE)


def test_a_server_may_take_its_time_while_the_client_listens(home):
    slow = "import sys, time; sys.stdin.read(); time.sleep(4); print('late', flush=True)"
    with wrapped(server=[sys.executable, "-c", slow]) as client:
        assert client.ended() == 0
        assert client.line() == b"late\n"


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_a_wrapper_that_waits_for_a_person_leaves_nobody_waiting(home):
    homes.aws_config(home)
    homes.write_token(homes.token(timedelta(minutes=-5), refreshToken=None))
    homes.own_config(home, "notify: [{command: ['sleep', '3600']}]\n")
    with wrapped("--wait", "10m", AWS_PROFILE="dev") as client:
        client.begin()
        client.send("tools/call", 1, name="reads", arguments={})
        wait_for(lambda: ensuring(home), "it waits", PATIENCE)
        client.process.kill()
        client.process.wait(PATIENCE)
        wait_for(lambda: not ensuring(home), "nobody waits", PATIENCE)


def ensuring(home):
    """The `ensure` children of this home."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ours = f"HOME={home}\0".encode() in (place / "environ").read_bytes()
            if ours and b"\0ensure\0" in (place / "cmdline").read_bytes():
                found.append(place.name)
    return found
