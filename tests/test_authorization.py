"""What each answer to a sign-in means, with real boto3 clients against answers nobody would expect.

Rules of this file:
1. Every secret has CANARY in it, and no value that comes back shows it.
"""

import ctypes
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from test_identity_center import CANARY, CORP, NOW, Scripted, raw, refusing

from ssowatch import authorization, pkce
from ssowatch.answers import DeviceCode, Granted, Pending, Person, Refusal, Registration, Unanswered

REGISTRATION = Registration("client-CANARY", "secret-CANARY", NOW, NOW + timedelta(days=90))
REGISTERED = {"clientId": "client-CANARY", "clientSecret": "secret-CANARY", "clientSecretExpiresAt": 1775000000}
DEVICE = {
    "deviceCode": "device-CANARY",
    "userCode": "CANARY-CODE",
    "verificationUri": "https://device.sso.us-east-1.amazonaws.com/",
    "verificationUriComplete": "https://device.sso.us-east-1.amazonaws.com/?user_code=CANARY-CODE",
    "expiresIn": 600,
    "interval": 1,
}
GOOD = {"accessToken": "aoa-CANARY", "refreshToken": "aor-CANARY", "expiresIn": 3600}
CODE = DeviceCode("device-CANARY", "CANARY-CODE", "p", "l", NOW, timedelta(seconds=1))


@pytest.fixture
def ask(monkeypatch, home):
    """What `call` makes of a raw answer; nothing that comes back shows a secret."""

    def answered(raw_answer, call):
        with Scripted(raw_answer) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", server.url)
            monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", server.url)
            came = call(authorization.connect(CORP))
        assert len(server.requests) == 1
        assert CANARY not in repr(came)
        return came

    yield answered
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


def without(answer, **changes):
    return {name: value for name, value in {**answer, **changes}.items() if value is not ...}


def register(service):
    return service.register("pkce", NOW)


def start(service):
    return service.start_device(REGISTRATION, NOW)


def by_code(service):
    return service.token_by_code(REGISTRATION, "code-CANARY", "v" * 64, "http://127.0.0.1:1/oauth/callback", NOW)


def by_device(service):
    return service.token_by_device(REGISTRATION, CODE, NOW)


def test_good_answers(ask):
    registration = ask(raw(200, REGISTERED), register)
    assert registration == Registration("client-CANARY", "secret-CANARY", NOW, datetime.fromtimestamp(1775000000, UTC))
    code = ask(raw(200, DEVICE), start)
    assert (code.expires_at, code.interval) == (NOW + timedelta(seconds=600), timedelta(seconds=1))
    assert (code.user_code, code.page) == ("CANARY-CODE", DEVICE["verificationUri"])
    for call in (by_code, by_device):
        granted = ask(raw(200, GOOD), call)
        assert isinstance(granted, Granted)
        assert granted.life == timedelta(hours=1)


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        pytest.param(register, {}, id="register-nothing"),
        pytest.param(register, without(REGISTERED, clientSecret=...), id="register-no-secret"),
        pytest.param(register, without(REGISTERED, clientId=""), id="register-empty-id"),
        pytest.param(register, without(REGISTERED, clientSecretExpiresAt=...), id="register-no-end"),
        pytest.param(register, without(REGISTERED, clientSecretExpiresAt=10**30), id="register-absurd-end"),
        pytest.param(register, without(REGISTERED, clientSecret="x" * 70000), id="register-huge"),
        pytest.param(start, {}, id="device-nothing"),
        pytest.param(start, without(DEVICE, deviceCode=...), id="device-no-code"),
        pytest.param(start, without(DEVICE, expiresIn=...), id="device-no-end"),
        pytest.param(start, without(DEVICE, verificationUriComplete="javascript:alert(1)"), id="device-script"),
        pytest.param(start, without(DEVICE, verificationUri="file:///etc/passwd"), id="device-file"),
        pytest.param(start, without(DEVICE, verificationUri="http://evil.example/"), id="device-plain-http"),
        pytest.param(by_code, {}, id="token-nothing"),
        pytest.param(by_code, without(GOOD, accessToken=...), id="token-none"),
        pytest.param(by_device, without(GOOD, expiresIn=-1), id="token-no-life"),
    ],
)
def test_answers_that_make_no_sense(ask, call, answer):
    assert isinstance(ask(raw(200, answer), call), Unanswered)


@pytest.mark.parametrize(
    ("answer", "seconds", "interval"),
    [
        pytest.param(without(DEVICE, interval=...), 600, 5, id="no-interval"),
        pytest.param(without(DEVICE, interval=0), 600, 5, id="no-pause"),
        pytest.param(without(DEVICE, interval=-3), 600, 1, id="negative-interval"),
        pytest.param(without(DEVICE, interval=9999), 600, 60, id="absurd-interval"),
        pytest.param(without(DEVICE, expiresIn=10**6), 3600, 1, id="absurd-end"),
    ],
)
def test_spans_of_a_device_code_are_bounded(ask, answer, seconds, interval):
    code = ask(raw(200, answer), start)
    assert (code.expires_at - NOW, code.interval) == (timedelta(seconds=seconds), timedelta(seconds=interval))


