"""Signing in at the simulator, end to end: plain boto3 for the program, plain HTTP for the person's browser."""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import os
import re
import threading
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from simulator.clients import REDIRECT, STATE, VERIFIER, Clock, authorize_url, clients, proof, registration
from simulator.faults import Fault, Kind
from simulator.person import Person
from simulator.remote import running
from simulator.server import Simulator

from ssowatch.demo.center.registrations import CODE, DEVICE, REFRESH
from ssowatch.demo.center.server import Server

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
START_URL = "https://d-1234567890.awsapps.com/start"


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch):
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def clock():
    return Clock(BEGIN)


@pytest.fixture
def simulator(clock):
    with Simulator(clock) as simulator:
        yield simulator


@pytest.fixture
def made():
    with clients() as made:
        yield made


@pytest.fixture
def oidc(simulator, made):
    return made.connect("sso-oidc", simulator.url)


@pytest.fixture
def portal(simulator, made):
    return made.connect("sso", simulator.url)


def device(oidc, start_url=START_URL, **changes):
    """What a device flow begins with: the answer, and what is asked for a token."""
    what = {"clientName": "a client", "clientType": "public", "scopes": ["sso:account:access"]} | changes
    client = proof(oidc.register_client(**what))
    started = oidc.start_device_authorization(**client, startUrl=start_url)
    return started, {**client, "grantType": DEVICE, "deviceCode": started["deviceCode"]}


def pkce(oidc, **changes):
    """A client registered for PKCE."""
    return proof(oidc.register_client(**registration(START_URL, **changes)))


def back(page):
    """What the redirect of a page carries."""
    assert page.status == 302
    where, _, query = page.headers["Location"].partition("?")
    assert where == REDIRECT
    return dict(parse_qsl(query))


def redeemed(oidc, client, answer):
    """The tokens for the code of a redirect."""
    shown = {"code": answer["code"], "redirectUri": REDIRECT, "codeVerifier": VERIFIER}
    return oidc.create_token(**client, grantType=CODE, **shown)


# Device


def test_a_device_signs_in(simulator, oidc, portal):
    started, asked = device(oidc)
    assert (started["expiresIn"], started["interval"]) == (600, 1)
    assert re.fullmatch(r"[B-Z]{4}-[B-Z]{4}", started["userCode"])
    assert started["verificationUri"] == f"{simulator.url}/device"
    assert started["verificationUriComplete"] == f"{simulator.url}/device?user_code={started['userCode']}"
    with pytest.raises(oidc.exceptions.AuthorizationPendingException):
        oidc.create_token(**asked)

    anna = Person("anna")
    page = anna.open(started["verificationUriComplete"])
    assert page.labels == ["Sign in"]
    page = anna.press(page, "Sign in", user="anna")
    assert page.labels == ["Allow", "Deny"]
    assert all(text in page.text for text in ("a client", START_URL, "anna", started["userCode"]))
    assert "Request approved" in anna.press(page, "Allow").text

    token = oidc.create_token(**asked)
    assert (token["expiresIn"], token["tokenType"]) == (3600, "Bearer")
    assert portal.list_accounts(accessToken=token["accessToken"])["accountList"]
    client = {name: asked[name] for name in ("clientId", "clientSecret")}
    assert oidc.create_token(**client, grantType=REFRESH, refreshToken=token["refreshToken"])["refreshToken"]
    with pytest.raises(oidc.exceptions.InvalidGrantException):
        oidc.create_token(**asked)


def test_without_scopes_there_is_no_refresh_token(oidc):
    started, asked = device(oidc, scopes=[])
    Person().decide(started["verificationUriComplete"])
    token = oidc.create_token(**asked)
    assert "refreshToken" not in token
    assert token["expiresIn"] == 8 * 3600


