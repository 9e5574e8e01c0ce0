"""Token files as they were met in the wild, and as they were not: each row is a file."""

import json
import os
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta, timezone

import botocore.session
import pytest
from botocore.tokens import SSOTokenProvider
from botocore.utils import JSONFileCache
from hypothesis import given, settings
from hypothesis import strategies as st

from ssowatch import paths, tokenfile
from ssowatch.answers import Registration
from ssowatch.model import Kind, SignIn
from ssowatch.tokenfile import TokenFileError

CANARY = "CANARY"
NINE = datetime(2026, 1, 5, 9, tzinfo=UTC)
DOCUMENT = {
    "startUrl": "https://d-1234567890.awsapps.com/start",
    "region": "us-east-1",
    "accessToken": "aoa-CANARY-access",
    "expiresAt": "2026-01-05T09:00:00Z",
    "clientId": "CANARY-client",
    "clientSecret": "CANARY-secret",
    "registrationExpiresAt": "2026-04-05T09:00:00Z",
    "refreshToken": "aor-CANARY-refresh",
}
FILE = json.dumps(DOCUMENT, separators=(",", ":")).encode()


def file_with(**changes):
    """The file with these keys changed; without those that are `...`."""
    return json.dumps({name: value for name, value in (DOCUMENT | changes).items() if value is not ...}).encode()


def refusal(content):
    """What `parse` says of a file that is none; it must not quote it, however the error is shown."""
    with pytest.raises(TokenFileError) as caught:
        tokenfile.parse(content)
    assert CANARY not in "".join(traceback.format_exception(caught.value))
    assert CANARY not in repr(caught.value)
    return str(caught.value)


# Reading

