"""The memory files: round trips, damage, and many writers at once."""

import json
import resource
import signal
import stat
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import get_type_hints

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssowatch import files, memories, memory, paths
from ssowatch.memories import Memories
from ssowatch.model import Cause, Lineage, Memory, TokenMemory

NAME = "corp"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
opened = partial(memory.tab_opened, now=NOW)
KNOWN = Memory(
    TokenMemory(
        fingerprint="0123456789abcdef@us-east-1",
        life=timedelta(hours=1),
        renewed_at=NOW,
        attempts=3,
        attempted_at=NOW + timedelta(microseconds=1),
        retry_at=NOW + timedelta(seconds=2.5),
        failure="cannot connect",
        refused="the sign-in has ended (invalid_grant)",
        refused_code="ended",
        alive=False,
        skew=timedelta(seconds=-301.000001),
    ),
    Lineage(
        client="abc",
        began_at=NOW,
        life=timedelta(hours=1),
        signed_out_at=NOW,
        ended_at=NOW,
        noticed=(Cause.ENDING, Cause.REFUSED),
        tabs=1,
        tab_failed=True,
    ),
)
SPANS = st.timedeltas(timedelta(days=-4000), timedelta(days=4000))
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
BY_TYPE = {
    datetime | None: st.none() | MOMENTS,
    timedelta | None: st.none() | SPANS,
    timedelta: SPANS,
    int: st.integers(0, 2**40),
}


def any_of(kind):
    """Any value of this class, whatever fields it has by now."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: BY_TYPE.get(hint, st.from_type(hint)) for name, hint in hints.items()})


MEMORIES = st.builds(Memory, token=any_of(TokenMemory), lineage=any_of(Lineage))
COUNTER = """
import sys
from ssowatch import memories, memory
from ssowatch.clock import utc_now
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    memories.update("corp", lambda known: memory.tab_opened(known, utc_now()), 60)
"""
HOLDER = """
import sys
from ssowatch import memories
with memories.locked("corp", 10):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def path(home):
    """Where the memory goes; its directory exists."""
    place = home / ".local/state/ssowatch/memory"
    place.mkdir(parents=True)
    return place / f"{paths.key(NAME)}.json"


def test_a_memory_comes_back_as_it_was_written(path):
    memories.write(NAME, KNOWN)
    assert memories.load(NAME) == KNOWN
    assert memories.load("other") == Memory()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(known=MEMORIES)
def test_every_memory_comes_back_as_it_was_written(path, known):
    path.write_bytes(msgspec.json.encode(known))  # what `write` writes, without its fsync a hundred times
    assert memories.load(NAME) == known


def test_a_memory_of_another_version_keeps_what_both_know(path):
    path.write_text('{"token": {"fingerprint": "f", "unknown": [1]}, "lineage": {"client": "c"}, "more": {}}')
    assert memories.load(NAME) == Memory(TokenMemory("f"), Lineage("c"))


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\0" * 300, id="zeros-after-a-power-cut"),
        pytest.param(msgspec.json.encode(KNOWN)[:-10], id="half"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"NaN", id="nan"),
        pytest.param(b"\xff\xfe", id="no-text"),
        pytest.param(b'{"token": {"fingerprint": "\xff"}}', id="invalid-utf-8-in-a-value"),
        pytest.param(b'{"\xff": 1}', id="invalid-utf-8-in-a-key"),
        pytest.param(b'{"x": ' + b"[" * 100_000, id="nested"),
        pytest.param(b'{"token": 1}', id="wrong-type"),
        pytest.param(b'{"token": {"attempts": "many"}}', id="wrong-type-inside"),
        pytest.param(b'{"token": {"renewed_at": "2026-02-30T00:00:00Z"}}', id="no-such-day"),
        pytest.param(b'{"token": {"renewed_at": "2026-01-05T08:00:00"}}', id="moment-without-zone"),
        pytest.param(b'{"lineage": {"noticed": ["boredom"]}}', id="unknown-cause"),
        pytest.param(b" " * (files.MAX_SIZE + 1), id="too-large"),
    ],
)
def test_a_damaged_memory_is_an_empty_one_and_is_written_anew(path, content):
    path.write_bytes(content)
    assert memories.load(NAME) == Memory()
    assert Memories().look(NAME) == Memory()
    assert memories.update(NAME, opened) == Memory(lineage=Lineage(tabs=1, tab_at=NOW))
    assert memories.load(NAME) == Memory(lineage=Lineage(tabs=1, tab_at=NOW))


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.integers(0, len(msgspec.json.encode(KNOWN))), st.binary(max_size=3), st.integers(0, 3))
def test_any_damage_leaves_a_memory_or_an_empty_one(path, at, noise, lost):
    whole = msgspec.json.encode(KNOWN)
    path.write_bytes(whole[:at] + noise + whole[at + lost :])
    known = memories.load(NAME)
    for moment in (known.token.renewed_at, known.token.attempted_at, known.token.retry_at, known.lineage.began_at):
        assert moment is None or moment.utcoffset() is not None  # can be reckoned with


@pytest.mark.parametrize("make", ["mkdir", "loop"])
def test_what_is_no_file_is_an_empty_memory(path, make):
    if make == "mkdir":
        path.mkdir()
    else:
        path.symlink_to(path.name)
    assert memories.load(NAME) == Memory()


def test_an_update_that_changes_nothing_writes_nothing(path):
    memories.write(NAME, KNOWN)
    before = path.stat()
    assert memories.update(NAME, replace) == KNOWN
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_first_update_makes_what_is_missing(home):
    memories.update(NAME, opened)
    assert (
        json.loads((home / f".local/state/ssowatch/memory/{paths.key(NAME)}.json").read_text())["lineage"]["tabs"] == 1
    )
    for place in (".local", ".local/state", ".local/state/ssowatch", ".local/state/ssowatch/locks"):
        assert stat.S_IMODE((home / place).stat().st_mode) == 0o700


def test_a_memory_is_parsed_again_only_when_it_changed(path):
    looks = Memories()
    assert looks.look(NAME) == Memory()
    memories.write(NAME, KNOWN)
    first = looks.look(NAME)
    assert first == KNOWN
    assert looks.look(NAME) is first
    memories.update(NAME, opened)
    assert looks.look(NAME).lineage.tabs == 2
    looks.keep_only({"other"})
    path.unlink()
    assert looks.look(NAME) == Memory()


def test_a_memory_that_cannot_be_read_for_a_moment_is_the_last_one(home):
    """An empty one would have no back-off: the watcher would start child after child."""
    memories.write(NAME, KNOWN)
    looks = Memories()
    looks.look(NAME)
    changed = memories.update(NAME, opened)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))  # nothing can be opened now
    try:
        seen = looks.look(NAME), Memories().look(NAME)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert seen == (KNOWN, Memory())
    assert looks.look(NAME) == changed


def test_updates_of_many_processes_at_once_lose_nothing(home):
    children = [
        subprocess.Popen([sys.executable, "-c", COUNTER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(8)
    ]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.communicate(timeout=120)[0] and child.returncode for child in children] == [""] * 8
    assert [child.returncode for child in children] == [0] * 8
    assert memories.load(NAME).lineage.tabs == 80


def test_a_stopped_holder_of_the_lock_stalls_nobody_for_long(home):
    memories.write(NAME, KNOWN)
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            with pytest.raises(files.BusyError):
                memories.update(NAME, opened)
            assert 0.2 <= time.monotonic() - began < 60
            assert Memories().look(NAME) == memories.load(NAME) == KNOWN  # looking needs no lock
        finally:
            holder.kill()
    assert memories.update(NAME, opened).lineage.tabs == 2
