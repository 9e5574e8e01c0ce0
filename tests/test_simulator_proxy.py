"""The way through the TLS proxy, with real boto3 clients that know no endpoint but AWS's own."""

from __future__ import annotations

import contextlib
import os
import time

import pytest
from botocore.exceptions import ProxyConnectionError, SSLError
from simulator import certificates
from simulator.clients import clients, proof
from simulator.faults import Fault, Kind
from simulator.server import Simulator
from simulator.tls_proxy import TlsProxy

from ssowatch.demo.center.registrations import REFRESH


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    if not certificates.available() and not os.environ.get("SSOWATCH_CI"):
        pytest.skip("certificates are made by openssl")
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture
def simulator():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def proxy(simulator, folder, monkeypatch):
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    with TlsProxy(simulator.port, folder) as proxy:
        for name, value in proxy.environ.items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def made():
    with clients() as made:
        yield made


@contextlib.contextmanager
def told(what):
    with pytest.raises(ProxyConnectionError) as caught:
        yield
    assert what in str(caught.value.kwargs["error"])


def renewal(token):
    return {**proof(token), "grantType": REFRESH, "refreshToken": token["refreshToken"]}


def test_boto3_reaches_the_simulator_in_the_name_of_aws(simulator, proxy, made):
    oidc, portal = made.connect("sso-oidc", None), made.connect("sso", None)
    token = oidc.create_token(**renewal(simulator.sign_in()))
    assert portal.list_accounts(accessToken=token["accessToken"])["accountList"]
    assert portal.list_accounts(accessToken=token["accessToken"], maxResults=1)["nextToken"]
    assert proxy.tunnels == ["oidc.us-east-1.amazonaws.com", "portal.sso.us-east-1.amazonaws.com"], "kept alive"
    assert [call.outcome for call in simulator.calls()] == ["ok"] * 3


def test_who_does_not_trust_the_authority_does_not_talk(simulator, proxy, made, monkeypatch):
    monkeypatch.delenv("AWS_CA_BUNDLE")
    with pytest.raises(SSLError):
        made.connect("sso-oidc", None).create_token(**renewal(simulator.sign_in()))
    assert simulator.calls() == []


def test_another_host_is_not_reached(proxy, made):
    with told("403"):
        made.connect("sso-oidc", "https://oidc.eu-west-1.amazonaws.com").register_client(
            clientName="x", clientType="public"
        )


def test_refuse(simulator, proxy, made):
    proxy.refuse = True
    oidc, token = made.connect("sso-oidc", None), simulator.sign_in()
    with told("503"):
        oidc.create_token(**renewal(token))
    proxy.refuse = False
    assert oidc.create_token(**renewal(token))


def test_latency(simulator, proxy, made):
    proxy.latency = 0.2
    began = time.monotonic()
    assert made.connect("sso-oidc", None).create_token(**renewal(simulator.sign_in()))
    assert time.monotonic() - began >= 0.2


def test_the_weather_behind_it_is_felt_in_front_of_it(simulator, proxy, made):
    oidc, token = made.connect("sso-oidc", None), simulator.sign_in()
    simulator.add_fault(Fault(Kind.RESET_AFTER, count=1))
    # A lost answer, which through a proxy urllib3 calls "Unable to connect to proxy": the server did act.
    with told("RemoteDisconnected"):
        oidc.create_token(**renewal(token))
    simulator.add_fault(Fault(Kind.DOWN))
    with told("502"):
        oidc.create_token(**renewal(token))
    simulator.clear_faults()
    with pytest.raises(oidc.exceptions.InvalidGrantException):
        oidc.create_token(**renewal(token))