@pytest.mark.parametrize(
    ("call", "code", "ours"),
    [
        pytest.param(by_device, "AuthorizationPendingException", Pending(slower=False), id="pending"),
        pytest.param(by_device, "SlowDownException", Pending(slower=True), id="slow-down"),
        pytest.param(by_device, "AccessDeniedException", "denied", id="denied"),
        pytest.param(by_device, "ExpiredTokenException", "expired", id="expired"),
        pytest.param(by_device, "InvalidGrantException", "code", id="no-such-code"),
        pytest.param(by_code, "InvalidGrantException", "code", id="wrong-code"),
        pytest.param(by_code, "AuthorizationPendingException", None, id="pending-makes-no-sense"),
        pytest.param(by_code, "InvalidClientException", "registration", id="client"),
        pytest.param(by_code, "InvalidRequestRegionException", "config", id="region"),
        pytest.param(start, "UnauthorizedClientException", "registration", id="unauthorized"),
        pytest.param(start, "SlowDownException", None, id="slow-down-elsewhere"),
        pytest.param(register, "InvalidScopeException", "config", id="scope"),
        pytest.param(register, "InvalidRedirectUriException", "config", id="redirect"),
        pytest.param(register, "InvalidClientMetadataException", "config", id="metadata"),
        pytest.param(register, "UnsupportedGrantTypeException", "config", id="grant"),
        pytest.param(register, "InternalServerException", None, id="server"),
        pytest.param(register, "MadeUpException", None, id="unknown"),
    ],
)
def test_what_aws_says_instead(ask, call, code, ours):
    came = ask(refusing(code), call)
    if isinstance(ours, Pending):
        assert came == ours
    elif ours is None:
        assert isinstance(came, Unanswered)
    else:
        assert isinstance(came, Refusal)
        assert came.code == ours


@pytest.mark.parametrize("method", ["pkce", "device"])
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(refusing("InvalidGrantException"), type(None), id="known"),
        pytest.param(refusing("InvalidRequestException"), type(None), id="known-and-rude"),
        pytest.param(refusing("ExpiredTokenException"), type(None), id="known-and-late"),
        pytest.param(raw(200, GOOD), type(None), id="known-and-absurd"),
        pytest.param(refusing("InvalidClientException", 401), Refusal, id="forgotten"),
        pytest.param(refusing("UnauthorizedClientException"), Refusal, id="of-another-kind"),
        pytest.param(refusing("InternalServerException", 500), Unanswered, id="no-answer"),
    ],
)
def test_whether_a_registration_is_known_still(ask, method, answer, kind):
    assert isinstance(ask(answer, lambda service: service.accepts(REGISTRATION, method, NOW)), kind)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        pytest.param(raw(200), type(None), id="ended"),
        pytest.param(raw(401, {"message": "x"}), type(None), id="ended-before"),
        pytest.param(raw(403, {"message": "x"}), Unanswered, id="forbidden"),
        pytest.param(raw(500, {"message": "x"}), Unanswered, id="server"),
        pytest.param(raw(429, {"message": "x"}), Unanswered, id="throttled"),
    ],
)
def test_the_end_of_a_sign_in(ask, answer, kind):
    assert isinstance(ask(answer, lambda service: service.log_out("aoa-CANARY", NOW)), kind)


@pytest.mark.parametrize(
    ("answer", "person"),
    [
        pytest.param(raw(200, {}), Person(), id="nothing"),
        pytest.param(raw(200, b"<html>"), Person(), id="page"),
        pytest.param(raw(200, {"accountList": []}), Person(), id="no-accounts"),
        pytest.param(raw(200, {"accountList": [{}]}), Person(), id="no-account-id"),
        pytest.param(raw(200, {"accountList": 7}), Person(), id="a-number"),
        pytest.param(raw(500), Person(), id="server"),
    ],
)
def test_who_it_is_by_answers_that_make_no_sense(ask, answer, person):
    assert ask(answer, lambda service: service.who("aoa-CANARY")) == person


def test_where_the_browser_is_sent(home):
    connected = authorization.connect(CORP)
    url = urlsplit(connected.authorize_url(REGISTRATION, "http://127.0.0.1:4711/oauth/callback", "s", "v" * 64))
    assert (url.scheme, url.netloc, url.path) == ("https", "oidc.us-east-1.amazonaws.com", "/authorize")
    assert parse_qs(url.query) == {
        "response_type": ["code"],
        "client_id": ["client-CANARY"],
        "redirect_uri": ["http://127.0.0.1:4711/oauth/callback"],
        "state": ["s"],
        "code_challenge_method": ["S256"],
        "scopes": ["sso:account:access"],
        "code_challenge": [pkce.challenge("v" * 64)],
    }


def test_the_challenge_is_rfc_7636s_own():
    """Appendix B of the RFC."""
    assert (
        pkce.challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    )


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-north-1", "oidc.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "oidc.us-gov-west-1.amazonaws.com"),
    ],
)
def test_other_partitions_have_other_hosts(home, region, host):
    url = authorization.connect(replace(CORP, region=region)).authorize_url(REGISTRATION, "r", "s", "v")
    assert urlsplit(url).netloc == host
