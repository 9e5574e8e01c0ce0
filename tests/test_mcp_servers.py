"""`ssowatch mcp servers`: what it says, with and without a watcher."""

from __future__ import annotations

import pytest

from ssowatch import cli
from ssowatch.commands import mcp


def test_each_word_is_a_module_with_arguments_and_a_run(capsys):
    for word in mcp.COMMANDS:
        assert cli.main(["mcp", word, "--help"]) == 0
        assert capsys.readouterr().out.startswith(f"usage: ssowatch mcp {word}")


@pytest.mark.parametrize("words", [["mcp"], ["mcp", "nothing"], ["mcp", "servers", "--nothing"]])
def test_a_wrong_word_is_said(words, capsys):
    assert cli.main(words) == 2
    assert "usage: ssowatch mcp" in capsys.readouterr().err


def test_the_help_names_each_word(capsys):
    assert cli.main(["mcp", "--help"]) == 0
    shown = capsys.readouterr().out
    assert all(f"  {word} " in shown for word in mcp.COMMANDS)