NO_ZONE, NUMBER = "no time zone", "is a number"
MOMENTS = [
    pytest.param("2026-01-05T09:00:00Z", NINE, None, id="Z"),
    pytest.param("2026-01-05T09:00:00z", NINE, None, id="lower-case-z"),
    pytest.param("2026-01-05T09:00:00UTC", NINE, None, id="UTC-old-cli"),
    pytest.param("2026-01-05T09:00:00 UTC", NINE, None, id="UTC-spaced"),
    pytest.param("2026-01-05T09:00:00GMT", NINE, None, id="GMT"),
    pytest.param("2026-01-05T09:00:00.123Z", NINE + timedelta(milliseconds=123), None, id="js"),
    pytest.param("2026-01-05T09:00:00.123456789Z", NINE + timedelta(microseconds=123457), None, id="java-rust"),
    pytest.param("2026-01-05T09:00:00,5Z", NINE + timedelta(milliseconds=500), None, id="comma"),
    pytest.param("2026-01-05T09:00:00+00:00", NINE, None, id="offset-zero"),
    pytest.param("2026-01-05T09:00:00-00:00", NINE, None, id="offset-minus-zero"),
    pytest.param("2026-01-05T11:00:00+0200", NINE, None, id="offset-no-colon"),
    pytest.param("2026-01-05T11:00:00+02:00", NINE, None, id="offset-colon"),
    pytest.param("2026-01-05T03:30:00-05:30", NINE, None, id="offset-minus"),
    pytest.param("2026-01-05 09:00:00Z", NINE, None, id="space-for-T"),
    pytest.param("2026-01-05 09:00:00.5 +00:00", NINE + timedelta(milliseconds=500), None, id="space-everywhere"),
    pytest.param(" 2026-01-05T09:00:00Z\n", NINE, None, id="blanks-around"),
    pytest.param("2024-02-29T09:00:00Z", datetime(2024, 2, 29, 9, tzinfo=UTC), None, id="leap-day"),
    pytest.param("2026-01-05T09:00:00", NINE, NO_ZONE, id="naive"),
    pytest.param("2026-01-05T09:00:00.5", NINE + timedelta(milliseconds=500), NO_ZONE, id="naive-fraction"),
    pytest.param(1767603600, NINE, NUMBER, id="epoch-seconds"),
    pytest.param(1767603600.5, NINE + timedelta(milliseconds=500), NUMBER, id="epoch-float"),
    pytest.param(1767603600000, NINE, NUMBER, id="epoch-milliseconds"),
    pytest.param(10**11, datetime(5138, 11, 16, 9, 46, 40, tzinfo=UTC), NUMBER, id="the-most-that-is-seconds"),
    pytest.param(10**11 + 1, datetime(1973, 3, 3, 9, 46, 40, 1000, tzinfo=UTC), NUMBER, id="a-second-more"),
    # Go writes "no time" as the year 1; nobody can take half an hour from that
    pytest.param("0001-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC), None, id="go-zero-time"),
    pytest.param("9999-12-31T23:59:59Z", datetime(9000, 1, 1, tzinfo=UTC), None, id="end-of-time"),
    pytest.param(0, datetime(1970, 1, 1, tzinfo=UTC), NUMBER, id="epoch-zero"),
]


@pytest.mark.parametrize(("written", "moment", "flaw"), MOMENTS)
def test_every_dialect_of_a_moment_is_read_and_what_botocore_cannot_read_is_a_flaw(written, moment, flaw):
    token = tokenfile.parse(file_with(expiresAt=written, registrationExpiresAt=written)).token
    assert token.expires_at == token.registration_expires_at == moment
    assert token.expires_at.utcoffset() == timedelta()
    assert (flaw is None) == (token.flaw is None)
    assert flaw is None or flaw in token.flaw
    assert token.expires_at - timedelta(days=366) < token.expires_at + timedelta(days=366)  # room to reckon with


FORMS = [
    pytest.param(FILE, id="compact"),
    pytest.param(json.dumps(DOCUMENT, indent=2).encode() + b"\n", id="pretty"),
    pytest.param(json.dumps(DOCUMENT, indent=4).replace("\n", "\r\n").encode(), id="pretty-crlf"),
    pytest.param(b"\n\n  " + FILE + b"  \n", id="blanks-around"),
    pytest.param(file_with(accountId=None, scopes=["sso:account:access"], nested={"a": [1, {"b": 2}]}), id="extra"),
    pytest.param(json.dumps(DOCUMENT | {"name": "Jürgen 東京 🎉"}, ensure_ascii=False).encode(), id="utf-8"),
    pytest.param(json.dumps(dict(reversed(DOCUMENT.items()))).encode(), id="other-order"),
]


@pytest.mark.parametrize("content", FORMS)
def test_every_form_of_the_same_file_is_the_same_token(content):
    contents = tokenfile.parse(content)
    assert contents.token == tokenfile.parse(FILE).token
    assert contents.token.refreshable
    assert contents.token.flaw is None
    secrets = (contents.access_token, contents.refresh_token, contents.client_id, contents.client_secret)
    assert secrets == ("aoa-CANARY-access", "aor-CANARY-refresh", "CANARY-client", "CANARY-secret")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"\xef\xbb\xbf" + FILE, id="utf-8-bom"),
        pytest.param(json.dumps(DOCUMENT).encode("utf-16"), id="utf-16"),
    ],
)
def test_a_byte_order_mark_is_read_and_is_a_flaw(content):
    contents = tokenfile.parse(content)
    assert contents.token.expires_at == NINE
    assert "byte order mark" in contents.token.flaw


