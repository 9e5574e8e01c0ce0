"""Sessions of `aws login` in real processes: the watcher, every command, a stand-in for `aws`, and boto3 that renews by itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import console
import homes
import pytest
from callers import end_flows, with_browser, without_browser
from console import ARN, MINUTE
from homes import PATIENCE, ssowatch, wait_for, watcher

from ssowatch import memories, memory, paths
from ssowatch.clock import utc_now
from ssowatch.kinds.login import Login
from ssowatch.model import SignIn

pytestmark = pytest.mark.real
CONSOLE = SignIn(ARN, Login.word, "", "", ("console",))
LAPSED = -10 * MINUTE


@pytest.fixture
def desk(home, monkeypatch):
    """A home with the profile, a browser, `aws` on the PATH, and notices that are written down and answered by `press`."""
    console.settle(home)
    with_browser(home, monkeypatch)
    console.stand_in(home)
    monkeypatch.setenv("PATH", f"{home}/bin:{os.defpath}")
    program = home / "tell"
    program.write_text(f'#!/bin/sh\ncat >> "{home}/notices"\ncat "{home}/press" 2>/dev/null\nexit 0\n')
    program.chmod(0o755)
    screen = "quiet: {when_locked: false, when_idle: false}"
    homes.own_config(home, f"notify: [{{command: ['{program}']}}]\n{screen}\nheartbeat: 200ms\n")
    yield home
    end_flows(ARN)


def notices(home: Path) -> list[dict]:
    place = home / "notices"
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []


def begun(ago: timedelta) -> None:
    """The session in the file was first seen that long ago."""
    token = Login().parse(console.path().read_bytes()).token
    memories.update(ARN, lambda known: memory.observed(known, CONSOLE, token, utc_now() - ago))


def test_the_watcher_sees_the_file_come_change_and_go(desk):
    shown = []
    with watcher(desk) as running:
        running.until_state("signed_out", ARN)
        assert not console.path().parent.parent.exists()
        console.write(console.document())
        first = running.until_state("valid", ARN)
        assert first["profiles"] == ["console", "assumed"]
        console.write(console.document(14 * MINUTE + timedelta(seconds=30), refreshToken="canary-2"))
        sooner = first["token_expires_at"]
        running.until(lambda now: now["sign_ins"][0]["token_expires_at"] != sooner, "renewed by somebody")
        again = running.until_state("valid", ARN)
        assert again["ends_at"] == first["ends_at"], "the same session"
        console.path().write_text("{")
        running.until_state("login_required", ARN)
        console.write(console.document())
        running.until_state("valid", ARN)
        shown += [ssowatch("status", *options).stdout for options in ((), ("--json",))]
        console.path().unlink()
        running.until_state("signed_out", ARN)
        assert running.stop() == 0
    (desk / "bin" / "aws").unlink()  # it makes such files
    left = [one.read_bytes() for one in desk.rglob("*") if one.is_file()] + [text.encode() for text in shown]
    for secret in (*console.SECRETS, b"canary-2"):
        assert not any(secret in content for content in left)
    assert console.called(desk) == []


def test_its_end_is_one_notice_whose_button_starts_aws_login(desk):
    console.write(console.document(LAPSED))
    begun(ago=12 * timedelta(hours=1) + 5 * MINUTE)
    (desk / "press").write_text("Sign in\n")
    with watcher(desk) as running:
        running.until(lambda _: notices(desk), "the notice")
        seen = running.until_state("valid", ARN)
        assert seen["problem"] is None
        assert running.stop() == 0
    assert console.called(desk) == [["login", "--profile", "console"]]
    assert [(one["event"], one["title"], one["buttons"]) for one in notices(desk)] == [
        ("login_required", "jane@example.com: sign in to AWS", ["Sign in", "Not today"])
    ]


def test_credentials_that_ran_out_are_no_event(desk):
    console.write(console.document(LAPSED))
    begun(ago=timedelta(hours=1))
    with watcher(desk) as running:
        seen = running.until_state("valid", ARN)
        assert (seen["good_until"], seen["ends_at_source"], seen["problem"]) == (None, "assumed", None)
        assert "renewed in use" in ssowatch("status").stdout
    assert notices(desk) == []


OUTCOMES = [
    # id, what `aws` does, exit code, words
    ("signs in", "", 0, "signed in by aws"),
    ("an AWS CLI before 2.32", "print('aws: error: argument command: Invalid choice: login'); sys.exit(252)", 1, "it takes AWS CLI 2.32 or newer"),
    ("asks for a region, and nobody is there", "input()", 1, "EOFError"),
    ("another session was chosen", "pass", 1, "left no new token"),
]  # fmt: skip


@pytest.mark.parametrize(("does", "code", "words"), [row[1:] for row in OUTCOMES], ids=[row[0] for row in OUTCOMES])
def test_login_starts_aws_login(desk, does, code, words):
    console.stand_in(desk, does)
    answer = ssowatch("login", "console")
    assert (answer.returncode, words in answer.stdout + answer.stderr) == (code, True), answer
    assert console.called(desk) == [["login", "--profile", "console"]]
    assert "Traceback" not in answer.stderr


def test_login_where_it_cannot_be(desk, monkeypatch):
    (desk / "bin" / "aws").unlink()
    homes.own_config(desk, "environment: {PATH: /nowhere}\n")
    assert (
        "aws cannot be started: No such file or directory; it takes AWS CLI 2.32" in ssowatch("login", "console").stderr
    )
    for options in (("--fresh",), ("--method", "pkce"), ("--method", "device")):
        answer = ssowatch("login", "console", *options)
        assert (answer.returncode, "aws login signs in to it" in answer.stderr) == (2, True)
    without_browser(monkeypatch)
    answer = ssowatch("login", "console")
    assert (answer.returncode, "type: aws login --profile console --remote" in answer.stderr) == (1, True)


def test_a_login_command_of_the_users_own_comes_before_it(desk):
    own = desk / "own"
    (desk / "bin" / "aws").rename(own)
    homes.own_config(desk, f"sign_ins: {{{ARN}: {{login: {{method: command, command: ['{own}']}}}}}}\n")
    assert ssowatch("login", "console").returncode == 0
    assert console.called(desk) == [[]]


ANSWERS = [
    # id, how long the credentials live (None: no file), arguments, exit code, words
    ("check", 14 * MINUTE, ("status", "--check", "console"), 0, ""),
    ("check, run out", LAPSED, ("status", "--check", "console"), 0, ""),
    ("check, nobody signed in", None, ("status", "--check", "console"), 1, "signed out"),
    ("check for longer than anybody knows", 14 * MINUTE, ("status", "--check", "--min", "30m"), 1, "only"),
    ("check for longer, run out", LAPSED, ("status", "--min", "1m", "console"), 1, "good until unknown only"),
    ("ensure", 14 * MINUTE, ("ensure", "console"), 0, "renewed by whoever uses them"),
    ("ensure, 2 minutes left", 2 * MINUTE, ("ensure", "console"), 0, "renewed by whoever uses them"),
    ("ensure, run out", LAPSED, ("ensure", "assumed"), 0, "the next call renews them, unless"),
    ("ensure until", 14 * MINUTE, ("ensure", "console", "--until", "00:00"), 1, "written nowhere"),
    ("ensure, nobody signed in", None, ("ensure", "console", "--login", "never"), 1, "ssowatch login console"),
    ("refresh", 14 * MINUTE, ("refresh", "console"), 1, "the programs that use them renew them themselves"),
    ("exec", LAPSED, ("exec", "console", "--", "sh", "-c", "echo $AWS_PROFILE"), 0, "console"),
    ("logout", LAPSED, ("logout", "console"), 0, "signed out"),
    ("logout, nobody signed in", None, ("logout", "console"), 0, "there was no token"),
    ("an upgrade", None, ("upgrade-profile", "console"), 78, "no SSO settings"),
]


@pytest.mark.parametrize(
    ("left", "arguments", "code", "words"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS]
)
def test_what_the_commands_answer(desk, left, arguments, code, words):
    before = console.write(console.document(left)).read_bytes() if left is not None else None
    answer = ssowatch(*arguments)
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said) == (code, True), said
    assert (console.path().read_bytes() if console.path().exists() else None) == (
        None if arguments[0] == "logout" else before
    )
    assert console.called(desk) == []
    assert notices(desk) == []
    assert "Traceback" not in said
    assert not any(secret.decode() in said for secret in console.SECRETS)


def test_a_caller_without_a_terminal_waits_for_the_notice(desk):
    (desk / "press").write_text("Sign in\n")
    answer = ssowatch("ensure", "console")
    assert answer.returncode == 0, answer
    assert console.called(desk) == [["login", "--profile", "console"]]
    assert len(notices(desk)) == 1


def test_neither_doctor_nor_setup_calls_it_a_problem(desk):
    console.write(console.document())
    checks = json.loads(ssowatch("doctor", "--json").stdout)["checks"]
    about = [one for one in checks if one["name"] in {"aws_config", "renewable", "token_files", "sign_ins", "start_urls", "network", "foreign_stores"}]  # fmt: skip
    assert [one for one in about if not one["ok"]] == []
    assert any("is valid" in one["message"] for one in about)
    said = ssowatch("setup", "--yes").stdout
    assert "upgrade-profile" not in said
    assert "1 sign-in with 2 profiles" in said


def test_an_mcp_server_hangs_on_it(desk):
    (desk / ".cursor").mkdir()
    server = {"command": "uvx", "args": ["awslabs.x"], "env": {"AWS_PROFILE": "assumed"}}
    (desk / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"kb": server}}))
    rows = json.loads(ssowatch("mcp", "servers", "--json").stdout)["servers"]
    assert [(one["sign_in"], one["profile"], one["problem"]) for one in rows] == [(ARN, "assumed", None)]


CALL = """\
import boto3
print(boto3.Session(profile_name="console").get_credentials().get_frozen_credentials().access_key)
"""


def test_boto3_renews_what_has_run_out_until_aws_refuses(desk):
    key = console.drawn_key()

    def boto3(service):
        done = subprocess.run(
            [sys.executable, "-c", CALL],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            env={**os.environ, **service.environ},
        )
        return done.stdout.strip(), done.stderr

    with console.sign_in_service() as service, watcher(desk) as running:
        console.write(console.document(dpopKey=key))
        assert boto3(service)[0] == "ASIACANARYKEY"
        assert service.calls == 0, "more than 5 minutes left"
        console.write(console.document(LAPSED, dpopKey=key))
        lapsed = running.until(lambda now: now["sign_ins"][0]["good_until"] is None and now["sign_ins"][0], "run out")
        assert lapsed["state"] == "valid"
        assert boto3(service)[0] == "ASIACANARYKEY"
        assert service.calls == 1
        renewed = running.until(lambda now: now["sign_ins"][0]["good_until"] and now["sign_ins"][0], "renewed by boto3")
        assert renewed["ends_at"] == lapsed["ends_at"], "the same session"
        service.over = True
        console.write(console.document(LAPSED, dpopKey=key))
        assert "Please reauthenticate using 'aws login'" in boto3(service)[1]
        doubted = ssowatch("ensure", "console", "--doubt", "--login", "never")
        assert (doubted.returncode, "a program could not renew its credentials" in doubted.stderr) == (1, True), doubted
        seen = running.until_state("login_required", ARN)
        assert seen["problem"]["code"] == "session_over"
        wait_for(lambda: notices(desk), "the notice")
        assert ssowatch("login", "console").returncode == 0
        running.until_state("valid", ARN)
    assert [one["event"] for one in notices(desk)] == ["login_required"]
    assert "Traceback" not in (desk / "watcher.log").read_text()
    assert not any(secret.decode() in Path(paths.status_file()).read_text() for secret in console.SECRETS)
