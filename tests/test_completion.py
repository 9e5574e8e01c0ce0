"""Completion: which words may come next. That real shells take them is tested in tests/real/test_shells.py."""

from __future__ import annotations

import argparse
import subprocess
import sys

import homes
import pytest

from ssowatch import cli, completing
from ssowatch.commands import completion

NAMES = {"NAME": ["corp", "lab", "dev", "my play", "a=b"], "PROFILE": ["dev", "my play"]}


def offered(*words):
    parser = completion._parser(cli.COMMANDS, list(words))
    return completing.offered(parser, words, lambda kind: NAMES.get(kind, []))


def texts(*words):
    return [word.text for word in offered(*words)]


ROWS = [
    # words, offered
    (["lo"], ["login", "logout"]),
    (["login", ""], NAMES["NAME"]),
    (["login", "d"], ["dev"]),
    (["login", "--method", ""], ["pkce", "device", "command"]),
    (["login", "--method", "d"], ["device"]),
    (["login", "--method=d"], ["--method=device"]),
    (["login", "--method", "="], ["pkce", "device", "command"]),
    (["login", "--method", "=", "d"], ["device"]),
    (["login", "--nothing=d"], []),
    (["login", "--fresh", "c"], ["corp"]),
    (["login", "--unknown", "c"], ["corp"]),
    (["login", "a="], ["a=b"]),
    (["login", "--fresh=c"], []),
    (["login", "-h"], []),
    (["login", "--fr"], ["--fresh"]),
    (["login", "--un"], []),  # hidden
    (["login", "corp", ""], []),
    (["login", "corp", "x", ""], []),
    (["status", "corp", "d"], ["dev"]),
    (["status", "--min", ""], []),
    (["status", "--min", "30m", "d"], ["dev"]),
    (["exec", ""], NAMES["PROFILE"]),
    (["exec", "dev", "--", "l"], []),
    (["pause", "o"], ["off"]),
    (["pause", "corp", "off", ""], [*NAMES["NAME"], "off"]),
    (["config", ""], ["init", "check", "show"]),
    (["config", "check", ""], []),
    (["--config", "x.yaml", "logi"], ["login"]),
    (["--config", ""], []),
    (["--ve"], ["--version"]),
    (["nonsense", ""], []),
    (["ensure", "--login", "n"], ["never"]),
    (["mcp", "serv"], ["servers"]),
    (["mcp", "servers", "--j"], ["--json"]),
    (["completion", "f"], ["fish"]),
]


@pytest.mark.parametrize(("words", "expected"), ROWS, ids=[" ".join(row[0]) for row in ROWS])
def test_what_may_come_next(words, expected):
    assert texts(*words) == expected


def test_every_command_is_offered_with_what_it_does():
    assert {word.text: word.summary for word in offered("")} == cli.COMMANDS


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_the_options_of_every_command_are_known(command):
    found = texts(command, "-")
    assert "--help" in found
    commands = next(one for one in cli._parser(command)._actions if one.choices)
    help_text = commands.choices[command].format_help()
    assert [option for option in found if option not in help_text] == []


def test_what_a_word_does():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--now", help="do it at 100%%; at once (default: later)")
    parser.add_argument("--then", help="do it then (default: now)")
    parser.add_argument("--bare")
    commands = parser.add_subparsers()
    commands.add_parser("go", help="go on")
    commands.add_parser("stay", help=None)
    parser.add_argument("--where", choices={"here": "in this home", "there": 7})
    assert [(word.text, word.summary) for word in completing.offered(parser, ["-"], lambda _: [])] == [
        ("--now", "do it at 100%"),
        ("--then", "do it then"),
        ("--bare", ""),
        ("--where", ""),
    ]
    assert [(word.text, word.summary) for word in completing.offered(parser, [""], lambda _: [])] == [
        ("go", "go on"),
        ("stay", ""),
    ]
    assert [(word.text, word.summary) for word in completing.offered(parser, ["--where", ""], lambda _: [])] == [
        ("here", "in this home"),
        ("there", "7"),
    ]


HOSTILE = ["a\nb", "a\tb", "\x1b[2J", "\u202eevil", "--fresh", "", " x", "x" * 500]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_that_a_terminal_would_not_show_are_not_offered(name, monkeypatch):
    monkeypatch.setitem(NAMES, "NAME", [name, "dev"])
    assert texts("login", "") == ["dev"]


def test_the_names_of_this_home(home):
    homes.aws_config(
        home,
        homes.CONFIG
        + "[profile old]\nsso_start_url = https://d-9.awsapps.com/start\nsso_region = us-east-1\nsso_account_id = 1\nsso_role_name = x\n",
    )
    ran = subprocess.run(
        [sys.executable, "-m", "ssowatch", "completion", "words"],
        input="login\n\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert sorted(ran.stdout.split()) == ["corp", "dev", "old", "prod"]
    assert ran.stderr == ""


@pytest.mark.parametrize("shell", completion._SHELLS)
def test_what_a_shell_reads(home, shell):
    ran = homes.ssowatch("completion", shell)
    assert ran.returncode == 0
    assert f"ssowatch completion {shell}" in ran.stdout, "it says where it goes"


def test_another_shell_is_a_usage_error(home):
    assert homes.ssowatch("completion", "tcsh").returncode == 2
