"""A sign-in under way: joining, locks, record. The flow here is a program of the test's own, at the seam of processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from homes import wait_for

from ssowatch import files, flow_record, flows, paths
from ssowatch.clock import utc_now
from ssowatch.flow_record import Record, Stage, decoded, encoded
from ssowatch.outcomes import Result

PATIENCE = 60
PYTHON = sys.executable
FLOW = """\
import os, signal, subprocess, sys, time
from ssowatch import flows
from ssowatch.clock import utc_now
from ssowatch.flow_record import Stage, SUPERSEDED


class Stopped(BaseException):
    pass


def stop(number, _):  # raises, as the real flow does: `tell` may hold its lock at this very moment
    raise Stopped(SUPERSEDED if number == signal.SIGUSR1 else "cancelled")


home = os.environ["HOME"]
for number in (signal.SIGUSR1, signal.SIGTERM):
    signal.signal(number, stop)
own = flows.Own(sys.argv[-1], int(sys.argv[-3].removeprefix("--flow=")))
try:
    with open(f"{home}/began", "a") as began:
        began.write(f"{os.getpid()}\\n")
    own.tell(stage=Stage.ASKING if own.record.stage is Stage.ASKING else Stage.WAITING, link="http://127.0.0.1/secret")
    if os.path.exists(f"{home}/browser"):
        child = subprocess.Popen(["sleep", "60"], close_fds=False)
        with open(f"{home}/browser", "w") as file:
            file.write(str(child.pid))
    while not os.path.exists(f"{home}/go"):
        time.sleep(0.02)
    own.end(open(f"{home}/go").read(), "it ended", "someone", utc_now())
except Stopped as stopped:
    own.end(str(stopped), "", None, utc_now())
