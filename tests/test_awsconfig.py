"""Config texts as people write them, what ssowatch makes of each, and whether botocore agrees."""

from __future__ import annotations

import inspect
import textwrap
import time
from pathlib import Path

import botocore.configloader
import botocore.credentials
import botocore.exceptions
import botocore.session
import botocore.utils
import console
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ssowatch import awsconfig, kinds
from ssowatch.model import AwsConfig, Kind

ARN = "arn:aws:sts::111111111111:assumed-role/R/me@example.com"
URL = "https://d-1.awsapps.com/start"
SESSION = f"""
    [sso-session corp]
    sso_start_url = {URL}
    sso_region = us-east-1
"""
ROLE = "sso_account_id = 111111111111\nsso_role_name = Reader\n"
DEV = """
    [profile dev]
    sso_session = corp
    sso_account_id = 111111111111
    sso_role_name = Reader
"""
CANARY = "CaNaRy/9f2b+SeCrEt"


def ini(text: str) -> str:
    """Row text without its margin, so that the line below the opening quotes is line 1."""
    return textwrap.dedent(text).removeprefix("\n")


def both(*parts: str) -> str:
    return "".join(ini(part) for part in parts)


def links(*names: str) -> str:
    """Profiles of which each has its role by the next one, and the last by the first. Letters are names of their own."""
    names = names if len(names) > 1 else tuple(names[0])
    return "".join(
        f"[profile {name}]\nrole_arn = R\nsource_profile = {names[(number + 1) % len(names)]}\n"
        for number, name in enumerate(names)
    )


def parse(config: str | None, credentials: str | None = None) -> AwsConfig:
    return awsconfig.parse(config, credentials)


def members(result: AwsConfig) -> dict[str, tuple[str, ...]]:
    return {sign_in.name: sign_in.profiles for sign_in in result.sign_ins}


def reasons(result: AwsConfig) -> dict[str, str]:
    return {row.profile: row.reason for row in result.unwatched}


# --- what works -----------------------------------------------------------------------------------------------------

