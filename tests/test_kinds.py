"""The kinds of credentials: one contract over all of them, and what the files of `aws login` may look like."""

from __future__ import annotations

import json
import os
import sys
import traceback
from datetime import timedelta
from pathlib import Path

import console
import homes
import pytest
from botocore import utils

from ssowatch import cache, kinds, paths
from ssowatch.cache import TokenFileUnreadableError
from ssowatch.clock import utc_now
from ssowatch.kinds.login import Login
from ssowatch.tokenfile import TokenFileError

SAMPLES = {
    # a name of each kind, and a file of it
    "sso-session": ("corp", homes.token),
    "login": (console.ARN, console.document),
}
EVERY = [pytest.param(one, id=one.word) for one in kinds.KINDS]


# the contract


def test_no_two_kinds_are_one():
    assert len({one.word for one in kinds.KINDS}) == len(kinds.KINDS) == len(SAMPLES)
    assert [one.word for one in kinds.KINDS if one.owns("corp")] == ["sso-session"]


@pytest.mark.parametrize("one", EVERY)
def test_a_name_tells_its_kind_and_its_file(home, one):
    name, _ = SAMPLES[one.word]
    assert kinds.of(name) is one
    path = Path(kinds.token_file(name))
    assert (path.parent, path.suffix) == (Path(one.folder()), ".json")
    assert one.folder() in kinds.folders()
    others = {kinds.token_file(other) for word, (other, _) in SAMPLES.items() if word != one.word}
    assert str(path) not in others
    assert kinds.token_file("../x").startswith(f"{kinds.of('../x').folder()}/")
    assert "/" not in kinds.token_file(name + "/../x").removeprefix(f"{one.folder()}/")


@pytest.mark.parametrize("one", EVERY)
def test_a_file_gives_facts_and_shows_no_secret(home, one):
    content = SAMPLES[one.word][1](timedelta(minutes=14))
    read = one.parse(json.dumps(content).encode())
    assert timedelta(minutes=13) < read.token.expires_at - utc_now() <= timedelta(minutes=14)
    assert "canary" not in repr(read).lower()
    assert read.token.client not in json.dumps(content)
    if one.not_renewed:  # then nobody needs them
        assert not read.token.refreshable
        assert read.document == {}
    assert one.parse(json.dumps(content).encode()).token == read.token


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b"{}", b'{"accessToken": ' + b"[" * 500, b"canary \xff"]
)
@pytest.mark.parametrize("one", EVERY)
def test_what_is_no_file_of_it_is_refused_without_being_quoted(one, content):
    with pytest.raises(TokenFileError) as caught:
        one.parse(content)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("one", EVERY)
def test_who_signs_in_is_ssowatch_or_an_argument_list(one):
    argv = one.program("my profile; rm -rf /")
    assert argv == () or (len(argv) > 1 and "my profile; rm -rf /" in argv)
    assert bool(argv) == bool(one.not_renewed) == bool(one.setting)
    assert one.flaw().startswith(one.setting)
    assert bool(one.flaw()) == bool(one.setting)


def test_what_is_known_of_a_kind_stands_in_its_file():
    package = Path(kinds.__file__).parents[1]
    for one in kinds.SETTINGS.values():
        own = Path(sys.modules[type(one).__module__].__file__)
        assert [path for path in package.rglob("*.py") if path != own and one.setting in path.read_text()] == []


# aws login


@pytest.mark.parametrize("folder", [None, "", "/elsewhere", "~/its own", "$HOME/x"])
def test_the_file_is_where_botocore_looks_for_it(home, monkeypatch, folder):
    if folder is not None:
        monkeypatch.setenv("AWS_LOGIN_CACHE_DIRECTORY", folder)
    expected = utils.get_login_token_cache_directory() if folder != "" else f"{home}/.aws/login/cache"
    assert kinds.token_file(console.ARN) == f"{expected}/{utils.generate_login_cache_key(console.ARN)}.json"


