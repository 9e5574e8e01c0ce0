"""The recipes of docs/agents.md, taken from the page and run as Claude Code runs them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import documented
import homes
import pytest

from ssowatch import durations

pytestmark = pytest.mark.real
PAGE = (documented.ROOT / "docs" / "agents.md").read_text()
SETTINGS = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)]
HOOK = SETTINGS[0]["hooks"]["PreToolUse"][0]
CALL = {
    "session_id": "x",
    "hook_event_name": "PreToolUse",
    "tool_name": "mcp__aws__whoami",
    "tool_input": {},
    "cwd": "/",
    "permission_mode": "default",
}


def as_claude_code_does(command: str) -> subprocess.CompletedProcess[str]:
    """A shell, JSON on stdin, no terminal."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        input=json.dumps(CALL),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PATH": path},
    )


@pytest.fixture
def dev(home):
    homes.aws_config(home)


def dead():
    homes.write_token(homes.token(timedelta(hours=-1), refreshToken=None))


STATES = [
    ("good", lambda: homes.write_token(homes.token()), 0),
    ("dead", dead, 1),
    ("signed out", lambda: None, 1),
]


@pytest.mark.parametrize(("prepare", "code"), [row[1:] for row in STATES], ids=[row[0] for row in STATES])
def test_the_hook(dev, prepare, code):
    prepare()
    ran = as_claude_code_does(HOOK["hooks"][0]["command"])
    assert ran.returncode == code, ran.stderr
    assert "corp" in (ran.stderr if code else ran.stdout)


def test_the_hook_blocks_no_call_for_a_wrong_name(dev):
    command = HOOK["hooks"][0]["command"].replace("dev", "nobody")
    assert as_claude_code_does(command).returncode == 1
    assert as_claude_code_does(command.partition(" ||")[0]).returncode == 2, "what the page warns of"


def test_the_hook_that_blocks_tells_the_model_why(dev):
    dead()
    ran = as_claude_code_does(HOOK["hooks"][0]["command"].replace("|| exit 1", "|| exit 2"))
    assert ran.returncode == 2
    assert "ssowatch login corp" in ran.stderr


def test_the_hook_outlives_its_command():
    seconds = durations.parse(re.search(r"--timeout (\S+)", HOOK["hooks"][0]["command"])[1]).total_seconds()
    assert HOOK["hooks"][0]["timeout"] > seconds


@pytest.mark.parametrize("tool", ["mcp__aws__whoami", "mcp__aws-kb__search"])
def test_the_matcher_fits(tool):
    assert re.fullmatch(HOOK["matcher"], tool)


def test_aws_auth_refresh(dev):
    command = SETTINGS[1]["awsAuthRefresh"]
    homes.write_token(homes.token())
    assert as_claude_code_does(command).returncode == 0
    dead()
    ran = as_claude_code_does(command)
    assert ran.returncode == 1
    assert "ssowatch login corp" in ran.stderr


def test_every_command_of_the_page_is_one():
    found = list(documented.commands(PAGE))
    assert len(found) >= 8
    assert [words for words in found if not documented.is_accepted(words)] == []
