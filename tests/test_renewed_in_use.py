"""A session whose credentials its users renew, as the planner sees it: a story per row. The day is 2026-01-05."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import memory, notice_text, planner, protocol, renewed_in_use, status_table
from ssowatch.model import (
    Button,
    Cause,
    Lineage,
    Memory,
    Mode,
    Notice,
    Policy,
    Presence,
    SignIn,
    State,
    Surroundings,
    Tab,
    Token,
    TokenFile,
    TokenMemory,
)

ARN = "arn:aws:sts::111111111111:assumed-role/Admin/jane@example.com"
CONSOLE = SignIn(ARN, "login", "", "", ("console",))
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
SHOWS = {presence for presence in Presence if presence in {Presence.PRESENT, Presence.UNKNOWN}}


def at(clock: str, day: int = 5) -> datetime:
    hours, minutes = map(int, clock.split(":"))
    return datetime(2026, 1, day, hours, minutes, tzinfo=UTC)


def token(expires: str, fingerprint: str = "a", client: str = "key") -> Token:
    return Token(
        fingerprint, client, at(expires), refreshable=False, session=12 * HOUR, used_at=at(expires) - 15 * MINUTE
    )


def known(began: str | None = "09:00", fingerprint: str = "a", **more: object) -> Memory:
    tried = {name: more.pop(name) for name in ("refused", "alive") if name in more}
    lineage = Lineage("key", began_at=at(began) if began else None, **more)  # type: ignore[arg-type]
    return Memory(TokenMemory(f"{fingerprint}@", **tried), lineage)  # type: ignore[arg-type]


def decide(
    now: str,
    held: Token | None,
    memory: Memory,
    policy: Policy | None = None,
    around: Surroundings | None = None,
):
    around = around or Surroundings(Presence.PRESENT)
    return planner.plan(CONSOLE, TokenFile(held), memory, policy or Policy(), around, at(now))


WHEN_IT_ENDS = Notice(Cause.ENDING, (Button.WHEN_IT_ENDS,))
SIGN_IN = Notice(Cause.ENDED, (Button.SIGN_IN, Button.NOT_TODAY))
LENGTH = Policy(length=HOUR)
ROWS = [
    # id, now, token's end, memory, policy, state, good until, ends at, source, actions, wake at
    ("just signed in", "09:00", "09:15", known(), Policy(), State.VALID, "09:15", "21:00", "assumed", (), "09:15"),
    ("a minute left is no event", "09:14", "09:15", known(), Policy(), State.VALID, "09:15", "21:00", "assumed", (), "09:15"),
    ("nobody used it since", "12:00", "09:15", known(), Policy(), State.VALID, None, "21:00", "assumed", (), "20:45"),
    ("nobody saw it begin", "12:00", "12:10", known(None), Policy(), State.VALID, "12:10", None, None, (), "12:10"),
    ("used when its end is near", "20:46", "21:00", known(), Policy(), State.EXPIRING, "21:00", "21:00", "assumed", (WHEN_IT_ENDS,), "21:00"),
    ("idle when its end is near", "20:46", "19:00", known(), Policy(), State.EXPIRING, None, "21:00", "assumed", (), "21:00"),
    ("over while it was used", "21:01", "20:55", known(), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (SIGN_IN,), None),
    ("over while it was idle", "21:01", "19:00", known(), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (), None),
    ("its last credentials outlive it", "21:05", "21:10", known(), Policy(), State.EXPIRING, "21:10", "21:10", "assumed", (WHEN_IT_ENDS,), "21:10"),
    ("it lived on, so it began later than was seen", "21:20", "21:30", known(), Policy(), State.VALID, "21:30", "09:15+1", "assumed", (), "21:30"),
    ("the config knows its length", "09:46", "10:00", known(), LENGTH, State.EXPIRING, "10:00", "10:00", "configured", (WHEN_IT_ENDS,), "10:00"),
    ("which is over", "10:01", "10:00", known(), LENGTH, State.LOGIN_REQUIRED, None, "10:00", "configured", (SIGN_IN,), None),
    ("which is wrong", "10:20", "10:30", known(), LENGTH, State.VALID, "10:30", "22:15", "configured", (), "10:30"),
    ("a program could not renew it", "12:00", "11:50", known(refused="no", alive=False), Policy(), State.LOGIN_REQUIRED, None, None, None, (SIGN_IN,), "20:45"),
    ("put off", "21:01", "20:55", known(not_before=at("23:59")), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (), "23:59"),
    ("idle, but the person chose When it ends", "21:01", "19:00", known(at_end=True), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (Tab(Cause.ENDED),), None),
    ("idle, but a program waits", "21:01", "19:00", known(asked=True), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (SIGN_IN,), None),
    ("auto opens its one tab", "21:01", "20:55", known(), Policy(Mode.AUTO), State.LOGIN_REQUIRED, None, "21:00", "assumed", (Tab(Cause.ENDED),), None),
    ("silent", "21:01", "20:55", known(), Policy(Mode.SILENT), State.LOGIN_REQUIRED, None, "21:00", "assumed", (), None),
    ("its credentials run out this moment", "09:15", "09:15", known(), Policy(), State.VALID, None, "21:00", "assumed", (), "20:45"),
    ("the warning begins this moment", "20:45", "20:55", known(), Policy(), State.EXPIRING, "20:55", "21:00", "assumed", (WHEN_IT_ENDS,), "20:55"),
    ("over this moment, and used an hour ago", "21:00", "20:15", known(), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (SIGN_IN,), None),
    ("over while it was used, and nobody was there for hours", "23:00", "20:55", known(ended_at=at("21:01")), Policy(), State.LOGIN_REQUIRED, None, "21:00", "assumed", (SIGN_IN,), None),
    ("used at the end of its longest life", "21:00", "21:15", known(), Policy(), State.VALID, "21:15", "09:00+1", "assumed", (), "21:15"),
    ("a program could not renew it, and the clock went back", "11:40", "11:50", known(refused="no", alive=False), Policy(), State.LOGIN_REQUIRED, None, None, None, (SIGN_IN,), "11:50"),
]  # fmt: skip


def moment(text: str | None) -> datetime | None:
    clock, _, days = (text or "").partition("+")
    return at(clock, 5 + int(days or 0)) if clock else None


@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_stories(row):
    _, now, expires, remembered, policy, state, good_until, ends_at, source, actions, wake_at = row
    plan = decide(now, token(expires), remembered, policy)
    assert plan.state is state
    assert plan.good_until == moment(good_until)
    assert (plan.ends_at, plan.ends_at_source) == (moment(ends_at), source)
    assert plan.actions == actions
    assert plan.wake_at == moment(wake_at)
    assert (plan.renews_silently, plan.renew_at) == (False, None)
    assert (plan.problem is None) == (state is not State.LOGIN_REQUIRED)
    again = decide(now, token(expires), plan.memory, policy)
    assert again.actions == (), "asking twice acts once"


@pytest.mark.parametrize("presence", Presence)
def test_nothing_appears_at_a_locked_or_idle_screen(presence):
    plan = decide("21:01", token("20:55"), known(), around=Surroundings(presence))
    assert bool(plan.actions) is (presence in SHOWS)
    assert plan.waits is (presence not in SHOWS)


@pytest.mark.parametrize(
    "around", [Surroundings(Presence.PRESENT, served=True), Surroundings(Presence.PRESENT, held=True)]
)
def test_an_mcp_server_or_a_program_on_it_makes_its_end_an_event(around):
    assert decide("21:01", token("19:00"), known(), around=around).actions == (SIGN_IN,)


def live(minutes: range, uses, around: Surroundings, *, day_of=lambda minute: at("09:00") + minute * MINUTE):
    """A day of ticks: `uses(minute)` tells whether a program renews its credentials then. Yields the actions."""
    seen, file = Memory(), None
    for minute in minutes:
        now = day_of(minute)
        if file is None or (uses(minute) and file.expires_at - now < 5 * MINUTE):
            file = Token(f"{minute}", "key", now + 15 * MINUTE, refreshable=False, session=12 * HOUR, used_at=now)
        seen = memory.observed(seen, CONSOLE, file, now)
        plan = planner.plan(CONSOLE, TokenFile(file), seen, Policy(), around, now)
        seen = plan.memory
        yield from ((minute, plan.state, action) for action in plan.actions)


def test_a_day_of_work_has_two_notices_at_most():
    told = list(live(range(16 * 60), lambda minute: minute < 720, Surroundings(Presence.PRESENT)))
    assert [(minute, action) for minute, _, action in told] == [(705, WHEN_IT_ENDS), (told[-1][0], SIGN_IN)]
    assert 720 <= told[-1][0] <= 735


def test_a_session_for_one_command_is_never_heard_of_again():
    assert list(live(range(20 * 60), lambda _: False, Surroundings(Presence.PRESENT))) == []


def test_a_longer_session_than_aws_has_brings_no_flood():
    told = list(live(range(40 * 60), lambda minute: minute % 90 < 45, Surroundings(Presence.PRESENT)))
    assert len(told) <= 4


def test_a_new_login_begins_anew():
    over = decide("21:01", token("20:55"), known()).memory
    seen = memory.observed(over, CONSOLE, token("21:20", "b", "other"), at("21:05"))
    assert (seen.lineage.began_at, seen.lineage.noticed) == (at("21:05"), ())
    assert decide("21:05", token("21:20", "b", "other"), seen).ends_at == at("09:05", 6)


def test_what_is_said():
    now = at("20:50")
    plan = decide("20:50", token("21:00"), known())
    assert notice_text.title_and_message(CONSOLE, plan, Cause.ENDING, now) == (
        "jane@example.com: AWS sign-in may end at 21:00 (in 10 min)",
        "Then console stops.",
    )
    row = protocol.Row(CONSOLE, token("21:00"), replace(plan, state=State.VALID))
    published = protocol.document(now, protocol.WatcherFacts(1, now), None, [row], [])
    lines = status_table.table(published, now, 80).splitlines()
    assert lines[1] == "jane@example.com (login)  valid  21:00 at most  renewed in use"
    assert published["sign_ins"][0] | {"profiles": 0} == {
        "name": ARN,
        "kind": "login",
        "state": "valid",
        "start_url": None,
        "region": None,
        "good_until": "2026-01-05T21:00:00Z",
        "good_until_certain": True,
        "renews_silently": False,
        "token_expires_at": "2026-01-05T21:00:00Z",
        "renew_at": None,
        "ends_at": "2026-01-05T21:00:00Z",
        "ends_at_source": "assumed",
        "registration_expires_at": None,
        "profiles": 0,
        "mcp_servers": [],
        "problem": None,
        "paused_until": None,
    }


def test_since_when_it_is_over():
    problem = decide("21:01", token("20:55"), known()).problem
    assert problem is not None
    assert problem.message == "the session is over, since 2026-01-05T21:00:00Z at the latest"


LIVES = [
    # id, token, memory, it lives at 21:30
    ("used a moment ago", token("21:40"), known("13:00"), True),
    ("not used for hours", token("15:00"), known("13:00"), True),
    ("nobody saw it begin", token("15:00"), known(None), True),
    ("its longest life is over", token("20:55"), known("09:00"), False),
    ("its longest life is over this moment", token("20:55"), known("09:30"), False),
    ("a program could not renew it", token("21:00"), known("13:00", refused="no"), False),
    ("it was seen to end", token("21:00"), known("13:00", ended_at=at("21:10")), False),
    ("we renew it", replace(token("21:40"), session=None, used_at=None), known("13:00"), False),
]


@pytest.mark.parametrize(("held", "remembered", "lives"), [row[1:] for row in LIVES], ids=[row[0] for row in LIVES])
def test_whether_calls_work_as_far_as_anybody_can_tell(held, remembered, lives):
    assert renewed_in_use.lives(held, remembered, at("21:30")) is lives


def test_what_ensure_says():
    now = at("12:00")
    assert renewed_in_use.said(token("12:10"), now).endswith("and renewed by whoever uses them")
    assert renewed_in_use.said(token("12:00"), now).endswith("unless the session has ended")
    assert renewed_in_use.said(token("11:50"), now).endswith("unless the session has ended")
    assert renewed_in_use.reach(decide("12:00", token("12:10"), known()), now).endswith("at the latest")
    assert renewed_in_use.reach(decide("12:00", token("12:10"), known(None)), now).endswith("nowhere")
