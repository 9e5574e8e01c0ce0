"""What ssowatch wrote after a sign-in is AWS CLI v2's own: it works with it, renews it, signs in beside it, signs out."""

from __future__ import annotations

import concurrent.futures
import ctypes
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from real.aws_cli import Cli, installed
from real.machine import AWS_CONFIG, START_URL
from simulator.person import Person
from simulator.server import Simulator

from ssowatch import authorization, cache, memories, memory, signing_in
from ssowatch.clock import utc_now
from ssowatch.model import Kind, SignIn
from ssowatch.signing_in import Outcome, Result

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

CORP = SignIn("corp", Kind.SSO_SESSION, START_URL, "us-east-1", ("dev",))
LEGACY = SignIn(START_URL, Kind.LEGACY, START_URL, "us-east-1", ("old",))


@pytest.fixture
def simulator(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Simulator]:
    monkeypatch.setattr(authorization, "_WHO_SECONDS", 60.0)
    monkeypatch.setattr(authorization, "_ONE_CALL_SECONDS", 60.0)
    with Simulator() as simulator:
        for name, value in simulator.environ.items():
            monkeypatch.setenv(name, value)
        yield simulator
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


@pytest.fixture
def cli(simulator: Simulator, home: Path, tmp_path: Path) -> Iterator[Cli]:
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text(AWS_CONFIG)
    with installed(simulator.port, home, tmp_path / "authority") as cli:
        yield cli


def sign_in(who: SignIn = CORP, method: str = "pkce", **more: bool) -> Outcome:
    with concurrent.futures.ThreadPoolExecutor() as pool:
        return signing_in.sign_in(
            who,
            method,
            fresh=more.get("fresh", False),
            waiting=lambda waiting: pool.submit(Person("anna").decide, waiting.link, "Allow"),
            seconds=120,
        )


def caller(cli: Cli, profile: str) -> str:
    code, said, err = cli.run("sts", "get-caller-identity", "--profile", profile, "--output", "json")
    assert (code, err) == (0, "")
    return str(json.loads(said)["Arn"])


@pytest.mark.parametrize("method", ["pkce", "device"])
def test_the_cli_works_with_it_and_signs_out(simulator, cli, method):
    assert sign_in(CORP, method).result is Result.SIGNED_IN
    assert sign_in(LEGACY, method).result is Result.SIGNED_IN
    assert caller(cli, "dev").endswith("/anna")
    assert caller(cli, "old").endswith("/anna")
    assert cli.run("sso", "logout") == (0, "", "")
    assert cli.token() is None
    assert cache.load(START_URL) is None
    assert [call.outcome for call in simulator.calls("Logout")].count("ok") == 1, "both were of one session"


def test_the_cli_renews_it_by_itself(simulator, cli):
    simulator.change(token_life=600)
    sign_in()
    before = cli.token()
    caller(cli, "dev")
    after = cli.token()
    assert before
    assert after
    assert before["refreshToken"] != after["refreshToken"]
    assert before["clientId"] == after["clientId"]
    contents = cache.load("corp")
    assert contents
    known = memories.load("corp")
    seen = memory.observed(known, CORP, contents.token, utc_now())
    assert seen.lineage.began_at == known.lineage.began_at, "it is the same sign-in"


def test_the_two_sign_in_after_each_other_and_neither_breaks_the_other(cli):
    for _ in range(2):
        assert sign_in().result is Result.SIGNED_IN
        assert cli.login(Person("anna"), "Allow")[0] == 0
        assert caller(cli, "dev").endswith("/anna")
    assert sign_in(fresh=True).message == "signed in afresh as anna"
    assert signing_in.sign_out(CORP).result is Result.SIGNED_OUT
    assert cli.token() is None