NAMES = [
    ("arn:aws:iam::111111111111:root", True),
    ("arn:aws:iam::111111111111:user/a path/me", False),
    ("arn:aws-cn:iam::111111111111:user/path/me", True),
    ("arn:aws-us-gov:sts::111111111111:assumed-role/R/me@example.com", True),
    ("arn:aws:iam::1:user/me", False),
    ("arn:aws:iam::111111111111:", False),
    ("arn:aws:iam::111111111111:user/me\n", False),
    ("arn", False),
    ("https://d-1.awsapps.com/start", False),
]


@pytest.mark.parametrize(("name", "owned"), NAMES)
def test_only_an_arn_names_it(name, owned):
    assert Login().owns(name) is owned


FILES = [
    # id, how it differs from a good one, what is wrong with it
    ("fresh", {}, None),
    ("run out for an hour", {"left": -timedelta(hours=1)}, None),
    ("a fraction of a second, as JavaScript writes it", {"keys": {"expiresAt": "2026-01-05T09:00:00.123Z"}}, None),
    ("with a region of its own", {"signInRegion": "eu-west-1"}, None),
    ("nothing is known of more keys", {"canary": ["canary"]}, None),
    ("without an ID token", {"idToken": ...}, None),
    ("no credentials", {"accessToken": ...}, "holds no accessToken"),
    ("credentials as text, as in a file of Identity Center", {"accessToken": "canary"}, "holds no accessToken"),
    ("credentials as a list", {"accessToken": ["canary"]}, "holds no accessToken"),
    ("no key", {"keys": {"accessKeyId": ...}}, "holds no accessKeyId"),
    ("an empty key", {"keys": {"secretAccessKey": ""}}, "holds no secretAccessKey"),
    ("a number for a token", {"keys": {"sessionToken": 7}}, "holds no sessionToken"),
    ("nothing to refresh it with", {"refreshToken": ...}, "holds no refreshToken"),
    ("no DPoP key", {"dpopKey": None}, "holds no dpopKey"),
    ("no client", {"clientId": {}}, "holds no clientId"),
    ("no end", {"keys": {"expiresAt": ...}}, "expiresAt is missing"),
    ("an end that is none", {"keys": {"expiresAt": "canary"}}, "expiresAt is not a date"),
    ("an end that is a list", {"keys": {"expiresAt": ["canary"]}}, "expiresAt is not a date"),
    ("huge", {"canary": "canary" * 100_000}, "is larger than"),
]


@pytest.mark.parametrize(("change", "fault"), [row[1:] for row in FILES], ids=[row[0] for row in FILES])
def test_files(home, change, fault):
    console.write(console.document(**change))
    if fault is None:
        token = cache.load(console.ARN).token
        assert (token.session, token.expires_at - token.used_at) == (timedelta(hours=12), timedelta(minutes=15))
        return
    with pytest.raises(TokenFileUnreadableError, match=fault) as caught:
        cache.load(console.ARN)
    assert "canary" not in "".join(traceback.format_exception(caught.value)).lower().replace("canarykey", "")


def test_a_link_is_followed_and_a_missing_file_is_none(home):
    assert cache.load(console.ARN) is None
    real = console.write(console.document()).rename(home / "elsewhere")
    assert cache.load(console.ARN) is None
    console.path().symlink_to(real)
    assert cache.load(console.ARN) is not None
    real.unlink()
    assert cache.load(console.ARN) is None
    console.path().unlink()
    os.mkfifo(console.path())
    with pytest.raises(TokenFileUnreadableError):
        cache.load(console.ARN)


def test_a_torn_file_is_not_closed_to_us_because_another_kind_has_no_directory(home):
    console.path().parent.mkdir(parents=True, exist_ok=True)
    console.path().write_bytes(b"{")
    assert not os.path.exists(paths.token_cache())  # noqa: PTH110
    file = cache.TokenCache().look(console.ARN, utc_now())
    assert (file.fault, file.closed) == ("is not complete JSON", False)


def test_a_renewal_by_an_sdk_keeps_the_session_and_a_new_login_does_not(home):
    def token(**change):
        console.write(console.document(**change))
        return cache.load(console.ARN).token

    first, renewed, anew = token(), token(refreshToken="canary-2"), token(dpopKey="canary-3")
    assert first.client == renewed.client != anew.client
    assert len({first.fingerprint, renewed.fingerprint, anew.fingerprint}) == 3
