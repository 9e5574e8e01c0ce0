"""The simulator, held against the service models of botocore by real boto3 clients.

Rules of this file:
1. A client is a real one, unsigned, with one attempt: what arrives is what the simulator sent.
2. The clock of the simulator in this process is a plain value that a test moves; nothing sleeps.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from homes import wait_for
from simulator.faults import Fault, Kind
from simulator.remote import running
from simulator.server import Simulator

from ssowatch.demo.center.calls import fingerprint
from ssowatch.demo.center.refusal import ROWS

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Clock:
    now = BEGIN

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture(scope="module")
def boto():
    return boto3.Session(region_name="us-east-1")


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def simulator(clock):
    with Simulator(clock) as simulator:
        yield simulator


@pytest.fixture
def connect(boto):
    """Makes clients of a simulator and closes them."""
    clients = []

    def connect(simulator, service, keys=None, **config):
        signing = {} if keys else {"signature_version": UNSIGNED}
        limits = {"retries": {"total_max_attempts": 1}, "connect_timeout": 60, "read_timeout": 60}
        client = boto.client(
            service,
            endpoint_url=simulator.url,
            config=Config(**{**signing, **limits, **config}),
            **({f"aws_{name}": value for name, value in keys.items()} if keys else {}),
        )
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def oidc(simulator, connect):
    return connect(simulator, "sso-oidc")


@pytest.fixture
def portal(simulator, connect):
    return connect(simulator, "sso")


def grant(token, **other):
    return {
        "clientId": token["clientId"],
        "clientSecret": token["clientSecret"],
        "grantType": "refresh_token",
        "refreshToken": token["refreshToken"],
    } | other


def outcome(call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "ok"


# What it gives out


def test_a_sign_in_is_the_token_file_the_aws_cli_writes(simulator):
    token = simulator.sign_in()
    assert list(token) == [
        *("startUrl", "region", "accessToken", "expiresAt", "clientId", "clientSecret", "registrationExpiresAt"),
        "refreshToken",
    ]
    assert token["startUrl"] == "https://d-1234567890.awsapps.com/start"
    assert (token["expiresAt"], token["registrationExpiresAt"]) == ("2026-01-05T09:00:00Z", "2026-04-05T08:00:00Z")


def test_a_legacy_token_lives_as_long_as_its_session_and_cannot_be_renewed(simulator):
    token = simulator.sign_in(refreshable=False)
    assert "refreshToken" not in token
    assert token["expiresAt"] == "2026-01-05T16:00:00Z"


def test_signing_in_again_does_not_move_the_end_unless_the_session_was_ended(simulator, clock):
    simulator.sign_in()
    clock.now += 3 * HOUR
    assert simulator.sign_in(refreshable=False)["expiresAt"] == "2026-01-05T16:00:00Z"
    assert simulator.sign_in(refreshable=False, user="other")["expiresAt"] == "2026-01-05T19:00:00Z"
    assert simulator.end_session() == 2
    assert simulator.sign_in(refreshable=False)["expiresAt"] == "2026-01-05T19:00:00Z"


def test_a_registration_can_be_used_again(simulator):
    first = simulator.sign_in()
    assert simulator.sign_in(client_id=first["clientId"])["clientSecret"] == first["clientSecret"]
    assert simulator.sign_in()["clientId"] != first["clientId"]


def test_a_wrong_setting_is_an_error(simulator):
    with pytest.raises(ValueError, match="no such setting: colour"):
        simulator.change(colour="blue")


# Errors, against the service model


@pytest.mark.parametrize("service", ["sso-oidc", "sso"])
def test_each_error_has_the_status_of_the_service_model(boto, service):
    model = boto._session.get_service_model(service)
    modelled = {shape.name: shape.metadata["error"]["httpStatusCode"] for shape in model.error_shapes}
    ours = {name: row[0] for name, row in ROWS.items() if name in modelled}
    assert ours
    assert ours == {name: modelled[name] for name in ours}


EXPIRED = {"registration_life": -1}
OIDC_ERRORS = {
    "unknown refresh token": ({}, {"refreshToken": "aorUnknown"}, None, "InvalidGrantException", "invalid_grant"),
    "wrong secret": ({}, {"clientSecret": "no"}, None, "InvalidClientException", "invalid_client"),
    "expired registration": (EXPIRED, {}, None, "InvalidClientException", "invalid_client"),
    "other grant": ({}, {"grantType": "password"}, None, "UnsupportedGrantTypeException", "unsupported_grant_type"),
    "nothing to grant": ({}, {"refreshToken": ""}, None, "InvalidRequestException", "invalid_request"),
    "slow down": ({}, {}, Kind.SLOW_DOWN, "SlowDownException", "slow_down"),
    "500": ({}, {}, Kind.INTERNAL_ERROR, "InternalServerException", "server_error"),
}


@pytest.mark.parametrize(("settings", "other", "fault", "code", "word"), OIDC_ERRORS.values(), ids=OIDC_ERRORS)
def test_an_oidc_error_arrives_as_its_class(simulator, oidc, settings, other, fault, code, word):
    simulator.change(**settings)
    token = simulator.sign_in()
    if fault:
        simulator.add_fault(Fault(fault))
    with pytest.raises(getattr(oidc.exceptions, code)) as raised:
        oidc.create_token(**grant(token, **other))
    answer = raised.value.response
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == ROWS[code][0]
    assert (answer["error"], answer["error_description"]) == (word, ROWS[code][2])
    assert code in {shape.name for shape in oidc.meta.service_model.operation_model("CreateToken").error_shapes}
    assert [call.outcome for call in simulator.calls()] == [code]


def test_the_wrong_region_is_told(simulator, oidc, portal):
    token = simulator.sign_in()
    simulator.change(other_region="eu-west-1")
    with pytest.raises(oidc.exceptions.InvalidRequestRegionException):
        oidc.create_token(**grant(token))
    with pytest.raises(portal.exceptions.UnauthorizedException):
        portal.list_accounts(accessToken=token["accessToken"])


def test_a_revoked_registration_is_refused_although_the_file_looks_good(simulator, oidc):
    token = simulator.sign_in()
    simulator.revoke_registrations()
    assert outcome(oidc.create_token, **grant(token)) == "InvalidClientException"


def test_a_refresh_token_belongs_to_its_client(simulator, oidc):
    mine, other = simulator.sign_in(), simulator.sign_in()
    assert outcome(oidc.create_token, **grant(mine, refreshToken=other["refreshToken"])) == "InvalidGrantException"


PORTAL_ERRORS = {
    "unknown token": (0 * HOUR, None, "aoaUnknown", "UnauthorizedException", 401),
    "expired token": (1 * HOUR, None, "", "UnauthorizedException", 401),
    "429": (0 * HOUR, Kind.TOO_MANY_REQUESTS, "", "TooManyRequestsException", 429),
    "500": (0 * HOUR, Kind.INTERNAL_ERROR, "", "InternalServerException", 500),
}


@pytest.mark.parametrize(("later", "fault", "bearer", "code", "status"), PORTAL_ERRORS.values(), ids=PORTAL_ERRORS)
def test_a_portal_error_arrives_as_its_class(simulator, clock, portal, later, fault, bearer, code, status):
    token = simulator.sign_in()
    clock.now += later
    if fault:
        simulator.add_fault(Fault(fault))
    with pytest.raises(getattr(portal.exceptions, code, ClientError)) as raised:
        portal.list_accounts(accessToken=bearer or token["accessToken"])
    assert raised.value.response["Error"] == {"Code": code, "Message": ROWS[code][2]}
    assert raised.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


# The three clocks


def test_a_sign_in_renews_until_its_session_ends(simulator, clock, oidc):
    token = simulator.sign_in()
    for _ in range(7):
        clock.now += HOUR
        answer = oidc.create_token(**grant(token))
        assert (answer["expiresIn"], answer["tokenType"]) == (3600, "Bearer")
        token |= {"refreshToken": answer["refreshToken"]}
    clock.now += HOUR
    assert outcome(oidc.create_token, **grant(token)) == "InvalidGrantException"


TAILS = {"long tail": (False, 3600), "short tail": (True, 900)}


@pytest.mark.parametrize(("short_tail", "expires_in"), TAILS.values(), ids=TAILS)
def test_the_last_token_of_a_session(simulator, clock, oidc, short_tail, expires_in):
    simulator.change(short_tail=short_tail)
    token = simulator.sign_in()
    clock.now += 7.75 * HOUR
    assert oidc.create_token(**grant(token))["expiresIn"] == expires_in


ENDS = {
    "ended, tokens die": (True, False, "UnauthorizedException"),
    "ended, tokens live on": (False, False, "ok"),
    "logged out, tokens die": (True, True, "UnauthorizedException"),
    "logged out, others live on": (False, True, "UnauthorizedException"),
}


@pytest.mark.parametrize(("die", "logout", "expected"), ENDS.values(), ids=ENDS)
def test_what_the_end_of_a_session_does_to_its_access_token(simulator, oidc, portal, die, logout, expected):
    simulator.change(tokens_die_with_session=die)
    token = simulator.sign_in()
    if logout:
        portal.logout(accessToken=token["accessToken"])
    else:
        simulator.end_session()
    assert outcome(portal.list_accounts, accessToken=token["accessToken"]) == expected
    assert outcome(oidc.create_token, **grant(token)) == "InvalidGrantException"


# Refresh tokens: policy; seconds until the first one is used again; which token came back; what the second use says;
# whether the session outlives that.
POLICIES = {
    "same": ("same", 60, "same", "ok", True),
    "rotate": ("rotate", 0, "new", "InvalidGrantException", True),
    "grace, in time": ("grace", 59, "new", "ok", True),
    "grace, too late": ("grace", 60, "new", "InvalidGrantException", True),
    "revoke": ("revoke", 0, "new", "InvalidGrantException", False),
    "none": ("none", 60, "none", "ok", True),
}


@pytest.mark.parametrize(("policy", "later", "back", "again", "survives"), POLICIES.values(), ids=POLICIES)
def test_what_becomes_of_a_used_refresh_token(simulator, clock, oidc, portal, policy, later, back, again, survives):
    simulator.change(refresh_tokens=policy)
    token = simulator.sign_in()
    answer = oidc.create_token(**grant(token))
    following = answer.get("refreshToken")
    assert back == ("none" if following is None else "same" if following == token["refreshToken"] else "new")
    clock.now += later * SECOND
    assert outcome(oidc.create_token, **grant(token)) == again
    alive = "ok" if survives else "UnauthorizedException"
    assert outcome(portal.list_accounts, accessToken=answer["accessToken"]) == alive
    if following:
        expected = "ok" if survives else "InvalidGrantException"
        assert outcome(oidc.create_token, **grant(token, refreshToken=following)) == expected


# The portal and STS


def test_the_portal_lists_what_is_assigned(simulator, portal):
    bearer = {"accessToken": simulator.sign_in()["accessToken"]}
    pages = portal.get_paginator("list_accounts").paginate(**bearer, PaginationConfig={"PageSize": 1})
    assert [page["accountList"][0]["accountId"] for page in pages] == ["111111111111", "222222222222"]
    roles = portal.list_account_roles(**bearer, accountId="222222222222")["roleList"]
    assert roles == [{"roleName": "ReadOnly", "accountId": "222222222222"}]
    call = {**bearer, "accountId": "222222222222", "roleName": "Developer"}
    assert outcome(portal.get_role_credentials, **call) == "ForbiddenException"


def role_keys(portal, token, account_id="111111111111", role="ReadOnly"):
    keys = portal.get_role_credentials(accessToken=token["accessToken"], accountId=account_id, roleName=role)
    keys = keys["roleCredentials"]
    return {
        "access_key_id": keys["accessKeyId"],
        "secret_access_key": keys["secretAccessKey"],
        "session_token": keys["sessionToken"],
    }


def test_role_credentials_are_known_to_sts_until_they_end_even_after_the_session(simulator, clock, portal, connect):
    keys = role_keys(portal, simulator.sign_in())
    sts = connect(simulator, "sts", keys)
    assert sts.get_caller_identity()["Arn"] == (
        "arn:aws:sts::111111111111:assumed-role/AWSReservedSSO_ReadOnly_0123456789abcdef/someone"
    )
    simulator.end_session()
    assert outcome(sts.get_caller_identity) == "ok"
    clock.now += HOUR
    assert outcome(sts.get_caller_identity) == "ExpiredToken"
    assert {call.token for call in simulator.calls("GetCallerIdentity")} == {keys["access_key_id"]}


def test_a_role_can_be_assumed_with_role_credentials(simulator, portal, connect):
    sts = connect(simulator, "sts", role_keys(portal, simulator.sign_in()))
    answer = sts.assume_role(RoleArn="arn:aws:iam::333333333333:role/path/X", RoleSessionName="me")
    assert answer["Credentials"]["Expiration"] == BEGIN + HOUR
    keys = answer["Credentials"]
    chained = connect(
        simulator,
        "sts",
        {
            "access_key_id": keys["AccessKeyId"],
            "secret_access_key": keys["SecretAccessKey"],
            "session_token": keys["SessionToken"],
        },
    )
    assert chained.get_caller_identity()["Arn"] == "arn:aws:sts::333333333333:assumed-role/X/me"
    assert outcome(sts.assume_role, RoleArn="nonsense-but-long-enough", RoleSessionName="me") == "AccessDenied"


def test_sts_refuses_who_has_no_keys_of_ours(simulator, connect):
    assert outcome(connect(simulator, "sts").get_caller_identity) == "MissingAuthenticationToken"
    strange = connect(simulator, "sts", {"access_key_id": "ASIAX", "secret_access_key": "x", "session_token": "x"})
    assert outcome(strange.get_caller_identity) == "InvalidClientTokenId"


# Faults: what arrives; what the log says; whether the refresh token was consumed by it.
FAULTS = {
    "latency": (Fault(Kind.LATENCY, seconds=0.05), None, "ok", True),
    "hang": (Fault(Kind.HANG), ReadTimeoutError, "hang", False),
    "500": (Fault(Kind.INTERNAL_ERROR), ClientError, "InternalServerException", False),
    "429": (Fault(Kind.TOO_MANY_REQUESTS), ClientError, "TooManyRequestsException", False),
    "slow down": (Fault(Kind.SLOW_DOWN), ClientError, "SlowDownException", False),
    "reset before": (Fault(Kind.RESET_BEFORE), ConnectionClosedError, "reset_before", False),
    "reset after": (Fault(Kind.RESET_AFTER), ConnectionClosedError, "ok", True),
    "garbage": (Fault(Kind.GARBAGE), KeyError, "garbage", False),
    # botocore asks urllib3 not to enforce Content-Length: half an answer is a success without keys.
    "half": (Fault(Kind.HALF), KeyError, "ok", True),
    "no keys": (Fault(Kind.MISSING_KEYS), KeyError, "ok", True),
    "a key missing": (Fault(Kind.MISSING_KEYS, keys=("expiresIn",)), KeyError, "ok", True),
    "wrong date": (Fault(Kind.WRONG_DATE, seconds=300), None, "ok", True),
}


@pytest.mark.parametrize(("fault", "arrives", "logged", "acted"), FAULTS.values(), ids=FAULTS)
def test_a_fault(simulator, connect, fault, arrives, logged, acted):
    oidc = connect(simulator, "sso-oidc")
    meets = connect(simulator, "sso-oidc", read_timeout=0.3) if fault.kind is Kind.HANG else oidc
    token = simulator.sign_in()
    simulator.add_fault(Fault(fault.kind, "CreateToken", 1, fault.seconds, fault.keys))
    simulator.add_fault(Fault(Kind.TOO_MANY_REQUESTS, "ListAccounts"))  # of another operation: met by none here
    began = time.monotonic()
    if arrives is None:
        answer = oidc.create_token(**grant(token))
        sent = parsedate_to_datetime(answer["ResponseMetadata"]["HTTPHeaders"]["date"])
        assert sent - BEGIN == (300 * SECOND if fault.kind is Kind.WRONG_DATE else 0 * SECOND)
        assert time.monotonic() - began >= (fault.seconds if fault.kind is Kind.LATENCY else 0)
    else:
        with pytest.raises(arrives):
            _ = meets.create_token(**grant(token))["expiresIn"]
    wait_for(simulator.calls, "it is logged")  # a hanging call may be after we gave it up
    [call] = simulator.calls()
    assert (call.outcome, call.faults) == (logged, (fault.kind,))
    assert outcome(oidc.create_token, **grant(token)) == ("InvalidGrantException" if acted else "ok")


def test_a_lost_answer_can_be_replayed_in_the_grace_time(simulator, oidc):
    simulator.change(refresh_tokens="grace")
    token = simulator.sign_in()
    simulator.add_fault(Fault(Kind.RESET_AFTER, count=1))
    with pytest.raises(ConnectionClosedError):
        oidc.create_token(**grant(token))
    assert outcome(oidc.create_token, **grant(token)) == "ok"


def test_faults_of_different_stages_come_together(simulator, oidc):
    token = simulator.sign_in()
    for fault in (Fault(Kind.LATENCY, seconds=0.01), Fault(Kind.SLOW_DOWN, count=2), Fault(Kind.WRONG_DATE)):
        simulator.add_fault(fault)
    assert [outcome(oidc.create_token, **grant(token)) for _ in range(3)] == ["SlowDownException"] * 2 + ["ok"]
    assert simulator.calls()[0].faults == ("latency", "slow_down", "wrong_date")


def test_down_refuses_connections_and_comes_back_on_the_same_port(simulator, oidc):
    token = simulator.sign_in()
    simulator.change(refresh_tokens="same")
    for _ in range(3):
        assert outcome(oidc.create_token, **grant(token)) == "ok"
        simulator.add_fault(Fault(Kind.DOWN))
        # The kept connection is cut: the first call may find that out, a new connection is refused.
        with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
            oidc.create_token(**grant(token))
        with pytest.raises(EndpointConnectionError):
            oidc.create_token(**grant(token))
        simulator.clear_faults()
    assert [call.outcome for call in simulator.calls()] == ["ok"] * 3


# The log


def test_every_call_is_logged_once_with_who_and_what(simulator, clock, connect):
    token = simulator.sign_in()
    oidc = connect(simulator, "sso-oidc", user_agent_extra="someone/1")
    answer = oidc.create_token(**grant(token))
    clock.now += SECOND
    oidc.exceptions  # noqa: B018 - the classes are made on first use, outside the calls that are counted
    outcome(oidc.create_token, **grant(token))
    connect(simulator, "sso").list_accounts(accessToken=answer["accessToken"])
    first, second, third = simulator.calls()
    assert (first.at, first.operation, first.outcome) == (BEGIN, "CreateToken", "ok")
    assert (second.at, second.operation, second.outcome) == (BEGIN + SECOND, "CreateToken", "InvalidGrantException")
    assert (third.operation, third.token) == ("ListAccounts", fingerprint(answer["accessToken"]))
    assert first.token == second.token == fingerprint(token["refreshToken"])
    assert "someone/1" in first.user_agent
    assert first.source == second.source != third.source, "one connection for one client, kept alive"
    assert simulator.calls("ListAccounts") == [third]


# Real programs

PROFILE = """
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = ReadOnly
region = us-east-1