"""


@pytest.fixture
def program(home, monkeypatch):
    """Instead of `python … -m ssowatch login`."""
    flow = home / "flow.py"
    flow.write_text(FLOW)
    python = home / "python"
    python.write_text(f'#!/bin/sh\nshift 4\nexec "{sys.executable}" "{flow}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(flows.sys, "executable", str(python))
    monkeypatch.setenv("PYTHONPATH", str(Path(flows.__file__).parent.parent))
    yield home
    for child in flows._children:
        child.kill()
        child.wait(PATIENCE)
    for pid in began(home):
        end(pid)


def end(pid):
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def began(home):
    """The pids of the flows that began, in order."""
    place = home / "began"
    return [int(line) for line in place.read_text().split()] if place.exists() else []


def record(stage=Stage.STARTING, name="corp"):
    return Record(flows.fresh_id(), name, utc_now(), stage=stage)


def join(since=None, needless=lambda: False, first=None):
    first = first or record()
    return flows.join(first.name, [], os.environ, first=first, since=since or utc_now(), needless=needless)


def go(home, outcome="signed_in"):
    (home / "go.new").write_text(outcome)
    (home / "go.new").rename(home / "go")


def follow(one, **more):
    return flows.follow(one, PATIENCE, more.pop("show", lambda _: None), **more)


def until_it_waits(name="corp"):
    return wait_for(
        lambda: (one := flows.running(name)) and one.stage in {Stage.WAITING, Stage.ASKING} and one.link and one,
        "the flow waits",
        PATIENCE,
    )


# Joining


def test_who_comes_second_joins_and_both_get_the_outcome(program):
    first, started = join()
    second, started_too = join()
    assert (started, started_too, first.id) == (True, False, second.id)
    shown = []
    with ThreadPoolExecutor() as pool:
        ends = [pool.submit(follow, one, show=shown.append) for one in (first, second)]
        wait_for(lambda: [one.link for one in shown if one.link] * 2 or None, "the link is shown", PATIENCE)
        go(program)
        ended = [each.result() for each in ends]
    assert [(one.outcome, one.message, one.who) for one in ended] == [("signed_in", "it ended", "someone")] * 2
    assert {one.link for one in shown} <= {None, "http://127.0.0.1/secret"}
    assert len(began(program)) == 1


def test_of_many_at_once_one_starts(program):
    gate = threading.Barrier(20)

    def caller():
        gate.wait(PATIENCE)
        return join()

    with ThreadPoolExecutor(20) as pool:
        joined = [one.result() for one in [pool.submit(caller) for _ in range(20)]]
    until_it_waits()
    assert sum(started for _, started in joined) == 1
    assert len({one.id for one, _ in joined}) == 1
    assert len(began(program)) == 1


def test_nothing_starts_where_nothing_is_needed(program):
    assert join(needless=lambda: True) is None
    assert flows.read("corp") is None
    assert not flows.alive("corp")


def test_what_runs_is_joined_even_where_it_is_not_needed(program):
    first, _ = join()
    joined, started = join(needless=lambda: True)
    assert (joined.id, started) == (first.id, False)


ENDED = [
    # id, the caller began after the flow's end, outcome, joins
    ("asked for at once", timedelta(minutes=-1), "denied", True),
    ("asked for later", timedelta(minutes=1), "denied", False),
]


@pytest.mark.parametrize(("after", "outcome", "joins"), [row[1:] for row in ENDED], ids=[row[0] for row in ENDED])
def test_a_flow_that_is_over(program, after, outcome, joins):
    go(program, outcome)
    first, _ = join()
    over = follow(first)
    joined, started = join(since=utc_now() + after)
    assert (joined.id == first.id, started) == (joins, not joins)
    assert joins is False or joined.outcome == over.outcome


def test_a_new_flow_is_followed_by_who_waited_for_the_old_one(program):
    go(program)
    old, _ = join()
    follow(old)
    (program / "go").unlink()
    new, _ = join(since=utc_now() + timedelta(minutes=1))
    until_it_waits()
    with ThreadPoolExecutor() as pool:
        ended = pool.submit(follow, old)
        go(program, "denied")
        assert (ended.result().id, ended.result().outcome) == (new.id, "denied")


def test_a_flow_that_asks_gives_way_to_one_that_does_not(program):
    asking, _ = join(first=record(Stage.ASKING))
    until_it_waits()
    again, started = join(first=record(Stage.ASKING))
    assert (again.id, started) == (asking.id, False)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(follow, asking)
        typed, started = join()
        assert started
        go(program)
        assert waiting.result().id == typed.id
        assert waiting.result().outcome == "signed_in"


def test_waiting_ends_in_time_or_when_it_is_enough(program):
    one, _ = join()
    assert flows.follow(one, 0, lambda _: None) is None
    assert follow(one, enough=lambda: True) is None
    assert flows.alive("corp")


# Deaths


def test_a_flow_that_is_killed_is_told_and_makes_room(program):
    one, _ = join()
    until_it_waits()
    os.kill(began(program)[0], signal.SIGKILL)
    assert follow(one).outcome == "unreachable"
    assert not flows.alive("corp")
    again, started = join()
    assert started
    assert again.id != one.id


STARTER = """\
import os, sys, time
from ssowatch import flows
from ssowatch.clock import utc_now
from ssowatch.flow_record import Record
flows.sys.executable = sys.argv[1]
first = Record("an-id", "corp", utc_now())
flows.join("corp", [], os.environ, first=first, since=utc_now(), needless=lambda: False)
print("joined", flush=True)
time.sleep(600)
"""


def test_the_death_of_who_started_it_changes_nothing(program):
    starter = subprocess.Popen([PYTHON, "-c", STARTER, flows.sys.executable], stdout=subprocess.PIPE)
    assert starter.stdout.readline() == b"joined\n"
    starter.kill()
    starter.communicate()
    until_it_waits()
    assert flows.alive("corp")
    joined, started = join()
    assert (joined.id, started) == ("an-id", False)
    go(program)
    assert follow(joined).outcome == "signed_in"


def test_a_browser_does_not_keep_a_flow_alive(program):
    (program / "browser").touch()
    one, _ = join()
    until_it_waits()
    pid = int(wait_for((program / "browser").read_text, "the browser runs", PATIENCE))
    try:
        go(program)
        follow(one)
        wait_for(lambda: not flows.alive("corp"), "the lock is free", PATIENCE)
    finally:
        end(pid)


def test_it_can_be_cancelled(program):
    assert not flows.cancel("corp")
    one, _ = join()
    until_it_waits()
    assert flows.cancel("corp")
    assert follow(one).outcome == "cancelled"


def test_a_command_that_is_no_flow_is_none(program):
    with pytest.raises(flows.NoFlowError):
        flows.Own("corp", 0)
    one, _ = join()
    until_it_waits()
    with Path(paths.flow_lock("other")).open("w") as other, pytest.raises(flows.NoFlowError):
        flows.Own(one.name, other.fileno())


# The turn


def test_one_turn_for_the_whole_machine(home):
    asked = []
    with flows.turn(lambda: True) as mine:
        assert mine
        with flows.turn(lambda: not asked.append(1) and len(asked) < 3) as other:
            assert not other
    assert len(asked) == 3
    with flows.turn(lambda: False) as mine:
        assert mine


def test_whose_turn_it_is(program):
    assert flows.whose_turn() is None
    join()
    record = until_it_waits()
    with flows.turn(lambda: True):
        assert flows.whose_turn() is None  # ours is no flow
        Path(paths.turn_lock()).write_text(str(record.pid))
        assert flows.whose_turn() == "corp"


# The record


def test_a_record_is_for_the_user_alone_and_the_link_is_gone_at_the_end(program):
    one, _ = join()
    until_it_waits()
    place = Path(paths.flow_record("corp"))
    assert place.stat().st_mode & 0o777 == 0o600
    assert place.parent.stat().st_mode & 0o777 == 0o700
    assert "secret" in place.read_text()
    assert "secret" not in repr(flows.read("corp"))
    go(program)
    follow(one)
    assert "secret" not in place.read_text()


def test_a_record_is_read_as_it_was_written(now):
    whole = Record(
        "i", "näme\n", now, now, 7, Stage.WAITING, "pkce", "yes", "l", "c", "p", "u", now, "denied", "m", "w"
    )
    assert decoded(encoded(whole)) == whole


SOUND = json.loads(encoded(Record("i", "corp", utc_now())))
UNSOUND = [
    ("empty", b""),
    ("no JSON", b"{"),
    ("null", b"null"),
    ("a list", b"[]"),
    ("deep", b"[" * 100_000),
    ("no id", {"id": None}),
    ("a name that is none", {"name": 7}),
    ("a code that is none", {"code": 7}),
    ("a process that is none", {"pid": "7"}),
    ("an unknown stage", {"stage": "far"}),
    ("no moment", {"started_at": None}),
    ("a moment without a zone", {"started_at": "2026-01-05T08:00:00"}),
    ("a moment that is none", {"deadline": "soon"}),
    ("a number for a moment", {"ended_at": 5}),
]


@pytest.mark.parametrize("content", [row[1] for row in UNSOUND], ids=[row[0] for row in UNSOUND])
def test_a_record_that_makes_no_sense_is_none(home, content):
    raw = content if isinstance(content, bytes) else json.dumps({**SOUND, **content}).encode()
    assert decoded(raw) is None
    files.private_dir(str(Path(paths.flow_record("corp")).parent))
    Path(paths.flow_record("corp")).write_bytes(raw)
    assert flows.read("corp") is None


def test_a_later_version_may_add_to_a_record():
    assert decoded(json.dumps({**SOUND, "colour": "green"}).encode()).name == "corp"


def test_the_outcomes_are_those_of_a_sign_in():
    ours = {
        flow_record.SIGNED_IN,
        flow_record.DENIED,
        flow_record.TIMED_OUT,
        flow_record.UNREACHABLE,
        flow_record.FAILED,
    }
    assert ours <= {*map(str, Result)}
