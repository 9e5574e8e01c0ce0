"""Real-world shaped AWS files, in all the ways people write them: upgraded, and equivalent to ssowatch and to botocore."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from botocore import configloader
from hypothesis import given
from test_awsconfig import ARN, GOOD, INI

from ssowatch import config_diff, profile_upgrade, start_urls
from ssowatch.aws_document import Document, OddLayoutError
from ssowatch.awsfile import AwsFile
from ssowatch.model import Kind
from ssowatch.profile_upgrade import NotUpgradableError, Texts, upgrade

URL = "https://acme.awsapps.com/start"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYSECRETKEY"


def legacy(name: str, url: str = URL, region: str = "us-east-1", account: int = 111111111111, more: str = "") -> str:
    header = "default" if name == "default" else f"profile {name}"
    return (
        f"[{header}]\nsso_start_url = {url}\nsso_region = {region}\n"
        f"sso_account_id = {account}\nsso_role_name = ReadOnly\n{more}"
    )


def session(name: str, url: str = URL, scopes: str = "sso_registration_scopes = sso:account:access\n") -> str:
    return f"[sso-session {name}]\nsso_start_url = {url}\nsso_region = us-east-1\n{scopes}"


def member(name: str, of: str) -> str:
    return f"[profile {name}]\nsso_session = {of}\nsso_account_id = 222222222222\nsso_role_name = Admin\nregion = eu-west-1\n"


KEYS = f"[profile ci]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = {SECRET}\n"
SHAPES = {
    # what: (config, credentials, the name asked for, its sso-session afterwards, the profiles that move)
    "one": (legacy("dev", more="region = eu-west-1\noutput = json\n"), None, "dev", "acme", ["dev"]),
    "three of a portal, commented": (
        f"# work\n{legacy('dev')}\n# careful!\n{legacy('prod', account=2)}\n; later\n{legacy('test', account=3)}# end\n",
        None,
        "prod",
        "acme",
        ["dev", "prod", "test"],
    ),
    "the default profile": (legacy("default"), None, "default", "acme", ["default"]),
    "quoted names": (
        legacy('"my dev"')
        + legacy("'the prod'")
        + member("x", "corp")
        + session("corp", "https://d-9.awsapps.com/start"),
        None,
        "my dev",
        "acme",
        ["my dev", "the prod"],
    ),
    "keys and a role beside it": (
        f"{KEYS}\n{legacy('dev')}\n[profile admin]\nrole_arn = arn:aws:iam::222222222222:role/Admin\nsource_profile = dev\n",
        None,
        "admin",
        "acme",
        ["dev"],
    ),
    "a header that AWS reads otherwise": (
        f"{legacy('dev')}[Dev]\nsso_session = corp\n",
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "nested settings": (
        legacy(
            "dev",
            more="s3 =\n  max_concurrent_requests = 20\n  endpoint_url = http://localhost:4566\nregion = eu-west-1\n",
        )
        + "[services local]\nsso_oidc =\n  endpoint_url = http://localhost:4566\n",
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "spellings of one start URL": (
        legacy("a", f"{URL}/#") + legacy("b", f"{URL}#/") + legacy("c", f"{URL}/") + legacy("d"),
        None,
        "c",
        "acme",
        ["a", "b", "c", "d"],
    ),
    "two portals": (
        legacy("dev") + legacy("client", "https://d-1234567890.awsapps.com/start"),
        None,
        "client",
        "d-1234567890",
        ["client"],
    ),
    "asked by the start URL": (
        KEYS + legacy("client", "https://d-1234567890.awsapps.com/start") + legacy("dev") + legacy("prod"),
        None,
        URL,
        "acme",
        ["dev", "prod"],
    ),
    "one that lacks its role stays": (
        legacy("dev") + legacy("half").replace("sso_role_name", "role_name"),
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "one that names its session and its portal stays": (
        session("work") + member("prod", "work") + f"sso_start_url = {URL}\nsso_region = us-east-1\n" + legacy("dev"),
        None,
        "dev",
        "work",
        ["dev"],
    ),
    "a session of the portal in another region": (
        session("work").replace("us-east-1", "eu-west-1") + legacy("dev"),
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "a section that does not count": (
        legacy("dev", "https://old.awsapps.com/start") + legacy('"dev"'),
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "[DEFAULT] twice": (
        "[DEFAULT]\noutput = json\n" + legacy("dev") + "[DEFAULT]\ncli_pager =\n",
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "in the credentials file, beside a config of one line": (
        "[default]\n",
        legacy("dev").replace("profile ", ""),
        "dev",
        "acme",
        ["dev"],
    ),
    "a session's region is lent by [DEFAULT]": (
        "[DEFAULT]\nsso_region = us-east-1\n"
        + session("work", scopes="").replace("sso_region = us-east-1\n", "")
        + member("prod", "work"),
        None,
        "work",
        "work",
        [],
    ),
    "one of them in another region": (
        legacy("dev") + legacy("old", region="eu-west-1") + legacy("prod"),
        None,
        "dev",
        "acme",
        ["dev", "prod"],
    ),
    "a session of the portal is there": (
        session("work") + member("prod", "work") + legacy("dev"),
        None,
        "dev",
        "work",
        ["dev"],
    ),
    "a session of the portal without a scope at the very end": (
        legacy("dev") + member("prod", "work") + session("work", scopes="").rstrip("\n"),
        None,
        "dev",
        "work",
        ["dev"],
    ),
    "a session of the portal without a scope": (
        legacy("dev") + session("work", scopes="") + member("prod", "work"),
        None,
        "dev",
        "work",
        ["dev"],
    ),
    "a session without a scope": (session("work", scopes="") + member("prod", "work"), None, "prod", "work", []),
    "a session with an empty scope": (
        session("work", scopes="sso_registration_scopes =\n") + member("prod", "work"),
        None,
        "work",
        "work",
        [],
    ),
    "a session with a scope of something else": (
        member("q", "work") + session("work", scopes="sso_registration_scopes = codewhisperer:completions\n"),
        None,
        "work",
        "work",
        [],
    ),
    "GovCloud": (
        legacy(
            "gov", "https://start.us-gov-west-1.us-gov-home.awsapps.com/directory/d-99670b0130", region="us-gov-west-1"
        ),
        None,
        "gov",
        "d-99670b0130",
        ["gov"],
    ),
    "the name is taken": (
        session("acme", "https://d-1.awsapps.com/start") + member("p", "acme") + legacy("dev"),
        None,
        "dev",
        "acme-2",
        ["dev"],
    ),
    "in the credentials file": (
        "[default]\nregion = eu-west-1\n",
        f"{KEYS.replace('profile ', '')}\n{legacy('dev').replace('profile ', '')}",
        "dev",
        "acme",
        ["dev"],
    ),
    "half in each file": (
        legacy("dev", "https://old.awsapps.com/start").replace("sso_role_name = ReadOnly\n", "") + legacy("prod"),
        f"[dev]\nsso_start_url = {URL}\nsso_role_name = Admin\n",
        "dev",
        "acme",
        ["dev", "prod"],
    ),
    "made by a tool, 40 profiles": (
        "".join(
            legacy(
                f"team{number}.ReadOnly",
                account=100000000000 + number,
                more="credential_process = aws-sso-util credential-process --profile x\nsso_auto_populated = true\n\n",
            )
            for number in range(40)
        ),
        None,
        "team7.ReadOnly",
        "acme",
        [f"team{number}.ReadOnly" for number in range(40)],
    ),
    "comments below keys": (
        legacy("dev")
        .replace("\nsso_region", "\n  # the portal\n\nsso_region")
        .replace("sso_acc", "   ; here\n\n    # x\nsso_acc"),
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "the region is lent by [DEFAULT]": (
        "[DEFAULT]\nsso_region = us-east-1\n" + legacy("dev").replace("sso_region = us-east-1\n", ""),
        None,
        "dev",
        "acme",
        ["dev"],
    ),
    "the SSO settings come last": (
        f"[profile dev]\nregion = x\nsso_account_id = 1\nsso_role_name = R\nsso_region = us-east-1\nsso_start_url = {URL}\n",
        None,
        "dev",
        "acme",
        ["dev"],
    ),
}
SPELLINGS = {
    "as the AWS CLI writes it": lambda text: text,
    "CRLF": lambda text: text.replace("\n", "\r\n"),
    "no last line end": lambda text: text.rstrip("\n"),
    "BOM": lambda text: f"\ufeff{text}",
    "BOM, CRLF, no last line end": lambda text: "\ufeff" + text.rstrip("\n").replace("\n", "\r\n"),
    "no blanks": lambda text: text.replace(" = ", "="),
    "colons": lambda text: re.sub("^(sso_[a-z_]+|region) = ", r"\1: ", text, flags=re.MULTILINE),
    "indented keys": lambda text: re.sub("^(sso_|region)", r"    \1", text, flags=re.MULTILINE),
    "capitals": lambda text: text.replace("sso_start_url", "SSO_Start_URL").replace("sso_region", "SSO_REGION"),
    "tabs and wide delimiters": lambda text: text.replace(" = ", "\t=   "),
    "blank lines and trailing blanks": lambda text: re.sub("\n(?=[a-z])", "  \n\n", text) + "\n\n\n",
}
CASES = [pytest.param(shape, spelling, id=f"{shape}, {spelling}") for shape in SHAPES for spelling in SPELLINGS]
SSO_LINE = re.compile(r"\s*(sso_(start_url|region|registration_scopes|session)\s*[=:]|\[sso-session)", re.IGNORECASE)


def texts(shape: str, spelling: str) -> Texts:
    config, credentials = SHAPES[shape][:2]
    spell = SPELLINGS[spelling]
    return Texts(spell(config), None if credentials is None else spell(credentials))


def kept(text: str | None) -> list[str]:
    """Every line but those of SSO, with its end; the last one's end and blank lines may be what a new section needed."""
    lines = [line for line in (text or "").splitlines(keepends=True) if not SSO_LINE.match(line)]
    return "".join(lines).rstrip().splitlines(keepends=True)