LEGACY = f"sso_start_url = {URL}\nsso_region = us-east-1\n{ROLE}"
GOOD = {
    "plain": (both(SESSION, DEV), None, {"corp": ("dev",)}),
    "session below its profile": (both(DEV, SESSION), None, {"corp": ("dev",)}),
    "default": (both(SESSION, DEV).replace("[profile dev]", "[default]"), None, {"corp": ("default",)}),
    "profile default": (both(SESSION, DEV).replace("dev]", "default]"), None, {"corp": ("default",)}),
    "double quotes": (
        both(SESSION, DEV).replace("corp]", '"corp"]').replace("dev]", '"my dev"]'),
        None,
        {"corp": ("my dev",)},
    ),
    "single quotes": (both(SESSION, DEV).replace("profile dev", "profile 'a b'"), None, {"corp": ("a b",)}),
    "escaped blank": (both(SESSION, DEV).replace("profile dev", r"profile a\ b"), None, {"corp": ("a b",)}),
    "tab and many blanks": (both(SESSION, DEV).replace("profile dev", "profile \t dev"), None, {"corp": ("dev",)}),
    "glued word that botocore takes": (
        both(SESSION, DEV).replace("profile dev", "profiles dev"),
        None,
        {"corp": ("dev",)},
    ),
    "keys in capitals": (both(SESSION, DEV).replace("sso_region", "SSO_Region"), None, {"corp": ("dev",)}),
    "colons": (both(SESSION, DEV).replace(" = ", ": "), None, {"corp": ("dev",)}),
    "no blanks": (both(SESSION, DEV).replace(" = ", "="), None, {"corp": ("dev",)}),
    "CRLF": (both(SESSION, DEV).replace("\n", "\r\n"), None, {"corp": ("dev",)}),
    "old Mac line ends": (both(SESSION, DEV).replace("\n", "\r"), None, {"corp": ("dev",)}),
    "whole-line comments": (both("# a\n; b\n", SESSION, "  # c\n", DEV), None, {"corp": ("dev",)}),
    "indented keys": (both(SESSION, DEV).replace("sso_", "  sso_"), None, None),
    "nested values": (both(SESSION, DEV, "s3 =\n  a = b\n  sso_region = x\n"), None, {"corp": ("dev",)}),
    "services": (both("[services s]\nsso_oidc =\n  endpoint_url = http://x\n", SESSION, DEV), None, {"corp": ("dev",)}),
    "DEFAULT lends its keys": (both("[DEFAULT]\nsso_region = us-east-1\n", SESSION, DEV), None, {"corp": ("dev",)}),
    "a session without a name is none": (
        both(SESSION, DEV, f'[sso-session ""]\nsso_start_url = {URL}\n'),
        None,
        {"corp": ("dev",)},
    ),
    "a session without a name is no legacy profile's": (
        f'[sso-session ""]\nsso_region = eu-west-1\n[profile l]\n{LEGACY}',
        None,
        {URL: ("l",)},
    ),
    "unicode session": (both(SESSION, DEV).replace("corp", "größe-東京"), None, {"größe-東京": ("dev",)}),
    "session nobody uses": (both(SESSION), None, {"corp": ()}),
    "session alone in a profile": (both(SESSION, "[profile b]\nsso_session = corp\n"), None, {"corp": ("b",)}),
    "legacy": (f"[profile l]\n{LEGACY}", None, {URL: ("l",)}),
    "aws login": (f"[profile x]\nlogin_session = {ARN}\n", None, {ARN: ("x",)}),
    "aws login, and a role by it": (
        f"[profile r]\nrole_arn = R\nsource_profile = x\n[profile x]\nlogin_session = {ARN}\n",
        None,
        {ARN: ("x", "r")},
    ),
    "aws login in the credentials file": ("", f"[x]\nlogin_session = {ARN}\n", {ARN: ("x",)}),
    "aws login before a program and keys": (
        f"[profile x]\ncredential_process = granted\naws_access_key_id = A\nlogin_session = {ARN}\n",
        None,
        {ARN: ("x",)},
    ),
    "sso before aws login": (both(SESSION, DEV, f"login_session = {ARN}\n"), None, {"corp": ("dev",)}),
    "an sso_session without a role, and aws login": (
        both(SESSION, f"[profile x]\nsso_session = corp\nlogin_session = {ARN}\n"),
        None,
        {"corp": (), ARN: ("x",)},
    ),
    "legacy, two spellings": (
        f"[profile a]\n{LEGACY}[profile b]\n{LEGACY.replace('/start', '/start/#')}",
        None,
        {URL: ("a",), f"{URL}/#": ("b",)},
    ),
    "legacy without a role": (f"[profile l]\nsso_start_url = {URL}\nsso_region = us-east-1\n", None, {URL: ("l",)}),
    "legacy settings agree with its session": (
        both(SESSION, DEV, "sso_region = us-east-1\n"),
        None,
        {"corp": ("dev",)},
    ),
    "scheme and host in capitals": (both(SESSION, DEV).replace(URL, URL.upper()), None, {"corp": ("dev",)}),
    "http on loopback": (both(SESSION, DEV).replace(URL, "http://127.0.0.1:8080/start"), None, {"corp": ("dev",)}),
    "http on localhost": (both(SESSION, DEV).replace(URL, "http://localhost/start"), None, {"corp": ("dev",)}),
    "portal of a partition": (
        both(SESSION, DEV).replace("us-east-1", "us-gov-west-1"),
        None,
        {"corp": ("dev",)},
    ),
    "European sovereign region": (both(SESSION, DEV).replace("us-east-1", "eusc-de-east-1"), None, {"corp": ("dev",)}),
    "sso beats keys in the config": (both(SESSION, DEV, "aws_access_key_id = A\n"), None, {"corp": ("dev",)}),
    "sso beats shared keys": (both(SESSION, DEV), "[dev]\naws_access_key_id = A\n", {"corp": ("dev",)}),
    "sso beats a program": (both(SESSION, DEV, "credential_process = granted x\n"), None, {"corp": ("dev",)}),
    "source_profile without role_arn counts nothing": (
        both(SESSION, DEV, "source_profile = nobody\n"),
        None,
        {"corp": ("dev",)},
    ),
    "profile of the credentials file": (both(SESSION), f"[dev]\nsso_session = corp\n{ROLE}", {"corp": ("dev",)}),
    "credentials file wins over config": (
        both(SESSION, SESSION.replace("corp", "other"), DEV),
        "[dev]\nsso_session = other\n",
        {"corp": (), "other": ("dev",)},
    ),
    "a blank in a name of the credentials file": (
        both(SESSION),
        f"[my dev]\nsso_session = corp\n{ROLE}",
        {"corp": ("my dev",)},
    ),
    "only a credentials file": (None, f"[l]\n{LEGACY}", {URL: ("l",)}),
    "file order": (
        both(SESSION, *(DEV.replace("dev", name) for name in "zmay")),
        None,
        {"corp": ("z", "m", "a", "y")},
    ),
    "later quoted profile wins": (
        both(SESSION, SESSION.replace("corp", "other"), DEV, DEV.replace("dev", '"dev"').replace("corp", "other")),
        None,
        {"corp": (), "other": ("dev",)},
    ),
    "role from an SSO profile": (
        both(SESSION, DEV, "[profile r]\nrole_arn = R\nsource_profile = dev\n"),
        None,
        {"corp": ("dev", "r")},
    ),
    "role beats own sso": (
        both(
            SESSION,
            SESSION.replace("corp", "other"),
            DEV,
            DEV.replace("dev", "r").replace("corp", "other"),
            "role_arn = R\nsource_profile = dev\n",
        ),
        None,
        {"corp": ("dev", "r"), "other": ()},
    ),
    "self reference": (
        both(SESSION, DEV, "role_arn = R\nsource_profile = dev\n"),
        None,
        {"corp": ("dev",)},
    ),
    "self reference with keys": (
        both(SESSION, DEV, "role_arn = R\nsource_profile = dev\naws_access_key_id = A\n"),
        None,
        {"corp": ("dev",)},
    ),
    "source with keys and sso uses sso": (
        both(
            SESSION,
            DEV,
            "role_arn = R\nsource_profile = nobody\naws_access_key_id = A\n",
            "[profile r]\nrole_arn = R\nsource_profile = dev\n",
        ),
        None,
        {"corp": ("r",)},
    ),
    "session named like a start URL": (
        both(SESSION, DEV).replace("corp", URL) + f"[profile l]\n{LEGACY}",
        None,
        {URL: ("dev", "l")},
    ),
    "legacy profile without region beside one that has it": (
        f"[profile a]\n{LEGACY.replace('sso_region', 'x_region')}[profile b]\n{LEGACY}",
        None,
        {URL: ("b",)},
    ),
    "a header that AWS does not read beside the one it reads": (
        both(SESSION, DEV, DEV.replace("profile ", "")),
        None,
        {"corp": ("dev",)},
    ),
    "sso keys under a header without a name": (
        both(SESSION, DEV, DEV.replace("profile dev", "''")),
        None,
        {"corp": ("dev",)},
    ),
    "start URL as sso_session beside a legacy profile": (
        f"[profile a]\nsso_session = {URL}\n{ROLE}[profile b]\n{LEGACY}",
        None,
        {URL: ("b",)},
    ),
}


@pytest.mark.parametrize(("config", "credentials", "expected"), GOOD.values(), ids=GOOD)
def test_sign_ins_that_work(config, credentials, expected):
    result = parse(config, credentials)
    assert result.problem is None
    assert [sign_in.problem for sign_in in result.sign_ins if sign_in.problem] == []
    if expected is not None:
        assert members(result) == expected


def test_all_that_is_known_of_a_sign_in():
    sign_in = parse(both(SESSION, DEV)).sign_ins[0]
    assert (sign_in.kind, sign_in.start_url, sign_in.region) == (Kind.SSO_SESSION, URL, "us-east-1")
    legacy = parse(f"[profile l]\n{LEGACY}").sign_ins[0]
    assert (legacy.kind, legacy.name, legacy.start_url, legacy.region) == (Kind.LEGACY, URL, URL, "us-east-1")


ACCESS = ("sso:account:access",)
SCOPES = {
    "none": ("", ACCESS),
    "an empty one": ("sso_registration_scopes = \n", ACCESS),
    "commas alone": ("sso_registration_scopes = , ,\n", ACCESS),
    "the usual one": ("sso_registration_scopes = sso:account:access\n", ACCESS),
    "two": (
        "sso_registration_scopes = codewhisperer:analysis ,sso:account:access,\n",
        ("codewhisperer:analysis", *ACCESS),
    ),
    "another one": ("sso_registration_scopes=codecatalyst:read_write\n", ("codecatalyst:read_write",)),
}


@pytest.mark.parametrize(("line", "expected"), SCOPES.values(), ids=SCOPES)
def test_scopes(line, expected):
    assert parse(both(SESSION.rstrip() + "\n", line, DEV)).sign_ins[0].scopes == expected


