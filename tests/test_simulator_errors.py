"""Every error that the service models name for the operations in use: emitted as modelled, or not, with the reason.

Rules of this file:
1. The models of botocore are walked, so an error that a new botocore adds asks for a row here.
2. A row provokes its error by what a client does wrong, or by a fault where only AWS's own troubles give that error.
"""

from __future__ import annotations

import ast
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from simulator.clients import REDIRECT, VERIFIER, Clock, authorize_url, clients, proof, registration
from simulator.faults import UNSEEN, Fault, Kind
from simulator.person import Person
from simulator.server import Simulator

from ssowatch.demo import center
from ssowatch.demo.center.authorization_codes import challenge
from ssowatch.demo.center.refusal import ROWS
from ssowatch.demo.center.registrations import CODE, DEVICE, REFRESH

BEGIN = datetime(2026, 1, 5, 8, tzinfo=UTC)
START_URL = "https://d-1234567890.awsapps.com/start"
OIDC = ("CreateToken", "RegisterClient", "StartDeviceAuthorization")
PORTAL = ("GetRoleCredentials", "ListAccountRoles", "ListAccounts", "Logout")
CALLS = {
    "CreateToken": "create_token",
    "RegisterClient": "register_client",
    "StartDeviceAuthorization": "start_device_authorization",
    "GetRoleCredentials": "get_role_credentials",
    "ListAccountRoles": "list_account_roles",
    "ListAccounts": "list_accounts",
    "Logout": "logout",
}


class World:
    """What the rows act in: a simulator, its clock, and clients."""

    def __init__(self, simulator, clock, made):
        self.simulator = simulator
        self.clock = clock
        self.oidc = made.connect("sso-oidc", simulator.url)
        self.portal = made.connect("sso", simulator.url)

    def registered(self, **changes):
        return proof(self.oidc.register_client(**registration(START_URL, **changes)))

    def device(self):
        """A client without grants of its own, and what its device code asks for a token."""
        client = self.registered(grantTypes=[], redirectUris=[])
        started = self.oidc.start_device_authorization(**client, startUrl=START_URL)
        return started, {**client, "grantType": DEVICE, "deviceCode": started["deviceCode"]}

    def polled(self, label):
        """A device code on which a person pressed this button."""
        started, asked = self.device()
        Person().decide(started["verificationUriComplete"], label)
        return asked

    def refresh(self, **changes):
        token = self.simulator.sign_in()
        return {**proof(token), "grantType": REFRESH, "refreshToken": token["refreshToken"]} | changes

    def bearer(self):
        return {"accessToken": self.simulator.sign_in()["accessToken"]}

    def role(self, **changes):
        return {**self.bearer(), "accountId": "111111111111", "roleName": "ReadOnly"} | changes

    def account(self, **changes):
        return {**self.bearer(), "accountId": "111111111111"} | changes

    def start(self, **changes):
        return {**self.registered(grantTypes=[], redirectUris=[]), "startUrl": START_URL} | changes

    def hasty(self):
        _, asked = self.device()
        for _ in range(2):
            with pytest.raises(self.oidc.exceptions.AuthorizationPendingException):
                self.oidc.create_token(**asked)
        return asked

    def late(self):
        _, asked = self.device()
        self.clock.now += timedelta(seconds=600)
        return asked

    def forgotten(self):
        client = self.start()
        self.simulator.revoke_registrations()
        return client

    def trouble(self, kind, arguments):
        self.simulator.add_fault(Fault(kind))
        return arguments


