"""What each answer means, with real boto3 clients: against the simulator, and against answers nobody would expect.

Rules of this file:
1. Every secret has CANARY in it, and no value that comes back shows it.
2. Nothing leaves this machine: every endpoint and proxy is on loopback.
"""

import ctypes
import http.server
import json
import os
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from homes import free_port
from simulator.faults import Fault, Kind
from simulator.server import Simulator

from ssowatch import aws_clients, tokenfile
from ssowatch.answers import Granted, Refusal, Unanswered
from ssowatch.identity_center import IdentityCenter
from ssowatch.model import Kind as SignInKind
from ssowatch.model import SignIn

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
CANARY = "CANARY"
CORP = SignIn("corp", SignInKind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")
TOKEN = {
    "accessToken": "aoa-CANARY",
    "expiresAt": "2026-01-05T09:00:00Z",
    "clientId": "client-CANARY",
    "clientSecret": "secret-CANARY",
    "refreshToken": "aor-CANARY",
}
GOOD = {"accessToken": "aoa-CANARY-new", "refreshToken": "aor-CANARY-new", "expiresIn": 3600, "tokenType": "Bearer"}
linux = pytest.mark.skipif(sys.platform != "linux", reason="prctl")


def contents(**changes):
    return tokenfile.parse(json.dumps(TOKEN | changes).encode())


@pytest.fixture(autouse=True)
def _as_it_was(home):
    """A home of its own; and this process, which now looks as if it held tokens, may be looked at again."""
    yield
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)


class Scripted:
    """A server that gives every request the same answer, as raw bytes, and counts."""

    def __init__(self, raw):
        self.requests = []
        own = self

        class Edge(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                own.requests.append(self.path)
                self.wfile.write(raw)
                self.close_connection = True

            do_GET = do_POST  # noqa: N815 - the library's word

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Edge)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()


def raw(status, body=b"", **headers):
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    lines = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"} | {
        name.replace("_", "-"): value for name, value in headers.items()
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value is not None)
    return f"HTTP/1.1 {status} Word\r\n{head}\r\n".encode() + body


def refusing(code, status=400, **words):
    return raw(status, {"error": "x", "error_description": CANARY, **words}, x_amzn_ErrorType=f"{code}:http://x/")


@pytest.fixture(scope="module")
def portal():
    """One for all answers: making it is what takes long."""
    return IdentityCenter(CORP)


@pytest.fixture
def answer(monkeypatch, portal):
    """What `renew` makes of a raw answer; nothing that comes back shows a secret."""

    def ask(raw_answer, now=NOW):
        with Scripted(raw_answer) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", server.url)
            came = portal.renew(contents(), now)
        assert server.requests == ["/token"]  # one attempt
        assert CANARY not in repr(came)
        assert CANARY not in str(came)
        return came

    return ask


@pytest.fixture
def alive(monkeypatch, portal):
    """What `lives` makes of a raw answer."""

    def ask(raw_answer):
        with Scripted(raw_answer) as server:
            monkeypatch.setenv("AWS_ENDPOINT_URL_SSO", server.url)
            came = portal.lives(contents())
        assert len(server.requests) == 1
        return came

    return ask


# CreateToken


@pytest.mark.parametrize(
    ("changes", "refresh_token", "life"),
    [
        pytest.param({}, "aor-CANARY-new", HOUR, id="usual"),
        pytest.param({"refreshToken": ...}, None, HOUR, id="no-refresh-token"),
        pytest.param({"refreshToken": None}, None, HOUR, id="null-refresh-token"),
        pytest.param({"refreshToken": ""}, None, HOUR, id="empty-refresh-token"),
        pytest.param({"expiresIn": 1}, "aor-CANARY-new", timedelta(seconds=1), id="the-last-second-of-a-session"),
        pytest.param({"expiresIn": 90 * 86400}, "aor-CANARY-new", timedelta(days=90), id="longest"),
        pytest.param({"accessToken": "a" * 65536}, "aor-CANARY-new", HOUR, id="longest-token"),
        pytest.param({"expiresIn": "3600"}, "aor-CANARY-new", HOUR, id="life-as-text"),
        pytest.param({"idToken": None, "unknown": [1]}, "aor-CANARY-new", HOUR, id="more"),
    ],
)
def test_a_granted_token(answer, changes, refresh_token, life):
    body = {name: value for name, value in (GOOD | changes).items() if value is not ...}
    came = answer(raw(200, body, Date=format_datetime(NOW, usegmt=True)))
    assert isinstance(came, Granted)
    assert (came.access_token, came.refresh_token) == (body["accessToken"], refresh_token)
    assert (came.life, came.skew) == (life, timedelta())