@pytest.mark.parametrize(
    ("changes", "refreshable", "registered"),
    [
        pytest.param({}, True, True, id="all"),
        pytest.param({"refreshToken": ...}, False, True, id="no-refresh-token"),
        pytest.param({"refreshToken": ""}, False, True, id="empty-refresh-token"),
        pytest.param({"refreshToken": None}, False, True, id="null-refresh-token"),
        pytest.param({"refreshToken": ["aor"]}, False, True, id="list-refresh-token"),
        pytest.param({"clientId": ...}, False, True, id="no-client-id"),
        pytest.param({"clientId": 7}, False, True, id="number-client-id"),
        pytest.param({"clientId": ""}, False, True, id="empty-client-id"),
        pytest.param({"clientSecret": ...}, False, True, id="no-client-secret"),
        pytest.param({"clientSecret": 7}, False, True, id="number-client-secret"),
        pytest.param({"registrationExpiresAt": ...}, True, False, id="no-registration-end"),
        pytest.param({"registrationExpiresAt": "soon"}, True, False, id="absurd-registration-end"),
        pytest.param({"registrationExpiresAt": {}}, True, False, id="object-registration-end"),
        pytest.param(
            dict.fromkeys(("refreshToken", "clientId", "clientSecret", "registrationExpiresAt"), ...),
            False,
            False,
            id="old-cli",
        ),
    ],
)
def test_what_is_missing_only_keeps_it_from_being_renewed(changes, refreshable, registered):
    token = tokenfile.parse(file_with(**changes)).token
    assert token.expires_at == NINE
    assert token.refreshable is refreshable
    assert (token.registration_expires_at is not None) is registered
    assert bool(token.client) == ((DOCUMENT | changes)["clientId"] == DOCUMENT["clientId"])


def test_how_deep_a_file_may_be():
    def deep(brackets):  # with the one that every file has
        return FILE[:-1] + f',"deep":{"[" * (brackets - 1)}{"]" * (brackets - 1)}}}'.encode()

    assert tokenfile.parse(deep(100)).token.expires_at == NINE
    assert "too deeply" in refusal(deep(101))


def test_a_fingerprint_is_short():
    assert len(tokenfile.parse(FILE).token.fingerprint) == 16


def test_fingerprint_and_client_tell_tokens_and_registrations_apart():
    def facts(**changes):
        token = tokenfile.parse(file_with(**changes)).token
        return token.fingerprint, token.client

    fingerprint, client = facts()
    assert facts(expiresAt="2026-01-05T10:00:00Z", region="eu-west-1") == (fingerprint, client)
    assert facts(accessToken="other")[0] != fingerprint
    assert facts(refreshToken="other")[0] != fingerprint
    assert facts(clientId="other")[1] != client
    assert facts(accessToken="a", refreshToken="b")[0] != facts(accessToken="b", refreshToken="a")[0]