NOBODY = {"accessToken": "aoaNobody"}
SLOW, BROKEN, MANY = Kind.SLOW_DOWN, Kind.INTERNAL_ERROR, Kind.TOO_MANY_REQUESTS
EMITTED = {
    # operation, error: the arguments that provoke it
    ("RegisterClient", "InvalidRequestException"): lambda w: registration(START_URL, redirectUris=[]),
    ("RegisterClient", "InvalidScopeException"): lambda w: registration(START_URL, scopes=["everything"]),
    ("RegisterClient", "InvalidClientMetadataException"): lambda w: registration(START_URL, clientType="confidential"),
    ("RegisterClient", "InvalidRedirectUriException"): lambda w: registration(
        START_URL, redirectUris=["https://example.com/callback"]
    ),
    ("RegisterClient", "UnsupportedGrantTypeException"): lambda w: registration(START_URL, grantTypes=["password"]),
    ("RegisterClient", "SlowDownException"): lambda w: w.trouble(SLOW, registration(START_URL)),
    ("RegisterClient", "InternalServerException"): lambda w: w.trouble(BROKEN, registration(START_URL)),
    ("StartDeviceAuthorization", "InvalidRequestException"): lambda w: w.start(startUrl="http://example.com"),
    ("StartDeviceAuthorization", "InvalidClientException"): lambda w: w.forgotten(),
    ("StartDeviceAuthorization", "UnauthorizedClientException"): lambda w: {**w.registered(), "startUrl": START_URL},
    ("StartDeviceAuthorization", "SlowDownException"): lambda w: w.trouble(SLOW, w.start()),
    ("StartDeviceAuthorization", "InternalServerException"): lambda w: w.trouble(BROKEN, w.start()),
    ("CreateToken", "InvalidRequestException"): lambda w: w.refresh(refreshToken=""),
    ("CreateToken", "InvalidClientException"): lambda w: w.refresh(clientSecret="other"),
    ("CreateToken", "InvalidGrantException"): lambda w: w.refresh(refreshToken="aorUnknown"),
    ("CreateToken", "UnauthorizedClientException"): lambda w: {
        **w.registered(),
        "grantType": DEVICE,
        "deviceCode": "any",
    },
    ("CreateToken", "UnsupportedGrantTypeException"): lambda w: w.refresh(grantType="password"),
    ("CreateToken", "InvalidScopeException"): lambda w: w.refresh(scope=["codewhisperer:analysis"]),
    ("CreateToken", "AuthorizationPendingException"): lambda w: w.device()[1],
    ("CreateToken", "SlowDownException"): lambda w: w.hasty(),
    ("CreateToken", "AccessDeniedException"): lambda w: w.polled("Deny"),
    ("CreateToken", "ExpiredTokenException"): lambda w: w.late(),
    ("CreateToken", "InternalServerException"): lambda w: w.trouble(BROKEN, w.refresh()),
    ("GetRoleCredentials", "InvalidRequestException"): lambda w: w.role(roleName=""),
    ("GetRoleCredentials", "UnauthorizedException"): lambda w: w.role(**NOBODY),
    ("GetRoleCredentials", "TooManyRequestsException"): lambda w: w.trouble(MANY, w.role()),
    ("ListAccountRoles", "InvalidRequestException"): lambda w: w.account(nextToken="another's"),
    ("ListAccountRoles", "UnauthorizedException"): lambda w: w.account(**NOBODY),
    ("ListAccountRoles", "TooManyRequestsException"): lambda w: w.trouble(MANY, w.account()),
    ("ListAccounts", "InvalidRequestException"): lambda w: {**w.bearer(), "maxResults": 101},
    ("ListAccounts", "UnauthorizedException"): lambda w: NOBODY,
    ("ListAccounts", "TooManyRequestsException"): lambda w: w.trouble(MANY, w.bearer()),
    ("Logout", "UnauthorizedException"): lambda w: NOBODY,
    ("Logout", "TooManyRequestsException"): lambda w: w.trouble(MANY, w.bearer()),
}
_NO_ACCESS = "what is not assigned is Forbidden 'No access', as users saw it, whether or not it exists"
NEVER = {
    ("GetRoleCredentials", "ResourceNotFoundException"): _NO_ACCESS,
    ("ListAccountRoles", "ResourceNotFoundException"): _NO_ACCESS,
    ("ListAccounts", "ResourceNotFoundException"): "it names nothing that might not be found",
    ("Logout", "InvalidRequestException"): "its one parameter is the token, and a wrong one is Unauthorized",
}
UNMODELLED = {
    # operation, error: the arguments, and why although no model names it there
    ("CreateToken", "InvalidRequestRegionException"): (
        lambda w: w.refresh(),
        {"other_region": "eu-west-1"},
        "the class is in the model, though not in this operation's list",
    ),
    ("GetRoleCredentials", "ForbiddenException"): (lambda w: w.role(roleName="Admin"), {}, _NO_ACCESS),
    ("ListAccountRoles", "ForbiddenException"): (lambda w: w.account(accountId="9" * 12), {}, _NO_ACCESS),
}
STS = {"MissingAuthenticationToken", "InvalidClientTokenId", "ExpiredToken", "AccessDenied", "InvalidAction"}
"""STS models none of the errors that every AWS service has."""


