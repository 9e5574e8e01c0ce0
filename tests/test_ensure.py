"""`ssowatch ensure` and `exec`, as scripts and people run them, with real flows and a simulated portal."""

from __future__ import annotations

import contextlib
import json
import os
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import homes
import pytest
from callers import PATIENCE, caller, end_flows, opened, tabs, with_browser
from homes import ssowatch, wait_for
from simulator.faults import Fault, Kind
from simulator.person import Person
from simulator.server import Simulator

from ssowatch import flows, memories, memory, paths, tokenfile
from ssowatch.clock import utc_now
from ssowatch.flow_record import Stage
from ssowatch.model import Kind as SignInKind
from ssowatch.model import SignIn

pytestmark = pytest.mark.real
CORP = SignIn("corp", SignInKind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")
DEAD = timedelta(minutes=-5)
SOON = timedelta(minutes=3)


@pytest.fixture
def center(home, monkeypatch):
    """A portal, an AWS config, and a BROWSER that writes down what it is to open."""
    homes.aws_config(home)
    with_browser(home, monkeypatch)
    with Simulator() as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator
        end_flows("corp")


def sign_in(center, left=timedelta(hours=1), **more):
    content = {**center.sign_in(), "expiresAt": tokenfile.stamp(utc_now() + left), **more}
    homes.write_token({key: value for key, value in content.items() if value is not None})


def refused(alive=True):
    """AWS refused to renew the token that is in the file."""
    contents = tokenfile.parse(homes.token_path().read_bytes())

    def change(known):
        known = memory.observed(known, CORP, contents.token, utc_now())
        return memory.refused(known, "ended", "the sign-in has ended", utc_now(), alive=alive, skew=timedelta())

    memories.update("corp", change)


# Without anybody


def test_a_good_token_costs_a_look(center):
    sign_in(center)
    before = homes.token_path().read_bytes()
    answer = ssowatch("ensure", "dev")
    assert (answer.returncode, answer.stdout.startswith("corp: good until "), answer.stderr) == (0, True, "")
    assert homes.token_path().read_bytes() == before
    assert center.calls() == []


WITHOUT_ANYBODY = [
    # id, left of the token, options, memory, exit code, calls, words
    ("run out", DEAD, [], None, 0, ["CreateToken ok"], "good until"),
    ("short", SOON, [], None, 0, ["CreateToken ok"], "good until"),
    ("shorter than asked for", timedelta(minutes=40), ["--min", "50m"], None, 0, ["CreateToken ok"], "good until"),
    ("more than there ever is", timedelta(minutes=40), ["--min", "2h"], None, 0, ["CreateToken ok"], "less than 2h"),
    ("good for its sign-in's length", SOON, ["--until", "{soon}"], None, 0, ["CreateToken ok"], "good until"),
    ("good, but not till then", SOON, ["--until", "{late}"], None, 1, ["CreateToken ok"], "not enough"),
    ("refused, but long enough", timedelta(minutes=30), [], refused, 0, [], "AWS refuses to renew it"),
    ("refused and dead", DEAD, ["--login", "never"], refused, 1, [], "a sign-in is needed: ssowatch login corp"),
    (
        "refused, and the token is dead before its time",
        SOON,
        ["--login", "never"],
        lambda: refused(alive=False),
        1,
        [],
        "ssowatch login",
    ),
]


@pytest.mark.parametrize(
    ("left", "options", "remembered", "code", "calls", "words"),
    [row[1:] for row in WITHOUT_ANYBODY],
    ids=[row[0] for row in WITHOUT_ANYBODY],
)
def test_without_anybody(center, left, options, remembered, code, calls, words):
    sign_in(center, left)
    if remembered:
        remembered()
    local = utc_now().astimezone()
    times = {"soon": f"{local + timedelta(hours=2):%H:%M}", "late": f"{local - timedelta(hours=2):%H:%M}"}
    answer = ssowatch("ensure", "dev", *(option.format(**times) for option in options))
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said) == (code, True), said
    assert [f"{call.operation} {call.outcome}" for call in center.calls()] == calls
    assert "Traceback" not in said


