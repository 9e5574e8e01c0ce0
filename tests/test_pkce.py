"""PKCE as RFC 7636 and the AWS CLI have it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

from ssowatch import pkce

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""RFC 7636, appendix B."""


def test_the_challenge_is_the_one_of_the_standard():
    assert pkce.challenge(VERIFIER) == CHALLENGE


def test_what_is_drawn_is_long_enough_and_never_the_same():
    drawn = [pkce.draw() for _ in range(50)]
    assert len(set(drawn)) == 50
    assert {len(one) for one in drawn} == {64}, "RFC 7636 takes 43 to 128"
    assert all(one.replace("-", "").replace("_", "").isalnum() for one in drawn)


def test_the_redirect_address_is_the_registered_one_with_a_port():
    assert pkce.redirect_uri(45678) == "http://127.0.0.1:45678/oauth/callback"
    assert pkce.REGISTERED == "http://127.0.0.1/oauth/callback"


def test_the_address_where_the_person_decides():
    url = pkce.authorize_url(
        "https://oidc.eu-west-1.amazonaws.com/",
        client_id="me&you",
        redirect="http://127.0.0.1:1/oauth/callback",
        state="s",
        verifier=VERIFIER,
        scopes=("sso:account:access", "x"),
    )
    assert url.startswith("https://oidc.eu-west-1.amazonaws.com/authorize?")
    assert parse_qs(urlsplit(url).query) == {
        "response_type": ["code"],
        "client_id": ["me&you"],
        "redirect_uri": ["http://127.0.0.1:1/oauth/callback"],
        "state": ["s"],
        "code_challenge_method": ["S256"],
        "scopes": ["sso:account:access x"],
        "code_challenge": [CHALLENGE],
    }
