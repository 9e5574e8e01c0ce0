"""`ssowatch refresh` as a person types it."""

from __future__ import annotations

import json
from datetime import timedelta

import homes
import pytest
from homes import ssowatch, token
from simulator.faults import Fault, Kind
from simulator.server import Simulator


def test_it_renews_by_the_environment_of_our_config(home):
    with Simulator() as center:
        place = center.environ["AWS_ENDPOINT_URL_SSO_OIDC"]
        homes.own_config(home, f"environment: {{AWS_ENDPOINT_URL_SSO_OIDC: '{place}'}}\n")
        homes.aws_config(home)
        homes.write_token(center.sign_in())
        answer = ssowatch("refresh", "--json", "dev")
        assert answer.returncode == 0, answer.stderr
        assert json.loads(answer.stdout)["outcome"] == "renewed"


NOT = [
    # id, arguments, our config, AWS config, token, exit code, words
    ("unknown", ["nope"], "", homes.CONFIG, {}, 2, "no sign-in or profile is called nope"),
    ("no AWS config", ["dev"], "", None, None, 2, "~/.aws/config does not exist"),
    ("our config is wrong", ["dev"], "mode: bogus", homes.CONFIG, {}, 78, "config.yaml line 1"),
    ("no token", ["dev"], "", homes.CONFIG, None, 1, "sign in first"),
    ("no refresh token", ["dev"], "", homes.CONFIG, {"refreshToken": None}, 1, "no refresh token"),
    ("misconfigured", ["corp"], "", homes.CONFIG.replace("us-east-1", "nowhere"), {}, 78, "sso_region"),
    ("unreachable", ["dev"], "", homes.CONFIG, {}, 75, "cannot connect"),
]


@pytest.mark.parametrize(
    ("arguments", "own", "aws", "content", "code", "words"), [row[1:] for row in NOT], ids=[row[0] for row in NOT]
)
def test_where_it_cannot(home, arguments, own, aws, content, code, words):
    homes.own_config(home, own)
    if aws:
        homes.aws_config(home, aws)
    if content is not None:
        homes.write_token(token(**content))
    answer = ssowatch("refresh", *arguments, AWS_ENDPOINT_URL_SSO_OIDC="http://127.0.0.1:9")
    said = answer.stdout + answer.stderr
    assert (answer.returncode, words in said) == (code, True), said
    assert "Traceback" not in said


def test_a_call_that_hangs_ends_by_its_deadline(home, monkeypatch):
    """A server that lets every time-out pass; the deadline is shortened, the rest is as it is."""
    homes.aws_config(home)
    (home / "sitecustomize.py").write_text("import ssowatch.commands.refresh as r\nr._DEADLINE_SECONDS = 1.5\n")
    with Simulator() as center:
        path = homes.write_token({**center.sign_in(), "expiresAt": token(timedelta(minutes=3))["expiresAt"]})
        center.add_fault(Fault(Kind.HANG, "CreateToken"))
        answer = ssowatch("refresh", "--json", "corp", PYTHONPATH=str(home), **center.environ)
        center.clear_faults()
    assert answer.returncode == 75
    assert "no answer within" in json.loads(answer.stdout)["message"]
    assert list(path.parent.iterdir()) == [path], "the room for the answer is given back"