def test_a_refusal_is_remembered_by_all(center):
    sign_in(center, DEAD)
    center.end_session()
    for _ in range(3):
        assert ssowatch("ensure", "dev", "--login", "never").returncode == 1
    assert [call.operation for call in center.calls()] == ["CreateToken", "ListAccounts"]


def test_a_failure_of_just_now_is_no_answer_where_the_next_try_is_near(center):
    """A network that comes back without a word, as after a tunnel, is found by the next try: who asks meanwhile waits."""
    sign_in(center, DEAD)
    token = tokenfile.parse(homes.token_path().read_bytes()).token

    def change(known):
        now = utc_now()
        known = memory.begun(memory.observed(known, CORP, token, now), token, now, 0.0)
        failed = memory.failed(known, token, "no network", now, 0.0)
        return replace(failed, token=replace(failed.token, retry_at=now + timedelta(seconds=5)))

    memories.update("corp", change)
    answer = ssowatch("ensure", "dev")
    assert answer.returncode == 0, answer.stderr


def test_aws_does_not_answer(center):
    sign_in(center, DEAD)
    center.add_fault(Fault(Kind.DOWN))
    for _ in range(2):  # the second rests after the failure of the first
        answer = ssowatch("ensure", "dev")
        assert (answer.returncode, "AWS does not answer" in answer.stderr) == (75, True), answer.stderr


USAGE = [
    # id, arguments, config, AWS config, exit code, words
    ("unknown", ["ensure", "nope"], "", homes.CONFIG, 2, "known: corp, dev, prod"),
    ("no AWS config", ["ensure", "dev"], "", None, 2, "~/.aws/config does not exist"),
    ("our config is wrong", ["ensure", "dev"], "mode: bogus", homes.CONFIG, 78, "config.yaml line 1"),
    ("misconfigured", ["ensure", "corp"], "", homes.CONFIG.replace("us-east-1", "nowhere"), 78, "sso_region"),
    ("no duration", ["ensure", "dev", "--min", "5"], "", homes.CONFIG, 2, "--min 5: not a duration"),
    ("no time of day", ["ensure", "dev", "--until", "25:00"], "", homes.CONFIG, 2, "no time of day"),
    ("no time-out", ["ensure", "dev", "--timeout", "soon"], "", homes.CONFIG, 2, "--timeout soon"),
    ("mode: silent", ["ensure", "dev"], "mode: silent", homes.CONFIG, 1, "mode: silent asks nobody"),
    ("no program", ["exec", "dev", "--"], "", homes.CONFIG, 2, "give it a program"),
    ("a sign-in of two profiles", ["exec", "corp", "--", "true"], "", homes.CONFIG, 2, "dev, prod"),
    ("no browser", ["ensure", "dev", "--login", "browser"], "", homes.CONFIG, 1, "there is no browser here"),
]


@pytest.mark.parametrize(
    ("arguments", "own", "aws", "code", "words"), [row[1:] for row in USAGE], ids=[row[0] for row in USAGE]
)
def test_where_it_cannot(home, monkeypatch, arguments, own, aws, code, words):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(home))
    homes.own_config(home, own)
    if aws:
        homes.aws_config(home, aws)
    answer = ssowatch(*arguments)
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said) == (code, True), said
    assert "Traceback" not in said


# With a person


def test_a_person_at_a_terminal_gets_a_tab_and_the_command_goes_on(center, home):
    with caller(home, "ensure", "dev", terminal=True) as running:
        running.until_said("your browser asks you to sign in at https://d-1234567890.awsapps.com/start.")
        Person().decide(opened(home))
        assert running.ended() == 0
        assert "corp: good until" in running.said()
    assert len(tabs(home)) == 1
    assert json.loads(homes.token_path().read_text())["refreshToken"]


def test_a_denied_tab_is_an_answer_and_programs_are_told_no_at_once(center, home):
    with caller(home, "ensure", "dev", terminal=True) as running:
        Person().decide(opened(home), "Deny")
        assert running.ended() == 1
        assert "denied" in running.said()
    for options in ([], ["--login", "browser"], ["--login", "ask"]):
        answer = ssowatch("ensure", "dev", *options)
        assert (answer.returncode, "denied" in answer.stderr) == (1, True), answer.stderr
    assert len(tabs(home)) == 1
    with caller(home, "ensure", "dev", terminal=True) as running:  # a person may change their mind
        Person().decide(opened(home, 2))
        assert running.ended() == 0