def test_a_legacy_profile_has_the_usual_scope():
    assert parse(f"[profile l]\n{LEGACY}sso_registration_scopes = a:b\n").sign_ins[0].scopes == ACCESS


BUNDLES = {
    "none": ("", "", None),
    "of the profile": ("", "ca_bundle = /p.pem\n", "/p.pem"),
    "of the default": ("[default]\nca_bundle = /d.pem\n", "", "/d.pem"),
    "profile over default": ("[default]\nca_bundle = /d.pem\n", "ca_bundle = /p.pem\n", "/p.pem"),
    "empty": ("[default]\nca_bundle = /d.pem\n", "ca_bundle =\n", "/d.pem"),
    "one that goes on below": ("", "ca_bundle = /p.pem\n  more\n", None),
}


@pytest.mark.parametrize(("above", "below", "expected"), BUNDLES.values(), ids=BUNDLES)
def test_ca_bundle(above, below, expected):
    assert parse(both(above, SESSION, DEV, below)).sign_ins[0].ca_bundle == expected


def test_ca_bundle_of_the_first_profile_that_has_one():
    text = both(SESSION, DEV, DEV.replace("dev", "b"), "ca_bundle = /b.pem\n", DEV.replace("dev", "c"))
    assert parse(f"{text}ca_bundle = /c.pem\n").sign_ins[0].ca_bundle == "/b.pem"


# --- what does not --------------------------------------------------------------------------------------------------

MISCONFIGURED = {  # id: (config, sign-in, its profiles, words of the message, words of the fix)
    "no such session": (
        both(SESSION, DEV.replace("= corp", "= crop")),
        "crop",
        ("dev",),
        ["~/.aws/config line 5", "no [sso-session crop]"],
        'did you mean "corp"?',
    ),
    "no such session, other case": (
        both(SESSION, DEV.replace("= corp", "= CORP")),
        "CORP",
        ("dev",),
        ["line 5"],
        '"corp"',
    ),
    "no session at all": (both(DEV), "corp", ("dev",), ["line 2", "no [sso-session corp]"], "add [sso-session corp]"),
    "no such session, named in the credentials file": (
        None,
        "corp",
        ("dev",),
        ["~/.aws/credentials line 2"],
        "add [sso-session corp]",
    ),
    "no such session, two profiles and a role": (
        both(DEV, DEV.replace("dev", "b"), "[profile r]\nrole_arn = R\nsource_profile = b\n"),
        "corp",
        ("dev", "b", "r"),
        ["line 2"],
        "add [sso-session corp]",
    ),
    "comment behind sso_session": (
        both(SESSION, DEV.replace("= corp", "= corp # main")),
        "corp # main",
        ("dev",),
        ["line 5", "because AWS takes a comment"],
        '"corp"',
    ),
    "underscore in sso-session": (
        both(SESSION, DEV).replace("[sso-session", "[sso_session"),
        "corp",
        ("dev",),
        ["line 1", "reads no sso-session in [sso_session corp]"],
        "write [sso-session corp]",
    ),
    "underscore in sso-session, and nobody uses it": (
        ini(SESSION).replace("[sso-session", "[sso_session"),
        "corp",
        (),
        ["line 1", "reads no sso-session in [sso_session corp]"],
        "write [sso-session corp]",
    ),
    "session name with a blank, not quoted": (
        both(SESSION, DEV).replace("corp", "my corp"),
        "my corp",
        ("dev",),
        ["line 1", "[sso-session my corp]"],
        'write [sso-session "my corp"]',
    ),
    "session in the credentials file": (
        both(DEV),
        "corp",
        ("dev",),
        ["~/.aws/credentials line 1", "reads no sso-session"],
        "in ~/.aws/config",
    ),
    "start URL missing": (
        both(SESSION.replace("sso_start_url", "sso_url"), DEV),
        "corp",
        ("dev",),
        ["line 1", "sso_start_url is missing"],
        "add sso_start_url",
    ),
    "start URL empty": (both(SESSION.replace(URL, ""), DEV), "corp", ("dev",), ["line 2", "missing"], "add"),
    "region missing": (
        both(SESSION.replace("sso_region", "region"), DEV),
        "corp",
        ("dev",),
        ["line 1", "sso_region is missing"],
        "add sso_region",
    ),
    "region empty": (both(SESSION.replace("us-east-1", ""), DEV), "corp", ("dev",), ["line 3", "missing"], "add"),
    "region only in the profile": (
        both(SESSION.replace("sso_region", "x"), DEV, "sso_region = us-east-1\n"),
        "corp",
        ("dev",),
        ["line 1", "sso_region is missing"],
        "add",
    ),
    "region with a comment": (
        both(SESSION.replace("us-east-1", "us-east-1 # Virginia"), DEV),
        "corp",
        ("dev",),
        ["line 3", '"us-east-1 # Virginia"', "comment"],
        "line of its own",
    ),
    "region with a semicolon comment": (
        both(SESSION.replace("us-east-1", "us-east-1 ; here"), DEV),
        "corp",
        ("dev",),
        ["line 3", "comment"],
        "line of its own",
    ),
    "region in quotes": (
        both(SESSION.replace("us-east-1", '"us-east-1"'), DEV),
        "corp",
        ("dev",),
        ["line 3", "quotes"],
        "without quotes",
    ),
    "region in capitals": (
        both(SESSION.replace("us-east-1", "US-EAST-1"), DEV),
        "corp",
        ("dev",),
        ["line 3"],
        "us-east-1",
    ),
    "region that is a host": (
        both(SESSION.replace("us-east-1", "evil.example/x-1"), DEV),
        "corp",
        ("dev",),
        ["line 3", "evil.example", "not a region"],
        "set sso_region",
    ),
    "region with foreign digits": (
        both(SESSION.replace("us-east-1", "us-east-\u0661"), DEV),
        "corp",
        ("dev",),
        ["line 3"],
        "set",
    ),
    "region of a thousand letters": (
        both(SESSION.replace("us-east-1", "x" * 1000), DEV),
        "corp",
        ("dev",),
        ["line 3", f'"{"x" * 99}…" is not a region'],
        "set",
    ),
    "region in a section that is indented": (
        both("[sso-session corp]\n  sso_region = x\n  sso_start_url = y\n", DEV),
        "corp",
        ("dev",),
        ["line 3", "sso_start_url"],
        "set",
    ),
    "region of words": (both(SESSION.replace("us-east-1", "Virginia"), DEV), "corp", ("dev",), ["line 3"], "set"),
    "region that goes on below": (
        both(SESSION.rstrip() + "\n      more = x\n", DEV),
        "corp",
        ("dev",),
        ["line 3", "indented line"],
        "without a space",
    ),
    "start URL http": (
        both(SESSION.replace("https", "http"), DEV),
        "corp",
        ("dev",),
        ["line 2", "not a URL"],
        "https://",
    ),
    "start URL http to localhost of somebody": (
        both(SESSION.replace(URL, "http://localhost.evil.example/"), DEV),
        "corp",
        ("dev",),
        ["line 2"],
        "https://",
    ),
    "start URL with a blank": (
        both(SESSION.replace("/start", "/my start"), DEV),
        "corp",
        ("dev",),
        ["line 2"],
        "https://",
    ),
    "start URL with a comment": (
        both(SESSION.replace("/start", "/start # main"), DEV),
        "corp",
        ("dev",),
        ["line 2", "comment"],
        "line of its own",
    ),
    "start URL with an escape": (
        both(SESSION.replace("/start", "/\x1b[31m"), DEV),
        "corp",
        ("dev",),
        ["line 2"],
        "set",
    ),
    "start URL turned around": (
        both(SESSION.replace("/start", "/\u202etrats"), DEV),
        "corp",
        ("dev",),
        ["line 2"],
        "set",
    ),
    "start URL without a host": (both(SESSION.replace(URL, "https://"), DEV), "corp", ("dev",), ["line 2"], "set"),
    "legacy, two regions": (
        f"[profile a]\n{LEGACY}[profile b]\n{LEGACY.replace('us-east-1', 'eu-west-1')}",
        URL,
        ("a", "b"),
        ["line 8", "eu-west-1", "us-east-1"],
        "same sso_region",
    ),
    "legacy, no region": (
        f"[profile a]\n{LEGACY.replace('sso_region', 'x_region')}",
        URL,
        ("a",),
        ["line 1", "sso_region is missing"],
        "add",
    ),
    "legacy, http": (
        f"[profile a]\n{LEGACY.replace('https', 'http')}",
        URL.replace("https", "http"),
        ("a",),
        ["line 2"],
        "set",
    ),
    "session named like a start URL of another portal": (
        both(SESSION.replace("corp", URL).replace("= https://d-1", "= https://d-2"), f"[profile l]\n{LEGACY}"),
        URL,
        ("l",),
        ["line 6", "contradicts"],
        "same",
    ),
    "session twice": (
        both(SESSION, SESSION, DEV),
        "corp",
        ("dev",),
        ["line 4", "[sso-session corp]", "after line 1"],
        "one section of the two",
    ),
    "session twice by quotes": (
        both(SESSION, SESSION.replace("corp", '"corp"'), DEV),
        "corp",
        ("dev",),
        ["line 4", "after line 1"],
        "one section of the two",
    ),
}
CREDENTIALS_OF = {
    "no such session, named in the credentials file": f"[dev]\nsso_session = corp\n{ROLE}",
    "session in the credentials file": ini(SESSION),
}


