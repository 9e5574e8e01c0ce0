"""Each recipe of docs/prompts.md, taken from the page and run as its program runs it, against what the watcher publishes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tomllib
from datetime import timedelta
from pathlib import Path

import documented
import homes
import pytest
from homes import REQUIRED

from ssowatch import files, paths

PAGE = (documented.ROOT / "docs" / "prompts.md").read_text()
BLOCK = dict(re.findall(r"```([a-z]+)\n(.*?)```", PAGE, re.DOTALL))
ENDED, GOOD = "aws corp: sign in", ""


@pytest.fixture
def recipe(home: Path) -> Path:
    """A home with the script in its place."""
    path = home / ".config" / "ssowatch" / "prompt.sh"
    path.parent.mkdir(parents=True)
    path.write_text(BLOCK["sh"])
    homes.aws_config(home)
    return path


def publish() -> None:
    """Publish the state of this home as a watcher does."""
    document = homes.status()
    files.private_dir(paths.state_dir())
    files.replace(paths.status_file(), json.dumps(document, ensure_ascii=False).encode() + b"\n")


def ended() -> None:
    homes.write_token(homes.token(timedelta(hours=-1), refreshToken=None))
    publish()


def good() -> None:
    homes.write_token(homes.token(timedelta(minutes=50)))
    publish()


def ran(*argv: str, **more) -> str:
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False, **more)
    assert done.stderr == ""
    return done.stdout


def needs(program: str) -> str:
    if not shutil.which(program):
        assert not REQUIRED, f"{program} is missing"
        pytest.skip(f"{program} is not installed")
    return program


def bash() -> str:
    return ran(needs("bash"), "--norc", "-c", f"PS1='$ '\n{BLOCK['bash']}printf %s \"${{PS1@P}}\"").removesuffix("$ ")


def zsh() -> str:
    return ran(needs("zsh"), "-f", "-c", f'{BLOCK["zsh"]}print -nP "$RPROMPT"')


def starship() -> str:
    module = tomllib.loads(BLOCK["toml"])["custom"]["ssowatch"]
    return ran(*module["shell"], "-c", module["command"])


def tmux() -> str:
    return ran("sh", "-c", re.search(r"#\((.*)\)'", BLOCK["tmux"])[1])


def waybar() -> str:
    return ran("sh", "-c", json.loads(f"{{{BLOCK['jsonc']}}}")["custom/ssowatch"]["exec"])


def claude_code() -> str:
    line = json.loads(BLOCK["json"])["statusLine"]
    assert line["type"] == "command"
    session = {
        "session_id": "x",
        "cwd": "/",
        "model": {"id": "x", "display_name": "X"},
        "workspace": {"current_dir": "/"},
    }
    return ran("sh", "-c", line["command"], input=json.dumps(session))


RECIPES = [bash, zsh, starship, tmux, waybar, claude_code]


@pytest.mark.parametrize("show", RECIPES, ids=lambda show: show.__name__)
def test_a_recipe(recipe, show):
    assert show() == "", "no watcher ever ran"
    ended()
    assert show().rstrip("\n") == ENDED
    good()
    assert show() == GOOD


def test_each_recipe_of_the_page_is_here():
    assert set(BLOCK) == {"sh", "bash", "zsh", "toml", "tmux", "jsonc", "json"}


def state(of, **more):
    def change(document):
        document["sign_ins"][0].update(state=of, **more)

    return change


LATER, BEFORE = "2099-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
STATES = [
    (state("valid", token_expires_at=LATER), ""),
    (state("valid", token_expires_at=BEFORE), "aws corp: not renewed, no watcher runs"),
    (state("expiring", token_expires_at=LATER), "aws corp: ends soon"),
    (state("expiring", token_expires_at=BEFORE), "aws corp: not renewed, no watcher runs"),
    (state("login_required", token_expires_at=BEFORE), "aws corp: sign in"),
    (state("login_required", token_expires_at=None), "aws corp: sign in"),
    (state("unreachable", token_expires_at=BEFORE), "aws corp: unreachable"),
    (state("misconfigured"), "aws corp: misconfigured"),
    (state("signed_out"), ""),
    (state("login_required", name="https://d-1.awsapps.com/start"), "aws d-1.awsapps.com?start: sign in"),
    (state("login_required", name='$(id) %F{red}\x1b[2J`x`\u202e", "state": "valid'), re.compile(r"aws [\w?.@-]+: sign in")),
    (state("valid", token_expires_at=LATER, name='x", "state": "login_required'), ""),
    (state("valid", token_expires_at=LATER, profiles=['{"name": "y", "state": "login_required"']), ""),
    (lambda document: document.update(sign_ins=[]), ""),
    (lambda document: document["sign_ins"].append({**document["sign_ins"][0], "name": "lab", "state": "login_required"}), "aws lab: sign in"),
]  # fmt: skip


@pytest.mark.parametrize("awk", ["mawk", "gawk", "original-awk", "busybox"])
def test_what_the_script_says(recipe, tmp_path, awk):
    """By every awk; macOS has the original one."""
    found = shutil.which(needs(awk))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "awk").symlink_to(found)
    environ = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    good()
    document = homes.status()
    wrong = []
    for change, shown in STATES:
        changed = json.loads(json.dumps(document))
        change(changed)
        files.replace(paths.status_file(), json.dumps(changed, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
        said = ran("sh", str(recipe), env=environ).rstrip("\n")
        if not (shown.fullmatch(said) if isinstance(shown, re.Pattern) else said == shown):
            wrong.append((said, shown))
    assert wrong == []