[profile chained]
role_arn = arn:aws:iam::333333333333:role/X
source_profile = dev
region = us-east-1
"""
CHILD = """
import boto3, sys
for profile in sys.argv[1:]:
    client = boto3.Session(profile_name=profile).client("sts")
    print(client.get_caller_identity()["Account"])
    client.close()
"""


def run_child(home, simulator, *profiles):
    environ = {"HOME": str(home), "PATH": os.defpath, "AWS_EC2_METADATA_DISABLED": "true", **simulator.environ}
    command = [sys.executable, "-c", CHILD, *profiles]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def home(tmp_path):
    (tmp_path / ".aws/sso/cache").mkdir(parents=True)
    (tmp_path / ".aws/config").write_text(PROFILE)
    return tmp_path


def write_token(home, content):
    path = home / ".aws/sso/cache" / f"{hashlib.sha1(b'corp').hexdigest()}.json"
    path.write_text(json.dumps(content))
    return path


def test_a_real_profile_against_a_simulator_process(home, tmp_path):
    with running(tmp_path / "ports", settings={"token_life": 10 * timedelta(minutes=1)}) as simulator:
        path = write_token(home, simulator.sign_in())
        before = path.read_text()
        done = run_child(home, simulator, "dev", "chained")
        assert (done.stdout.split(), done.stderr) == (["111111111111", "333333333333"], "")
        assert path.read_text() != before, "less than 15 min were left: boto3 renewed the token"
        operations = [call.operation for call in simulator.calls() if call.outcome == "ok"]
        assert set(operations) == {"CreateToken", "GetRoleCredentials", "GetCallerIdentity", "AssumeRole"}
        simulator.end_session()
        assert "UnauthorizedSSOTokenError" in run_child(home, simulator, "dev").stderr


def test_a_simulator_process_obeys_its_control_channel(tmp_path, connect):
    with running(tmp_path / "ports") as simulator:
        oidc = connect(simulator, "sso-oidc")
        token = simulator.sign_in(user="anna")
        assert datetime.fromisoformat(token["expiresAt"]) - simulator.now() > 0.9 * HOUR
        simulator.change(refresh_tokens="same", token_life=HOUR / 2)
        assert oidc.create_token(**grant(token))["expiresIn"] == 1800
        simulator.add_fault(Fault(Kind.SLOW_DOWN, count=1))
        assert [outcome(oidc.create_token, **grant(token)) for _ in range(2)] == ["SlowDownException", "ok"]
        simulator.add_fault(Fault(Kind.DOWN))
        with pytest.raises((EndpointConnectionError, ConnectionClosedError)):
            oidc.create_token(**grant(token))
        simulator.clear_faults()
        assert (simulator.end_session(user="other"), simulator.end_session(user="anna")) == (0, 1)
        assert outcome(oidc.create_token, **grant(token)) == "InvalidGrantException"
        simulator.revoke_registrations()
        assert outcome(oidc.create_token, **grant(token)) == "InvalidClientException"
        outcomes = [call.outcome for call in simulator.calls("CreateToken")]
        assert outcomes == ["ok", "SlowDownException", "ok", "InvalidGrantException", "InvalidClientException"]
        assert all(before.at <= after.at for before, after in itertools.pairwise(simulator.calls()))
        with pytest.raises(ValueError, match="no such setting"):
            simulator.change(colour="blue")