@pytest.mark.parametrize("name", MISCONFIGURED)
def test_misconfigured_sign_ins(name):
    config, sign_in, profiles, words, fix = MISCONFIGURED[name]
    result = parse(config, CREDENTIALS_OF.get(name))
    found = {found.name: found for found in result.sign_ins}[sign_in]
    assert found.problem is not None
    assert found.problem.code == "misconfigured"
    assert [word for word in words if word not in found.problem.message] == []
    assert fix in (found.problem.fix or "")
    assert found.profiles == profiles
    assert (found.kind is Kind.LEGACY) == name.startswith("legacy")
    assert found.problem.message.isprintable()


UNWATCHED = {  # id: (config, credentials, profile, words of the reason)
    "program": (
        "[profile x]\ncredential_process = granted credential-process --profile x\n",
        None,
        "x",
        ["credential_process: granted …"],
    ),
    "program by path": (
        '[profile x]\ncredential_process = "/opt/my tools/aws-vault" exec x\n',
        None,
        "x",
        ["credential_process: aws-vault …"],
    ),
    "program alone": (
        "[profile x]\ncredential_process = /usr/bin/saml2aws\n",
        None,
        "x",
        ["credential_process: saml2aws"],
    ),
    "program with an open quote": (
        f"[profile x]\ncredential_process = aws-sso-util '{CANARY}\n",
        None,
        "x",
        ["credential_process: aws-sso-util …"],
    ),
    "program that is none": (f"[profile x]\ncredential_process = K={CANARY}= x\n", None, "x", ["a program …"]),
    "empty program": ("[profile x]\ncredential_process =\n", None, "x", ["credential_process:"]),
    "shared keys": ("", "[x]\naws_access_key_id = A\naws_secret_access_key = B\n", "x", ["static access keys"]),
    "config keys": (
        "[profile x]\naws_access_key_id = A\naws_secret_access_key = B\n",
        None,
        "x",
        ["static access keys"],
    ),
    "shared keys before a program": (
        "[profile x]\ncredential_process = granted x\n",
        "[x]\naws_access_key_id = A\n",
        "x",
        ["static access keys"],
    ),
    "program before config keys": (
        "[profile x]\ncredential_process = granted x\naws_access_key_id = A\n",
        None,
        "x",
        ["granted"],
    ),
    "aws login, and no ARN": ("[profile x]\nlogin_session = me\n", None, "x", ["line 2", "aws login"]),
    "shared keys before aws login": (
        f"[profile x]\nlogin_session = {ARN}\n",
        "[x]\naws_access_key_id = A\n",
        "x",
        ["static access keys"],
    ),
    "an sso-session that is called like a session of aws login": (
        both(SESSION, DEV).replace("corp", ARN),
        None,
        "dev",
        ["would be taken for a login_session"],
    ),
    "credential_source": (
        "[profile x]\nrole_arn = R\ncredential_source = Environment\n",
        None,
        "x",
        ["credential_source"],
    ),
    "web identity": ("[profile x]\nrole_arn = R\nweb_identity_token_file = /t\n", None, "x", ["web identity"]),
    "web identity beats sso": (
        both(SESSION, DEV, "role_arn = R\nweb_identity_token_file = /t\n"),
        None,
        "dev",
        ["web identity"],
    ),
    "nothing": ("[default]\nregion = eu-west-1\n", None, "default", ["no SSO settings"]),
    "empty section": ("[profile x]\n", None, "x", ["no SSO settings"]),
    "role without a source": ("[profile x]\nrole_arn = R\n", None, "x", ["line 2", "role_arn without source_profile"]),
    "role of the default profile without a source": (
        "[default]\nrole_arn = R\n",
        None,
        "default",
        ["~/.aws/config line 2", "role_arn without source_profile"],
    ),
    "role with two sources": (
        "[profile x]\nrole_arn = R\nsource_profile = x\ncredential_source = Environment\n",
        None,
        "x",
        ["line 4", "both"],
    ),
    "missing source": (
        "[profile x]\nrole_arn = R\nsource_profile = nobody\n",
        None,
        "x",
        ["~/.aws/config line 3", "no source_profile nobody"],
    ),
    "missing source, deeper": (
        "[profile a]\nrole_arn = R\nsource_profile = nobody\n[profile x]\nrole_arn = R\nsource_profile = a\n",
        None,
        "x",
        ["source_profile a", "line 3", "nobody"],
    ),
    "loop of two": (
        "[profile a]\nrole_arn = R\nsource_profile = b\n[profile b]\nrole_arn = R\nsource_profile = a\n",
        None,
        "a",
        ["line 6", "loop a → b → a"],
    ),
    "into a loop": (
        "".join(f"[profile {a}]\nrole_arn = R\nsource_profile = {b}\n" for a, b in ("xb", "bc", "cb")),
        None,
        "x",
        ["loop b → c → b"],
    ),
    "loop that ends at keys": (
        links("ax").replace("= x\n", "= x\naws_access_key_id = A\n")
        + "[profile z]\nrole_arn = R\nsource_profile = x\n",
        None,
        "z",
        ["source_profile a: static access keys"],
    ),
    "self reference without anything": (
        "[profile x]\nrole_arn = R\nsource_profile = x\n",
        None,
        "x",
        ["no SSO settings"],
    ),
    "source with keys": (
        "[profile x]\nrole_arn = R\nsource_profile = base\n",
        "[base]\naws_access_key_id = A\n",
        "x",
        ["source_profile base: static access keys"],
    ),
    "source with a program": (
        "[profile b]\ncredential_process = granted x\n[profile x]\nrole_arn = R\nsource_profile = b\n",
        None,
        "x",
        ["source_profile b: credential_process: granted …"],
    ),
    "source with a bearer token alone": (
        both(SESSION, "[profile b]\nsso_session = corp\n[profile x]\nrole_arn = R\nsource_profile = b\n"),
        None,
        "x",
        ["source_profile b: no SSO settings"],
    ),
    "source with a bearer token alone, which names itself": (
        both(
            SESSION,
            "[profile b]\nsso_session = corp\nrole_arn = R\nsource_profile = b\n[profile x]\nrole_arn = R\nsource_profile = b\n",
        ),
        None,
        "x",
        ["source_profile b: no SSO settings"],
    ),
    "legacy, account without role": (
        f"[profile x]\n{LEGACY.replace('sso_role_name', 'role')}",
        None,
        "x",
        ["line 1", "sso_role_name is missing"],
    ),
    "account without role in the credentials file": (
        ini(SESSION),
        "[x]\nsso_session = corp\nsso_account_id = 1\n",
        "x",
        ["~/.aws/credentials line 1", "sso_role_name is missing"],
    ),
    "account without role": (
        both(SESSION, DEV.replace("sso_role_name", "role_name")),
        None,
        "dev",
        ["~/.aws/config line 4", "sso_role_name is missing"],
    ),
    "role without account": (
        both(SESSION, DEV.replace("sso_account_id", "account")),
        None,
        "dev",
        ["line 4", "sso_account_id is missing"],
    ),
    "role is empty": (both(SESSION, DEV.replace("Reader", "")), None, "dev", ["line 7", "sso_role_name is missing"]),
    "role settings alone": (f"[profile x]\n{ROLE}", None, "x", ["line 1", "without sso_session or sso_start_url"]),
    "sso_session empty": (f"[profile x]\nsso_session =\n{ROLE}", None, "x", ["line 2", "sso_session is empty"]),
    "start URL empty": (f"[profile x]\n{LEGACY.replace(URL, '')}", None, "x", ["line 2", "sso_start_url"]),
    "region contradicts session": (
        both(SESSION, DEV, "sso_region = eu-west-1\n"),
        None,
        "dev",
        ["line 8", "sso_region differs", "[sso-session corp]"],
    ),
    "start URL contradicts session": (
        both(SESSION, DEV, f"sso_start_url = {URL}/\n"),
        None,
        "dev",
        ["line 8", "sso_start_url differs"],
    ),
    "contradiction in the credentials file": (
        both(SESSION, DEV),
        "[dev]\nsso_region = eu-west-1\n",
        "dev",
        ["~/.aws/credentials line 2", "sso_region differs"],
    ),
    "legacy without the region that others have": (
        f"[profile a]\n{LEGACY}[profile b]\n{LEGACY.replace('sso_region', 'x_region')}",
        None,
        "b",
        ["line 6", "sso_region is missing"],
    ),
    "legacy without a region, beside a session that is called like its start URL": (
        both(SESSION, DEV).replace("corp", URL) + f"[profile b]\n{LEGACY.replace('sso_region', 'x_region')}",
        None,
        "b",
        ["line 8", "sso_region is missing"],
    ),
    "header without profile": (
        both(SESSION, DEV.replace("profile ", "")),
        None,
        "dev",
        ["line 4", "[dev]", "write [profile dev]"],
    ),
    "header of the default profile in capitals": (
        both(SESSION, DEV.replace("profile dev", "Profile default")),
        None,
        "default",
        ["line 4", "write [default]"],
    ),
    "header in capitals": (
        both(SESSION, DEV.replace("profile", "Profile")),
        None,
        "dev",
        ["line 4", "write [profile dev]"],
    ),
    "header with a blank": (
        both(SESSION, DEV.replace("dev", "my dev")),
        None,
        "my dev",
        ["line 4", 'write [profile "my dev"]'],
    ),
    "header with an open quote": (
        both(SESSION, DEV.replace("dev", '"dev')),
        None,
        "dev",
        ["line 4", "write [profile dev]"],
    ),
}