def test_a_caller_whose_time_is_up_leaves_the_tab_open_for_the_next(center, home):
    answer = ssowatch("ensure", "dev", "--login", "browser", "--timeout", "1s")
    assert (answer.returncode, "nobody signed in within 1s" in answer.stderr) == (1, True), answer.stderr
    with caller(home, "ensure", "dev", terminal=True) as running:
        running.until_said("joining")
        Person().decide(opened(home))
        assert running.ended() == 0
    assert len(tabs(home)) == 1


def test_who_waits_goes_on_when_another_program_signs_in(center, home):
    with caller(home, "ensure", "dev", terminal=True) as running:
        opened(home)
        sign_in(center)
        assert running.ended() == 0


def test_a_refused_token_that_lives_is_worth_its_minutes_when_nobody_comes(center, home):
    sign_in(center, SOON)
    refused()
    answer = ssowatch("ensure", "dev", "--login", "browser", "--timeout", "1s")
    assert (answer.returncode, "nobody signed in" in answer.stdout) == (0, True), answer.stderr
    opened(home)
    assert len(tabs(home)) == 1


# exec


def test_exec_becomes_the_program(center, home):
    sign_in(center)
    script = "echo $AWS_PROFILE-$AWS_ACCESS_KEY_ID-$AWS_DEFAULT_PROFILE-$AWS_CA_BUNDLE; umask; cat; exit 7"
    homes.own_config(home, "environment: {AWS_CA_BUNDLE: /ours.pem}\n")
    answer = subprocess.run(
        [sys.executable, "-m", "ssowatch", "exec", "prod", "--", "sh", "-c", script],
        input="from stdin",
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env={**os.environ, "AWS_PROFILE": "x", "AWS_ACCESS_KEY_ID": "AKIA", "AWS_DEFAULT_PROFILE": "y"},
    )
    assert (answer.returncode, answer.stdout, answer.stderr) == (7, "prod---\n0022\nfrom stdin", "")


def test_exec_passes_every_argument_on(center):
    sign_in(center)
    answer = ssowatch("exec", "dev", "--", "printf", "%s,", "-h", "--", "--config", "", "status")
    assert answer.stdout == "-h,--,--config,,status,"


STARTS = [
    # id, program, exit code
    ("unknown", "no-such-program", 127),
    ("no program", "{home}/.aws/config", 126),
    ("a directory", "/", 126),
]


@pytest.mark.parametrize(("program", "code"), [row[1:] for row in STARTS], ids=[row[0] for row in STARTS])
def test_exec_of_what_cannot_be_started_ends_as_in_a_shell(center, home, program, code):
    sign_in(center)
    answer = ssowatch("exec", "dev", "--", program.format(home=home))
    assert answer.returncode == code
    assert answer.stderr.startswith("ssowatch: ")


def test_the_program_counts_as_a_holder_for_its_life(center, home):
    sign_in(center)
    fifo = home / "fifo"
    os.mkfifo(fifo)
    with caller(home, "exec", "dev", "--", "sh", "-c", f'read line < "{fifo}"') as running:
        with fifo.open("w") as end:  # opens once the program reads
            assert held()
            end.write("go\n")
        assert running.ended() == 0
    assert not held()


def held():
    """Whether a program runs on the sign-in: what the watcher asks."""
    from ssowatch import files

    try:
        with files.locked(paths.use_lock("corp"), 0):
            return False
    except files.BusyError:
        return True


def test_the_state_is_for_the_user_alone(center, home):
    ssowatch("ensure", "dev", "--login", "browser", "--timeout", "1s")
    wait_for(lambda: (one := flows.running("corp")) and one.stage is Stage.WAITING, "it waits", PATIENCE)
    for place in (home / ".local/state/ssowatch").rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # the flow replaces its record at this very moment
            mode = place.lstat().st_mode
            assert stat.S_IMODE(mode) == (0o700 if stat.S_ISDIR(mode) else 0o600), place
