"""The token file as common ground: what ssowatch wrote is the AWS programs' own, and what they do is ssowatch's news.

Rules of this file:
1. A row per program: the AWS CLI v2 of Debian, boto3, the AWS SDK for JavaScript. Each is the real one.
2. Who asked for a token is read from Identity Center's log: after a renewal by ssowatch none of them asks.
3. Signing out and in is done by the AWS CLI, and approved by a person with a browser.
"""

from __future__ import annotations

import json

import pytest
from real import javascript
from real.aws_cli import installed
from real.machine import BOTO3_PROGRAM, START_URL, moment, until, write_in_place
from real.true_clock import RUN_OUT, SOON, age, on_true_clock
from simulator.person import Person

pytestmark = pytest.mark.real

REFRESH = ("refresh", "corp", "--json")
ARN = "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_Developer_0123456789abcdef/"


@pytest.fixture
def machine(tmp_path_factory):
    with on_true_clock(tmp_path_factory.mktemp("i")) as machine:
        yield machine


@pytest.fixture
def cli(machine, tmp_path):
    with installed(machine.simulator.port, machine.home, tmp_path / "authority") as cli:
        yield cli


def token(machine):
    return json.loads(machine.token_file.read_text())


# Programs


def aws_cli(machine, request):
    cli = request.getfixturevalue("cli")

    def identity():
        code, said, err = cli.run("sts", "get-caller-identity", "--profile", "dev", "--output", "json")
        assert (code, err) == (0, "")
        return json.loads(said)["Arn"]

    return identity


def an_sdk(machine, command, **environ):
    client = machine.start_client(command, **environ)

    def identity():
        said = client.call("dev")
        assert said.ok, said
        return said.arn

    return identity


def boto3(machine, _):
    return an_sdk(machine, BOTO3_PROGRAM)


def js(machine, _):
    command, environ = javascript.program()
    return an_sdk(machine, command, **environ)


PROGRAMS = {"cli": aws_cli, "boto3": boto3, "js": js}


# Who wrote the file before


def as_the_cli(path, content):
    write_in_place(path, json.dumps(content))


def as_the_js_sdk(path, content):
    content["expiresAt"] = content["expiresAt"].replace("Z", ".871Z")
    write_in_place(path, json.dumps(content, indent=2))


def as_old_clis(path, content):
    content["expiresAt"] = content["expiresAt"].replace("Z", "UTC")
    write_in_place(path, json.dumps(content))


@pytest.mark.parametrize("write", [as_the_cli, as_the_js_sdk, as_old_clis])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_renewed_token_is_each_programs_own(machine, request, name, write):
    identity = PROGRAMS[name](machine, request)
    machine.sign_in(user="anna")
    write(machine.token_file, age(machine, RUN_OUT))
    assert machine.ssowatch(*REFRESH).returncode == 0
    written = machine.token_file.read_bytes()
    assert identity() == f"{ARN}anna"
    assert machine.simulator.callers() == ["ssowatch ok"]
    assert machine.token_file.read_bytes() == written
    assert machine.simulator.calls("GetRoleCredentials"), "it was not some other credential"


@pytest.mark.parametrize("name", PROGRAMS)
def test_each_program_can_renew_what_ssowatch_renewed_and_the_other_way_round(machine, request, name):
    identity = PROGRAMS[name](machine, request)
    machine.sign_in(user="anna")
    age(machine, RUN_OUT)
    assert machine.ssowatch(*REFRESH).returncode == 0
    age(machine, SOON)
    assert identity() == f"{ARN}anna"
    assert machine.simulator.callers() == ["ssowatch ok", f"{name} ok"]
    age(machine, RUN_OUT)
    assert machine.ssowatch(*REFRESH).returncode == 0
    assert identity() == f"{ARN}anna"
    assert machine.simulator.callers() == ["ssowatch ok", f"{name} ok", "ssowatch ok"]


# Signing out and in


def test_a_logout_and_a_login_by_the_cli_are_noticed(machine, cli):
    machine.sign_in(user="anna")
    age(machine, SOON)
    machine.start_watcher()
    before = machine.until_fresh()
    assert machine.simulator.callers() == ["ssowatch ok"]

    assert cli.run("sso", "logout") == (0, "", "")
    corp = machine.until(lambda corp: corp["state"] == "signed_out", "the logout is noticed")
    assert corp["problem"]["code"] == "signed_out"
    assert "ssowatch login" in corp["problem"]["fix"]
    assert (corp["renews_silently"], corp["good_until"], corp["renew_at"]) == (False, None, None)
    refused = machine.ssowatch(*REFRESH)
    assert (refused.returncode, json.loads(refused.stdout)["outcome"]) == (1, "refused")
    assert machine.ssowatch("status", "corp", "--check").returncode == 1
    assert not machine.token_file.exists(), "what was removed stays away"
    assert machine.simulator.callers() == ["ssowatch ok"]

    code, said, err = cli.login(Person("berta"), "Allow")
    assert (code, err) == (0, "")
    assert f"Successfully logged into Start URL: {START_URL}" in said
    written = token(machine)
    corp = machine.until_fresh()
    assert moment(corp["token_expires_at"]) == moment(written["expiresAt"])
    assert moment(corp["ends_at"]) > moment(before["ends_at"]), "a new sign-in, with a length of its own"
    assert token(machine) == written, "a fresh token is left alone"
    assert [call for call in machine.simulator.callers() if call.startswith("ssowatch")] == ["ssowatch ok"]

    age(machine, SOON)
    until(lambda: machine.simulator.callers()[-1] == "ssowatch ok", "the new sign-in is renewed, too")
    machine.until_fresh()
    assert token(machine)["accessToken"] != written["accessToken"]
    asked = machine.simulator.callers()
    code, said, err = cli.run("sts", "get-caller-identity", "--profile", "dev", "--output", "json")
    assert (code, err) == (0, "")
    assert json.loads(said)["Arn"] == f"{ARN}berta"
    assert machine.simulator.callers() == asked