@pytest.mark.parametrize("written", [str, str.lower, lambda code: code.replace("-", ""), lambda code: f" {code} "])
def test_a_person_may_write_the_code_in_any_way(simulator, oidc, written):
    started, asked = device(oidc)
    person = Person()
    page = person.open(started["verificationUri"])
    assert page.labels == ["Next"]
    page = person.press(page, "Next", user_code=written(started["userCode"]))
    page = person.press(page, "Sign in")  # the name that the page proposes
    person.press(page, "Allow")
    assert oidc.create_token(**asked)["accessToken"]
    outcomes = [(call.operation, call.outcome) for call in simulator.calls() if "Device" in call.operation][1:]
    assert outcomes == [
        ("DevicePage", "code"),
        ("DevicePage", "sign_in"),
        ("DeviceForm", "consent"),
        ("DeviceForm", "allowed"),
    ]


def test_a_code_that_is_not_known_was_used_or_has_run_out_is_asked_for_again(simulator, clock, oidc):
    started, asked = device(oidc)
    person = Person()
    person.decide(started["verificationUriComplete"], "Deny")
    late, _ = device(oidc)
    clock.now += 600 * SECOND
    for code in ("BCDF-GHJK", started["userCode"], late["userCode"]):
        page = person.open(f"{simulator.url}/device?{urlencode({'user_code': code})}")
        assert (page.status, page.labels) == (400, ["Next"])
    with pytest.raises(oidc.exceptions.ExpiredTokenException):
        oidc.create_token(**asked)


def test_denied_stays_denied(oidc):
    started, asked = device(oidc)
    assert "Request denied" in Person().decide(started["verificationUriComplete"], "Deny").text
    for _ in range(2):
        with pytest.raises(oidc.exceptions.AccessDeniedException):
            oidc.create_token(**asked)


# Seconds since the poll before, and what it says. The AWS CLI's first two come at once.
POLLS = [(0, "Pending"), (0, "Pending"), (0.9, "SlowDown"), (0.9, "SlowDown"), (1, "Pending"), (0.5, "SlowDown")]


def test_polling_faster_than_the_interval_is_told_to_slow_down(clock, oidc):
    started, asked = device(oidc)
    names = {"Pending": "AuthorizationPendingException", "SlowDown": "SlowDownException"}
    for seconds, expected in POLLS:
        clock.now += seconds * SECOND
        with pytest.raises(getattr(oidc.exceptions, names[expected])):
            oidc.create_token(**asked)
    Person().decide(started["verificationUriComplete"])
    assert oidc.create_token(**asked)["accessToken"], "what is decided is told to the hasty too"


def test_spans_of_the_device_flow_are_settings(simulator, clock, oidc):
    simulator.change(device_life=2 * SECOND, device_interval=5 * SECOND)
    started, asked = device(oidc)
    assert (started["expiresIn"], started["interval"]) == (2, 5)
    clock.now += 2 * SECOND
    with pytest.raises(oidc.exceptions.ExpiredTokenException):
        oidc.create_token(**asked)


# PKCE


@contextlib.contextmanager
def listener():
    """The loopback listener of a program that waits for its code."""
    paths = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "4")
            self.end_headers()
            self.wfile.write(b"done")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/oauth/callback", paths
        server.shutdown()
        thread.join()


def test_a_program_signs_in_by_pkce(simulator, oidc, portal):
    client = pkce(oidc)
    with listener() as (redirect, paths):
        person = Person("anna")
        page = person.open(authorize_url(simulator.url, client["clientId"], redirect_uri=redirect))
        assert page.labels == ["Sign in"]
        page = person.press(page, "Sign in", user="anna")
        assert all(text in page.text for text in ("a client", START_URL, "anna"))
        assert person.press(page, "Allow").text == "done"
    [path] = paths
    answer = dict(parse_qsl(urlsplit(path).query))
    assert answer.keys() == {"code", "state"}
    assert answer["state"] == STATE
    shown = {"code": answer["code"], "redirectUri": redirect, "codeVerifier": VERIFIER}
    token = oidc.create_token(**client, grantType=CODE, **shown)
    assert (token["expiresIn"], bool(token["refreshToken"])) == (3600, True)
    assert portal.list_accounts(accessToken=token["accessToken"])["accountList"]
    outcomes = [(call.operation, call.outcome) for call in simulator.calls() if "Authorize" in call.operation]
    assert outcomes == [("AuthorizePage", "sign_in"), ("AuthorizeForm", "consent"), ("AuthorizeForm", "allowed")]


