"""MCP servers as a person reads them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ssowatch.mcp.model import Broken, McpServer
from ssowatch.mcp.table import table
from ssowatch.model import Problem

HOME = "/home/me"
KB = McpServer("claude-code", "aws-kb", f"{HOME}/.claude.json", "dev", "corp", certain=True)
LOST = replace(KB, profile=None, sign_in=None, certain=False)
UNKNOWN = Problem("unknown_profile", "no file tells its profile", "name it")
AFTER = "\n\nAfter a sign-in aws-kb (Claude Code) goes on by itself."


def shown(*servers, broken=(), width=80):
    return table(servers, broken, HOME, width).partition("\n\nAfter a sign-in")[0]


def files(*names):
    return [replace(KB, file=name) for name in names]


@pytest.mark.parametrize(
    ("servers", "text"),
    [
        pytest.param([], "No MCP server that uses AWS was found.", id="none"),
        pytest.param([KB], "On the sign-in corp:\n  aws-kb (Claude Code): profile dev\n    ~/.claude.json", id="one"),
        pytest.param(
            [replace(KB, certain=False)],
            "On the sign-in corp:\n  aws-kb (Claude Code): profile dev, which its file does not name\n    ~/.claude.json",
            id="a guess",
        ),
        pytest.param(
            [LOST],
            "On none that ssowatch looks after:\n  aws-kb (Claude Code): names no profile\n    ~/.claude.json",
            id="without a profile",
        ),
        pytest.param(
            [replace(LOST, problem=UNKNOWN)],
            "On none that ssowatch looks after:\n  aws-kb (Claude Code): profile unknown\n    ~/.claude.json\n"
            "    ! no file tells its profile\n    > name it",
            id="with an unknown one",
        ),
        pytest.param(
            [replace(LOST, problem=Problem("no_profile", "none", None))],
            "On none that ssowatch looks after:\n  aws-kb (Claude Code): names no profile\n    ~/.claude.json\n    ! none",
            id="a problem without a mend",
        ),
        pytest.param(
            files("/a", "/b", "/c", "/d"),
            "On the sign-in corp:\n  aws-kb (Claude Code): profile dev\n    /a\n    /b\n    /c\n    /d",
            id="in four files",
        ),
        pytest.param(
            files("/a", "/b", "/c", "/d", "/home/me2/e"),
            "On the sign-in corp:\n  aws-kb (Claude Code): profile dev\n    /a\n    /b\n    /c\n    and 2 more",
            id="in five",
        ),
        pytest.param(
            [LOST, replace(KB, sign_in="Lab"), KB],
            "On the sign-in corp:\n  aws-kb (Claude Code): profile dev\n    ~/.claude.json\n\n"
            "On the sign-in Lab:\n  aws-kb (Claude Code): profile dev\n    ~/.claude.json\n\n"
            "On none that ssowatch looks after:\n  aws-kb (Claude Code): names no profile\n    ~/.claude.json",
            id="the lost come last",
        ),
    ],
)
def test_what_is_shown(servers, text):
    assert shown(*servers) == text


def test_a_file_that_could_not_be_read():
    assert shown(broken=[Broken("cursor", f"{HOME}/x.json", "line 3")]) == (
        "No MCP server that uses AWS was found.\n\nNot read:\n  ~/x.json line 3"
    )


def test_what_goes_on_after_a_sign_in_is_said_where_one_hangs_on_it():
    assert table([KB], [], HOME, 80).endswith(AFTER)
    assert "After a sign-in" not in table([LOST], [], HOME, 80)


def test_a_narrow_terminal():
    problem = Problem("x", "word " * 12, "ssowatch login a-name-with-hyphens")
    text = shown(replace(KB, file=f"{HOME}/a-long-path-without-a-blank/in-it.json", problem=problem), width=30)
    assert text == (
        "On the sign-in corp:\n  aws-kb (Claude Code):\n  profile dev\n    ~/a-long-path-without-a-blank/in-it.json\n"
        "    ! word word word word word\n      word word word word word\n      word word\n"
        "    > ssowatch login\n      a-name-with-hyphens"
    )
    assert shown(replace(KB, server="server " * 6), width=30).splitlines()[1:3] == [
        "  server server server server",
        "  server server (Claude Code):",
    ]


def test_what_is_made_long_is_cut():
    problem = Problem("x", "m" * 601, "f" * 601)
    text = shown(replace(KB, file=f"/{'p' * 300}", problem=problem), width=1000)
    assert [len(line) for line in text.splitlines()[2:]] == [4 + 300, 4 + 2 + 600, 4 + 2 + 600]