ENDED, REGISTRATION, REGION = "ended", "registration", "wrong_region"


@pytest.mark.parametrize(
    ("code", "status", "kind", "says"),
    [
        ("InvalidGrantException", 400, ENDED, "invalid_grant"),
        ("ExpiredTokenException", 400, ENDED, "expired_token"),
        ("InvalidClientException", 401, REGISTRATION, "invalid_client"),
        ("UnauthorizedClientException", 400, REGISTRATION, "unauthorized_client"),
        ("InvalidScopeException", 400, REGISTRATION, "invalid_scope"),
        ("UnsupportedGrantTypeException", 400, REGISTRATION, "unsupported_grant_type"),
        ("AccessDeniedException", 400, "not_allowed", "access_denied"),
        ("InvalidRequestException", 400, REGION, "invalid_request"),
        ("InvalidRequestRegionException", 400, REGION, "another region"),
    ],
)
def test_each_refusal_has_its_code(answer, code, status, kind, says):
    came = answer(refusing(code, status))
    assert isinstance(came, Refusal)
    assert came.code == kind
    assert says in came.reason


@pytest.mark.parametrize(
    ("region", "shown"),
    [
        ("eu-west-1", ": eu-west-1"),
        ("\x1b[31mred\u202e", ": [31mred"),
        ("x" * 500, "x" * 39 + "…"),
        (7, ": 7"),
        (None, "another region"),
        ("", "another region"),
    ],
)
def test_the_right_region_is_told_and_is_only_text(answer, region, shown):
    came = answer(refusing("InvalidRequestRegionException", region=region))
    assert came.code == REGION
    assert came.reason.endswith(shown)