@pytest.mark.parametrize(("config", "credentials", "profile", "words"), UNWATCHED.values(), ids=UNWATCHED)
def test_unwatched_profiles(config, credentials, profile, words):
    result = parse(config, credentials)
    reason = reasons(result)[profile]
    assert [word for word in words if word not in reason] == []
    assert reason.isprintable()
    assert CANARY not in repr(result)
    assert not [sign_in for sign_in in result.sign_ins if profile in sign_in.profiles]
    assert {sign_in.name for sign_in in result.sign_ins} <= {"corp", URL}, "none but those that work"


WHOLE_REASONS = {  # id: (config, the reason of profile `a`)
    "a program without arguments": (
        "[profile a]\ncredential_process = /usr/bin/saml2aws\n",
        "credential_process: saml2aws",
    ),
    "a loop of two": (links("ab"), "source_profile b: ~/.aws/config line 6: source_profile loop a → b → a"),
    "a loop of five": (
        links("abcde"),
        "source_profile e: ~/.aws/config line 15: source_profile loop a → b → c → d → e → a",
    ),
    "a loop of seven": (
        links("abcdefg"),
        "source_profile g: ~/.aws/config line 21: source_profile loop a → b → c → d → e → … → a",
    ),
    "a loop of long names": (
        links("a", "x" * 100),
        f"source_profile {'x' * 100}: ~/.aws/config line 6: source_profile loop a → {'x' * 39}… → a",
    ),
    "a source with an endless name": (
        f"[profile a]\nrole_arn = R\nsource_profile = {'x' * 500}\n[profile {'x' * 500}]\nrole_arn = R\nsource_profile = {'y' * 500}\n",
        f"source_profile {'x' * 199}…: ~/.aws/config line 6: there is no source_profile {'y' * 200}"[:399] + "…",
    ),
}