@pytest.fixture
def world(monkeypatch):
    for name in [n for n in os.environ if n.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    clock = Clock(BEGIN)
    with Simulator(clock) as simulator, clients() as made:
        yield World(simulator, clock, made)


def model(operation):
    service = "sso-oidc" if operation in OIDC else "sso"
    return boto3.Session()._session.get_service_model(service).operation_model(operation)


def modelled():
    return {
        (operation, shape.name): shape.metadata["error"]["httpStatusCode"]
        for operation in OIDC + PORTAL
        for shape in model(operation).error_shapes
    }


def test_every_modelled_error_has_a_row():
    assert not EMITTED.keys() & NEVER.keys()
    assert EMITTED.keys() | NEVER.keys() == modelled().keys()


def raised(world, operation, arguments):
    client = world.oidc if operation in OIDC else world.portal
    with pytest.raises(ClientError) as caught:
        getattr(client, CALLS[operation])(**arguments)
    return client, caught.value


@pytest.mark.parametrize(("operation", "code"), EMITTED, ids=map("-".join, EMITTED))
def test_a_modelled_error_arrives_as_its_class_with_its_status(world, operation, code):
    client, error = raised(world, operation, EMITTED[operation, code](world))
    assert type(error) is getattr(client.exceptions, code)
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == modelled()[operation, code]
    said = error.response.get("error_description") if operation in OIDC else error.response["Error"]["Message"]
    assert said
    assert error.response.get("error") == (ROWS[code][1] if operation in OIDC else None)
    assert (world.simulator.calls()[-1].operation, world.simulator.calls()[-1].outcome) == (operation, code)


@pytest.mark.parametrize(("operation", "code"), UNMODELLED, ids=map("-".join, UNMODELLED))
def test_an_unmodelled_error_arrives_by_its_code(world, operation, code):
    provoke, settings, _ = UNMODELLED[operation, code]
    assert code not in {shape.name for shape in model(operation).error_shapes}
    arguments = provoke(world)
    world.simulator.change(**settings)
    _, error = raised(world, operation, arguments)
    assert error.response["Error"]["Code"] == code


def test_nothing_is_refused_that_has_no_row():
    refused = set(UNSEEN.values())
    for path in Path(center.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Refusal":
                refused |= {one.value for one in ast.walk(node.args[0]) if isinstance(one, ast.Constant)}
    known = {code for _, code in EMITTED.keys() | UNMODELLED.keys()}
    assert refused - STS == known
    assert ROWS.keys() - STS == known


# What a code is bound to


def code_of(world, **changes):
    """An authorization code that was given, and what its client shows for it."""
    client = world.registered(**changes)
    page = Person(follow=False).decide(authorize_url(world.simulator.url, client["clientId"]))
    code = page.headers["Location"].partition("code=")[2].partition("&")[0]
    shown = {"code": code, "redirectUri": REDIRECT, "codeVerifier": VERIFIER}
    return {**client, "grantType": CODE, **shown}


CODES = {
    "another verifier": {"codeVerifier": "w" * 64},
    "the challenge itself, as in the plain method": {"codeVerifier": challenge(VERIFIER)},
    "another port": {"redirectUri": "http://127.0.0.1:45679/oauth/callback"},
    "the address as it was registered": {"redirectUri": "http://127.0.0.1/oauth/callback"},
    "another code": {"code": "unknown"},
}


@pytest.mark.parametrize("changes", CODES.values(), ids=CODES)
def test_an_authorization_code_is_bound_to_what_asked_for_it(world, changes):
    asked = code_of(world)
    with pytest.raises(world.oidc.exceptions.InvalidGrantException):
        world.oidc.create_token(**(asked | changes))


@pytest.mark.parametrize("missing", ["code", "redirectUri", "codeVerifier"])
def test_an_authorization_code_needs_all_its_company(world, missing):
    with pytest.raises(world.oidc.exceptions.InvalidRequestException):
        world.oidc.create_token(**(code_of(world) | {missing: ""}))


def test_an_authorization_code_is_good_once_for_its_client_and_not_for_ever(world):
    first, second, late, ended = (code_of(world) for _ in range(4))
    refused = world.oidc.exceptions.InvalidGrantException
    with pytest.raises(refused):
        world.oidc.create_token(**(first | world.registered()))
    assert world.oidc.create_token(**second)["refreshToken"]
    with pytest.raises(refused):
        world.oidc.create_token(**second)
    world.simulator.end_session()
    with pytest.raises(refused):
        world.oidc.create_token(**ended)
    world.clock.now += timedelta(seconds=60)
    with pytest.raises(refused):
        world.oidc.create_token(**late)


def test_without_the_refresh_grant_there_is_no_refresh_token(world):
    answer = world.oidc.create_token(**code_of(world, grantTypes=[CODE]))
    assert "refreshToken" not in answer
    assert answer["expiresIn"] == 8 * 3600