def meaning(home: Path, both: Texts) -> dict[str, dict[str, object]]:
    """What botocore reads: each profile, with the settings of its sso-session in it."""
    read = {}
    for name, text in (("config", both.config), ("credentials", both.credentials)):
        (home / name).write_bytes((text or "").removeprefix("\ufeff").encode())
        read[name] = configloader.raw_config_parse(str(home / name))
    whole = configloader.build_profile_map(read["config"])
    for name, keys in read["credentials"].items():  # as botocore.session.Session.full_config does
        whole["profiles"].setdefault(name, {}).update(keys)
    found = {}
    for name, keys in whole["profiles"].items():
        own = dict(keys)
        if "sso_session" in own:
            own |= whole["sso_sessions"][own.pop("sso_session")]
            own.pop("sso_registration_scopes", None)
        if "sso_start_url" in own:
            own["sso_start_url"] = start_urls.portal(own["sso_start_url"])
        found[name] = own
    return found


def test_there_are_a_hundred():
    assert len(CASES) >= 100


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n"])
def test_what_it_looks_like(end, line_end):
    config = (
        "# mine\n[profile dev]\nsso_start_url = https://acme.awsapps.com/start/#\nsso_region = us-east-1\nregion = eu-west-1"
        + end
    )
    expected = textwrap.dedent("""\
        # mine
        [profile dev]
        sso_session = acme
        region = eu-west-1

        [sso-session acme]
        sso_start_url = https://acme.awsapps.com/start/#
        sso_region = us-east-1
        sso_registration_scopes = sso:account:access
        """)
    old = Texts(config.replace("\n", line_end))
    assert upgrade(old, "dev").texts.config == expected.replace("\n", line_end)