@pytest.mark.parametrize(("config", "reason"), WHOLE_REASONS.values(), ids=WHOLE_REASONS)
def test_whole_reasons(config, reason):
    assert reasons(parse(config))["a"] == reason


BROKEN = {  # id: (config, credentials, words of the message, sign-ins all the same)
    "profile twice": (
        both(SESSION, DEV, DEV),
        None,
        ["~/.aws/config line 8", "[profile dev] stands twice"],
        {"corp": ("dev",)},
    ),
    "key twice": (
        both(SESSION, DEV, "region = a\nregion = b\n"),
        None,
        ["line 9", "region stands twice"],
        {"corp": ("dev",)},
    ),
    "secret as a key twice": (
        both(SESSION, DEV, f"{CANARY}=\n{CANARY}=\n"),
        None,
        ["line 9", "a key stands twice"],
        {"corp": ("dev",)},
    ),
    "line of words": (
        both(SESSION, "garbage\n", DEV),
        None,
        ["line 4", "neither", "complete or remove"],
        {"corp": ("dev",)},
    ),
    "secret on a line": (both(SESSION, f"{CANARY}\n", DEV), None, ["line 4", "neither"], {"corp": ("dev",)}),
    "line without a key": (both(SESSION, DEV, "= x\n"), None, ["line 8", "neither"], {"corp": ("dev",)}),
    "merge conflict": (
        both("<<<<<<< HEAD\n", SESSION, "=======\n>>>>>>> theirs\n", DEV),
        None,
        ["line 1", "before the first"],
        {"corp": ("dev",)},
    ),
    "header not closed": (
        both(SESSION, "[profile x\nsso_region = eu-west-1\n", DEV),
        None,
        ["line 4", "without its ]", "complete the header"],
        {"corp": ("dev",)},
    ),
    "first header not closed": (
        both(SESSION.replace("corp]", "x"), SESSION, DEV),
        None,
        ["line 1"],
        {"corp": ("dev",)},
    ),
    "keys above all sections": (
        both("a = b\nc = d\n", SESSION, DEV),
        None,
        ["line 1", "before the first", "move the line"],
        {"corp": ("dev",)},
    ),
    "all at once": (
        both("a = b\n", SESSION, "garbage\n[x\ny = z\n", DEV, "region = a\nregion = b\n", DEV),
        None,
        ["line 1"],
        {"corp": ("dev",)},
    ),
    "words twice": (both(SESSION, "garbage\n", DEV, "more\n"), None, ["line 4"], {"corp": ("dev",)}),
    "profile twice above words": (both(SESSION, DEV, DEV, "garbage\n"), None, ["line 8", "twice"], {"corp": ("dev",)}),
    "header not closed, and nested lines without =": (
        both(SESSION, "[x\ns3 =\n  words\n", DEV),
        None,
        ["line 4", "without its ]"],
        {"corp": ("dev",)},
    ),
    "byte order mark above words": (
        "\ufeffwords\n" + both(SESSION, DEV),
        None,
        ["line 1", "byte order"],
        {"corp": ("dev",)},
    ),
    "nested lines without =": (
        both(SESSION, DEV, "s3 =\n  words\n"),
        None,
        ["line 8", "indented lines without ="],
        {"corp": ("dev",)},
    ),
    "byte order mark": ("\ufeff" + both(SESSION, DEV), None, ["line 1", "byte order mark"], {"corp": ("dev",)}),
    "credentials: words": (both(SESSION, DEV), "[dev\nx\n", ["~/.aws/credentials line 1"], {"corp": ("dev",)}),
    "credentials: keys twice": (
        both(SESSION, DEV),
        f"[dev]\naws_secret_access_key = {CANARY}\naws_secret_access_key = {CANARY}\n",
        ["~/.aws/credentials line 3", "aws_secret_access_key stands twice"],
        {"corp": ("dev",)},
    ),
    "both": (
        both(SESSION, "words\n", DEV),
        "words\n",
        ["~/.aws/config line 4", "~/.aws/credentials line 1"],
        {"corp": ("dev",)},
    ),
    "nothing but words": ("words\n", None, ["line 1"], {}),
}


