"""What happened: found between two looks, written down within bounds, told live."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import homes
import pytest
from homes import wait_for, watcher
from hypothesis import given
from hypothesis import strategies as st
from simulator.server import Simulator

from ssowatch import act_log, acts, paths
from ssowatch.model import Cause, Kind, Lineage, Memory, Plan, Presence, Problem, SignIn, State, Token, TokenMemory
from ssowatch.protocol import Row, moment

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))
BEGAN, LATER = NOW - timedelta(hours=1), NOW


def row(state=State.VALID, token="a", *, problem=None, ours=True, **lineage) -> Row:
    held = Token(token, "client", NOW + timedelta(hours=1), refreshable=True) if token else None
    known = Memory(
        TokenMemory(token or "", renewed_at=NOW if ours else None), Lineage("client", **{"began_at": BEGAN, **lineage})
    )
    return Row(CORP, held, Plan(state, known, problem=Problem(problem, f"it is {problem}") if problem else None))


GOOD, OUT = row(), row(State.SIGNED_OUT, None, problem="signed_out")
ROWS = [
    # id, before, after, events
    ("nothing", GOOD, GOOD, []),
    ("its beginning is known better", GOOD, row(began_at=LATER), []),
    ("our renewal", GOOD, row(token="b"), ["renewed"]),
    ("a renewal of somebody else", GOOD, row(token="b", ours=False), ["renewed"]),
    ("a first sign-in", row(State.SIGNED_OUT, None, began_at=None), row(token="b", began_at=LATER), ["signed_in"]),
    ("a new sign-in", row(State.LOGIN_REQUIRED), row(token="b", began_at=LATER), ["signed_in"]),
    ("the file came back", OUT, GOOD, []),
    ("signed out", GOOD, OUT, ["signed_out"]),
    ("refused, the token lives", GOOD, row(problem="refused"), ["refused"]),
    ("refused for good", GOOD, row(State.LOGIN_REQUIRED, problem="refused"), ["refused", "login_required"]),
    ("still refused", row(problem="refused"), row(problem="refused"), []),
    ("no answer", GOOD, row(problem="unreachable"), ["unreachable"]),
    ("no answer, run out", row(problem="unreachable"), row(State.UNREACHABLE, problem="unreachable"), []),
    ("an answer again", row(problem="unreachable"), GOOD, ["reachable"]),
    ("renewed after an outage", row(problem="unreachable"), row(token="b"), ["renewed"]),
    ("a notice", GOOD, row(State.EXPIRING, noticed=(Cause.ENDING,)), ["warned", "expiring"]),
    ("a second notice", row(State.EXPIRING, noticed=(Cause.ENDING,)), row(State.LOGIN_REQUIRED, noticed=(Cause.ENDING, Cause.ENDED)), ["warned", "login_required"]),
    ("a new sign-in that is asked for at once", row(noticed=(Cause.ENDING,)), row(State.EXPIRING, "b", began_at=LATER, noticed=(Cause.ENDING,)), ["signed_in", "warned", "expiring"]),
    ("still asked", row(noticed=(Cause.ENDING,)), row(noticed=(Cause.ENDING,)), []),
    ("an offer", GOOD, row(offered_at=LATER), ["warned"]),
    ("a tab", row(State.LOGIN_REQUIRED), row(State.LOGIN_REQUIRED, tabs=1), ["tab"]),
    ("the same tab", row(State.LOGIN_REQUIRED, tabs=1), row(State.LOGIN_REQUIRED, tabs=1), []),
    ("a new sign-in that opens its tab at once", row(State.LOGIN_REQUIRED, tabs=1), row(State.LOGIN_REQUIRED, "b", began_at=LATER, tabs=1), ["signed_in", "tab"]),
    ("a broken config", GOOD, row(State.MISCONFIGURED, problem="misconfigured"), ["misconfigured"]),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "events"), [one[1:] for one in ROWS], ids=[one[0] for one in ROWS])
def test_what_happened_between_two_looks(before, after, events):
    told = acts.between(before, after)
    assert [event for event, _ in told] == events
    assert set(events) <= set(acts.EVENTS)
    assert all(message and message.isprintable() for _, message in told)


MESSAGES = [
    # id, before, after, what a person reads
    ("our renewal", GOOD, row(token="b"), ["renewed"]),
    ("a renewal of somebody else", GOOD, row(token="b", ours=False), ["renewed by another program"]),
    ("a sign-in", GOOD, row(token="b", began_at=LATER), ["signed in"]),
    ("a sign-in of somebody", GOOD, row(token="b", began_at=LATER, who="anna"), ["signed in as anna"]),
    ("a problem", GOOD, row(State.LOGIN_REQUIRED, problem="refused"), ["it is refused", "it is refused"]),
    ("an end without one", GOOD, row(State.LOGIN_REQUIRED), ["login required"]),
    ("a notice", GOOD, row(noticed=(Cause.ENDING,)), ["a person is asked: ending"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "after", "messages"), [one[1:] for one in MESSAGES], ids=[one[0] for one in MESSAGES]
)
def test_what_a_person_reads(before, after, messages):
    assert [message for _, message in acts.between(before, after)] == messages


def test_an_endless_problem_is_cut():
    endless = replace(GOOD, plan=replace(GOOD.plan, problem=Problem("refused", "x" * 301)))
    assert acts.between(GOOD, endless) == [("refused", "x" * 299 + "…")]


def test_every_event_has_a_row():
    assert {event for one in ROWS for event in one[3]} == set(acts.EVENTS)


SOME = [one[1] for one in ROWS] + [one[2] for one in ROWS]


@given(st.lists(st.sampled_from(SOME), min_size=1, max_size=12))
def test_looking_twice_tells_nothing_twice(looks):
    once = [acts.between(*pair) for pair in pairwise(looks)]
    twice = [each for one in looks for each in (one, one)]
    told = [acts.between(*pair) for pair in pairwise(twice)]
    assert [one for one in told if one] == [one for one in once if one]


# The log


def act(number: int, event: str = "renewed") -> dict:
    return acts.line(NOW + timedelta(seconds=number), GOOD, event, f"number {number}")


def test_a_line(home):
    act_log.append([act(0)])
    path = Path(paths.act_log())
    assert json.loads(path.read_text()) == {
        "version": 1,
        "at": "2026-01-05T08:00:00Z",
        "event": "renewed",
        "sign_in": "corp",
        "state": "valid",
        "good_until": None,
        "presence": None,
        "message": "number 0",
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_line_tells_who_was_there():
    assert acts.line(NOW, GOOD, "renewed", "", Presence.LOCKED)["presence"] == "locked"


def test_it_is_bounded_and_keeps_the_newest(home, monkeypatch):
    monkeypatch.setattr(act_log, "FULL", 2000)
    for number in range(200):
        act_log.append([act(number)])
    kept = [line["message"] for line in act_log.read()]
    assert kept == [f"number {number}" for number in range(200 - len(kept), 200)]
    assert 10 <= len(kept) < 40
    assert sum(path.stat().st_size for path in Path(paths.state_dir()).glob("acts*")) < 3 * 2000


TORN = [b"", b"{", b'{"at": "x"', b"\xff\xfe\n", b"[" * 100_000 + b"\n", b'{"at": 1, "event": 2}\n', b"null\n\n\n"]


@pytest.mark.parametrize("content", TORN)
def test_what_is_no_act_is_passed_over(home, content):
    act_log.append([act(0)])
    with Path(paths.act_log()).open("ab") as file:
        file.write(content)
    act_log.append([act(1)])
    assert [line["message"] for line in act_log.read()] == ["number 0", "number 1"]


def test_a_log_that_cannot_be_written_stops_no_watcher(home):
    Path(paths.act_log()).mkdir(parents=True)
    log = act_log.ActLog()
    log.look([GOOD], NOW)
    log.look([OUT], NOW)
    assert act_log.read() == []


def test_the_first_look_tells_nothing(home):
    log = act_log.ActLog()
    log.look([GOOD], NOW)
    assert act_log.read() == []
    log.look([OUT], NOW)
    log.look([], NOW)
    log.look([GOOD], NOW)
    assert [line["event"] for line in act_log.read()] == ["signed_out"]


def test_names_are_data(home):
    evil = replace(GOOD, sign_in=replace(CORP, name="a\n\x1b[2J\u202e\ud800"))
    act_log.append([acts.line(NOW, evil, "renewed", "x")])
    assert len(act_log.read()) == 1


# Live


def told(follower, count):
    found = []
    while len(found) < count:
        if one := next(follower):
            found.append(one["message"])
    return found


def test_following_from_now_on(home, monkeypatch):
    monkeypatch.setattr(act_log, "_LOOK_SECONDS", 0.0)
    live = act_log.follow()
    assert next(live) is None  # there is no file yet
    act_log.append([act(0), act(1)])
    assert told(live, 2) == ["number 0", "number 1"]
    assert next(live) is None
    later = act_log.follow()
    assert next(later) is None  # what was before is not told
    act_log.append([act(2)])
    assert told(live, 1) == told(later, 1) == ["number 2"]


def test_following_over_a_full_file(home, monkeypatch):
    monkeypatch.setattr(act_log, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(act_log, "FULL", 500)
    live = act_log.follow(moment(NOW))
    assert next(live) is None
    for number in range(50):
        act_log.append([act(number)])
        assert told(live, 1) == [f"number {number}"]


def test_following_from_a_moment_on(home, monkeypatch):
    monkeypatch.setattr(act_log, "_LOOK_SECONDS", 0.0)
    monkeypatch.setattr(act_log, "FULL", 250)
    for number in range(4):
        act_log.append([act(number)])
    assert Path(paths.old_act_log()).exists()
    live = act_log.follow(moment(NOW + timedelta(seconds=1)))
    assert told(live, 3) == ["number 1", "number 2", "number 3"]
    assert next(live) is None


def test_half_a_line_waits_for_its_end(home, monkeypatch):
    monkeypatch.setattr(act_log, "_LOOK_SECONDS", 0.0)
    act_log.append([act(0)])
    live = act_log.follow()
    assert next(live) is None
    whole = json.dumps(act(1)).encode() + b"\n"
    with Path(paths.act_log()).open("ab", buffering=0) as file:
        file.write(whole[:30])
        assert next(live) is None
        file.write(whole[30:])
    assert told(live, 1) == ["number 1"]


# The command


def test_events_of_a_real_watcher(home):
    homes.own_config(home, "heartbeat: 200ms\n")
    homes.aws_config(home)
    with Simulator() as center:
        signed_in = center.sign_in()
        homes.write_token(signed_in)
        with watcher(home, **center.environ) as running:
            running.until_state("valid")
            out = home / "events"
            with out.open("wb") as file:
                events = subprocess.Popen([sys.executable, "-m", "ssowatch", "events", "--since", "1h"], stdout=file)
            try:
                assert homes.ssowatch("refresh", "corp", **center.environ).returncode == 0
                wait_for(lambda: b"renewed" in out.read_bytes(), "the renewal is told", 60)
                homes.token_path().unlink()
                wait_for(lambda: out.read_bytes().count(b"\n") >= 2, "the sign-out is told", 60)
            finally:
                events.terminate()
                events.wait(60)
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [(line["event"], line["sign_in"]) for line in lines] == [("renewed", "corp"), ("signed_out", "corp")]
    assert not any(secret in out.read_text() for secret in (signed_in["accessToken"], signed_in["refreshToken"]))


WRONG = [(["--since", "soon"], "--since soon"), (["--since", "99999999999d"], "--since")]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_wrong_options(home, arguments, words):
    ran = homes.ssowatch("events", *arguments)
    assert ran.returncode == 2
    assert words in ran.stderr
    assert "Traceback" not in ran.stderr