def test_pkce_without_scopes_is_given_account_access(simulator, oidc):
    client = pkce(oidc, scopes=[])
    answer = back(Person(follow=False).decide(authorize_url(simulator.url, client["clientId"], scopes=None)))
    assert redeemed(oidc, client, answer)["refreshToken"]


def test_a_registration_says_when_it_ends(oidc):
    answer = oidc.register_client(**registration(START_URL))
    assert answer["clientIdIssuedAt"] == BEGIN.timestamp()
    assert answer["clientSecretExpiresAt"] == (BEGIN + 90 * 24 * HOUR).timestamp()


STRANGE = {
    "no client": {"client_id": None},
    "an unknown client": {"client_id": "unknown"},
    "another path": {"redirect_uri": "http://127.0.0.1:45678/elsewhere"},
    "another host": {"redirect_uri": "http://example.com:45678/oauth/callback"},
    "a host that looks right": {"redirect_uri": "http://127.0.0.1:45678@example.com/oauth/callback"},
    "another scheme": {"redirect_uri": "https://127.0.0.1:45678/oauth/callback"},
    "a header in it": {"redirect_uri": f"{REDIRECT}\r\nSet-Cookie: a=b"},
    "no redirect": {"redirect_uri": None},
}


@pytest.mark.parametrize("changes", STRANGE.values(), ids=STRANGE)
def test_a_strange_request_is_a_page_in_the_browser_and_no_redirect(simulator, oidc, changes):
    client = {"client_id": pkce(oidc)["clientId"]} | changes
    page = Person(follow=False).open(authorize_url(simulator.url, client.pop("client_id") or "", **client))
    assert page.status == 400
    assert "Location" not in page.headers
    assert not page.labels


def test_a_registration_of_another_kind_or_time_is_a_page_too(simulator, clock, oidc):
    person = Person(follow=False)
    _, asked = device(oidc)
    assert person.open(authorize_url(simulator.url, asked["clientId"])).status == 400
    client = pkce(oidc)
    clock.now += 90 * 24 * HOUR
    assert person.open(authorize_url(simulator.url, client["clientId"])).status == 400


WRONG = {
    "implicit": ({"response_type": "token"}, "unsupported_response_type"),
    "plain": ({"code_challenge_method": "plain"}, "invalid_request"),
    "no challenge": ({"code_challenge": None}, "invalid_request"),
    "more than was registered": ({"scopes": "codewhisperer:analysis"}, "invalid_scope"),
}


@pytest.mark.parametrize(("changes", "error"), WRONG.values(), ids=WRONG)
def test_a_wrong_request_of_a_known_client_goes_back_to_it(simulator, oidc, changes, error):
    page = Person(follow=False).open(authorize_url(simulator.url, pkce(oidc)["clientId"], **changes))
    assert back(page) == {"error": error, "state": STATE}


def test_denied_goes_back_as_an_error(simulator, oidc):
    page = Person(follow=False).decide(authorize_url(simulator.url, pkce(oidc)["clientId"]), "Deny")
    assert back(page) == {"error": "access_denied", "state": STATE}


# Nobody presses


def test_auto_allows_at_once(simulator, oidc):
    simulator.change(approval="auto", user="robot")
    client = pkce(oidc)
    answer = back(Person(follow=False).open(authorize_url(simulator.url, client["clientId"])))
    assert redeemed(oidc, client, answer)["refreshToken"]
    started, asked = device(oidc)
    assert "Request approved" in Person().open(started["verificationUriComplete"]).text
    assert oidc.create_token(**asked)["accessToken"]
    assert simulator.end_session(user="robot") == 1


def test_deny_denies_at_once(simulator, oidc):
    simulator.change(approval="deny")
    page = Person(follow=False).open(authorize_url(simulator.url, pkce(oidc)["clientId"]))
    assert back(page) == {"error": "access_denied", "state": STATE}
    started, asked = device(oidc)
    Person().open(started["verificationUriComplete"])
    with pytest.raises(oidc.exceptions.AccessDeniedException):
        oidc.create_token(**asked)