WRONG = [
    pytest.param(b"", "is empty", id="empty"),
    pytest.param(b" \r\n\t ", "is empty", id="blanks"),
    pytest.param(b"\0" * 512, "is not complete JSON", id="zeros-after-a-power-cut"),
    pytest.param(FILE + FILE, "is not complete JSON", id="twice"),
    pytest.param(FILE + b"}", "is not complete JSON", id="rest-of-a-longer-file"),
    pytest.param(b"accessToken = CANARY", "is not complete JSON", id="ini"),
    pytest.param(b"<html>CANARY</html>", "is not complete JSON", id="html"),
    pytest.param(b'{"accessToken": "\xff\xfeCANARY"}', "is not complete JSON", id="invalid-utf-8"),
    pytest.param(b"\xff\xfe\0\0\xff", "is not complete JSON", id="broken-utf-32"),
    pytest.param(b'{"accessToken": "CANARY', "is not complete JSON", id="open-string"),
    pytest.param(b'{"n": ' + b"9" * 5000 + b"}", "is not complete JSON", id="number-of-5000-digits"),
    pytest.param(b"[" * 100_000, "is nested too deeply", id="open-100k-deep"),
    pytest.param(b"[" * 100_000 + b"]" * 100_000, "is nested too deeply", id="closed-100k-deep"),
    pytest.param(b'{"accessToken":' * 500 + b"1" + b"}" * 500, "is nested too deeply", id="objects-500-deep"),
    pytest.param(b"[]", "does not hold a JSON object", id="list"),
    pytest.param(b"[" + FILE + b"]", "does not hold a JSON object", id="list-of-it"),
    pytest.param(b"null", "does not hold a JSON object", id="null"),
    pytest.param(b"0", "does not hold a JSON object", id="number"),
    pytest.param(b"NaN", "does not hold a JSON object", id="nan"),
    pytest.param(b'"CANARY"', "does not hold a JSON object", id="string"),
    pytest.param(b"{}", "holds no accessToken", id="empty-object"),
    pytest.param(file_with(accessToken=...), "holds no accessToken", id="a-registration"),
    pytest.param(file_with(accessToken=""), "holds no accessToken", id="token-empty"),
    pytest.param(file_with(accessToken=None), "holds no accessToken", id="token-null"),
    pytest.param(file_with(accessToken=7), "holds no accessToken", id="token-number"),
    pytest.param(file_with(accessToken=["CANARY"]), "holds no accessToken", id="token-list"),
    pytest.param(file_with(accessToken={"accessKeyId": "CANARY"}), "holds no accessToken", id="aws-login-file"),
    pytest.param(file_with(expiresAt=...), "expiresAt is missing", id="end-missing"),
    pytest.param(file_with(expiresAt=None), "expiresAt is missing", id="end-null"),
    pytest.param(file_with(expiresAt=True), "expiresAt is missing", id="end-true"),
    pytest.param(file_with(expiresAt=["2026-01-05T09:00:00Z"]), "expiresAt is not a date", id="end-list"),
    pytest.param(file_with(expiresAt={}), "expiresAt is not a date", id="end-object"),
    pytest.param(file_with(expiresAt=float("nan")), "expiresAt is not a date", id="end-nan"),
    pytest.param(file_with(expiresAt=float("inf")), "expiresAt is not a date", id="end-infinity"),
    pytest.param(file_with(expiresAt=-float("inf")), "expiresAt is not a date", id="end-minus-infinity"),
    pytest.param(file_with(expiresAt=10**18), "expiresAt is not a date", id="end-nanoseconds"),
    pytest.param(file_with(expiresAt=10**400), "expiresAt is not a date", id="end-beyond-floats"),
    pytest.param(file_with(expiresAt=-(10**17)), "expiresAt is not a date", id="end-before-time"),
    *(
        pytest.param(file_with(expiresAt=text), "expiresAt is not a date", id=f"end-{text or 'empty'}")
        for text in (
            "",
            "CANARY",
            "tomorrow",
            "2026-02-30T00:00:00Z",
            "2025-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-01-05T25:00:00Z",
            "2026-01-05T09:60:00Z",
            "2026-01-05T09:00:00PST",
            "2026-01-05T09:00:00+9999",
            "2026-01-05T09:00:00+02:00:00",
            "2026-01-05T09:00:00ZZ",
            "2026-01-05T09:00:00.Z",
            "2026-01-05T09:00Z",
            "2026-01-05",
            "20260105T090000Z",
            "26-01-05T09:00:00Z",
            "0000-01-01T00:00:00Z",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "9999-12-31T23:59:59.9999999Z",
            "12026-01-05T09:00:00Z",
            "1767603600",
            "٢٠٢٦-٠١-٠٥T٠٩:٠٠:٠٠Z",  # noqa: RUF001 - digits, but not of a date
        )
    ),
]


@pytest.mark.parametrize(("content", "says"), WRONG)
def test_what_is_no_token_file_is_refused_without_quoting_it(content, says):
    assert refusal(content) == says


def test_every_torn_file_is_refused_wherever_it_was_cut():
    for cut in range(len(FILE)):
        assert refusal(FILE[:cut]) in {"is empty", "is not complete JSON"}


