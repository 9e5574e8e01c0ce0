"""The Agent Skill: its form, its commands, and how it is put in place."""

from __future__ import annotations

import os
import re
import stat
from importlib import resources
from pathlib import Path

import documented
import homes
import pytest
import yaml

from ssowatch import aws_errors
from ssowatch.commands import skill

SOURCE = Path(str(resources.files("ssowatch"))) / "data" / "skills" / "ssowatch" / "SKILL.md"
FORMS = {"as it is packed": SOURCE.read_text(), "as it is installed": skill._text()}
KNOWN_KEYS = {"name", "description", "license", "compatibility", "metadata", "allowed-tools"}


@pytest.mark.parametrize("text", FORMS.values(), ids=FORMS)
def test_the_rules_of_agentskills_io(text):
    """docs/specification.mdx of github.com/agentskills/agentskills."""
    _, front, body = text.split("---\n", 2)
    told = yaml.safe_load(front)
    assert set(told) <= KNOWN_KEYS
    assert told["name"] == SOURCE.parent.name
    assert re.fullmatch(r"(?!-)(?!.*--)[a-z0-9-]{1,64}(?<!-)", told["name"])
    assert 1 <= len(told["description"]) <= 1024
    assert 1 <= len(told["compatibility"]) <= 500
    assert all(isinstance(value, str) for value in told.get("metadata", {}).values())
    assert isinstance(told["allowed-tools"], str)
    assert len(body.splitlines()) < 500
    assert len(body) < 20_000, "5,000 tokens"


def test_every_command_in_it_is_one():
    found = list(documented.commands(SOURCE.read_text()))
    assert len(found) >= 9
    assert [words for words in found if not documented.is_accepted(words)] == []


def test_the_texts_that_call_for_it_are_in_the_table():
    quoted = re.findall(r'"([^"]+)"', SOURCE.read_text().split("---\n", 2)[1])
    assert len(quoted) >= 10
    told = [text.lower() for row in aws_errors.TABLE for text in row.texts]
    assert [text for text in quoted if not any(text.lower() in one for one in told)] == []


def test_it_never_signs_out():
    after = SOURCE.read_text().split("## Never")
    assert "aws sso logout" in after[1]
    assert "logout" not in after[0]


# Put in place


@pytest.fixture
def claude(home):
    (home / ".claude").mkdir()
    return home / ".claude" / "skills" / "ssowatch" / "SKILL.md"


def test_install_says_what_it_wrote_and_is_safe_to_repeat(claude):
    first = homes.ssowatch("skill", "install")
    assert (first.returncode, first.stdout) == (0, "~/.claude/skills/ssowatch/SKILL.md: written\n")
    before = claude.stat()
    assert stat.S_IMODE(before.st_mode) & 0o077 == 0
    again = homes.ssowatch("skill", "install")
    assert (again.returncode, again.stdout) == (0, "~/.claude/skills/ssowatch/SKILL.md: up to date\n")
    assert claude.stat().st_ino == before.st_ino
    assert [one.name for one in claude.parent.iterdir()] == ["SKILL.md"]


def test_what_somebody_changed_is_left_alone(claude):
    homes.ssowatch("skill", "install")
    claude.write_text(claude.read_text() + "\nAlways ask Bob first.\n")
    mine = claude.read_text()
    ran = homes.ssowatch("skill", "install")
    assert ran.returncode == 1
    assert "left alone" in ran.stderr
    assert "--force" in ran.stderr
    assert claude.read_text() == mine
    assert homes.ssowatch("skill", "remove").returncode == 1
    assert claude.read_text() == mine
    forced = homes.ssowatch("skill", "install", "--force")
    assert (forced.returncode, "SKILL.md.old" in forced.stdout) == (0, True)
    assert claude.read_text() == skill._text()
    assert claude.with_name("SKILL.md.old").read_text() == mine


def test_a_foreign_file_of_that_name_is_left_alone(claude):
    claude.parent.mkdir(parents=True)
    claude.write_text("---\nname: ssowatch\n---\nmine\n")
    assert homes.ssowatch("skill", "install").returncode == 1
    assert claude.read_text().endswith("mine\n")


def test_an_older_version_of_ours_is_brought_up_to_date(claude, monkeypatch):
    monkeypatch.setattr(skill, "__version__", "0.0.1")
    claude.parent.mkdir(parents=True)
    claude.write_text(skill._text())
    ran = homes.ssowatch("skill", "install")
    assert (ran.returncode, "brought up to date" in ran.stdout) == (0, True)
    assert "0.0.1" not in claude.read_text()


def test_remove_leaves_nothing(claude):
    homes.ssowatch("skill", "install")
    assert homes.ssowatch("skill", "remove").stdout == "~/.claude/skills/ssowatch/SKILL.md: removed\n"
    assert not claude.parent.exists()
    assert "not there" in homes.ssowatch("skill", "remove").stdout


TARGETS = [
    # folders there, arguments, exit code, files written
    ([], [], 1, []),
    ([], ["--target", "agents"], 0, [".agents"]),
    ([".claude", ".agents"], [], 0, [".agents", ".claude"]),
    ([".claude"], ["--target", "agents"], 0, [".agents"]),
    ([".claude"], ["--target", "copilot"], 2, []),
]


@pytest.mark.parametrize(("there", "arguments", "code", "written"), TARGETS)
def test_targets(home, there, arguments, code, written):
    for name in there:
        (home / name).mkdir()
    assert homes.ssowatch("skill", "install", *arguments).returncode == code
    assert sorted(path.relative_to(home).parts[0] for path in home.rglob("SKILL.md")) == written


BAD_PLACES = ["a directory", "a fifo", "a file in the way"]


@pytest.mark.parametrize("place", BAD_PLACES)
def test_a_place_that_cannot_be_used(claude, place):
    if place == "a file in the way":
        (claude.parent.parent).parent.joinpath("skills").write_text("")
    else:
        claude.parent.mkdir(parents=True)
        claude.mkdir() if place == "a directory" else os.mkfifo(claude)
    ran = homes.ssowatch("skill", "install")
    assert ran.returncode == 1
    assert "~/.claude/skills/ssowatch/SKILL.md: " in ran.stderr
    assert "Traceback" not in ran.stderr
