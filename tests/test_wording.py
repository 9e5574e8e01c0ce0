"""Lines for the log and the service manager; prose for a terminal; the last words of `setup` and `doctor`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import doctor_text, paragraphs, wording
from ssowatch.model import Button, Cause, Kind, Memory, Notice, Plan, Problem, SignIn, State, Tab
from ssowatch.outcomes import Outcome, OverError, Result, Waiting
from ssowatch.protocol import Row
from ssowatch.setup.step import Finding, Mend, NotMendedError
from ssowatch.setup.verdict import verdict
from ssowatch.unusable import UnusableError

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1")
MINUTE = timedelta(minutes=1)


def row(state=State.VALID, **facts):
    return Row(CORP, None, Plan(state, Memory(), **facts))


# The log


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (row(), "corp: valid"),
        (row(good_until=NOW), "corp: valid, good until 2026-01-05T08:00:00Z"),
        (row(problem=Problem("x", "odd\ndates", "y")), "corp: valid; odd dates"),
        (row(State.SIGNED_OUT), "corp: signed_out"),
    ],
)
def test_a_state(one, line):
    assert wording.state_line(one) == line


@pytest.mark.parametrize(
    ("action", "problem", "line"),
    [
        (Tab(Cause.ENDED), None, "corp: a sign-in is due: the sign-in has ended"),
        (Notice(Cause.ENDING, (Button.FRESH,)), None, "corp: a person is needed: the sign-in ends soon"),
        (Notice(Cause.OFFER, ()), None, "corp: a person is needed: a fresh sign-in suits now"),
        (
            Notice(Cause.REFUSED, ()),
            Problem("refused", "x", "sign in"),
            "corp: a person is needed: AWS refuses to renew it; the token still works; sign in",
        ),
        (Tab(Cause.ENDED), Problem("refused", "x"), "corp: a sign-in is due: the sign-in has ended"),
    ],
)
def test_that_a_person_is_needed(action, problem, line):
    assert wording.ask_line(row(problem=problem), action) == line


# The service manager


@pytest.mark.parametrize(
    ("rows", "problem", "line"),
    [
        ([], None, "no sign-ins to watch"),
        ([row()], Problem("config", "line 3\nis wrong"), "line 3 is wrong"),
        ([row()], None, "1 sign-in: 1 valid"),
        ([row()] * 2, None, "2 sign-ins: 2 valid"),
        (
            [row(renew_at=NOW + 2 * MINUTE), row(State.SIGNED_OUT), row(renew_at=NOW + MINUTE)],
            None,
            "3 sign-ins: 1 signed out, 2 valid; next renewal 2026-01-05T08:01:00Z",
        ),
    ],
)
def test_one_line_for_all(rows, problem, line):
    assert wording.service_line(rows, problem) == line


# Prose


def test_prose_is_broken_at_words_and_what_is_to_be_copied_is_not():
    text = "one two three four five six\n  ssowatch login --a-very-long-option corp"
    assert paragraphs.wrapped(text, 20, "> ") == (
        "> one two three four\n> five six\n>   ssowatch login --a-very-long-option corp"
    )
    assert paragraphs.wrapped("one two three four five six seven", 80) == "one two three four five six seven"
    assert paragraphs.wrapped("a" * 30 + " b", 1) == "a" * 30 + "\nb", "a narrow terminal has 20 columns"
    assert paragraphs.wrapped("one word-with-hyphens", 20) == "one\nword-with-hyphens"


# The last word of setup


def published(name="corp", state="valid", *, renews=True, kind="sso-session", profiles=("dev",)):
    return {"name": name, "state": state, "renews_silently": renews, "kind": kind, "profiles": list(profiles)}


LEGACY = published("https://d-9.awsapps.com/start", "signed_out", kind="legacy", profiles=("old one",))


@pytest.mark.parametrize(
    ("sign_ins", "said"),
    [
        pytest.param(
            [], "Ready: ssowatch watches, and looks after your sign-ins as soon as the AWS config names one.", id="none"
        ),
        pytest.param([published(), published("lab", "expiring")], "Protected: corp, lab.", id="protected"),
        pytest.param(
            [published(state="unreachable")],
            "AWS does not answer for corp; it is tried again by itself.",
            id="an outage",
        ),
        pytest.param(
            [published(renews=False), published("lab", "expiring", renews=False)],
            "Works, but cannot be renewed: corp, lab. The steps above say what helps.",
            id="not renewable",
        ),
        pytest.param(
            [published("arn:aws:iam::111111111111:user/me", renews=False)],
            "Works, and is renewed by the programs that use it: arn:aws:iam::111111111111:user/me.",
            id="aws login",
        ),
        pytest.param(
            [published(state="misconfigured")], "Cannot work before the AWS config is mended: corp.", id="wrong"
        ),
        pytest.param(
            [published("my corp", "signed_out", renews=False), published("lab", "login_required"), LEGACY],
            "Protected from the first sign-in on:\n  ssowatch login 'my corp'\n  ssowatch login lab\n"
            "  ssowatch login 'old one'",
            id="to be signed in",
        ),
        pytest.param(
            [LEGACY | {"profiles": []}],
            "Protected from the first sign-in on:\n  ssowatch login https://d-9.awsapps.com/start",
            id="legacy without a profile",
        ),
        pytest.param(
            [published(), published("lab", "unreachable")],
            "Protected: corp.\nAWS does not answer for lab; it is tried again by itself.",
            id="of two kinds",
        ),
    ],
)
def test_the_verdict(sign_ins, said):
    assert verdict({"watcher": {"running": True}, "sign_ins": sign_ins}) == (True, said)


def test_without_a_watcher_nothing_is_protected():
    protected, said = verdict({"watcher": {"running": False}, "sign_ins": [published()]})
    assert not protected
    assert said == (
        "NOT PROTECTED: no watcher runs, so nothing renews your sign-ins. The steps above say what helps. "
        "For as long as a terminal is open, this does:\n  ssowatch run"
    )


# The doctor

FOUND = [
    ("clock", True, "is right", None),
    ("token file", False, "is cut off", "ssowatch login corp"),
    ("bus", False, "is dead", None),
]


def test_what_the_doctor_found():
    assert doctor_text.text(FOUND, ["the mode of x"], 80) == (
        "mended: the mode of x\n! token file: is cut off\n  > ssowatch login corp\n! bus: is dead\nok clock: is right\n"
        "\n2 findings; each mend stands behind its >."
    )
    assert doctor_text.text(FOUND[:1], [], 80) == "ok clock: is right\n\nAll is well."
    assert doctor_text.text(FOUND[2:], [], 80).endswith("\n\n1 finding; each mend stands behind its >.")


def test_on_a_narrow_terminal_what_goes_on_stands_below_its_beginning():
    rows = [
        ("a", False, "word " * 6, "one two three four five\nsix"),
        ("b", True, "word " * 6, None),
        ("c", False, "see a-word-of-hyphens", "/a-path-without-a-blank"),
    ]
    assert doctor_text.text(rows, ["the mode of x"], 20).split("\n\n")[0] == (
        "mended: the mode of\nx\n! a: word word word\n  word word word\n  > one two three\n    four five\n  > six\n"
        "! c: see\n  a-word-of-hyphens\n  >\n    /a-path-without-a-blank\n"
        "ok b: word word word\n   word word word"
    )
    assert doctor_text.text(rows, [], 1) == doctor_text.text(rows, [], 20)


# Ends that are raised


def test_an_end_carries_its_outcome_and_its_code():
    over = OverError(Result.DENIED, "no")
    assert (over.outcome, str(over)) == (Outcome(Result.DENIED, "no", None), "no")


def test_no_link_and_no_code_is_in_the_repr_of_who_waits():
    shown = repr(Waiting("https://d-1.awsapps.com/?code=LINK", "CODE-CODE", "https://page.example", NOW))
    assert "page.example" in shown
    assert "LINK" not in shown
    assert "CODE" not in shown
    error = UnusableError(78, "line 3")
    assert (str(error), error.code) == ("line 3", 78)


# What a mend says that failed


def test_a_mend_that_failed_says_why_and_what_to_do_instead():
    error = NotMendedError("the file is not yours", "chown it")
    assert (str(error), error.fix) == ("the file is not yours", "chown it")


def test_what_is_found_is_good_and_what_mends_it_is_safe_unless_it_says_otherwise():
    found = Finding("the clock is right")
    assert (found.good, found.final) == (True, False)
    mend = Mend("Set it?", list)
    assert (mend.safe, mend.usual) == (True, True)