def test_what_it_looks_like_in_an_empty_config():
    assert upgrade(Texts("", legacy("dev").replace("profile ", "")), "dev").texts.config == session("acme")


def test_the_session_has_the_shortest_spelling():
    result = upgrade(texts("spellings of one start URL", "as the AWS CLI writes it"), "b")
    assert (result.texts.config or "").endswith(session("acme"))


def test_a_section_that_does_not_count_stays_as_it_is():
    old = texts("a section that does not count", "as the AWS CLI writes it")
    first, _, _ = (old.config or "").partition('[profile "dev"]')
    assert (upgrade(old, "dev").texts.config or "").startswith(first)


BARE = session("s", scopes="")
SCOPE = "sso_registration_scopes = sso:account:access\n"
LENT_REGION = f"[DEFAULT]\nsso_region = us-east-1\n[sso-session s]\nsso_start_url = {URL}\n"
LENT_SCOPE = "[DEFAULT]\nsso_registration_scopes = q:x\n"
SCOPED = [
    # what, config, the same with the scope
    ("none", BARE, BARE + SCOPE),
    ("none, and a comment below", f"{BARE}  # not eu\n", f"{BARE}{SCOPE}  # not eu\n"),
    ("an empty one", f"{BARE}sso_registration_scopes = \n", BARE + SCOPE),
    ("another one", f"{BARE}sso_registration_scopes=q:x\n", f"{BARE}sso_registration_scopes=q:x,sso:account:access\n"),
    ("another one, lent", LENT_SCOPE + BARE, f"{LENT_SCOPE}{BARE}sso_registration_scopes = q:x,sso:account:access\n"),
    ("none, and the region is lent", LENT_REGION, LENT_REGION + SCOPE),
]


