"""Hooks: the user's own commands, good, bad, slow and endless."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from homes import gone, wait_for

from ssowatch import hooks

EVENT = {"version": 1, "event": "renewed", "sign_in": {"name": "corp é\u202e"}, "buttons": []}
LONG = {**EVENT, "message": "x" * 300_000}


def python(body: str) -> list[str]:
    return [sys.executable, "-IS", "-c", f"import json, os, signal, subprocess, sys, time\n{body}"]


def run(argv, event=EVENT, environment=None, seconds=60.0):
    return asyncio.run(hooks.run(argv, event, environment or {}, seconds))


def note(path: Path, value: str) -> str:
    """Python that writes a value as a whole."""
    part = f"{path}.part"
    return f"open({part!r}, 'w').write(json.dumps({value})); os.rename({part!r}, {str(path)!r})"


ENDS = [
    ("good", "pass", None),
    ("good, and talkative", "print('hello')", None),
    ("good, and very talkative", "sys.stdout.write('x' * 3_000_000)", None),
    ("bad", "sys.exit(3)", "ended with exit code 3"),
    (
        "bad, with a reason",
        "print('so far so good', flush=True); sys.exit('no such chat room')",
        "code 1: no such chat room",
    ),
    ("the last line only", "print('a' * 9000); print('the end', flush=True); sys.exit(4)", "code 4: the end"),
    ("a reason with escape sequences", r"sys.exit('\x1b]0;title\x07red\u202e')", "code 1: ]0;title red"),
    ("a long reason", "sys.exit('x' * 5000)", "…"),
    ("no text", "sys.stdout.buffer.write(bytes(range(128, 256))); sys.exit(1)", "code 1"),
    ("killed", "os.kill(os.getpid(), 9)", "was ended by signal 9"),
    ("closes its stdin at once", "os.close(0)", None),
    ("reads one byte", "os.read(0, 1)", None),
    ("closes its stdout", "os.close(1); os.close(2)", None),
]


@pytest.mark.parametrize(("what", "body", "complaint"), ENDS, ids=[row[0] for row in ENDS])
@pytest.mark.parametrize("event", [EVENT, LONG], ids=["short", "long"])
def test_how_it_ends(what, body, complaint, event):
    said = run(python(body), event)
    if complaint is None:
        assert said is None
    else:
        assert said is not None
        assert complaint in said
        assert len(said) < 300
        assert said.isprintable()


STARTS = [
    ("no such program", ["/nowhere/hook"], "cannot be started: No such file or directory"),
    ("a directory", ["/"], "cannot be started: Permission denied"),
    ("a zero byte", ["a\0b"], "cannot be started: embedded null byte"),
]


@pytest.mark.parametrize(("what", "argv", "complaint"), STARTS, ids=[row[0] for row in STARTS])
def test_what_cannot_be_started(what, argv, complaint):
    assert run(argv) == complaint


def test_the_system_has_no_descriptor_for_it():
    async def story():
        before = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
        try:
            return await hooks.run(["true"], EVENT, {})
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)

    assert asyncio.run(story()) == "cannot be started: Too many open files"


@pytest.mark.parametrize("event", [EVENT, LONG], ids=["short", "long"])
def test_the_event_is_one_line_of_json(tmp_path, event):
    out = tmp_path / "out"
    assert run(python(note(out, "sys.stdin.buffer.read().decode()")), event) is None
    line = json.loads(out.read_text())
    assert line.endswith("\n")
    assert line.count("\n") == 1
    assert json.loads(line) == event


def test_argv_is_as_the_user_wrote_it(tmp_path):
    out = tmp_path / "out"
    assert run([*python(note(out, "sys.argv[1:]")), "$HOME", "a b", "%s", "*"]) is None
    assert json.loads(out.read_text()) == ["$HOME", "a b", "%s", "*"]


def test_what_it_is_given(tmp_path, monkeypatch):
    out = tmp_path / "out"
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        "AWS_PROFILE",
        "NOTIFY_SOCKET",
        "WATCHDOG_USEC",
        "LISTEN_FDS",
        "INVOCATION_ID",
    ):
        monkeypatch.setenv(name, "canary")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/mine")
    monkeypatch.setenv("MINE", "kept")
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)  # noqa: FBT003
    fds = "[int(fd) for fd in os.listdir('/dev/fd') if os.path.lexists(f'/dev/fd/{fd}')]"
    facts = f"[dict(os.environ), {fds}, os.getsid(0) == os.getpid()]"
    try:
        assert (
            run(
                python(f"facts = {facts}\n{note(out, 'facts')}"),
                environment={"HTTPS_PROXY": "http://p:1", "AWS_REGION": "eu-west-1"},
            )
            is None
        )
    finally:
        os.close(held)
    environ, open_fds, own_session = json.loads(out.read_text())
    assert "canary" not in environ.values()
    assert environ["AWS_CONFIG_FILE"] == "/mine"
    assert environ["MINE"] == "kept"
    assert environ["HTTPS_PROXY"] == "http://p:1"
    assert environ["AWS_REGION"] == "eu-west-1"
    assert open_fds == [0, 1, 2]
    assert own_session


STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def test_too_long():
    began = time.monotonic()
    assert run(python("time.sleep(600)"), seconds=0.5) == "ran longer than 0.5 s and was ended"
    assert time.monotonic() - began < 60


STUBBORN = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "
SLOW = [
    ("sleeps", "", ""),
    ("ignores SIGTERM", STUBBORN, ""),
    ("its child ignores SIGTERM", "", STUBBORN),
    ("both do", STUBBORN, STUBBORN),
]


@pytest.mark.parametrize(("what", "own", "childs"), SLOW, ids=[row[0] for row in SLOW])
def test_it_goes_with_its_children(tmp_path, monkeypatch, what, own, childs):
    """On being cancelled here; a time-out ends it the same way."""
    monkeypatch.setattr(hooks, "_GRACE_SECONDS", 0.3)
    ready, child_ready = tmp_path / "ready", tmp_path / "child"
    child = f"import json, os, signal, time; {childs}{note(child_ready, 'os.getpid()')}; time.sleep(600)"
    body = (
        f"{own}subprocess.Popen([sys.executable, '-IS', '-c', {child!r}])\n"
        f"while not os.path.exists({str(child_ready)!r}): time.sleep(0.01)\n"
        f"{note(ready, 'os.getpid()')}\ntime.sleep(600)"
    )

    async def cancel() -> None:
        running = asyncio.create_task(hooks.run(python(body), EVENT, {}, 600))
        await asyncio.to_thread(wait_for, ready.exists, "the hook runs", 60)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel())
    for path in (ready, child_ready):
        pid = int(path.read_text())
        wait_for(partial(gone, pid), f"{path.name} is gone", 60)


def test_what_a_good_hook_leaves_running_stays(tmp_path):
    """Nor does its open stdout hold us."""
    out = tmp_path / "out"
    child = f"import json, os, time; {note(out, 'os.getpid()')}; time.sleep(600)"
    body = f"subprocess.Popen([sys.executable, '-IS', '-c', {child!r}])"
    began = time.monotonic()
    assert run(python(body), seconds=300) is None
    assert time.monotonic() - began < 120
    pid = int(wait_for(lambda: out.exists() and out.read_text(), "the child runs", 60))
    assert not gone(pid)
    os.kill(pid, 9)


def test_no_descriptor_is_left():
    async def often() -> tuple[int, int]:
        await hooks.run(["true"], EVENT, {})
        before = descriptors()
        for _ in range(10):
            await hooks.run(["true"], EVENT, {})
            await hooks.run(["/nowhere"], EVENT, {})
        return before, descriptors()

    before, after = asyncio.run(often())
    assert after < before + 5, "one a run would be ten"


def descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))
