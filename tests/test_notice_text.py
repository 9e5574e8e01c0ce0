"""What a notice says."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from ssowatch import notice_text
from ssowatch.model import Cause, Kind, Memory, Plan, SignIn, State

NOW = datetime(2026, 1, 5, 16, 45, tzinfo=UTC)
PORTAL = "Portal: d-1234567890.awsapps.com"


def sign_in(*profiles, name="corp", kind=Kind.SSO_SESSION, url="https://d-1234567890.awsapps.com/start"):
    return SignIn(name, kind, url, "us-east-1", profiles)


def plan(**facts):
    return Plan(**{"state": State.EXPIRING, "memory": Memory(), **facts})


def ends(minutes, source="configured"):
    return plan(ends_at=NOW + timedelta(minutes=minutes), ends_at_source=source)


def learned(first, last, source="learned"):
    first, last = NOW + timedelta(minutes=first), NOW + timedelta(minutes=last)
    return plan(ends_from=first, ends_at=last, ends_at_source=source)


ENDS = [
    # id, plan, words
    ("learned from many lives", learned(12, 15), "ends about 16:58 (in 14 min)"),
    ("learned from one", learned(15, 45), "ends between 17:00 and 17:30"),
    ("the first moment is past", learned(-5, 25), "ends before 17:10"),
    ("told by AWS", learned(13, 13), "ends at 16:58 (in 13 min)"),
    ("assumed, or as the one before", learned(15, 45, "assumed"), "may end between 17:00 and 17:30"),
    ("over midnight", learned(7 * 60, 8 * 60), "ends between 23:45 and tomorrow 00:45"),
    ("about now", learned(-1, 1), "ends now"),
    ("ten minutes are about one moment", learned(10, 20), "ends about 17:00 (in 15 min)"),
    ("eleven are not", learned(10, 21), "ends between 16:55 and 17:06"),
    ("the first moment is this one", learned(0, 25), "ends before 17:10"),
    ("about a moment of another day", learned(45 * 60, 45 * 60 + 8), "ends about Wed 13:49 (in 45 h)"),
    ("in two hours", ends(120), "ends at 18:45 (in 2 h)"),
    ("in a minute less", ends(119), "ends at 18:44 (in 119 min)"),
    ("this week", ends(6 * 24 * 60), "ends Sun 16:45 (in 144 h)"),
    ("on the same day of the next", ends(7 * 24 * 60), "ends 2026-01-12 16:45 (in 168 h)"),
]


@pytest.mark.parametrize(("decided", "words"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS])
def test_an_end_is_said_as_surely_as_it_is_known(decided, words):
    assert notice_text.ends(decided, NOW) == words


KB = ("aws-kb", "Claude Code")
FRESH = {"fresh_until": NOW + timedelta(hours=8)}
FORTY = tuple(f"team-{number:02}" for number in range(1, 41))
LONG = "a-name-that-its-owner-found-descriptive-although-it-has-no-end"

ROWS = [
    # id, sign-in, plan, cause, more, title, message
    (
        "ending",
        sign_in("dev", "prod"),
        ends(15),
        Cause.ENDING,
        {"servers": [KB]},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        f"Then dev, prod and aws-kb (Claude Code) stop.\n{PORTAL}",
    ),
    (
        "ending-assumed",
        sign_in("dev"),
        ends(15, "assumed"),
        Cause.ENDING,
        {},
        "corp: AWS sign-in may end at 17:00 (in 15 min)",
        f"Then dev stops.\n{PORTAL}",
    ),
    (
        "ending-token",
        sign_in("dev"),
        plan(good_until=NOW + timedelta(seconds=20)),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends at 16:45 (in 1 min)",
        f"Then dev stops.\n{PORTAL}",
    ),
    (
        "ending-tomorrow",
        sign_in("dev"),
        ends(10 * 60),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends tomorrow 02:45 (in 10 h)",
        f"Then dev stops.\n{PORTAL}",
    ),
    (
        "ending-this-moment",
        sign_in("dev"),
        ends(0),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends now",
        f"Then dev stops.\n{PORTAL}",
    ),
    (
        "offer",
        sign_in("dev"),
        replace(learned(15, 45), **FRESH),
        Cause.OFFER,
        {},
        "corp: start a fresh 8 h day?",
        f"The present sign-in ends between 17:00 and 17:30; a fresh one now lasts to about tomorrow 00:45.\n{PORTAL}",
    ),
    (
        "nobody-knows-whose",
        sign_in(url=""),
        ends(15),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        "Then whatever uses it stops.",
    ),
    (
        "one-more-is-named",
        sign_in("dev", "test", "stage", "prod"),
        ends(15),
        Cause.ENDING,
        {"servers": [KB] * 3},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        "Then dev, test, stage, prod, aws-kb (Claude Code), aws-kb (Claude Code) and aws-kb (Claude Code) stop.\n"
        + PORTAL,
    ),
    (
        "two-more-are-counted",
        sign_in("dev", "test", "stage", "prod", "audit"),
        ends(15),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        f"Then dev, test, stage and 2 more profiles stop.\n{PORTAL}",
    ),
    (
        "long-host",
        sign_in("dev", url=f"https://{'a' * 70}.example/start"),
        ends(15),
        Cause.ENDING,
        {},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        f"Then dev stops.\nPortal: {'a' * 59}…",
    ),
    (
        "refused",
        sign_in("dev", "prod"),
        plan(state=State.VALID, good_until=NOW + timedelta(minutes=47)),
        Cause.REFUSED,
        {},
        "corp: AWS will not renew this sign-in",
        f"dev and prod go on until 17:32, then stop.\n{PORTAL}",
    ),
    (
        "refused-one",
        sign_in("dev"),
        plan(state=State.VALID, good_until=NOW + timedelta(minutes=47)),
        Cause.REFUSED,
        {},
        "corp: AWS will not renew this sign-in",
        f"dev goes on until 17:32, then stops.\n{PORTAL}",
    ),
    (
        "ended",
        sign_in("dev", "prod"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {},
        "corp: sign in to AWS",
        f"dev and prod have stopped.\n{PORTAL}",
    ),
    (
        "waited-for",
        sign_in("dev", "prod"),
        plan(state=State.SIGNED_OUT),
        Cause.ENDED,
        {},
        "corp: sign in to AWS",
        f"A program waits for dev and prod.\n{PORTAL}",
    ),
    (
        "several",
        sign_in("dev"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {"position": (1, 3), "others": ["lab", "acme"]},
        "corp: sign in to AWS (1 of 3)",
        f"dev has stopped.\n{PORTAL}\nNext: lab and acme",
    ),
    (
        "two",
        sign_in("dev"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {"position": (1, 2), "others": ["lab"]},
        "corp: sign in to AWS (1 of 2)",
        f"dev has stopped.\n{PORTAL}\nNext: lab",
    ),
    (
        "legacy",
        sign_in("old", name="https://old.awsapps.com/start", kind=Kind.LEGACY, url="https://old.awsapps.com/start"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {},
        "old.awsapps.com: sign in to AWS",
        "old has stopped.",
    ),
    (
        "no-profile",
        sign_in(url=""),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {},
        "corp: sign in to AWS",
        "What uses it has stopped.",
    ),
    (
        "forty-profiles",
        sign_in(*FORTY),
        ends(15),
        Cause.ENDING,
        {"servers": [KB] * 9},
        "corp: AWS sign-in ends at 17:00 (in 15 min)",
        "Then team-01, team-02, team-03, 37 more profiles, aws-kb (Claude Code), aws-kb (Claude Code) and 7 more MCP servers stop.\n"
        + PORTAL,
    ),
    (
        "long-names",
        sign_in(LONG, name=LONG),
        ends(15),
        Cause.ENDING,
        {},
        "a-name-that-its-owner-found-des…: AWS sign-in ends at 17:00 (in 15 min)",
        f"Then a-name-that-its-owner-found-des… stops.\n{PORTAL}",
    ),
    (
        "attack",
        sign_in("d\x1b[2Jev\nPortal: evil.example", "\u202egnp.exe", name="co\u202erp\x07", url="https://evil\x1b;x/"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {"others": ["x\ny"]},
        "co rp: sign in to AWS",
        "d [2Jev Portal: evil.example and gnp.exe have stopped.\nPortal: evil ;x\nNext: x y",
    ),
    (
        "no-url",
        sign_in("dev", url="https://[broken"),
        plan(state=State.LOGIN_REQUIRED),
        Cause.ENDED,
        {},
        "corp: sign in to AWS",
        "dev has stopped.",
    ),
]


@pytest.mark.parametrize(
    ("who", "decided", "cause", "more", "title", "message"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_text(who, decided, cause, more, title, message):
    assert notice_text.title_and_message(who, decided, cause, NOW, **more) == (title, message)


@pytest.mark.parametrize(
    ("zone", "clock"),
    [
        pytest.param(timezone(timedelta(hours=5, minutes=30)), "22:30", id="offset"),
        pytest.param(ZoneInfo("America/New_York"), "12:00", id="zone"),
    ],
)
def test_times_are_those_of_the_wall(zone, clock):
    title, _ = notice_text.title_and_message(sign_in("dev"), ends(15), Cause.ENDING, NOW.astimezone(zone))
    assert title == f"corp: AWS sign-in ends at {clock} (in 15 min)"


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("state", State)
def test_every_cause_has_a_text_whatever_is_unknown(cause, state):
    title, message = notice_text.title_and_message(sign_in("dev"), plan(state=state), cause, NOW)
    assert title.startswith("corp: ")
    assert message
    assert "None" not in title + message


@pytest.mark.parametrize(
    ("facts", "buttons", "text"),
    [
        pytest.param({"name": "corp"}, ["Sign in", "Not today"], "To sign in, type: ssowatch login corp", id="sign-in"),
        pytest.param(
            {"name": "corp"},
            ["Fresh sign-in", "When it ends"],
            "To sign in, type: ssowatch login corp --fresh",
            id="fresh",
        ),
        pytest.param({"name": "my corp"}, ["Sign in"], "To sign in, type: ssowatch login 'my corp'", id="quoted"),
        pytest.param(
            {"name": "https://old/start", "kind": "legacy", "profiles": ["old"]},
            ["Sign in"],
            "To sign in, type: ssowatch login old",
            id="legacy",
        ),
        pytest.param({"name": "a\x1bb"}, ["Sign in"], "To sign in, type: ssowatch login NAME", id="cannot-be-shown"),
        pytest.param({"name": "corp"}, [], "", id="no-buttons"),
        pytest.param(None, ["Sign in"], "", id="no-sign-in"),
    ],
)
def test_what_to_type_where_there_are_no_buttons(facts, buttons, text):
    assert notice_text.typed({"sign_in": facts, "buttons": buttons}) == text


@pytest.mark.parametrize(
    ("kind", "name", "called"),
    [
        ("sso-session", "corp", "corp"),
        ("legacy", "https://old.awsapps.com/start/", "old.awsapps.com"),
        ("legacy", "https://", "https://"),
        ("login", "arn:aws:sts::111111111111:assumed-role/Admin/jane", "jane"),
        ("login", "arn:aws:iam::111111111111:root", "root"),
        ("login", "arn:aws:iam::111111111111:x:", "arn:aws:iam::111111111111:x:"),
    ],
)
def test_a_sign_in_is_called_by_the_telling_part_of_its_name(kind, name, called):
    assert notice_text.called(sign_in(name=name, kind=kind)) == called
