"""`ssowatch mcp wrap`: calls that are held, renewed, signed in for and sent again; and those that are not.

The server is `fake_mcp_server.py`; wrapper, `ensure` and flows are real processes, the portal is the simulator.
"""

from __future__ import annotations

import contextlib
import json
import threading
from datetime import timedelta

import homes
import pytest
from callers import PATIENCE, end_flows, opened, tabs, with_browser
from fake_mcp_server import DEAD_KEYS, RUN_OUT, UNAUTHORIZED
from homes import wait_for
from simulator.faults import Fault, Kind
from simulator.person import Person
from simulator.server import Simulator
from wrapped import text, wrapped

from ssowatch import files, flows, paths, tokenfile
from ssowatch.clock import utc_now

pytestmark = [pytest.mark.real, pytest.mark.mcp]

DEAD = timedelta(minutes=-5)
SHAPES = ("visible", "masked", "result")


@pytest.fixture
def center(home, monkeypatch):
    """A portal, an AWS config, a BROWSER that writes down what it is to open, and the profile in the environment."""
    homes.aws_config(home)
    with_browser(home, monkeypatch)
    monkeypatch.setenv("AWS_PROFILE", "dev")
    with Simulator() as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator
        end_flows("corp")


def sign_in(center, left=timedelta(hours=1), **more):
    content = {**center.sign_in(), "expiresAt": tokenfile.stamp(utc_now() + left), **more}
    homes.write_token({key: value for key, value in content.items() if value is not None})


def noticed(home, button="Sign in"):
    """A notice is a line in `notices`; its answer is this button."""
    program = home / "tell"
    program.write_text(f'#!/bin/sh\ncat >> "{home}/notices"\necho "{button}"\n')
    program.chmod(0o755)
    homes.own_config(home, f"notify: [{{command: ['{program}']}}]\nquiet: {{when_locked: false, when_idle: false}}\n")


def notices(home):
    place = home / "notices"
    return place.read_text().splitlines() if place.exists() else []


def seen(home, method="tools/call"):
    """What the server was sent."""
    lines = [json.loads(line) for line in (home / "seen").read_text().splitlines()]
    return [one for one in lines if one["method"] == method]


def starts(home):
    return (home / "starts").read_text().split()


def nothing_opened(home):
    return not tabs(home) and not notices(home) and flows.read("corp") is None


# Before it fails