HTML = b"<html><body>Sign in to the CANARY hotel</body></html>"
NOTHING_DECIDED = [
    pytest.param(refusing("SlowDownException"), False, id="slow-down"),
    pytest.param(refusing("AuthorizationPendingException"), False, id="pending"),
    pytest.param(refusing("InternalServerException", 500), False, id="internal"),
    pytest.param(refusing("ThrottlingException", 429), False, id="throttled"),
    pytest.param(refusing("BrandNewException"), False, id="unknown-code"),
    pytest.param(raw(500), False, id="500"),
    pytest.param(raw(502, HTML, Content_Type="text/html"), False, id="502-page"),
    pytest.param(raw(503, b"{"), False, id="503-half-json"),
    pytest.param(raw(403, HTML, Content_Type="text/html"), False, id="403-page-of-a-proxy"),
    pytest.param(raw(407, HTML, Proxy_Authenticate="Basic"), False, id="407"),
    pytest.param(raw(404, b""), False, id="404"),
    pytest.param(raw(400, b""), False, id="400-empty"),
    pytest.param(raw(302, HTML, Location="http://127.0.0.1:1/"), False, id="redirect"),
]
ABSURD = [
    pytest.param(raw(200, HTML, Content_Type="text/html"), id="page-of-a-captive-portal"),
    pytest.param(raw(200, b""), id="empty"),
    pytest.param(raw(204, b""), id="204"),
    pytest.param(raw(200, b"{"), id="half"),
    pytest.param(raw(200, b"[" * 100_000), id="nested"),
    pytest.param(raw(200, b"[" * 100_000 + b"]" * 100_000), id="nested-and-closed"),
    pytest.param(raw(200, b"\xff\xfe\x00"), id="no-text"),
    pytest.param(raw(200, b"null"), id="null"),
    pytest.param(raw(200, b"[1]"), id="list"),
    pytest.param(raw(200, b'"CANARY"'), id="string"),
    pytest.param(raw(400, b"[" * 100_000), id="400-nested"),
    pytest.param(raw(400, b"[1]"), id="400-list"),
    pytest.param(raw(400, b"null"), id="400-null"),
    pytest.param(raw(200, b"zz\r\n", Content_Length=None, Transfer_Encoding="chunked"), id="broken-chunk"),
    pytest.param(b"HTTP/1.1 what CANARY\r\n\r\n", id="no-status"),
    pytest.param(b"SSH-2.0-CANARY\r\n", id="no-http"),
    pytest.param(b"", id="nothing"),
    *(
        pytest.param(raw(200, GOOD | changes), id=name)
        for name, changes in {
            "access-missing": {"accessToken": None},
            "access-empty": {"accessToken": ""},
            "access-number": {"accessToken": 7},
            "access-list": {"accessToken": [CANARY]},
            "access-huge": {"accessToken": "a" * 65537},
            "life-missing": {"expiresIn": None},
            "life-words": {"expiresIn": "an hour"},
            "life-zero": {"expiresIn": 0},
            "life-negative": {"expiresIn": -1},
            "life-a-century": {"expiresIn": 100 * 365 * 86400},
            "life-beyond-numbers": {"expiresIn": 10**30},
            "life-infinite": {"expiresIn": float("inf")},
            "life-nan": {"expiresIn": float("nan")},
            "refresh-number": {"refreshToken": 7},
            "refresh-object": {"refreshToken": {"a": CANARY}},
            "refresh-huge": {"refreshToken": "a" * 65537},
        }.items()
    ),
]


@pytest.mark.parametrize(("raw_answer", "maybe_acted"), NOTHING_DECIDED)
def test_an_error_that_decides_nothing_is_no_answer(answer, raw_answer, maybe_acted):
    came = answer(raw_answer)
    assert isinstance(came, Unanswered)
    assert came.maybe_acted is maybe_acted


@pytest.mark.parametrize("raw_answer", ABSURD)
def test_an_absurd_answer_is_no_answer_and_may_have_acted(answer, raw_answer):
    came = answer(raw_answer)
    assert isinstance(came, Unanswered)
    assert came.maybe_acted
    assert came.reason


@pytest.mark.parametrize(
    ("date", "skew"),
    [
        pytest.param(format_datetime(NOW, usegmt=True), 0, id="same"),
        pytest.param(format_datetime(NOW - HOUR, usegmt=True), 3600, id="we-are-ahead"),
        pytest.param(format_datetime(NOW + HOUR, usegmt=True), -3600, id="we-are-behind"),
        pytest.param(format_datetime(NOW), 0, id="offset-form"),
        pytest.param("Mon, 05 Jan 2026 08:00:00", 0, id="no-zone"),
        pytest.param("Mon, 05 Jan 99999 08:00:00 GMT", 0, id="no-year"),
        pytest.param("soon", 0, id="no-date"),
        pytest.param("", 0, id="empty"),
        pytest.param(None, 0, id="missing"),
    ],
)
def test_the_servers_date_tells_how_wrong_our_clock_is(answer, date, skew):
    for raw_answer in (
        raw(200, GOOD, Date=date),
        raw(400, {}, Date=date, x_amzn_ErrorType="InvalidGrantException"),
    ):
        assert answer(raw_answer).skew == timedelta(seconds=skew)


# The connection


@pytest.fixture
def simulator(monkeypatch):
    with Simulator(lambda: NOW) as own:
        for name, value in own.environ.items():
            monkeypatch.setenv(name, value)
        yield own