@pytest.mark.parametrize(("old", "new"), [row[1:] for row in SCOPED], ids=[row[0] for row in SCOPED])
def test_where_the_scope_stands(old, new):
    assert upgrade(Texts(old), "s").texts.config == new


def test_the_profile_of_another_region_is_named():
    result = upgrade(texts("one of them in another region", "CRLF"), "dev")
    assert result.left == ("old",)


NAMED = [
    ("a new one", "work", legacy("dev"), "work"),
    ("the one that fits, of two", "b", session("a") + session("b") + legacy("dev"), "b"),
]


@pytest.mark.parametrize(("what", "wanted", "config", "expected"), NAMED, ids=[row[0] for row in NAMED])
def test_a_session_named_by_the_user(what, wanted, config, expected):
    assert upgrade(Texts(config), "dev", wanted).session == expected


REFUSED = [
    # what, config, credentials, name, --session, words of the message, words of the fix
    ("static keys", KEYS, None, "ci", None, "ci has no SSO settings", "status"),
    ("nobody", legacy("dev"), None, "nobody", None, "nobody has no SSO settings", "status"),
    ("no region", legacy("dev").replace("sso_region", "x"), None, "dev", None, "line 2: sso_region is missing"[7:], "add"),
    ("region with a comment", legacy("dev", region="us-east-1 # V"), None, "dev", None, "line 3: sso_region", "line of its own"),
    ("no role", legacy("dev").replace("sso_role_name", "x"), None, "dev", None, "sso_role_name is missing", "complete"),
    ("http", legacy("dev", "http://acme.awsapps.com/start"), None, "dev", None, "line 2", "https"),
    ("a broken file", f"{legacy('dev')}what is this\n", None, "dev", None, "line 6: is neither", "complete or remove"),
    ("broken credentials", legacy("dev"), "hm\n", "dev", None, "credentials line 1", "move the line"),
    ("another portal's session", legacy("dev") + session("b", "https://b.awsapps.com/start"), None, "dev", "b", "[sso-session b]", "another name"),
    ("no name at all", legacy("dev"), None, "dev", "a]\nb", "no name for an sso-session", "letters"),
    ("all lent by [DEFAULT]", f"[DEFAULT]\nsso_start_url = {URL}\nsso_region = us-east-1\n[profile dev]\nsso_role_name = R\nsso_account_id = 1\n", None, "dev", None, "from [DEFAULT]", "into the profile itself"),
    ("no config file", None, legacy("dev").replace("profile ", ""), "dev", None, "~/.aws/config does not exist", "touch"),
    ("scopes over lines", session("s", scopes="sso_registration_scopes =\n  a = b\n"), None, "s", None, "more than one line", "commas"),
    ("a broken session", session("s").replace("sso_region", "x"), None, "s", None, "sso_region is missing", "add"),
    ("all lent by [DEFAULT], to a session", f"[DEFAULT]\nsso_start_url = {URL}\nsso_region = us-east-1\n[sso-session s]\nx = y\n", None, "s", None, "laid out", "by hand"),
    ("what the profile names [DEFAULT] contradicts", "[DEFAULT]\nsso_region = eu-west-1\n" + legacy("dev"), None, "dev", None, "laid out", "by hand"),
    ("a session of the portal stands twice", session("work") + session('"work"') + legacy("dev"), None, "dev", None, "laid out", "by hand"),
    ("a session called like one of aws login", session(ARN, scopes=""), None, ARN, None, "has no SSO settings", "status"),
    ("its profile", session(ARN, scopes="") + member("dev", ARN), None, "dev", None, "has no SSO settings", "status"),
    ("old Mac line ends", legacy("dev").replace("\n", "\r"), None, "dev", None, "laid out", "by hand"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("config", "credentials", "name", "wanted", "message", "fix"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_refused(config, credentials, name, wanted, message, fix):
    with pytest.raises(NotUpgradableError, match=re.escape(message)) as refused:
        upgrade(Texts(config, credentials), name, wanted)
    assert fix in refused.value.fix
    assert refused.value.args == (str(refused.value),), "the fix is no part of the message"
    assert SECRET not in str(refused.value)


@pytest.mark.parametrize("row", GOOD)
def test_what_can_be_renewed_stays_what_it_is(home, row):
    config, credentials, _ = GOOD[row]
    old = Texts(config, credentials)
    for one in old.read().sign_ins:
        try:
            result = upgrade(old, one.name)
        except NotUpgradableError:
            continue
        assert meaning(home, result.texts) == meaning(home, old)


def test_the_scope_is_that_of_sign_ins():
    from ssowatch.model import SignIn

    assert SignIn("a", Kind.LEGACY, "u", "r").scopes == (profile_upgrade.SCOPE,)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_diff_is_the_change(shape):
    """Applied as `patch` would, it gives the new text; and it shows nothing but SSO lines."""
    old = texts(shape, "as the AWS CLI writes it")
    new = upgrade(old, SHAPES[shape][2]).texts
    for before, after in ((old.config, new.config), (old.credentials, new.credentials)):
        lines = list(config_diff.diff(before or "", after or "", "f"))
        assert patched((before or "").splitlines(), lines) == (after or "").splitlines()
        assert all(SSO_LINE.match(line[1:]) or line == "+" for line in lines[2:] if not line.startswith("@@"))


def patched(lines: list[str], diff: list[str]) -> list[str]:
    result, here = [], 0
    for line in diff[2:]:
        if line.startswith("@@"):
            span = re.match(r"@@ -(\d+)(?:,(\d+))?", line)
            start = int(span[1]) - (span[2] != "0")
            result += lines[here:start]
            here = start
        elif line[0] == "-":
            assert lines[here].split() == line[1:].split()
            here += 1
        else:
            result.append(line[1:])
    return result + lines[here:]


@pytest.mark.parametrize(("shape", "spelling"), CASES)
def test_upgraded(home, shape, spelling):
    _, _, name, wanted, moved = SHAPES[shape]
    old = texts(shape, spelling)
    result = upgrade(old, name)
    new = result.texts
    assert (result.session, list(result.moved)) == (wanted, moved)
    assert kept(new.config) == kept(old.config)
    assert kept(new.credentials) == kept(old.credentials)
    assert (new.credentials is None) == (old.credentials is None)
    after = {one.name: one for one in new.read().sign_ins}
    assert after[wanted].kind is Kind.SSO_SESSION
    assert after[wanted].problem is None
    assert set(moved) <= set(after[wanted].profiles)
    assert "sso:account:access" in (new.config or "")
    assert meaning(home, new) == meaning(home, old)
    assert upgrade(new, wanted).texts == new, "once is enough"


@given(INI)
def test_a_file_that_aws_reads_comes_together_again(text):
    if text is None or AwsFile("f", text).flaw:
        return
    try:
        document = Document(text)
    except OddLayoutError:
        return
    assert document.text == text


@given(INI, INI)
def test_any_files_are_upgraded_or_refused(config, credentials):
    old = Texts(config, credentials)
    for one in old.read().sign_ins:
        for name in (one.name, *one.profiles):
            try:
                result = upgrade(old, name)
            except NotUpgradableError:
                continue
            assert kept(result.texts.config) == kept(config)
            assert upgrade(result.texts, result.session).texts == result.texts
