"""Which portal a start URL means, and what its sso-session is called."""

from __future__ import annotations

import pytest

from ssowatch import start_urls

URL = "https://acme.awsapps.com/start"
PORTALS = [
    # start URL, portal, name
    (URL, URL, "acme"),
    (f"{URL}/", URL, "acme"),
    (f"{URL}#/", URL, "acme"),
    (f"{URL}/#", URL, "acme"),
    ("http://ACME.awsapps.com/start", URL, "acme"),
    ("https://acme.awsapps.com:443/start", URL, "acme"),
    ("https://identitycenter.amazonaws.com/ssoins-7223", "https://identitycenter.amazonaws.com/ssoins-7223", "ssoins-7223"),
    ("https://ssoins-7.portal.us-east-1.app.aws", "https://ssoins-7.portal.us-east-1.app.aws", "ssoins-7"),
    ("https://start.cn-north-1.home.awsapps.cn/directory/d-1", "https://start.cn-north-1.home.awsapps.cn/directory/d-1", "d-1"),
    (f"https://{'a' * 50}.awsapps.com/start", f"https://{'a' * 50}.awsapps.com/start", "a" * 40),
    ("http://127.0.0.1:8080/start", "http://127.0.0.1:8080/start", "sso"),
    ("https://[::1", "https://[::1", "sso"),
    ("", "", "sso"),
]  # fmt: skip


@pytest.mark.parametrize(("url", "portal", "name"), PORTALS)
def test_start_urls(url, portal, name):
    assert start_urls.portal(url) == portal
    assert start_urls.session_name(url, ()) == name
    assert start_urls.session_name(url, {name}) == f"{name}-2"
    assert start_urls.session_name(url, {name, f"{name}-2"}) == f"{name}-3"