@pytest.mark.parametrize(("config", "credentials", "words", "expected"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_named_and_the_rest_is_read(config, credentials, words, expected):
    result = parse(config, credentials)
    assert result.problem is not None
    assert result.problem.code == "aws_config"
    assert [
        word
        for word in [*words, "AWS CLI and boto3 refuse"]
        if word not in f"{result.problem.message} {result.problem.fix}"
    ] == []
    assert members(result) == expected
    assert not any(sign_in.problem for sign_in in result.sign_ins)
    assert CANARY.lower() not in repr(result).lower()


EMPTY = {
    "no file": (None, None, "no_aws_config"),
    "no config, but keys": (None, "[default]\naws_access_key_id = A\n", "no_aws_config"),
    "empty": ("", None, "no_sign_ins"),
    "nothing but comments": ("# hello\n", "", "no_sign_ins"),
    "other profiles": ("[default]\nregion = x\n", None, "no_sign_ins"),
}


@pytest.mark.parametrize(("config", "credentials", "code"), EMPTY.values(), ids=EMPTY)
def test_nothing_to_watch(config, credentials, code):
    problem = parse(config, credentials).problem
    assert problem is not None
    assert problem.code == code
    assert problem.message.startswith("~/.aws/config ")
    assert "run: aws configure sso" in (problem.fix or "")


OTHERS = {
    "services": "[services s]\nsso_oidc =\n  endpoint_url = x\n",
    "plugins": "[plugins]\ncli_legacy_plugin_path = x\n",
    "a session that is called like one of aws login": f"[sso-session {ARN}]\nsso_start_url = {URL}\n",
    "the same, by a header that AWS does not read": f"[sso_session {ARN}]\nsso_start_url = {URL}\n",
}


@pytest.mark.parametrize("config", OTHERS.values(), ids=OTHERS)
def test_sections_that_are_neither_a_profile_nor_a_sign_in(config):
    result = parse(config)
    assert (result.sign_ins, result.unwatched) == ((), ())


def test_the_given_paths_are_shown():
    result = awsconfig.parse("[profile x]\nrole_arn = R\n", "words", config_path="/c", credentials_path="/k\x1b")
    assert reasons(result)["x"].startswith("/c line 2: ")
    assert result.problem is not None
    assert result.problem.message.startswith("/k line 1: ")


def test_a_chain_of_fifty_and_of_five_thousand():
    for depth in (50, 5000):
        links = [f"[profile p{n}]\nrole_arn = R\nsource_profile = p{n + 1}\n" for n in range(depth)]
        text = both(SESSION, *links, DEV.replace("dev", f"p{depth}"))
        assert members(parse(text)) == {"corp": tuple(f"p{n}" for n in range(depth + 1))}


def test_a_loop_of_a_thousand_is_named_in_a_line():
    links = [f"[profile p{n}]\nrole_arn = R\nsource_profile = p{(n + 1) % 1000}\n" for n in range(1000)]
    found = reasons(parse("".join(links)))
    assert len(found) == 1000
    assert all("loop p0 → p1 → p2 → p3 → p4 → … → p0" in reason for reason in found.values()), "it is one"


SECRETS = {
    "keys": (
        f"[profile x]\naws_access_key_id = {CANARY}\naws_secret_access_key = {CANARY}\naws_session_token = {CANARY}\n",
        None,
    ),
    "shared keys": ("", f"[x]\naws_access_key_id = {CANARY}\naws_secret_access_key = {CANARY}\n"),
    "below a region": (f"{ini(SESSION)}  aws_secret_access_key = {CANARY}\n", None),
    "below a start URL": (f"[profile x]\nsso_start_url = {URL}\n  aws_secret_access_key = {CANARY}\n", None),
    "below a session": (f"[profile x]\nsso_session = corp\n  aws_secret_access_key = {CANARY}\n", None),
    "below a source": (f"[profile x]\nrole_arn = R\nsource_profile = a\n  aws_session_token = {CANARY}\n", None),
    "below a CA bundle": (f"{both(SESSION, DEV)}ca_bundle = /x\n  aws_secret_access_key = {CANARY}\n", None),
    "argument of a program": (f"[profile x]\ncredential_process = saml2aws --password {CANARY}\n", None),
    "login session": (f"[profile x]\nlogin_session = {CANARY}\n", None),
    "before a section": (f"aws_secret_access_key = {CANARY}\n[profile x]\n", None),
    "after a broken header": (
        f"[profile x\naws_secret_access_key = {CANARY}\n",
        f"[x\naws_secret_access_key = {CANARY}\n",
    ),
    "in DEFAULT": (f"[DEFAULT]\naws_secret_access_key = {CANARY}\n{both(SESSION, DEV)}", None),
}


@pytest.mark.parametrize(("config", "credentials"), SECRETS.values(), ids=SECRETS)
def test_no_secret_comes_out(config, credentials):
    assert CANARY.lower() not in repr(parse(config, credentials)).lower()


def test_a_large_config_is_read_quickly():
    sessions = "".join(ini(SESSION).replace("corp", f"s{n}") for n in range(100))
    profiles = "".join(ini(DEV).replace("corp", f"s{n % 100}").replace("dev", f"p{n}") for n in range(1000))
    took = []
    for _ in range(3):
        began = time.process_time()
        result = parse(sessions + profiles)
        took.append(time.process_time() - began)
    assert len(result.sign_ins) == 100
    assert min(took) < 2  # measured: 0.04; a slow machine takes longer, and anything quadratic much longer


@pytest.mark.real  # slow
def test_a_megabyte_of_no_config_is_refused_quickly():
    # CPython's RawConfigParser takes minutes to collect half a million errors.
    for line in ("x\n", "[a\n", "[a]\n x\n"):
        began = time.process_time()
        assert parse(line * (1 << 18), line * (1 << 18)).problem is not None
        assert time.process_time() - began < 60


# --- laws -----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["a", "b", "c", "corp", "default", "my dev", URL, ""])
KEYS = {
    "sso_session": NAMES,
    "sso_start_url": st.sampled_from([URL, f"{URL}/#", "", "http://x"]),
    "sso_region": st.sampled_from(["us-east-1", "eu-west-1", "", "x # y"]),
    "sso_account_id": st.sampled_from(["1", ""]),
    "sso_role_name": st.just("R"),
    "role_arn": st.just("R"),
    "source_profile": NAMES,
    "credential_source": st.just("Environment"),
    "web_identity_token_file": st.just("/t"),
    "credential_process": st.sampled_from(["granted x", "'", ""]),
    "login_session": st.sampled_from(["s", ARN]),
    "aws_access_key_id": st.just("A"),
    "aws_secret_access_key": st.just(CANARY),
    "s3": st.sampled_from(["\n  a = b", "\n  a"]),
}
LINE = st.one_of(
    st.builds(
        lambda word, name: f"[{word}{name}]",
        st.sampled_from(["profile ", "sso-session ", "", "[", "sso_session "]),
        NAMES,
    ),
    st.sampled_from(sorted(KEYS)).flatmap(lambda key: KEYS[key].map(lambda value: f"{key} = {value}")),
    st.sampled_from(
        ["", "# x", "words", "=", "[profile a", "  indented = x", "  words", "[DEFAULT]", "\x00", "[]", ":"]
    ),
    st.text(max_size=12),
)
INI = st.one_of(st.none(), st.lists(LINE, max_size=30).map("\n".join), st.text(max_size=200))


@settings(max_examples=500, deadline=None)
@given(config=INI, credentials=INI)
def test_any_text_gives_an_answer_that_keeps_the_laws(config, credentials):
    result = parse(config, credentials)
    names = [sign_in.name for sign_in in result.sign_ins]
    assert len(names) == len(set(names))
    assert "" not in names
    profiles = [profile for sign_in in result.sign_ins for profile in sign_in.profiles]
    profiles += [row.profile for row in result.unwatched]
    assert len(profiles) == len(set(profiles))
    assert CANARY not in repr(result)
    assert all(row.reason and row.reason.isprintable() for row in result.unwatched)
    for sign_in in result.sign_ins:
        if sign_in.problem is not None:
            assert sign_in.problem.message.isprintable()
        elif sign_in.kind in set(Kind):
            assert sign_in.start_url.startswith(("https://", "http://127.0.0.1", "http://localhost"))
            assert sign_in.region.replace("-", "").isalnum()
            assert sign_in.start_url.isprintable()
    assert (result.problem is None) <= bool(names)


# --- the contract: what botocore itself says ------------------------------------------------------------------------


@pytest.fixture
def botocore_files(tmp_path, monkeypatch):
    config, credentials = tmp_path / "config", tmp_path / "credentials"
    for name in (
        "AWS_PROFILE",
        "AWS_DEFAULT_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_ROLE_ARN",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("AWS_LOGIN_CACHE_DIRECTORY", raising=False)
    console.write(console.document(), ARN)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(credentials))
    monkeypatch.setattr(botocore.credentials.ProcessProvider, "load", lambda provider: None)  # starts no program

    def write(config_text: str | None, credentials_text: str | None) -> None:
        for path, text in ((config, config_text), (credentials, credentials_text)):
            path.unlink(missing_ok=True)
            if text is not None:
                path.write_bytes(text.encode())

    return write


def token_key(profile: str) -> str | None:
    """The cache key of the token file that botocore would read for a profile, followed through its roles."""
    session = botocore.session.Session(profile=profile)
    try:
        providers = botocore.credentials.create_credential_resolver(session).providers
        profile_providers = providers[: [provider.METHOD for provider in providers].index("config-file") + 1]
        found = botocore.credentials.CredentialResolver(profile_providers).load_credentials()
    except botocore.exceptions.BotoCoreError:
        return None
    while inspect.ismethod(getattr(found, "_refresh_using", None)):
        fetcher = found._refresh_using.__self__
        if isinstance(fetcher, botocore.credentials.SSOCredentialFetcher):
            return fetcher._token_loader._generate_cache_key(fetcher._start_url, fetcher._sso_session_name)
        if isinstance(fetcher, botocore.credentials.LoginCredentialFetcher):
            return botocore.utils.generate_login_cache_key(fetcher._session_name)
        found = getattr(fetcher, "_source_credentials", None)
    return None


def is_refused() -> bool:
    try:
        _ = botocore.session.Session().full_config
    except botocore.exceptions.ConfigParseError:
        return True
    return False


ROWS = {
    **{f"good: {name}": row[:2] for name, row in GOOD.items()},
    **{f"misconfigured: {name}": (row[0], CREDENTIALS_OF.get(name)) for name, row in MISCONFIGURED.items()},
    **{f"unwatched: {name}": row[:2] for name, row in UNWATCHED.items()},
    **{f"broken: {name}": row[:2] for name, row in BROKEN.items()},
    **{f"empty: {name}": row[:2] for name, row in EMPTY.items()},
}
STRICTER = {  # botocore would send an empty role name, or name a token file after an empty URL
    "unwatched: role is empty",
    "unwatched: start URL empty",
    "unwatched: an sso-session that is called like a session of aws login",
}


@pytest.mark.parametrize("name", sorted(ROWS.keys() - STRICTER))
def test_botocore_agrees(botocore_files, name):
    config, credentials = ROWS[name]
    botocore_files(config, credentials)
    result = parse(config, credentials)
    refused = is_refused()
    assert refused == (result.problem is not None and result.problem.code == "aws_config")
    if not refused:
        assert_agreement(result)


def assert_agreement(result: AwsConfig) -> None:
    profiles = botocore.session.Session().full_config["profiles"]
    ours = {profile: sign_in for sign_in in result.sign_ins for profile in sign_in.profiles}
    ignored = {row.profile for row in result.unwatched if "AWS reads no profile" in row.reason}
    sessions = {name for name in profiles if name.startswith("sso-session")}  # in the credentials file, see awsprofiles
    assert set(profiles) - sessions == (ours.keys() | reasons(result).keys()) - ignored
    itself = any(keys.get("source_profile") == name for name, keys in profiles.items())  # the one kindness more
    for profile in profiles.keys() - sessions:
        theirs = token_key(profile)
        sign_in = ours.get(profile)
        if theirs is not None:
            assert sign_in is not None, profile
            assert Path(kinds.token_file(sign_in.name)).stem == theirs
        elif sign_in is not None and sign_in.problem is None and not itself:
            # A bearer token alone: good for `aws sso login`, no credentials.
            assert not {"sso_account_id", "sso_role_name", "role_arn"} & profiles[profile].keys()


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(config=INI, credentials=INI)
@pytest.mark.real  # slow
def test_botocore_refuses_the_same_texts(botocore_files, config, credentials):
    botocore_files(config, credentials)
    problem = parse(config, credentials).problem
    assert is_refused() == (problem is not None and problem.code == "aws_config")


KINDS = [  # the keys that belong together, so that mixtures often mean something
    {},
    {"sso_session": "corp", "sso_account_id": "1", "sso_role_name": "R"},
    {"sso_start_url": URL, "sso_region": "us-east-1", "sso_account_id": "1", "sso_role_name": "R"},
    *({"role_arn": "R", "source_profile": name} for name in "abcd"),
]
SINGLE = {name: values.filter(bool) for name, values in KEYS.items() if name != "s3"}
MIXTURES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.builds(
            lambda kind, more: more | kind,
            st.sampled_from(KINDS),
            st.just({}) | st.fixed_dictionaries({}, optional=SINGLE),
        ),
    ),
    max_size=5,
    unique_by=lambda row: row[0],
)


def sections(word: str, rows: list[tuple[str, dict[str, str]]]) -> str:
    return "".join(f"[{word}{name}]\n" + "".join(f"{k} = {v}\n" for k, v in keys.items()) for name, keys in rows)


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(profiles=MIXTURES, shared=MIXTURES)
@pytest.mark.real  # slow
def test_botocore_agrees_on_any_mixture_of_keys(botocore_files, profiles, shared):
    config, credentials = both(SESSION) + sections("profile ", profiles), sections("", shared)
    botocore_files(config, credentials)
    assert_agreement(parse(config, credentials))
