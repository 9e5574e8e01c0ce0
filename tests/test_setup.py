"""From nothing to protected, and back. The service managers are absent or stand-ins; tests/real has the real one."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import callers
import homes
import pytest
from homes import wait_for
from test_service import stand_in

from ssowatch import carried, settings, setup
from ssowatch.paragraphs import wrapped
from ssowatch.setup import shell_environment
from ssowatch.setup.verdict import verdict

pytestmark = [pytest.mark.real, pytest.mark.setup]

SCOPE = "sso_registration_scopes = sso:account:access\n"
LEGACY = """\
[profile old]
sso_start_url = https://d-9999999999.awsapps.com/start
sso_region = eu-west-1
sso_account_id = 222222222222
sso_role_name = ReadOnly
"""
STORES = """\
[profile g]
credential_process = granted credential-process --profile g
[profile v]
credential_process = /usr/local/bin/aws-vault exec v --json
[profile w]
credential_process = granted credential-process --profile w
"""


@pytest.fixture
def place(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a service manager, whoever runs the tests."""
    (home / "bin").mkdir()
    monkeypatch.setenv("PATH", str(home / "bin"))
    return home


def yes(*more: str, **environ: str) -> tuple[int, str]:
    done = homes.ssowatch("setup", "--yes", *more, timeout=120, **environ)
    assert "Traceback" not in done.stderr
    assert done.stderr == ""
    return done.returncode, done.stdout


def test_nothing_at_all(place):
    code, said = yes()
    assert code == 1
    assert "aws configure sso" in said
    assert "(setsid " in said
    assert "NOT PROTECTED" in said


def test_a_scope_is_written_and_a_legacy_profile_is_not(place):
    file = homes.aws_config(place, homes.CONFIG.replace(SCOPE, "") + LEGACY)
    _, said = yes()
    assert file.read_text() == homes.CONFIG + LEGACY
    assert "+sso_registration_scopes" in said
    assert "ssowatch upgrade-profile old" in said
    _, again = yes()
    assert "+sso_registration_scopes" not in again
    assert file.read_text() == homes.CONFIG + LEGACY


def test_other_tools_are_named_once(place):
    homes.aws_config(place, homes.CONFIG + STORES)
    _, said = yes()
    assert said.count("Granted keeps the sign-in") == 1
    assert "g, w: Granted" in said
    assert "v: aws-vault" in said
    assert said.count("take its\n  credential_process out") == 1


@pytest.mark.parametrize(
    ("what", "text", "said"),
    [
        ("a byte order mark", "\ufeff" + homes.CONFIG, "byte order mark"),
        ("a torn section", homes.CONFIG + "[profile x\n", "without its ]"),
        ("no SSO in it", "[profile x]\nregion = us-east-1\n", "aws configure sso"),
        ("a session that is none", "[profile x]\nsso_session = corp\n", "[sso-session corp]"),
    ],
)
def test_an_aws_config_that_cannot_work_is_told_with_its_mend(place, what, text, said):
    homes.aws_config(place, text)
    assert said in " ".join(yes(COLUMNS="500")[1].split())


def test_our_config_that_cannot_be_used_is_the_end(place):
    homes.own_config(place, "mode: off\n")
    code, said = yes()
    assert code == os.EX_CONFIG
    assert "config.yaml line 1" in said
    assert "Service" not in said


def test_a_home_whose_state_cannot_be_made_is_the_end(place):
    (place / ".local").write_text("a file where a folder is needed")
    code, said = yes()
    assert code == 1
    assert "Make your home writable" in said


def test_nobody_to_ask():
    assert homes.ssowatch("setup").returncode == 2


def test_a_watcher_that_runs_is_enough(place):
    homes.aws_config(place)
    with homes.watcher(place):
        code, said = yes()
    assert code == 0
    assert "a watcher runs without the service" in said
    assert "Protected from the first sign-in on:\n  ssowatch login corp" in said


