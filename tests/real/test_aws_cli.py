"""The AWS CLI v2 as it comes with Debian, which knows no endpoint variables: a person signs in, end to end.

Rules of this file:
1. The program is the installed `aws`, in a home of its own, with nothing in its environment but the way to the simulator.
2. It is waited for with a deadline; what a laptop lacks is skipped, in CI it fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from real.machine import AWS_CONFIG, START_URL
from simulator import certificates
from simulator.person import Person
from simulator.server import Simulator
from simulator.tls_proxy import TlsProxy

from ssowatch.paths import key

pytestmark = pytest.mark.real

PATIENCE = 120.0
IN_CI = os.environ.get("SSOWATCH_CI") == "1"
NEWER = (2, 22)
"""Since then a session signs in by PKCE, unless told otherwise."""


def found() -> tuple[str, tuple[int, ...]] | None:
    """The first AWS CLI v2 on this machine, and its version; another v1 may stand before it."""
    for folder in (*os.get_exec_path(), "/usr/bin"):
        program = shutil.which("aws", path=folder)
        if program:
            said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
            if version := re.match(r"aws-cli/(2[.\d]+)", said.stdout):
                return program, tuple(map(int, version[1].split(".")))
    return None


@dataclass
class Cli:
    """The program and where it runs."""

    program: str
    version: tuple[int, ...]
    environ: dict[str, str]
    home: Path

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """It runs, for as long as it may."""
        with subprocess.Popen(
            [self.program, *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            deadline = threading.Timer(PATIENCE, process.kill)
            deadline.start()
            try:
                yield process
            finally:
                process.kill()
                deadline.cancel()
                deadline.join()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """It ran: what it returned and said."""
        with self.started(*arguments) as process:
            out, err = process.communicate()
            return process.returncode, out, err

    def login(self, person: Person, button: str) -> tuple[int, str, str]:
        """`aws sso login` on one side, a person with the address it prints on the other."""
        device = ["--use-device-code"] if self.version >= NEWER else []
        with self.started("sso", "login", "--profile", "dev", "--no-browser", *device) as process:
            assert process.stdout
            said = ""
            for line in process.stdout:
                said += line
                if address := re.search(r"http\S+user_code=\S+", line):
                    person.decide(address[0], button)
            assert process.stderr
            err = process.stderr.read()
            return process.wait(PATIENCE), said, err

    def token(self) -> dict[str, str] | None:
        """The token file of the session, if any."""
        path = self.home / ".aws/sso/cache" / f"{key('corp')}.json"
        return json.loads(path.read_text()) if path.exists() else None


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def cli(simulator: Simulator, tmp_path: Path) -> Iterator[Cli]:
    program = found()
    if program is None or not certificates.available():
        assert not IN_CI, "CI installs awscli and openssl"
        pytest.skip("there is no AWS CLI v2, or no openssl")
    home, authority = tmp_path / "home", tmp_path / "authority"
    authority.mkdir()
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/config").write_text(AWS_CONFIG)
    with TlsProxy(simulator.port, authority) as proxy:
        yield Cli(*program, {"HOME": str(home), "PATH": os.defpath, **proxy.environ}, home)


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
    assert set(polls[:-1]) == {"AuthorizationPendingException"}
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
