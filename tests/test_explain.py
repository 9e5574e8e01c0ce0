"""`ssowatch explain`: the text joined with the state, in words that help."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import homes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssowatch import explanation
from ssowatch.aws_errors import TABLE
from ssowatch.squeezed import LOOKED_AT

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
P1 = "Error when retrieving token from sso: Token has expired and refresh failed"
P2 = "Error loading SSO Token: Token for {} does not exist"
DEAD = "An error occurred (ExpiredToken) when calling the ListUsers operation: The security token included in the request is expired"
EVIL = "a\x1b[2Jb\u202ec\nd\r\x07"


def sign_in(name="corp", state="valid", profiles=("dev",), *, kind="sso-session", problem=None, servers=(), **more):
    if state == "misconfigured":
        problem = problem or "it cannot work"
    return {
        "name": name,
        "kind": kind,
        "state": state,
        "start_url": {"legacy": name, "login": None}.get(kind, "https://d-1.awsapps.com/start"),
        "good_until": "2026-01-05T16:00:00Z" if state in {"valid", "expiring"} else None,
        "good_until_certain": False,
        "profiles": list(profiles),
        "mcp_servers": [{"client": "claude-code", "server": one, "profile": "dev", "certain": True} for one in servers],
        "problem": {"code": "x", "message": problem, "fix": f"mend {name}"} if problem else None,
        **more,
    }


def document(*sign_ins, problem=None, unwatched=()):
    return {
        "sign_ins": list(sign_ins),
        "problem": problem,
        "unwatched": [{"profile": one, "reason": "it is foreign"} for one in unwatched],
    }


ENDED = sign_in(state="login_required", problem="AWS refused to renew")
LAB = sign_in("lab", profiles=("sandbox", "my play"))
OLD = sign_in(
    "https://d-9.awsapps.com/start", "signed_out", ("old",), kind="legacy", problem="nobody has signed in yet"
)
CONSOLE = sign_in("arn:aws:iam::111111111111:user/me", "valid", ("console",), kind="login")
AGAIN = "Please reauthenticate using 'aws login'."
NOPE = "The config profile (nope) could not be found"
MANY = [f"p{number}" for number in range(1, 22)]
NO_FIX = {"code": "x", "message": "no region", "fix": None}

ROWS = [
    # id, text, document, profile of the environment, words, no words
    ("ended", P1, document(ENDED), None, ["From boto3", "corp (dev): login required", "! AWS refused to renew", "> ssowatch login corp"], ["Try again"]),
    ("works", P1, document(sign_in()), None, ["corp (dev): works now, good until about 16:00", "Try again", "ssowatch refresh corp"], ["ssowatch login"]),
    ("works until a moment that is certain", P1, document(sign_in(good_until_certain=True)), None, ["works now, good until 16:00."], []),
    ("works, and until when is not known", P1, document(sign_in(good_until=None, profiles=())), None, ["corp: works now. Try"], []),
    ("works, whatever is wrong with something else", P1, document(sign_in(), problem=NO_FIX), None, ["corp (dev): works now"], ["no region"]),
    ("which of two", P1, document(ENDED, LAB), None, ["> ssowatch login corp", "lab (sandbox, my play): works now"], ["Try again"]),
    ("all work", P1, document(sign_in(), LAB), None, ["ssowatch refresh NAME"], ["ssowatch login"]),
    ("named in the text", P2.format("lab"), document(ENDED, LAB), None, ["lab (sandbox, my play): works now"], ["corp"]),
    ("its start URL", P2.format("https://d-9.awsapps.com/start"), document(ENDED, OLD), None, ["> ssowatch login old"], ["corp"]),
    ("the start URL of an sso-session", P2.format("https://d-1.awsapps.com/start"), document(ENDED, OLD), None, ["> ssowatch login corp"], ["login old"]),
    ("named in the command", f"$ aws s3 ls --profile sandbox\n{P1}", document(ENDED, LAB), None, ["lab ("], ["corp"]),
    ("named with a space", f'AWS_PROFILE="my play" python x.py\n{P1}', document(ENDED, LAB), None, ["lab ("], ["corp"]),
    ("a longer name is another", f"aws s3 ls --profile sandbox-2\n{P1}", document(ENDED, LAB), None, ["corp", "lab"], []),
    ("of the environment", P1, document(ENDED, LAB), "sandbox", ["lab ("], ["corp"]),
    ("the text counts more", P2.format("corp"), document(ENDED, LAB), "sandbox", ["corp"], ["lab"]),
    ("not watched", f"aws --profile granted sts get-caller-identity\n{P1}", document(ENDED, unwatched=["granted"]), None, ["granted is not watched: it is foreign"], ["corp"]),
    ("not watched, whatever the environment says", f"aws --profile granted sts get-caller-identity\n{P1}", document(ENDED, unwatched=["granted"]), "dev", ["granted is not watched"], ["corp"]),
    ("no answer", P1, document(sign_in(state="unreachable", problem="no answer")), None, ["by itself", "network"], ["ssowatch login"]),
    ("misconfigured", P1, document(sign_in(state="misconfigured", problem="no region")), None, ["! no region", "> mend corp"], ["ssowatch login"]),
    ("misconfigured, and no fix is known", P1, document(sign_in(state="misconfigured", problem="x") | {"problem": NO_FIX}), None, ["! no region"], [">"]),
    ("nothing here", P1, document(problem={"code": "no_aws_config", "message": "no config", "fix": "aws configure sso"}), None, ["! no config", "> aws configure sso"], []),
    ("nothing here, and no fix is known", P1, document(problem=NO_FIX), None, ["! no region"], [">"]),
    ("nothing watched", P1, document(), None, ["ssowatch ensure NAME"], []),
    ("dead keys, good sign-in", DEAD, document(sign_in(servers=["iam"])), None, ["does not help", "Restart it", "iam (claude-code)"], ["ssowatch login"]),
    ("dead keys, of nobody known", DEAD, document(sign_in()), None, ["Restart it."], []),
    ("dead keys, of one of many", DEAD, document(sign_in(servers=["a", "b", "c", "d", "last"])), None, ["d (claude-code)."], ["last"]),
    ("dead keys, ended", DEAD, document(ENDED), None, ["> ssowatch login corp"], ["Restart"]),
    ("masked, ended", "Error executing tool list_groups", document(ENDED), None, ["does not say", "> ssowatch login corp"], []),
    ("masked, works", "Error executing tool list_groups", document(sign_in()), None, ["not the reason"], ["ssowatch login"]),
    ("wrong profile", NOPE, document(ENDED, LAB), None, ["Correct the profile", "dev, sandbox, my play."], ["ssowatch login"]),
    ("wrong profile, of twenty", NOPE, document(sign_in(profiles=MANY[:20])), None, ["p19, p20."], []),
    ("wrong profile, of more", NOPE, document(sign_in(profiles=MANY)), None, ["p19, p20 and 1 more."], ["p21"]),
    ("wrong profile, of none", NOPE, document(), None, ["Profiles with a sign-in: none."], []),
    ("wrong role", "(ForbiddenException): No access", document(ENDED), None, ["sso_role_name", "a sign-in does not help"], ["ssowatch login", "Profiles"]),
    ("aws login, watched", AGAIN, document(ENDED, CONSOLE), None, ["ssowatch login console"], ["corp"]),
    ("aws login", AGAIN, document(ENDED), None, ["Run aws login"], ["ssowatch login"]),
    ("aws login, two of them", AGAIN, document(CONSOLE, CONSOLE | {"name": "arn:aws:iam::222222222222:root", "profiles": []}), None, ["ssowatch login NAME."], []),
    ("clock", "Credentials were refreshed, but the refreshed credentials are still expired.", document(sign_in()), None, ["clock"], ["ssowatch login"]),
    ("clock, beside aws login", "Credentials were refreshed, but the refreshed credentials are still expired.", document(CONSOLE), None, ["clock"], ["ssowatch login"]),
    ("nine profiles", P1, document(sign_in(profiles=MANY[:9])), None, ["p7, p8): works"], []),
    ("endless names", P1, document(sign_in(profiles=["x " * 100])), None, [f"({'x ' * 39}x…)"], []),
    ("an endless message", P1, document(ENDED | {"problem": {"code": "x", "message": "a " * 400, "fix": None}}), None, [f"! {'a ' * 299}a… >"], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "published", "profile", "words", "not_words"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
@pytest.mark.parametrize("width", [50, 80])
def test_what_it_says(text, published, profile, words, not_words, width):
    said = explanation.explain(text, published, NOW, profile=profile, width=width)
    flat = " ".join(said.split())
    assert [word for word in words if " ".join(word.split()) not in flat] == []
    assert [word for word in not_words if word in flat] == []
    assert max(map(len, said.splitlines())) <= width


@pytest.mark.parametrize("error", TABLE, ids=[row.code for row in TABLE])
@pytest.mark.parametrize("state", ["valid", "login_required", "signed_out", "unreachable", "misconfigured"])
def test_every_error_in_every_state_has_an_answer(error, state):
    text = error.texts[0].replace("<name>", "corp").replace("<tool>", "x").replace("<name_in_quotes>", "'dev'")
    text = text.replace("<name_in_parentheses>", "(dev)")
    said = explanation.explain(text, document(sign_in(state=state)), NOW, width=80)
    assert error.means.split()[0] in said
    if state == "valid":
        assert "ssowatch login" not in said, "no sign-in for a sign-in that works"


def test_an_error_deep_inside_a_long_log():
    log = "INFO nothing\n" * 100_000 + f"ERROR {P1}\n" + "INFO nothing\n" * 100_000
    assert "login required" in explanation.explain(log, document(ENDED), NOW, width=80)
    assert explanation.explain("INFO nothing\n" * 200_000, document(ENDED), NOW, width=80) is None


@pytest.mark.parametrize("at", [100_000, 2 * LOOKED_AT - len(P1) // 2, 2 * LOOKED_AT + 500])
def test_an_error_is_found_wherever_it_stands(at):
    text = f"{'x' * at} {P1} {'x' * 300_000}"
    assert "login required" in explanation.explain(text, document(ENDED), NOW, width=80)


def test_what_somebody_copies_is_not_broken():
    name = "a-portal-of-a-company-with-a-long-name"
    said = explanation.explain(P1, document(sign_in(name)), NOW, width=len(name) // 2)
    assert name in said.split()


@given(st.text(max_size=300), st.sampled_from(["", P1, DEAD, P2.format(EVIL)]))
@settings(max_examples=150, deadline=None)
def test_nothing_of_the_text_is_shown(text, error):
    published = document(sign_in(EVIL, "login_required", (EVIL,), problem=EVIL), unwatched=[EVIL])
    said = explanation.explain(f"{text} canary-{text} {error}", published, NOW, profile=EVIL, width=80)
    assert said is None or all(line.isprintable() for line in said.splitlines())
    assert "canary" not in (said or "")


# The command


def test_with_the_state_of_this_home(home):
    homes.aws_config(home)
    homes.write_token(homes.token(timedelta(hours=-1), refreshToken=None))
    ran = homes.ssowatch("explain", P1)
    assert ran.returncode == 0
    assert "corp (dev, prod): login required" in ran.stdout
    assert "> ssowatch login corp" in ran.stdout
    assert homes.ssowatch("explain", *P1.split()).stdout == ran.stdout
    homes.write_token(homes.token())
    assert "works now" in homes.ssowatch("explain", P1).stdout
    assert "works now" in homes.ssowatch("explain", P1, AWS_PROFILE="dev").stdout


def piped(*arguments, content: bytes):
    return subprocess.run(
        [sys.executable, "-m", "ssowatch", "explain", *arguments],
        input=content,
        capture_output=True,
        timeout=120,
        check=False,
        env=os.environ,
    )


LOG = b"\xff\xfe\x00 some bytes\n" * 400_000 + P1.encode()
PIPED = [
    (["-"], P1.encode(), 0),
    ([], P1.encode(), 0),
    ([], b"all is well", 1),
    ([], b"", 2),
    (["-"], b" \n ", 2),
    ([], LOG, 0),
    ([], P1.encode() + LOG, 0),
]


@pytest.mark.parametrize(("arguments", "content", "code"), PIPED)
def test_exit_codes_of_what_is_piped_in(home, arguments, content, code):
    homes.aws_config(home)
    ran = piped(*arguments, content=content)
    assert (ran.returncode, b"Traceback" in ran.stderr) == (code, False)
    assert ran.stdout or ran.stderr


def test_no_text_and_no_pipe(home):
    ran = subprocess.run(
        [sys.executable, "-m", "ssowatch", "explain"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 2
    closed = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m ssowatch explain <&-"], capture_output=True, timeout=60, check=False
    )
    assert (closed.returncode, b"Traceback" in closed.stderr) == (2, False)
