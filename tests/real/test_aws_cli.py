"""A person signs in with the AWS CLI, end to end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.aws_cli import Cli, installed
from real.machine import AWS_CONFIG, START_URL
from simulator.person import Person
from simulator.server import Simulator

pytestmark = pytest.mark.real


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def cli(simulator: Simulator, tmp_path: Path) -> Iterator[Cli]:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/config").write_text(AWS_CONFIG)
    with installed(simulator.port, home, tmp_path / "authority") as cli:
        yield cli


def test_a_person_signs_in_by_device_code_works_and_signs_out(simulator, cli):
    code, said, err = cli.login(Person("anna"), "Allow")
    assert (code, err) == (0, "")
    assert f"Successfully logged into Start URL: {START_URL}" in said
    token = cli.token()
    assert token
    assert (token["startUrl"], token["region"]) == (START_URL, "us-east-1")
    assert token["refreshToken"]
    assert token["registrationExpiresAt"]

    code, said, err = cli.run("sts", "get-caller-identity", "--profile", "dev", "--output", "json")
    assert (code, err) == (0, "")
    assert json.loads(said)["Arn"].endswith("assumed-role/AWSReservedSSO_Developer_0123456789abcdef/anna")

    assert cli.run("sso", "logout") == (0, "", "")
    assert cli.token() is None
    assert [call.outcome for call in simulator.calls("Logout")] == ["ok"]
    polls = [call.outcome for call in simulator.calls("CreateToken")]
    assert set(polls[:-1]) <= {"AuthorizationPendingException"}  # none where the person was quicker than the first
    assert polls[-1] == "ok"


def test_a_person_denies(cli):
    code, _, err = cli.login(Person("anna"), "Deny")
    assert code == 254
    assert "(AccessDeniedException) when calling the CreateToken operation" in err
    assert cli.token() is None


def test_a_token_that_ends_soon_is_renewed_by_the_cli_itself(simulator, cli):
    simulator.change(token_life=600)
    assert cli.login(Person("anna"), "Allow")[0] == 0
    before = cli.token()
    assert cli.run("sts", "get-caller-identity", "--profile", "dev")[0] == 0
    after = cli.token()
    assert before
    assert after
    assert before["refreshToken"] != after["refreshToken"]
