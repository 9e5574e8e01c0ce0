"""What a user meets when a file is wrong: place and mend, the right exit code, no traceback, the last good state kept.

The rows are those of the parsers' own tests; here they go through the whole house.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import homes
import pytest
import test_awsconfig
import test_settings
import test_tokenfile

from ssowatch import __main__, cli, paths
from ssowatch.clock import utc_now
from ssowatch.model import State
from ssowatch.world import World

GOOD = homes.CONFIG
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(home: Path) -> World:
    """A home where all is well, looked at once."""
    homes.aws_config(home)
    homes.own_config(home, "mode: auto\n")
    homes.write_token(homes.token())
    seen = World(recording=True)
    assert seen.look(utc_now()).rows[0].plan.state is State.VALID
    return seen


def main(monkeypatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["ssowatch", *arguments])
    return __main__.main()


CONFIGS = [pytest.param(row[1], row[2], id=row[0]) for row in test_settings.WRONG]


def test_there_are_enough_rows():
    aws = len(test_awsconfig.MISCONFIGURED) + len(test_awsconfig.BROKEN) + len(test_awsconfig.UNWATCHED)
    assert len(CONFIGS) >= 30
    assert aws >= 20
    assert len(test_tokenfile.WRONG) >= 30


@pytest.mark.parametrize(("text", "line"), CONFIGS)
def test_a_wrong_config(world, home, monkeypatch, capsys, text, line):
    path = homes.own_config(home, "")
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    place = "~/.config/ssowatch/config.yaml"
    for command in (("config", "check"), ("run",)):
        assert main(monkeypatch, *command) == 78
        said = capsys.readouterr().err
        assert f"{place} line {line}: " in said if line else place in said
        assert "Mend: " in said
        assert "Traceback" not in said
    sight = world.look(utc_now())
    assert sight.problem is not None
    assert sight.problem.code == "config"
    assert sight.settings.mode == "auto"  # the last good one
    assert sight.rows[0].plan.state is State.VALID
    assert main(monkeypatch, "status") == 0
    assert place in " ".join(capsys.readouterr().out.split())


AWS = (
    [pytest.param(row[0], row[1], id=f"broken-{name}") for name, row in test_awsconfig.BROKEN.items()]
    + [pytest.param(row[0], None, id=f"misconfigured-{name}") for name, row in test_awsconfig.MISCONFIGURED.items()]
    + [pytest.param(row[0], row[1], id=f"unwatched-{name}") for name, row in test_awsconfig.UNWATCHED.items()]
)


@pytest.mark.parametrize(("config", "credentials"), AWS)
def test_a_wrong_aws_config(world, home, monkeypatch, capsys, request, config, credentials):
    homes.aws_config(home, "")
    for path, text in ((Path(paths.aws_config()), config), (Path(paths.aws_credentials()), credentials)):
        path.write_bytes((text or "").encode("utf-8", "surrogatepass"))
    sight = world.look(utc_now())
    if "[broken-" in request.node.name:
        assert sight.problem is not None
        assert "~/.aws/" in sight.problem.message
        assert sight.problem.fix
        assert sight.rows[0].plan.state is State.VALID  # the last good one
    for row in sight.rows:
        if row.plan.state is State.MISCONFIGURED:
            assert row.plan.problem is not None
            assert "~/.aws/" in row.plan.problem.message
            assert row.plan.problem.fix
    assert main(monkeypatch, "status") == 0
    assert main(monkeypatch, "status", "--json") == 0
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize(("content", "words"), test_tokenfile.WRONG)
def test_a_wrong_token_file(world, monkeypatch, capsys, content, words):
    path = homes.token_path()
    good = path.read_bytes()
    path.write_bytes(content)
    now = utc_now()
    assert world.look(now).rows[0].plan.state is State.VALID  # somebody may be writing it
    plan = world.look(now + SECOND).rows[0].plan
    assert plan.state is State.LOGIN_REQUIRED
    assert plan.problem is not None
    assert plan.problem.code == "token_file"
    assert words in plan.problem.message
    assert path.name in plan.problem.message
    assert plan.problem.fix is not None
    assert "ssowatch login" in plan.problem.fix
    monkeypatch.setattr("ssowatch.cache._LOOK_AGAIN", (0.001,))
    assert cli.main(["refresh", "corp"]) == 1
    said = capsys.readouterr()
    assert words in said.out
    assert "Traceback" not in said.err
    assert "CANARY" not in said.out + said.err + plan.problem.message
    assert path.read_bytes() == content  # nothing is blanked, healed or deleted
    path.write_bytes(good)
    assert world.look(now + 2 * SECOND).rows[0].plan.state is State.VALID