# The portal session


def test_a_browser_that_is_signed_in_is_asked_for_consent_only(simulator, oidc):
    person = Person("anna")
    person.decide(device(oidc)[0]["verificationUriComplete"])
    here = device(oidc)[0]["verificationUriComplete"]
    elsewhere = device(oidc, "https://other.awsapps.com/start")[0]["verificationUriComplete"]
    assert person.open(here).labels == ["Allow", "Deny"]
    assert person.open(elsewhere).labels == ["Sign in"]
    assert Person("anna").open(here).labels == ["Sign in"]


def length(oidc, person):
    """Seconds until the session ends into which a person signs in now, as a token without scopes tells."""
    started, asked = device(oidc, scopes=[])
    person.decide(started["verificationUriComplete"])
    return oidc.create_token(**asked)["expiresIn"]


def test_signing_in_again_does_not_move_the_end_whatever_the_browser(clock, oidc):
    anna = Person("anna")
    assert length(oidc, anna) == 8 * 3600
    clock.now += 3 * HOUR
    assert length(oidc, anna) == 5 * 3600
    assert length(oidc, Person("anna")) == 5 * 3600
    assert length(oidc, Person("otto")) == 8 * 3600
    clock.now += 5 * HOUR
    assert length(oidc, anna) == 8 * 3600


# portal_outlives_sign_ins, how the sign-in is ended: what the browser is asked, and the length of the new sign-in
ENDS = {
    "together, by Logout": (False, True, ["Sign in"], 8),
    "together, by an admin": (False, False, ["Sign in"], 8),
    "the portal goes on after Logout": (True, True, ["Allow", "Deny"], 5),
    "the portal goes on after an admin": (True, False, ["Allow", "Deny"], 5),
}


@pytest.mark.parametrize(("outlives", "logout", "labels", "hours"), ENDS.values(), ids=ENDS)
def test_what_is_left_when_a_sign_in_is_ended(simulator, clock, oidc, portal, outlives, logout, labels, hours):
    simulator.change(portal_outlives_sign_ins=outlives)
    anna = Person("anna")
    started, asked = device(oidc)
    anna.decide(started["verificationUriComplete"])
    token = oidc.create_token(**asked)
    clock.now += 0.5 * HOUR
    renewal = {**proof(asked), "grantType": REFRESH, "refreshToken": token["refreshToken"]}
    simulator.change(refresh_tokens="same")
    assert oidc.create_token(**renewal)
    if logout:
        portal.logout(accessToken=token["accessToken"])
    else:
        simulator.end_session(user="anna")
    with pytest.raises(oidc.exceptions.InvalidGrantException):
        oidc.create_token(**renewal)
    with pytest.raises(portal.exceptions.UnauthorizedException):
        portal.list_accounts(accessToken=token["accessToken"])
    clock.now += 2.5 * HOUR
    assert anna.open(device(oidc)[0]["verificationUriComplete"]).labels == labels
    assert length(oidc, anna) == hours * 3600


def test_the_portal_forgets_the_browser_when_its_session_ends(simulator, clock, oidc):
    simulator.change(portal_outlives_sign_ins=True)
    anna = Person("anna")
    anna.decide(device(oidc)[0]["verificationUriComplete"])
    clock.now += 8 * HOUR
    assert anna.open(device(oidc)[0]["verificationUriComplete"]).labels == ["Sign in"]


# What a page may carry

NASTY = "<script>alert(1)</script>\"'&\u202e\nx"
SHOWN = "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&amp;x"


def test_what_others_wrote_is_shown_and_never_obeyed(simulator, oidc):
    started, _ = device(oidc, clientName=NASTY + "long" * 100)
    person = Person()
    page = person.open(started["verificationUriComplete"])
    pages = [page, person.press(page, "Sign in", user=NASTY), person.open(f"{simulator.url}/device?user_code=%3Cb%3E")]
    assert SHOWN in pages[0].text
    assert pages[1].text.count(SHOWN) == 2, "the client's name and the user's"
    assert "long" * 100 not in pages[1].text
    assert "&lt;b&gt;" in pages[2].text
    for page in pages:
        assert not re.search(r"<script|<b>|\u202e| on\w+=", page.text)