def test_a_good_sign_in_costs_nothing(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        assert text(client.call("reads")) == "reads 1"
        assert client.ended() == 0
    assert center.calls() == []


@pytest.mark.parametrize("shape", SHAPES)
def test_a_token_that_ran_out_is_renewed_before_the_call(center, home, shape):
    sign_in(center)
    with wrapped(shape=shape) as client:
        client.begin()
        sign_in(center, DEAD)
        assert text(client.call("reads")) == "reads 1"
    assert [call.operation for call in center.calls()] == ["CreateToken"]
    assert len(seen(home)) == 1


def test_a_server_that_breaks_when_it_starts_without_a_token_finds_one(center):
    sign_in(center, DEAD)
    with wrapped(shape="brittle") as client:
        assert client.begin()["result"]["serverInfo"]["name"] == "fake"


def test_it_finds_one_too_where_the_search_takes_longer_than_the_server_is_kept_waiting(center):
    sign_in(center, DEAD)
    busy = contextlib.ExitStack()
    busy.enter_context(files.locked(paths.write_lock("corp"), PATIENCE))
    threading.Timer(7.0, busy.close).start()
    with wrapped(shape="brittle") as client:
        assert client.begin("claude-code")["result"]["serverInfo"]["name"] == "fake"


# After it failed


@pytest.mark.parametrize("shape", SHAPES)
def test_a_token_lost_after_the_look_is_renewed_and_the_client_sees_nothing(center, home, shape):
    sign_in(center)
    with wrapped(shape=shape) as client:
        client.begin()
        assert text(client.call("loses")) == "loses 2"
    assert len(seen(home)) == 2
    assert nothing_opened(home)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_person_is_asked_once_for_all_calls_and_they_go_on(center, home, shape):
    sign_in(center, DEAD, refreshToken=None)
    noticed(home)
    with wrapped("--wait", "10m", shape=shape) as client:
        client.begin()
        for key in (1, 2, 3):
            client.send("tools/call", key, name="reads", arguments={})
        Person().decide(opened(home))
        answers = [client.next() for _ in range(3)]
    assert sorted(answer["id"] for answer in answers) == [1, 2, 3]
    assert all(text(answer["result"]).startswith("reads ") for answer in answers)
    assert len(tabs(home)) == 1
    assert len(notices(home)) == 1


def test_the_first_request_waits_for_a_person_within_its_client_s_limit(center, home):
    sign_in(center, DEAD, refreshToken=None)
    noticed(home)
    with wrapped(shape="brittle") as client:
        client.send("initialize", 0, clientInfo={"name": "claude-code"})
        Person().decide(opened(home))
        assert client.next()["result"]["serverInfo"]["name"] == "fake"
    assert len(seen(home, "initialize")) == 2


@pytest.mark.parametrize("shape", SHAPES)
def test_a_session_ended_at_aws_is_found_out_by_asking(center, home, shape):
    sign_in(center)
    noticed(home)
    with wrapped("--wait", "10m", shape=shape) as client:
        client.begin()
        center.end_session()
        client.send("tools/call", 1, name="unauthorized", arguments={})
        link = opened(home)
        homes.write_token({**center.sign_in(), "note": "alive"})
        assert text(client.next()["result"]) == "unauthorized 2"
        assert link
    assert "ListAccounts" in [call.operation for call in center.calls()]


def test_a_server_that_says_its_old_error_again_is_asked_again(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        assert text(client.call("stubborn")) == "stubborn 3"
    assert nothing_opened(home)


def test_an_error_that_stays_comes_through_as_it_was(center, home):
    sign_in(center)
    words = f"Error executing tool fails: {RUN_OUT}"
    with wrapped() as client:
        client.begin()
        assert text(client.call("fails", text=words)) == words
    assert len(seen(home)) == 4
    assert nothing_opened(home)


GIVEN_UP = [
    # id, options, what the person does, words
    ("nobody comes", ["--wait", "15s"], None, "nobody"),
    ("not today", ["--wait", "10m"], "Not today", "put off until tomorrow"),
    ("nobody may be asked", ["--wait", "0s"], None, "a sign-in is needed"),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("options", "button", "words"), [row[1:] for row in GIVEN_UP], ids=[row[0] for row in GIVEN_UP]
)
def test_what_the_agent_is_told_at_the_end(center, home, shape, options, button, words):
    sign_in(center, DEAD, refreshToken=None)
    noticed(home, button or "nothing")
    with wrapped(*options, shape=shape) as client:
        client.begin()
        result = client.call("reads")
    original, told = (part["text"] for part in result["content"])
    assert ("Error executing tool reads" in original or RUN_OUT in original) is True
    assert words in told
    assert "Do not retry" in told
    assert "ssowatch login corp" in told
    assert result["isError"] is (shape != "result")


def test_aws_that_does_not_answer_is_no_reason_to_sign_in(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        center.add_fault(Fault(Kind.DOWN))
        result = client.call("loses")
    assert "AWS does not answer" in text(result)
    assert "Do not retry: no call" not in text(result)
    assert nothing_opened(home)


# What is none of its business


QUOTES = [
    # id, tool, what it says
    ("a page", "says", f"The error '{RUN_OUT}' means that nobody is signed in."),
    ("the very words", "says", RUN_OUT),
    ("a log entry", "says", json.dumps({"log": [{"message": RUN_OUT}]})),
    ("an error that mentions it", "fails", f"No such page. Did you mean: how to mend '{RUN_OUT}'?"),
    ("an error with other words", "fails", "Error executing tool fails: no such group"),
    ("the words of dead keys on a page", "says", f"What does '{DEAD_KEYS}' mean?"),
    ("a crash", "crashes", "Error executing tool crashes"),
]


@pytest.mark.parametrize("shape", ["visible", "masked"])
@pytest.mark.parametrize(("tool", "says"), [row[1:] for row in QUOTES], ids=[row[0] for row in QUOTES])
@pytest.mark.parametrize("elsewhere", [False, True], ids=["", "and a dead token elsewhere"])
def test_a_quotation_passes_and_opens_nothing(center, home, shape, tool, says, elsewhere):
    sign_in(center)
    if elsewhere:
        homes.aws_config(
            home, homes.CONFIG + homes.CONFIG.replace("corp", "other").replace("profile ", "profile other-")
        )
        homes.write_token({**center.sign_in(), "expiresAt": tokenfile.stamp(utc_now() + DEAD)}, "other")
    with wrapped(shape=shape) as client:
        client.begin()
        assert text(client.call(tool, text=says)) == says
    assert len(seen(home)) == 1
    assert center.calls() == []
    assert nothing_opened(home)


def test_a_quotation_passes_even_with_a_dead_token_of_its_own(center, home):
    """Its role's keys live on, so its calls work."""
    sign_in(center, DEAD, refreshToken=None)
    with wrapped() as client:
        client.begin()
        assert text(client.call("says", text=RUN_OUT)) == RUN_OUT
    assert nothing_opened(home)


def test_the_words_in_the_form_of_an_error_are_looked_into_and_pass(center, home):
    sign_in(center)
    says = json.dumps({"error": UNAUTHORIZED})
    with wrapped() as client:
        client.begin()
        assert text(client.call("says", text=says)) == says
    assert len(seen(home)) == 1
    assert [call.operation for call in center.calls()] == ["ListAccounts"]
    assert nothing_opened(home)


def test_a_profile_that_an_agent_names_chooses_no_sign_in(center, home):
    homes.aws_config(home, homes.CONFIG + homes.CONFIG.replace("corp", "other").replace("profile ", "profile other-"))
    sign_in(center, DEAD, refreshToken=None)
    homes.write_token({**center.sign_in(), "expiresAt": tokenfile.stamp(utc_now() + timedelta(hours=1))}, "other")
    with wrapped("--wait", "0s", AWS_PROFILE="other-dev") as client:
        client.begin()
        result = client.call("reads", aws_profile="dev", profile="dev")
    assert "Token has expired" in text(result)
    assert nothing_opened(home)


@pytest.mark.parametrize("profile", ["nope", "default"])
def test_without_a_sign_in_it_is_a_pipe(home, profile):
    homes.aws_config(home)
    with wrapped(AWS_PROFILE=profile) as client:
        client.begin()
        assert "does not exist" in text(client.call("reads"))
        assert client.ended() == 0


# Dead keys


@pytest.mark.parametrize("shape", SHAPES)
def test_a_server_with_dead_keys_is_restarted_once_and_asked_again(center, home, shape):
    sign_in(center)
    with wrapped(shape=shape) as client:
        first = client.begin()
        assert client.ask("tools/list", 1)["result"]["tools"]
        (home / "revoked").touch()
        assert text(client.call("reads", 2)) == "reads 1"
        assert client.ask("ping", 3)["result"]["serverInfo"] != first["result"]["serverInfo"]
        (home / "restarted").unlink()
        assert "security token" in text(client.call("reads", 4)) or shape == "masked"
        assert client.ended() == 0
    assert len(starts(home)) == 2
    assert [one["params"]["clientInfo"] for one in seen(home, "initialize")] == [{"name": "a-test"}] * 2
    assert len(seen(home, "notifications/initialized")) == 2
    assert nothing_opened(home)


def test_a_tool_that_may_not_be_repeated_is_not(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        client.ask("tools/list", 1)
        (home / "revoked").touch()
        result = client.call("writes", 2)
        assert DEAD_KEYS in result["content"][0]["text"]
        assert "it was restarted" in result["content"][1]["text"]
        assert text(client.call("writes", 3)) == "writes 1"
    assert len(starts(home)) == 2


def test_dead_keys_of_a_dead_sign_in_are_the_sign_in_s_business(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        client.ask("tools/list", 1)
        (home / "revoked").touch()
        center.end_session()
        result = client.call("reads", 2)
    assert "ssowatch login corp" in text(result)
    assert len(starts(home)) == 1


def test_a_server_that_still_has_a_call_to_answer_is_not_restarted(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        client.ask("tools/list", 1)
        client.send("tools/call", 9, name="never", arguments={})
        (home / "revoked").touch()
        assert text(client.call("reads", 2)).endswith(DEAD_KEYS)
    assert len(starts(home)) == 1


# While it waits


def test_progress_is_told_to_who_asked_and_never_goes_back(center, home):
    sign_in(center, DEAD, refreshToken=None)
    noticed(home, "nothing")
    with wrapped("--wait", "10m") as client:
        client.begin()
        client.send("tools/call", 1, name="reads", arguments={}, _meta={"progressToken": "p"})
        first, second = client.next(), client.next()
        assert first["params"] == {"progressToken": "p", "progress": 1}
        assert second["params"]["progressToken"] == "p"
        assert second["params"]["progress"] > 1
        assert "corp" in second["params"]["message"]
        sign_in(center)
        rest = [client.next()]
        while "result" not in rest[-1]:
            rest.append(client.next())
        figures = [one["params"]["progress"] for one in [first, second, *rest[:-1]]]
        assert figures == sorted(set(figures))
        assert text(rest[-1]["result"]) == "reads 2"


def test_nobody_else_is_told_of_progress(center, home):
    sign_in(center, DEAD, refreshToken=None)
    with wrapped("--wait", "1s") as client:
        client.begin()
        assert "id" in client.ask("tools/call", 1, name="reads", arguments={})


def test_a_call_that_was_cancelled_is_over(center, home):
    sign_in(center, DEAD, refreshToken=None)
    noticed(home)
    with wrapped("--wait", "10m") as client:
        client.begin()
        client.send("tools/call", 1, name="reads", arguments={})
        opened(home)
        client.send("notifications/cancelled", requestId=1)
        assert client.ask("ping", 2)["id"] == 2
        sign_in(center)
        assert text(client.call("reads", 3)) == "reads 2"
        assert client.ended() == 0
        assert client.line() == b""
    assert len(seen(home)) == 2


def test_the_wrapper_counts_as_a_user_of_the_sign_in(center, home):
    sign_in(center)
    with wrapped() as client:
        client.begin()
        wait_for(lambda: files.taken(paths.use_lock("corp"), shared=True), "it is in use", PATIENCE)
        client.ended()
    assert not files.taken(paths.use_lock("corp"), shared=True)


def test_the_profile_is_handed_on(home):
    homes.aws_config(home)
    program = ("sh", "-c", "echo $AWS_PROFILE$AWS_DEFAULT_PROFILE; umask")
    with wrapped("--profile", "prod", server=program, AWS_PROFILE="dev", AWS_DEFAULT_PROFILE="dev") as client:
        assert client.line() == b"prod\n"


@pytest.mark.parametrize("named", ["", "here", "/nonexistent"])
def test_without_a_home_the_server_runs_alone(home, monkeypatch, named):
    """In a container, for instance. Where we were started from nothing is made."""
    monkeypatch.chdir(home)
    before = sorted(home.rglob("*"))
    with wrapped("--profile", "prod", server=("sh", "-c", "echo $AWS_PROFILE; cat; exit 7"), HOME=named) as client:
        assert client.line() == b"prod\n"
        client.write(b'{"anything": 1}\n')
        assert client.line() == b'{"anything": 1}\n'
        assert client.ended() == 7
    assert client.stderr == b"ssowatch: HOME names no directory; the server runs without ssowatch\n"
    assert sorted(home.rglob("*")) == before