KEYS = ("accessToken", "expiresAt", "refreshToken", "clientId", "clientSecret", "registrationExpiresAt", "other")
ANY_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.datetimes().map(str)
    | st.datetimes(timezones=st.timezones()).map(datetime.isoformat),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def can_be_used(content):
    """Whatever `parse` accepts can be reckoned with and written again; whatever it does not is its own error."""
    try:
        contents = tokenfile.parse(content)
    except TokenFileError:
        return False
    token = contents.token
    for moment in (token.expires_at, token.registration_expires_at or token.expires_at):
        assert moment.utcoffset() == timedelta()
        assert moment - timedelta(days=100) < moment < moment + timedelta(days=100)
    for secret in ("accessToken", "refreshToken", "clientSecret"):
        value = contents.document.get(secret)
        assert not isinstance(value, str) or len(value) < 10 or value not in repr(contents)
    written, after = tokenfile.renewed(contents.document, access_token="new", expires_at=NINE, refresh_token=None)
    assert tokenfile.parse(written).token == after
    assert (after.expires_at, after.flaw, after.client) == (NINE, None, token.client)
    return True


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_a_token_file_or_a_token_file_error(content):
    can_be_used(content)


@settings(deadline=None)
@given(ANY_JSON)
def test_any_json_is_a_token_file_or_a_token_file_error(value):
    can_be_used(json.dumps(value).encode())


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, ANY_JSON)), st.booleans())
def test_any_object_with_the_known_keys_is_a_token_file_or_a_token_file_error(changes, based):
    can_be_used(json.dumps((DOCUMENT if based else {}) | changes).encode())


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(FILE)), st.binary(max_size=4), st.integers(0, 4))
def test_a_damaged_file_is_a_token_file_or_a_token_file_error(at, noise, lost):
    can_be_used(FILE[:at] + noise + FILE[at + lost :])


def test_no_form_of_the_contents_shows_a_secret():
    contents = tokenfile.parse(FILE)
    shown = [
        repr(contents),
        str(contents),
        f"{contents}",
        repr([contents]),
        repr({"a": contents}),
        repr(contents.token),
    ]
    assert not [text for text in shown if CANARY in text]


# Writing


@pytest.mark.parametrize(
    ("moment", "written"),
    [
        pytest.param(NINE, "2026-01-05T09:00:00Z", id="utc"),
        pytest.param(NINE + timedelta(microseconds=999_999), "2026-01-05T09:00:00Z", id="never-later-than-it-was"),
        pytest.param(NINE.astimezone(timezone(timedelta(hours=5, minutes=30))), "2026-01-05T09:00:00Z", id="elsewhere"),
    ],
)
def test_moments_are_written_as_every_sdk_reads_them(moment, written):
    assert tokenfile.stamp(moment) == written
    content, token = tokenfile.renewed(DOCUMENT, access_token="new", expires_at=moment, refresh_token="r")
    assert json.loads(content)["expiresAt"] == written
    assert token.expires_at == NINE


@pytest.mark.parametrize(
    ("document", "given_token", "kept"),
    [
        pytest.param(DOCUMENT, "aor-new", "aor-new", id="new-refresh-token"),
        pytest.param(DOCUMENT, None, "aor-CANARY-refresh", id="none-given"),
        pytest.param(DOCUMENT, "", "aor-CANARY-refresh", id="empty-given"),
        pytest.param(DOCUMENT | {"expiresAt": 1767603600}, None, "aor-CANARY-refresh", id="number-made-a-date"),
        pytest.param({"x": 1, **DOCUMENT, "y": {"z": [None, 1.5, "ü\ud800"]}}, "aor-new", "aor-new", id="unknown-keys"),
        pytest.param({"accessToken": "a", "expiresAt": "x"}, "aor-new", "aor-new", id="bare"),
    ],
)
def test_a_renewal_changes_the_token_and_keeps_everything_else(document, given_token, kept):
    before = json.loads(json.dumps(document))
    content, token = tokenfile.renewed(
        document, access_token="aoa-new", expires_at=NINE + timedelta(hours=1), refresh_token=given_token
    )
    after = json.loads(content)
    assert after == before | {"accessToken": "aoa-new", "expiresAt": "2026-01-05T10:00:00Z", "refreshToken": kept}
    assert list(after) == [*before, *({"refreshToken"} - before.keys())]
    assert document == before
    assert tokenfile.parse(content).token == token
    assert token.flaw is None