@pytest.mark.parametrize(
    ("kind", "reason", "maybe_acted"),
    [
        pytest.param(Kind.DOWN, "cannot connect", False, id="refused"),
        pytest.param(Kind.RESET_BEFORE, "the connection was closed before an answer", True, id="reset"),
        pytest.param(Kind.RESET_AFTER, "the connection was closed before an answer", True, id="lost"),
        pytest.param(Kind.HANG, "the answer takes too long", True, id="hangs"),
        pytest.param(Kind.HALF, "", True, id="half"),
        pytest.param(Kind.GARBAGE, "the answer holds no access token", True, id="garbage"),
        pytest.param(Kind.INTERNAL_ERROR, "AWS answered InternalServerException (HTTP 500)", False, id="500"),
        pytest.param(Kind.TOO_MANY_REQUESTS, "AWS answered TooManyRequestsException (HTTP 429)", False, id="429"),
        pytest.param(Kind.SLOW_DOWN, "AWS answered SlowDownException (HTTP 400)", False, id="slow-down"),
    ],
)
def test_the_weather_is_never_a_refusal(simulator, portal, monkeypatch, kind, reason, maybe_acted):
    monkeypatch.setattr(aws_clients, "READ_SECONDS", 0.2 if kind is Kind.HANG else 15)
    token = contents(**simulator.sign_in())
    simulator.add_fault(Fault(kind))
    came = portal.renew(token, NOW)
    assert isinstance(came, Unanswered)
    assert reason in came.reason
    assert came.maybe_acted is maybe_acted
    once = int(kind is not Kind.DOWN)
    deadline = time.monotonic() + 60
    while len(simulator.calls()) < once and time.monotonic() < deadline:
        time.sleep(0.005)  # a hanging call may be logged after we gave it up
    assert len(simulator.calls()) == once  # botocore itself tried once
    if kind is not Kind.SLOW_DOWN:  # which the portal does not say
        assert portal.lives(token) is None


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        pytest.param({"AWS_ENDPOINT_URL_SSO_OIDC": "https://{server}"}, "TLS failed", id="no-tls-there"),
        pytest.param(
            {"AWS_ENDPOINT_URL_SSO_OIDC": "https://oidc.example", "HTTPS_PROXY": "http://user:CANARY@{closed}"},
            "cannot connect to the proxy",
            id="proxy-down",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL_SSO_OIDC": "https://oidc.example", "HTTPS_PROXY": "http://user:CANARY@{server}"},
            "cannot connect to the proxy",
            id="proxy-that-is-none",
        ),
        pytest.param(
            {"AWS_ENDPOINT_URL_SSO_OIDC": "https://{server}", "AWS_CA_BUNDLE": "/nowhere/ca.pem"},
            "/nowhere/ca.pem",
            id="ca-bundle-missing",
        ),
        pytest.param({"AWS_ENDPOINT_URL_SSO_OIDC": "nonsense"}, "the client cannot be made", id="no-url"),
        pytest.param({"AWS_ENDPOINT_URL_SSO_OIDC": "http://[bad"}, "the client cannot be made", id="broken-url"),
        pytest.param({"AWS_RETRY_MODE": "bogus"}, "the client cannot be made", id="retry-mode"),
    ],
)
def test_what_was_never_sent_is_known_not_to_have_acted(monkeypatch, environment, reason):
    with Scripted(raw(500)) as server:
        places = {"server": server.url.removeprefix("http://"), "closed": f"127.0.0.1:{free_port()}"}
        for name, value in environment.items():
            monkeypatch.setenv(name, value.format(**places) if "{" in value else value)
        came = IdentityCenter(CORP).renew(contents(), NOW)
    assert isinstance(came, Unanswered)
    assert reason in came.reason
    # A proxy's fault does not tell whether its tunnel stood before: better one replay than a lost answer.
    assert came.maybe_acted is ("proxy" in reason)
    assert CANARY not in repr(came)
    assert "/token" not in server.requests


@pytest.mark.parametrize("region", ["", "no such region", "eu-west-1.evil.example/", "ü", "x" * 300])
def test_a_region_that_is_none_is_no_answer_and_calls_nobody(region):
    sign_in = SignIn("corp", SignInKind.SSO_SESSION, CORP.start_url, region)
    came = IdentityCenter(sign_in).renew(contents(), NOW)
    assert isinstance(came, Unanswered)
    assert "the client cannot be made" in came.reason
    assert not came.maybe_acted
    assert IdentityCenter(sign_in).lives(contents()) is None