@pytest.mark.parametrize("columns", [50, 80])
def test_it_fits_and_needs_no_colour(place, columns):
    homes.aws_config(place, homes.CONFIG.replace(SCOPE, "") + LEGACY + STORES)
    _, said = yes(COLUMNS=str(columns), HTTPS_PROXY="http://proxy.example.com:3128")
    assert "\x1b" not in said
    long = [line for line in said.splitlines() if len(line) > columns and not line.startswith("    ")]
    assert not long


# asked at a terminal


def answer(setup_there: callers.Caller, question: str, number: int, word: str) -> None:
    """Wait until it asked this for the `number`th time, and answer."""
    wait_for(lambda: setup_there.said().count(question) == number, f"it asks {question!r} again", 60)
    os.write(setup_there._terminal[0], f"{word}\n".encode())


def test_each_mend_is_a_question(place, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", "http://127.0.0.1:1")  # nobody is there
    file = homes.aws_config(place, homes.CONFIG.replace(SCOPE, "") + LEGACY)
    channel = place / "bin" / "tell"
    channel.write_text("#!/bin/sh\nexit 0\n")
    channel.chmod(0o755)
    homes.own_config(place, f"notify: [{{command: [{channel}]}}]\n")
    with callers.caller(place, "setup", terminal=True) as there:
        answer(there, "Write this? [Y/n]", 1, "n")
        answer(there, "Write this? [Y/n]", 2, "y")
        answer(there, "Did you see it? [Y/n]", 1, "n")
        answer(there, "Sign in now? [Y/n]", 1, "n")
        answer(there, "Sign in now? [Y/n]", 2, "")
        assert there.ended() == 1
    assert "name another channel" in there.said()
    assert "nobody signed in" in there.said(), "Enter means yes, and AWS was asked in vain"
    assert "NOT PROTECTED" in there.said()
    text = file.read_text()
    assert "[profile old]\nsso_session = " in text
    assert text.count(SCOPE) == 1, "the one that was refused is not written"


# the environment of a shell

ENVIRONMENTS = [
    ("no config", "", shell_environment._HEAD + "environment:\n  A_PROXY: {}\n"),
    ("another key", "mode: auto\n", "mode: auto\nenvironment:\n  A_PROXY: {}\n"),
    ("no last line break", "mode: auto", "mode: auto\nenvironment:\n  A_PROXY: {}\n"),
    (
        "an empty one, with comments",
        "environment:\n#  X: y\nmode: auto\n",
        "environment:\n  A_PROXY: {}\n#  X: y\nmode: auto\n",
    ),
    (
        "one with entries",
        "environment:   # mine\n    B_PROXY: x\nmode: auto\n",
        "environment:   # mine\n    A_PROXY: {}\n    B_PROXY: x\nmode: auto\n",
    ),
    ("one on a line", "environment: {B_PROXY: x}\n", None),
]
VALUES = ["http://proxy:3128", 'with " and \\ and: #', "http://me:s3cr3t@proxy:3128", "ä \u2028 '"]


@pytest.mark.parametrize(("what", "before", "after"), ENVIRONMENTS, ids=[row[0] for row in ENVIRONMENTS])
@pytest.mark.parametrize("value", VALUES)
def test_what_the_shell_has_goes_into_the_config(home, what, before, after, value):
    text = shell_environment.with_environment(before, {"A_PROXY": value})
    if after is None:
        assert text is None
        return
    assert text == after.format(json.dumps(value))
    path = homes.own_config(home, text)
    assert settings.load(str(path)).settings.environment["A_PROXY"] == value


def test_the_example_takes_it_too(home):
    text = shell_environment.with_environment(carried.read("config.example.yaml").decode(), {"HTTPS_PROXY": "http://p"})
    path = homes.own_config(home, text)
    assert settings.load(str(path)).settings.environment == {"HTTPS_PROXY": "http://p"}


def test_a_service_gets_what_the_shell_has_and_no_password_is_shown(home, monkeypatch):
    stand_in(home, monkeypatch, "systemctl", '[ "$2" = show-environment ] && echo NO_PROXY=x || echo LoadState=masked')
    code, said = yes(HTTPS_PROXY="http://me:s3cr3t@proxy:3128", NO_PROXY="localhost")
    assert code == 1, "the unit is masked"
    assert "s3cr3t" not in said
    assert "+  HTTPS_PROXY: " in said
    assert "unmask" in said
    text = (home / ".config/ssowatch/config.yaml").read_text()
    assert "s3cr3t" in text
    assert "NO_PROXY" not in text
    assert (home / ".config/ssowatch/config.yaml").stat().st_mode & 0o777 == 0o600
    assert shell_environment.untouched(text)
    assert not shell_environment.untouched(text + "mode: auto\n")


# taken away


CONFIGS = [
    ("as the example", carried.read("config.example.yaml").decode(), False),
    ("as setup wrote it", shell_environment._HEAD + 'environment:\n  HTTPS_PROXY: "http://p"\n', False),
    ("changed", "mode: auto\n", True),
    ("broken", "mode: off\n", True),
]


@pytest.mark.parametrize(("what", "text", "stays"), CONFIGS, ids=[row[0] for row in CONFIGS])
def test_removal_leaves_nothing_but_what_is_the_users(place, what, text, stays):
    aws = homes.aws_config(place)
    homes.write_token(homes.token())
    config = homes.own_config(place, text)
    (place / ".profile").write_text("(setsid ssowatch run </dev/null >/dev/null 2>&1 &)\n")
    log = place / "log"
    running = None
    if what != "broken":
        running = homes.Running(log)
        running.until(lambda _: True, "it watches", 60)
    code, said = yes("--remove")
    assert code == 0
    if running:
        assert running.process.wait(60) == 0
    assert config.exists() is stays
    assert not (place / ".local/state/ssowatch").exists()
    assert aws.exists()
    assert homes.token_path().exists()
    assert "~/.profile still starts ssowatch" in said
    code, said = yes("--remove")
    assert code == 0


# words

DOCUMENTS = [
    ("no watcher", False, [], False, "NOT PROTECTED"),
    ("no sign-in", True, [], True, "Ready:"),
    ("a good one", True, [("corp", "valid", True)], True, "Protected: corp."),
    ("one that is not renewed", True, [("corp", "valid", False)], True, "cannot be renewed: corp"),
    ("one that ended", True, [("corp", "login_required", False)], True, "ssowatch login corp"),
    ("one with an odd name", True, [("a b", "signed_out", False)], True, "ssowatch login 'a b'"),
    ("one without an answer", True, [("corp", "unreachable", True)], True, "AWS does not answer for corp"),
    ("one that cannot work", True, [("corp", "misconfigured", False)], True, "Cannot work"),
]


@pytest.mark.parametrize(("what", "runs", "sign_ins", "good", "says"), DOCUMENTS, ids=[row[0] for row in DOCUMENTS])
def test_the_last_word(what, runs, sign_ins, good, says):
    rows = [
        {"name": name, "kind": "sso-session", "state": state, "renews_silently": renews, "profiles": []}
        for name, state, renews in sign_ins
    ]
    protected, said = verdict({"watcher": {"running": runs}, "sign_ins": rows})
    assert protected is good
    assert says in said


@pytest.mark.parametrize("columns", [1, 20, 50, 80])
def test_prose_is_wrapped_and_what_is_to_copy_is_not(columns):
    text = "Some words that go on for longer than a line of a small terminal can hold.\n  a-command --with " + "x" * 99
    lines = wrapped(text, columns, "  ").splitlines()
    assert lines[-1] == "    a-command --with " + "x" * 99
    assert max(map(len, lines[:-1])) <= max(columns, 20)
    assert re.sub(r"\s+", " ", " ".join(lines[:-1])).strip() == text.splitlines()[0]


@pytest.mark.parametrize("step", setup.STEPS, ids=[one.title for one in setup.STEPS])
def test_each_step_looks_at_an_empty_home_and_changes_nothing(place, step, monkeypatch):
    for finding in step.look(80):
        assert finding.text
        assert finding.good or finding.fix or finding.mend
    made = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert made <= {".local/state/ssowatch/mcp_servers.json", ".local/state/ssowatch/locks/discovery"}, (
        "but what was discovered"
    )