# botocore itself


@pytest.fixture
def corp(home, monkeypatch):
    """A profile `dev` on the sso-session `corp`, and where its token file goes."""
    (home / ".aws/sso/cache").mkdir(parents=True)
    (home / ".aws/config").write_text(
        "[sso-session corp]\nsso_start_url = https://d-1234567890.awsapps.com/start\nsso_region = us-east-1\n"
        "[profile dev]\nsso_session = corp\nsso_account_id = 111111111111\nsso_role_name = ReadOnly\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(home / ".aws/config"))
    return home / f".aws/sso/cache/{paths.key('corp')}.json"


def botocore_reads(path, now):
    provider = SSOTokenProvider(
        botocore.session.Session(profile="dev"),
        cache=JSONFileCache(str(path.parent)),
        time_fetcher=lambda: now,
        profile_name="dev",
    )
    return provider.load_token().get_frozen_token()


@pytest.mark.parametrize(("written", "moment", "flaw"), MOMENTS[:-3])
def test_a_flaw_is_what_botocore_cannot_read(corp, written, moment, flaw):
    corp.write_bytes(file_with(expiresAt=written))
    if flaw is None:
        token = botocore_reads(corp, moment - timedelta(hours=1))
        # dateutil cuts what is smaller than a microsecond, we round it
        assert abs(token.expiration - moment) <= timedelta(microseconds=1)
        assert token.token == DOCUMENT["accessToken"]
        return
    with pytest.raises(Exception, match=r"offset-naive|JSON|Parser|expected str|must be a string") as caught:
        botocore_reads(corp, moment - timedelta(hours=1))
    assert not isinstance(caught.value, AssertionError)


def test_a_byte_order_mark_is_what_botocore_cannot_read(corp):
    corp.write_bytes(b"\xef\xbb\xbf" + FILE)
    with pytest.raises(KeyError):
        botocore_reads(corp, NINE - timedelta(hours=1))


def test_a_fresh_botocore_reads_what_was_written(corp, home):
    content, _ = tokenfile.renewed(
        DOCUMENT | {"expiresAt": 1, "extra": {"a": 1}},
        access_token="aoa-new",
        expires_at=datetime(2099, 1, 1, tzinfo=UTC),
        refresh_token=None,
    )
    corp.write_bytes(content)
    program = (
        "from botocore.session import Session\n"
        "from botocore.tokens import SSOTokenProvider\n"
        "from botocore.utils import JSONFileCache, SSOTokenLoader\n"
        "loader = SSOTokenLoader(cache=JSONFileCache(SSOTokenProvider._SSO_TOKEN_CACHE_DIR))\n"
        "print(loader('https://d-1234567890.awsapps.com/start', 'corp')['accessToken'])\n"
        "token = SSOTokenProvider(Session(profile='dev')).load_token().get_frozen_token()\n"
        "print(token.token, token.expiration.isoformat())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["aoa-new", "aoa-new", "2099-01-01T00:00:00+00:00"]


CORP = SignIn("corp", Kind.SSO_SESSION, DOCUMENT["startUrl"], "us-east-1")
REGISTERED = Registration("CANARY-client", "CANARY-secret", NINE, datetime(2026, 4, 5, 9, tzinfo=UTC))


@pytest.mark.parametrize("refresh_token", ["aor-CANARY-refresh", None, ""])
def test_a_sign_in_writes_the_very_fields_of_the_aws_cli(refresh_token):
    content, token = tokenfile.signed_in(
        CORP, REGISTERED, access_token="aoa-CANARY-access", expires_at=NINE, refresh_token=refresh_token
    )
    kept = {name: value for name, value in DOCUMENT.items() if name != "refreshToken" or refresh_token}
    assert json.loads(content) == kept
    assert token == tokenfile.parse(content).token
    assert token.refreshable is bool(refresh_token)