def test_the_ca_bundle_of_the_config_is_used_unless_the_environment_names_one(monkeypatch, home):
    sign_in = SignIn("corp", SignInKind.SSO_SESSION, CORP.start_url, "us-east-1", ca_bundle="~/own.pem")
    with Scripted(raw(500)) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SSO_OIDC", server.url.replace("http", "https"))
        assert str(home / "own.pem") in IdentityCenter(sign_in).renew(contents(), NOW).reason
        monkeypatch.setenv("AWS_CA_BUNDLE", "~/other.pem")
        assert str(home / "other.pem") in IdentityCenter(sign_in).renew(contents(), NOW).reason


# ListAccounts


@pytest.mark.parametrize(
    ("raw_answer", "lives"),
    [
        pytest.param(raw(200, {"accountList": [{"accountId": "1"}]}), True, id="an-account"),
        pytest.param(raw(200, {"accountList": []}), True, id="no-account"),
        pytest.param(raw(403, {"__type": "ForbiddenException"}), True, id="forbidden-but-known"),
        pytest.param(raw(400, {"__type": "InvalidRequestException"}), True, id="another-complaint"),
        pytest.param(raw(401, {"__type": "UnauthorizedException"}), False, id="dead"),
        pytest.param(raw(429, {"__type": "TooManyRequestsException"}), None, id="throttled"),
        pytest.param(raw(500), None, id="500"),
        pytest.param(raw(503, HTML), None, id="503"),
        pytest.param(raw(200, HTML, Content_Type="text/html"), None, id="page-of-a-captive-portal"),
        pytest.param(raw(200, b"[1]"), None, id="list"),
        pytest.param(raw(200, b"[" * 100_000), None, id="nested"),
        pytest.param(raw(200, {"accountList": 7}), None, id="number-for-a-list"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_whether_the_token_lives(alive, raw_answer, lives):
    assert alive(raw_answer) is lives


@pytest.mark.parametrize("access_token", ["line\nbreak", "\ud800"])
def test_a_token_that_no_header_can_carry_is_not_known_to_live(simulator, access_token):
    assert IdentityCenter(CORP).lives(contents(accessToken=access_token)) is None


def test_the_probe_against_a_real_session(simulator, portal):
    token = contents(**simulator.sign_in())
    assert portal.lives(token) is True
    simulator.end_session()
    assert portal.lives(token) is False
    assert [call.outcome for call in simulator.calls("ListAccounts")] == ["ok", "UnauthorizedException"]


# The environment


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AWS_PROFILE", "missing"),
        ("AWS_DEFAULT_PROFILE", "missing"),
        ("AWS_ENDPOINT_URL", "{trap}"),
        ("AWS_ENDPOINT_URL_STS", "{trap}"),
        ("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        ("AWS_MAX_ATTEMPTS", "5"),
        ("AWS_MAX_ATTEMPTS", "many"),
        ("AWS_ACCESS_KEY_ID", "AKIDCANARY"),
        ("AWS_REGION", "eu-west-1"),
        ("AWS_DEFAULT_REGION", "nonsense region"),
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
        ("AWS_DEFAULTS_MODE", "bogus"),
        ("AWS_CA_BUNDLE", "/nowhere/ca.pem"),
        ("AWS_CONFIG_FILE", "/nowhere/config"),
        ("AWS_CONFIG_FILE", "{broken}"),
        ("AWS_SHARED_CREDENTIALS_FILE", "{broken}"),
    ],
)
def test_nothing_else_in_the_environment_moves_or_stops_the_call(simulator, monkeypatch, home, name, value):
    (home / "broken").write_text("[profile broken\nendpoint_url = http://127.0.0.1:1\n")
    with Scripted(raw(200, GOOD)) as trap:
        monkeypatch.setenv(name, value.format(trap=trap.url, broken=home / "broken"))
        token = contents(**simulator.sign_in())
        portal = IdentityCenter(CORP)
        assert isinstance(portal.renew(token, NOW), Granted)
        assert portal.lives(token) is True
    assert not trap.requests


@pytest.mark.parametrize(
    ("config", "environment"),
    [
        pytest.param("[profile broken", {}, id="broken"),
        pytest.param("[default]\nendpoint_url = {trap}\n", {}, id="general-endpoint"),
        pytest.param("[default]\nservices = s\n[services s]\nsso_oidc =\n  endpoint_url = {trap}\n", {}, id="services"),
        pytest.param("[default]\nregion = nonsense region\nmax_attempts = 9\n", {}, id="options"),
        pytest.param(
            "[profile p]\ncredential_process = touch {home}/called\n", {"AWS_PROFILE": "p"}, id="credential-process"
        ),
    ],
)
def test_the_aws_config_is_not_even_read(simulator, monkeypatch, home, config, environment):
    (home / ".aws").mkdir()
    with Scripted(raw(200, GOOD)) as trap:
        (home / ".aws/config").write_text(config.format(trap=trap.url, home=home))
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        assert isinstance(IdentityCenter(CORP).renew(contents(**simulator.sign_in()), NOW), Granted)
    assert not trap.requests
    assert not (home / "called").exists()


def test_a_server_error_is_tried_once_whatever_the_environment_asks_for(simulator, monkeypatch):
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "standard")
    simulator.add_fault(Fault(Kind.INTERNAL_ERROR))
    IdentityCenter(CORP).renew(contents(), NOW)
    IdentityCenter(CORP).lives(contents())
    assert [call.operation for call in simulator.calls()] == ["CreateToken", "ListAccounts"]


PROCESS = """
import ctypes, json, sys
reached = []

def hook(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.posix_spawn", "os.fork"):
        reached.append(repr(arguments[1] if event == "socket.connect" else event if "socket" not in event else arguments[0]))

from ssowatch import tokenfile
from ssowatch.clock import utc_now
from ssowatch.identity_center import IdentityCenter
from ssowatch.model import Kind, SignIn

dumpable = lambda: ctypes.CDLL(None).prctl(3, 0, 0, 0, 0) if sys.platform == "linux" else None
before = dumpable()
sys.addaudithook(hook)
portal = IdentityCenter(SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1"))
after = dumpable()
token = tokenfile.parse(sys.stdin.buffer.read())
came = [type(portal.renew(token, utc_now())).__name__, portal.lives(token)]
print(json.dumps({"came": came, "dumpable": [before, after], "reached": sorted(set(reached))}))
"""


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({}, id="nothing-set"),
        pytest.param({"AWS_PROFILE": "missing"}, id="profile"),
        pytest.param({"AWS_DEFAULTS_MODE": "auto"}, id="defaults-mode-asks-the-metadata-service"),
    ],
)
def test_only_the_two_endpoints_are_reached_and_the_process_is_not_dumpable(simulator, home, environment):
    (home / ".aws").mkdir()
    (home / ".aws/config").write_text("[default]\ncredential_process = false\n[broken\n")
    done = subprocess.run(
        [sys.executable, "-c", PROCESS],
        input=json.dumps(TOKEN | simulator.sign_in()).encode(),
        env={**os.environ, **environment},
        capture_output=True,
        check=True,
    )
    said = json.loads(done.stdout)
    assert said["came"] == ["Granted", True]
    assert said["reached"] == sorted(["'127.0.0.1'", f"('127.0.0.1', {simulator.port})"])
    if sys.platform == "linux":
        assert said["dumpable"] == [1, 0]
    assert CANARY not in done.stdout.decode() + done.stderr.decode()


def test_no_value_shows_a_secret():
    granted = Granted("aoa-CANARY", "aor-CANARY", HOUR, timedelta())
    portal = IdentityCenter(CORP)
    for value in (granted, [granted], contents(), portal, portal.__dict__):
        assert CANARY not in repr(value)
        assert CANARY not in f"{value}"
