"""`ssowatch status`, by the contract: with and without a watcher."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import homes
import pytest
from homes import ssowatch, token, watcher

from ssowatch import paths
from ssowatch.clock import utc_now

KEYS = ["version", "written_at", "watcher", "problem", "sign_ins", "unwatched"]
SIGN_IN_KEYS = [
    "name",
    "kind",
    "state",
    "start_url",
    "region",
    "good_until",
    "good_until_certain",
    "renews_silently",
    "token_expires_at",
    "renew_at",
    "ends_at",
    "ends_at_source",
    "registration_expires_at",
    "profiles",
    "mcp_servers",
    "problem",
    "paused_until",
]


def test_the_json_has_exactly_the_keys_of_the_contract(home):
    homes.aws_config(home, homes.CONFIG + "[profile proc]\ncredential_process = granted x --secret canary\n")
    homes.write_token(token())
    answer = homes.status()
    assert list(answer) == KEYS
    assert list(answer["watcher"]) == ["running", "pid", "since", "paused_until"]
    assert list(answer["sign_ins"][0]) == SIGN_IN_KEYS
    assert answer["watcher"] == {"running": False, "pid": None, "since": None, "paused_until": None}
    assert answer["unwatched"] == [{"profile": "proc", "reason": "credential_process: granted …"}]
    assert answer["version"] == 1


def test_with_a_watcher_the_answer_is_the_published_file(home):
    homes.own_config(home, "heartbeat: 200ms\n")
    homes.aws_config(home)
    homes.write_token(token())
    with watcher(home) as running:
        running.until_state("valid")
        answer = ssowatch("status", "--json")
        assert answer.stdout.encode() == Path(paths.status_file()).read_bytes()
        assert json.loads(answer.stdout)["watcher"]["pid"] == running.process.pid
        assert "Watching since" in ssowatch("status").stdout
    # The watcher was killed: its file is a dead one's.
    assert homes.status()["watcher"]["running"] is False
    assert "No watcher is running" in ssowatch("status").stdout


def test_status_writes_nothing(home):
    homes.aws_config(home)
    homes.write_token(token())
    before = sorted(map(str, home.rglob("*")))
    assert homes.sign_in()["state"] == "valid"
    assert sorted(map(str, home.rglob("*"))) == before


HOUR = {"left": timedelta(hours=1)}
GONE = {"left": -timedelta(minutes=1)}
STATES = [
    # id, token (made when the test runs, for time passes from here to there), state, problem
    ("valid", HOUR, "valid", None),
    ("no token", None, "signed_out", "signed_out"),
    ("run out, renewable", GONE, "unreachable", None),
    ("run out, not renewable", {**GONE, "refreshToken": None}, "login_required", "no_refresh_token"),
    ("not renewable", {**HOUR, "refreshToken": None}, "valid", "no_refresh_token"),
    (
        "not renewable, soon over",
        {"left": timedelta(minutes=9), "refreshToken": None},
        "expiring",
        "no_refresh_token",
    ),
    (
        "registration over",
        {**HOUR, "registrationExpiresAt": "2026-01-01T00:00:00Z"},
        "valid",
        "registration_expired",
    ),
]


@pytest.mark.parametrize(("content", "state", "problem"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_states_without_a_watcher(home, content, state, problem):
    homes.aws_config(home)
    if content:
        homes.write_token(token(**content))
    seen = homes.sign_in()
    assert (seen["state"], seen["problem"] and seen["problem"]["code"]) == (state, problem)


def test_a_torn_token_file_without_a_watcher(home):
    homes.aws_config(home)
    homes.token_path().write_text('{"accessToken": "access-can')
    seen = homes.sign_in()
    assert (seen["state"], seen["problem"]["code"]) == ("login_required", "token_file")
    assert "canary" not in json.dumps(seen)


CHECKS = [
    # id, token, arguments, exit code, words
    ("good", HOUR, [], 0, ""),
    ("good by sign-in", HOUR, ["corp"], 0, ""),
    ("good by profile", HOUR, ["dev"], 0, ""),
    ("good for 30 minutes", HOUR, ["--min", "30m"], 0, ""),
    ("not good for 2 hours", HOUR, ["--min", "2h"], 1, "good until"),
    ("signed out", None, [], 1, "corp: signed out"),
    ("run out", GONE, ["dev"], 1, "corp: unreachable"),
    ("run out for good", {**GONE, "refreshToken": None}, ["dev"], 1, "corp: login required"),
    ("unwatched profile", HOUR, ["keys"], 1, "keys: not watched: static"),
    ("unknown name", HOUR, ["nope"], 2, "no sign-in or profile is called nope"),
    ("minutes alone check too", HOUR, ["dev", "--min", "2h"], 1, "good until"),
    ("bad duration", HOUR, ["--min", "soon"], 2, "soon"),
    ("bad time", HOUR, ["--until", "25:00"], 2, "25:00"),
    ("bad time too", HOUR, ["--until", "noon"], 2, "noon"),
]


@pytest.mark.parametrize(
    ("content", "arguments", "code", "words"), [row[1:] for row in CHECKS], ids=[row[0] for row in CHECKS]
)
def test_check(home, content, arguments, code, words):
    homes.aws_config(
        home, homes.CONFIG + "[profile keys]\naws_access_key_id = AKIDCANARY\naws_secret_access_key = canary\n"
    )
    if content:
        homes.write_token(token(**content))
    answer = ssowatch("status", "--check", *arguments)
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words.lower() in said.lower()) == (code, True), said
    assert bool(said) == bool(code)
    assert "anary" not in said
    assert "Traceback" not in said


def test_check_until_a_time_of_day(home):
    homes.aws_config(home)
    homes.write_token(token(timedelta(hours=2)))
    near, far = ((utc_now() + timedelta(hours=hours)).strftime("%H:%M") for hours in (1, 3))
    assert ssowatch("status", "--check", "--until", near, TZ="UTC").returncode == 0
    assert ssowatch("status", "--check", "--until", far, TZ="UTC").returncode == 1


def test_nothing_to_check_is_no(home):
    answer = ssowatch("status", "--check")
    assert answer.returncode == 1
    assert "aws/config" in answer.stdout


def test_names_choose(home):
    homes.aws_config(
        home, homes.CONFIG + homes.CONFIG.replace("corp", "other").replace("dev", "odev").replace("prod", "oprod")
    )
    homes.write_token(token())
    only = json.loads(ssowatch("status", "--json", "odev").stdout)
    assert [one["name"] for one in only["sign_ins"]] == ["other"]
    assert "corp" not in ssowatch("status", "other").stdout
    both = json.loads(ssowatch("status", "--json", "dev", "prod", "other").stdout)
    assert [one["name"] for one in both["sign_ins"]] == ["corp", "other"]


@pytest.mark.parametrize(("text", "words"), [("mode: atuo", "line 1"), ("a: [", "line")])
def test_a_bad_config_of_ours_is_a_problem_and_no_failure(home, text, words):
    homes.aws_config(home)
    homes.write_token(token())
    homes.own_config(home, text)
    answer = homes.status()
    assert answer["problem"]["code"] == "config"
    assert words in answer["problem"]["message"]
    assert answer["sign_ins"][0]["state"] == "valid"


@pytest.mark.parametrize("width", [50, 80, 120])
def test_the_table_fits(home, width):
    names = "".join(f"[profile with-a-rather-long-name-{number}]\nsso_session = corp\n" for number in range(12))
    legacy = "[profile old]\nsso_start_url = https://d-9999999999.awsapps.com/start\nsso_region = eu-west-1\n"
    broken = "[profile astray]\nsso_session = nowhere\n"
    homes.aws_config(
        home,
        homes.CONFIG + names + legacy + broken + "[profile keys]\naws_access_key_id = x\naws_secret_access_key = y\n",
    )
    homes.write_token(token())
    homes.write_token(token(timedelta(hours=5), refreshToken=None), "https://d-9999999999.awsapps.com/start")
    answer = ssowatch("status", COLUMNS=str(width))
    assert answer.returncode == 0
    assert max(map(len, answer.stdout.splitlines())) <= width
    for word in ("SIGN-IN", "valid", "cannot renew", "misconfigured", "not watched: keys", "d-9999999999"):
        assert word in answer.stdout


def test_names_from_config_files_are_shown_as_data(home):
    evil = "\x1b[2Jevil\u202e"
    homes.aws_config(
        home, f"[sso-session {evil}]\nsso_start_url = https://d-1.awsapps.com/start\nsso_region = us-east-1\n"
    )
    shown = ssowatch("status").stdout
    assert "evil" in shown
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def test_a_closed_pipe_is_no_error(home):
    program = f"{sys.executable} -m ssowatch status | true"
    ended = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_watch_shows_it_again_when_it_changes(home):
    homes.aws_config(home)
    command = [sys.executable, "-m", "ssowatch", "status", "--watch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        try:
            assert "signed out" in until_footer(watching)
            homes.write_token(token())
            assert "valid" in until_footer(watching)
        finally:
            watching.kill()


def until_footer(watching: subprocess.Popen[str]) -> str:
    shown = ""
    while "No watcher is running" not in shown:
        line = watching.stdout.readline()
        assert line, f"it has ended: {shown}"
        shown += line
    return shown


OUTPUTS = [
    ("ascii", "COLUMNS=80 PYTHONIOENCODING=ascii {} status", 0),
    ("closed", "{} status >&-", None),
    ("full", "{} status >/dev/full", 1),
    ("full, as JSON", "{} status --json >/dev/full", 1),
]


@pytest.mark.parametrize(("command", "code"), [row[1:] for row in OUTPUTS], ids=[row[0] for row in OUTPUTS])
def test_an_output_that_does_not_take_it(home, command, code):
    homes.aws_config(home, homes.CONFIG + "[profile proc]\ncredential_process = granted x\n")
    program = command.format(f"{sys.executable} -m ssowatch")
    ended = subprocess.run(["bash", "-c", program], capture_output=True, text=True, check=False)
    assert "Traceback" not in ended.stderr
    assert code is None or ended.returncode == code


def test_a_config_named_must_be_there(home):
    answer = ssowatch("--config", "/nowhere/config.yaml", "run")
    assert answer.returncode == 78
    assert "/nowhere/config.yaml: does not exist" in answer.stderr


@pytest.mark.parametrize("width", [50, 80])
@pytest.mark.parametrize("length", [4, 29, 60])
def test_nothing_but_a_name_is_ever_cut(home, width, length):
    name = "n" * length
    homes.aws_config(home, homes.CONFIG.replace("corp", name) + "[profile astray]\nsso_session = nowhere\n")
    content = token(timedelta(days=30), refreshToken=None)
    homes.write_token(content, name)
    shown = ssowatch("status", COLUMNS=str(width), TZ="UTC").stdout
    # A word of a message is never broken: it may be a name or a URL to copy.
    assert max(len(line) for line in shown.splitlines() if name not in line) <= width
    for words in ("cannot renew", "you: mend the config", content["expiresAt"][:10]):
        assert words in shown