def test_every_page_has_a_strict_policy(simulator, oidc):
    client = pkce(oidc)["clientId"]
    person = Person(follow=False)
    signed_in = person.press(person.open(authorize_url(simulator.url, client)), "Sign in")
    pages = [person.open(f"{simulator.url}/authorize"), signed_in, person.press(signed_in, "Allow")]
    for page in pages:
        policy = dict(part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";"))
        assert (policy["default-src"], policy["frame-ancestors"]) == ("'none'", "'none'")
        assert "unsafe" not in str(policy)
        assert (page.headers["Cache-Control"], page.headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert re.search(r"Path=/; HttpOnly; SameSite=Lax$", signed_in.headers["Set-Cookie"])


# Weather, and what is no request at all


def test_a_page_has_weather_too(simulator, oidc):
    started, _ = device(oidc)
    simulator.add_fault(Fault(Kind.INTERNAL_ERROR, "DevicePage", 1))
    person = Person()
    page = person.open(started["verificationUriComplete"])
    assert (page.status, page.headers["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert person.open(started["verificationUriComplete"]).status == 200
    outcomes = [call.outcome for call in simulator.calls("DevicePage")]
    assert outcomes == ["InternalServerException", "sign_in"]


STRANGE_BODIES = {
    "nothing": b"",
    "no JSON": b"{",
    "no object": b"[]",
    "deep": b"[" * 60_000,
    "half a character": b'{"clientId": "\\ud800", "clientSecret": "x", "grantType": "x", "refreshToken": "\\ud800"}',
    "wrong kinds": b'{"clientId": [], "clientSecret": {}, "grantType": 1, "scopes": {}, "startUrl": 7}',
    "not text": b"\xff\xfe",
}


@pytest.mark.parametrize("path", ["/client/register", "/device_authorization", "/token", "/authorize", "/device", "/"])
@pytest.mark.parametrize("body", STRANGE_BODIES.values(), ids=STRANGE_BODIES)
def test_a_strange_body_is_refused_by_an_answer(simulator, capfd, path, body):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=30)) as connection:
        connection.request("POST", path, body)
        assert connection.getresponse().status in ({200} if path == "/device" else {400, 401, 404})
    assert "Traceback" not in capfd.readouterr().err


def test_strange_strings_inside_good_requests_are_refused_by_an_answer(simulator, oidc, capfd):
    client = pkce(oidc)
    page = Person(follow=False).decide(authorize_url(simulator.url, client["clientId"], code_challenge="é"))
    strange = {**client, "grantType": CODE, **back(page), "redirectUri": REDIRECT, "codeVerifier": "\ud800"}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=30)) as connection:
        connection.request("POST", "/token", json.dumps(strange))
        assert connection.getresponse().status == 400
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize("length", ["-1", "x", "99999999999", "65537"])
def test_a_body_that_is_too_large_or_of_no_length_is_not_read(simulator, length):
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", simulator.port, timeout=30)) as connection:
        connection.putrequest("POST", "/token")
        connection.putheader("Content-Length", length)
        connection.endheaders()
        assert connection.getresponse().status == 413


# The other forms of it


def test_the_plain_server_does_the_same(clock, made):
    with Server(clock, approval="auto") as server:
        oidc = made.connect("sso-oidc", server.url)
        started, asked = device(oidc)
        Person().open(started["verificationUriComplete"])
        token = oidc.create_token(**asked)
        portal = made.connect("sso", server.url)
        assert portal.list_accounts(accessToken=token["accessToken"])["accountList"]
        assert [call.outcome for call in server.calls("DevicePage")] == ["allowed"]


def test_a_simulator_process_has_pages_too(tmp_path, made):
    with running(tmp_path / "ports", settings={"approval": "auto", "code_life": HOUR}) as simulator:
        oidc = made.connect("sso-oidc", simulator.url)
        client = pkce(oidc)
        answer = back(Person(follow=False).open(authorize_url(simulator.url, client["clientId"])))
        assert redeemed(oidc, client, answer)["refreshToken"]
