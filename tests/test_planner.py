"""What the planner decides: a story per row. The day is 2026-01-05, the times are on its clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import memory as memories
from ssowatch import planner
from ssowatch.model import (
    Button,
    Cause,
    Day,
    Kind,
    Life,
    Lineage,
    Memory,
    Mode,
    Notice,
    Policy,
    Presence,
    Problem,
    Renew,
    Renewal,
    SignIn,
    State,
    Surroundings,
    Tab,
    Token,
    TokenFile,
    TokenMemory,
)

CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))
LEGACY = SignIn("https://d-1.awsapps.com/start", Kind.LEGACY, "https://d-1.awsapps.com/start", "us-east-1", ("old",))
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
FRESH = (Button.FRESH, Button.WHEN_IT_ENDS)
SIGN_IN = (Button.SIGN_IN, Button.NOT_TODAY)


def at(clock: str) -> datetime:
    hours, minutes, *seconds = map(int, clock.split(":"))
    return datetime(2026, 1, 5, tzinfo=UTC) + timedelta(
        hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0
    )


def token(expires: str, *, refreshable: bool = True, **more: object) -> Token:
    # A fingerprint of zeros draws no jitter, so that the rows' times are round.
    return Token("0" * 16, "client", at(expires), refreshable, **more)  # type: ignore[arg-type]


def memory(*, life: timedelta | None = HOUR, began: str | None = "08:00", **tried: object) -> Memory:
    return Memory(
        TokenMemory(f"{'0' * 16}@us-east-1", life=life, **tried),  # type: ignore[arg-type]
        Lineage("client", began_at=at(began) if began else None, life=life),
    )


def decide(
    now: str,
    held: Token | None,
    known: Memory | None = None,
    sign_in: SignIn = CORP,
    policy: Policy | None = None,
    presence: Presence | None = Presence.UNKNOWN,
):
    return planner.plan(
        sign_in, TokenFile(held), known or memory(), policy or Policy(), Surroundings(presence), at(now)
    )


RENEWED = memory(renewed_at=at("08:00"))
REFUSED = memory(refused="the sign-in has ended (invalid_grant)", refused_code="ended", alive=True)
DEAD = memory(refused="the sign-in has ended (invalid_grant)", refused_code="ended", alive=False)
FAILING = memory(attempts=3, attempted_at=at("08:40"), retry_at=at("08:41"), failure="cannot connect")

DAY = timedelta(days=1)
LEARNED = replace(RENEWED, lives=(Life(at("08:00") - DAY, at("17:30") - DAY, at("18:00") - DAY),))

HALF_AN_HOUR = replace(RENEWED, lives=(Life(at("08:00") - DAY, at("08:22:30") - DAY, at("08:30") - DAY),))


def remembering(known: Memory, **facts: object) -> Memory:
    return replace(known, lineage=replace(known.lineage, **facts))  # type: ignore[arg-type]


def told(end: str) -> Memory:
    return remembering(RENEWED, tail_at=at(end))


ROWS = [
    # id, now, token, memory, state, actions, wake_at
    ("fresh token", "08:00", token("09:00"), RENEWED, State.VALID, (), "08:30"),
    ("half its life", "08:30", token("09:00"), RENEWED, State.VALID, (Renewal(),), "08:45"),
    ("asleep over the renewal", "08:59", token("09:00"), RENEWED, State.VALID, (Renewal(),), "09:00"),
    ("asleep over the end", "12:00", token("09:00"), RENEWED, State.UNREACHABLE, (Renewal(),), "15:45"),
    (
        "never within 60 s of the success",
        "08:00:30",
        token("08:01"),
        memory(life=timedelta(seconds=60), renewed_at=at("08:00:20")),
        State.VALID,
        (),
        "08:01",
    ),
    (
        "60 s token that has run out",
        "08:01",
        token("08:01"),
        memory(life=timedelta(seconds=60), renewed_at=at("08:00:20")),
        State.UNREACHABLE,
        (Renewal(),),
        "15:45",
    ),
    ("unknown life, plenty left", "08:00", token("09:00"), memory(life=None), State.VALID, (), "08:30"),
    ("unknown life, little left", "08:45", token("09:00"), memory(life=None), State.VALID, (Renewal(),), "09:00"),
    ("15 minute portal", "08:00", token("08:15"), memory(life=HOUR / 4), State.VALID, (), "08:07:30"),
    (
        "one renewal more, after the end that is assumed",
        "16:00:05",
        token("16:45"),
        memory(renewed_at=at("15:45")),
        State.VALID,
        (Renewal(),),
        "16:30",
    ),
    ("not before", "16:00:04", token("16:45"), memory(renewed_at=at("15:45")), State.VALID, (), "16:00:05"),
    ("and not twice", "16:10", token("17:00:10"), memory(renewed_at=at("16:00:10")), State.VALID, (), "16:30:10"),
    (
        "in the middle of wide bounds",
        "17:45",
        token("18:30"),
        replace(LEARNED, token=replace(LEARNED.token, renewed_at=at("17:30"))),
        State.EXPIRING,
        (Renewal(), Notice(Cause.ENDING, FRESH)),
        "18:00",
    ),
    (
        "a sign-in of half an hour is not said to end as it begins",
        "08:00",
        token("09:00"),
        HALF_AN_HOUR,
        State.VALID,
        (),
        "08:11:15",
    ),
    (
        "but in time",
        "08:11:15",
        token("09:00"),
        HALF_AN_HOUR,
        State.EXPIRING,
        (Notice(Cause.ENDING, FRESH),),
        "08:30",
    ),
    ("back-off", "08:40:30", token("09:00"), FAILING, State.VALID, (), "08:41"),
    ("back-off over", "08:41", token("09:00"), FAILING, State.VALID, (Renewal(),), "08:45"),
    (
        "back-off from a future that the clock left",
        "08:30",
        token("09:00"),
        FAILING,
        State.VALID,
        (Renewal(),),
        "08:45",
    ),
    (
        "run out and unreachable",
        "09:00:01",
        token("09:00"),
        replace(FAILING, token=replace(FAILING.token, retry_at=at("09:00:20"), attempted_at=at("09:00"))),
        State.UNREACHABLE,
        (),
        "09:00:20",
    ),
    ("clock set back", "02:30", token("09:00"), RENEWED, State.VALID, (Renewal(),), "08:45"),
    (
        "clock seen to be set back",
        "08:10",
        token("09:00"),
        memory(renewed_at=at("08:00"), doubted=True),
        State.VALID,
        (Renewal(),),
        "08:45",
    ),
    ("refused, token lives", "08:30", token("09:00"), REFUSED, State.VALID, (Notice(Cause.REFUSED, SIGN_IN),), "08:45"),
    (
        "refused, token dead",
        "08:30",
        token("09:00"),
        DEAD,
        State.LOGIN_REQUIRED,
        (Notice(Cause.ENDED, SIGN_IN),),
        "08:45",
    ),
    (
        "refused and run out",
        "09:30",
        token("09:00"),
        REFUSED,
        State.LOGIN_REQUIRED,
        (Notice(Cause.ENDED, SIGN_IN),),
        None,
    ),
    (
        "assumed end near",
        "15:46",
        token("16:20"),
        memory(renewed_at=at("15:20")),
        State.EXPIRING,
        (Notice(Cause.ENDING, FRESH),),
        "15:50",
    ),
    (
        "assumed end passed and it still renews",
        "16:10",
        token("17:00:05"),
        memory(renewed_at=at("16:00:05")),
        State.VALID,
        (),
        "16:30:05",
    ),
    ("no refresh token", "08:30", token("09:00", refreshable=False), memory(life=None), State.VALID, (), "08:45"),
    (
        "no refresh token, end near",
        "08:46",
        token("09:00", refreshable=False),
        memory(life=None),
        State.EXPIRING,
        (Notice(Cause.ENDING, SIGN_IN),),
        "09:00",
    ),
    (
        "no refresh token, run out",
        "09:00",
        token("09:00", refreshable=False),
        memory(life=None),
        State.LOGIN_REQUIRED,
        (Notice(Cause.ENDED, SIGN_IN),),
        None,
    ),
    (
        "registration ended",
        "08:30",
        token("09:00", registration_expires_at=at("08:10")),
        RENEWED,
        State.VALID,
        (),
        "08:45",
    ),
    (
        "registration ended, end near",
        "08:50",
        token("09:00", registration_expires_at=at("08:10")),
        RENEWED,
        State.EXPIRING,
        (Notice(Cause.ENDING, SIGN_IN),),
        "09:00",
    ),
    (
        "registration ends later",
        "08:00",
        token("09:00", registration_expires_at=at("08:10")),
        RENEWED,
        State.VALID,
        (),
        "08:10",
    ),
    (
        "a program asked for it, and it works",
        "08:10",
        token("09:00"),
        remembering(RENEWED, asked=True),
        State.VALID,
        (),
        "08:30",
    ),
    (
        "flawed dates are renewed at once",
        "08:01:30",
        token("09:00", flaw="no zone"),
        memory(life=None),
        State.VALID,
        (Renewal(),),
        "08:45",
    ),
]


@pytest.mark.parametrize(
    ("now", "held", "known", "state", "actions", "wake_at"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_one_sign_in(now, held, known, state, actions, wake_at):
    plan = decide(now, held, known)
    assert (plan.state, plan.actions) == (state, actions)
    assert plan.wake_at == (at(wake_at) if wake_at else None)
    assert (plan.memory.lineage.ended_at is not None) is (state is State.LOGIN_REQUIRED)
    again = decide(now, held, plan.memory)
    assert (again.memory, [one for one in again.actions if one != Renewal()]) == (plan.memory, []), (
        "asking twice acts once"
    )


def test_a_legacy_sign_in_is_offered_a_fresh_one_before_its_end():
    # Signing in again inside a living session would not move its end.
    plan = decide("08:50", token("09:00", refreshable=False), memory(life=None), LEGACY)
    assert plan.actions == (Notice(Cause.ENDING, FRESH),)
    assert plan.problem is not None
    assert plan.problem.code == "no_refresh_token"


def test_a_misconfigured_sign_in_plans_nothing():
    broken = replace(CORP, problem=Problem("misconfigured", "~/.aws/config line 3: …"))
    plan = decide("09:30", token("09:00"), sign_in=broken)
    assert (plan.state, plan.actions, plan.wake_at, plan.problem) == (State.MISCONFIGURED, (), None, broken.problem)
    assert plan.waits is False


def test_signed_out_is_silence():
    known = Memory(TokenMemory("x@us-east-1"), Lineage("client", at("08:00"), signed_out_at=at("09:00")))
    plan = decide("09:00", None, known)
    assert (plan.state, plan.actions, plan.wake_at) == (State.SIGNED_OUT, (), None)
    assert (plan.renews_silently, plan.good_until, plan.good_until_certain) == (False, None, True)
    assert plan.problem is not None
    assert "2026-01-05T09:00:00Z" in plan.problem.message
    never = decide("09:00", None, Memory()).problem
    assert never is not None
    assert never.fix == "ssowatch login corp"


PUBLISHED = [
    # id, now, token, memory, policy, good_until, certain, ends_at, source, renew_at, silently
    ("assumed", "08:10", token("09:00"), RENEWED, Policy(), "16:00", False, "16:00", "assumed", "08:30", True),
    (
        "configured",
        "08:10",
        token("09:00"),
        RENEWED,
        Policy(length=12 * HOUR),
        "20:00",
        True,
        "20:00",
        "configured",
        "08:30",
        True,
    ),
    (
        "never seen to begin",
        "08:10",
        token("09:00"),
        memory(began=None),
        Policy(),
        "09:00",
        True,
        None,
        None,
        "08:30",
        True,
    ),
    ("refused", "08:10", token("09:00"), REFUSED, Policy(), "09:00", True, None, None, None, False),
    ("dead", "08:10", token("09:00"), DEAD, Policy(), None, True, None, None, None, False),
    (
        "expiring",
        "15:50",
        token("16:20"),
        memory(renewed_at=at("15:20")),
        Policy(),
        "16:20",
        True,
        "16:00",
        "assumed",
        "15:50",
        True,
    ),
    ("run out", "10:00", token("09:00"), RENEWED, Policy(), "09:00", True, "16:00", "assumed", "08:30", True),
    ("learned", "08:10", token("09:00"), LEARNED, Policy(), "17:30", False, "18:00", "learned", "08:30", True),
    (
        "learned, but configured",
        "08:10",
        token("09:00"),
        LEARNED,
        Policy(length=9 * HOUR),
        "17:00",
        True,
        "17:00",
        "configured",
        "08:30",
        True,
    ),
    (
        "told by a token",
        "08:10",
        token("08:40"),
        told("08:40"),
        Policy(),
        "08:40",
        True,
        "08:40",
        "learned",
        "08:10",
        True,
    ),
    (
        "told by a token of one that nobody saw begin",
        "08:10",
        token("08:40"),
        remembering(told("08:40"), began_at=None),
        Policy(),
        "08:40",
        True,
        "08:40",
        "learned",
        "08:10",
        True,
    ),
    (
        "learned, and near",
        "17:20",
        token("18:00"),
        replace(LEARNED, token=replace(LEARNED.token, renewed_at=at("17:00"))),
        Policy(),
        "18:00",
        True,
        "18:00",
        "learned",
        "17:30",
        True,
    ),
    (
        "renew never",
        "08:10",
        token("09:00"),
        RENEWED,
        Policy(renew=Renew.NEVER),
        "09:00",
        True,
        "16:00",
        "assumed",
        None,
        False,
    ),
]


@pytest.mark.parametrize(
    ("now", "held", "known", "policy", "good_until", "certain", "ends_at", "source", "renew_at", "silently"),
    [row[1:] for row in PUBLISHED],
    ids=[row[0] for row in PUBLISHED],
)
def test_published_times(now, held, known, policy, good_until, certain, ends_at, source, renew_at, silently):
    plan = decide(now, held, known, policy=policy)
    assert plan.good_until == (at(good_until) if good_until else None)
    assert plan.good_until_certain is certain
    assert (plan.ends_at, plan.ends_at_source) == (at(ends_at) if ends_at else None, source)
    assert (plan.renew_at, plan.renews_silently) == (at(renew_at) if renew_at else None, silently)


PROBLEMS = [
    ("refused", "08:30", token("09:00"), REFUSED, "refused"),
    ("unreachable with a good token", "08:41", token("09:00"), FAILING, "unreachable"),
    ("registration", "08:30", token("09:00", registration_expires_at=at("08:10")), RENEWED, "registration_expired"),
    (
        "registration, this very moment",
        "08:10",
        token("09:00", registration_expires_at=at("08:10")),
        RENEWED,
        "registration_expired",
    ),
    ("registration ends later", "08:10", token("09:00", registration_expires_at=at("08:11")), RENEWED, None),
    ("odd dates, which the next renewal mends", "08:10", token("09:00", flaw="no zone"), RENEWED, None),
    ("skew", "08:10", token("09:00"), memory(skew=timedelta(minutes=-5)), "clock_skew"),
    ("small skew", "08:10", token("09:00"), memory(skew=timedelta(seconds=5)), None),
    (
        "an attempt in flight is no problem",
        "08:30",
        token("09:00"),
        memory(attempts=1, attempted_at=at("08:30"), retry_at=at("08:31")),
        None,
    ),
]


@pytest.mark.parametrize(
    ("now", "held", "known", "code"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_problems_stand_beside_the_state(now, held, known, code):
    problem = decide(now, held, known).problem
    assert (problem.code if problem else None) == code


MODES = [
    # id, mode, presence, memory, gate, action
    ("notify", Mode.NOTIFY, Presence.PRESENT, REFUSED, True, Notice(Cause.REFUSED, SIGN_IN)),
    ("notify, presence unknown", Mode.NOTIFY, Presence.UNKNOWN, REFUSED, True, Notice(Cause.REFUSED, SIGN_IN)),
    ("notify, locked", Mode.NOTIFY, Presence.LOCKED, REFUSED, True, None),
    ("notify, locked, gate off", Mode.NOTIFY, Presence.LOCKED, REFUSED, False, Notice(Cause.REFUSED, SIGN_IN)),
    ("auto", Mode.AUTO, Presence.PRESENT, REFUSED, True, Tab(Cause.REFUSED)),
    ("auto, presence unknown", Mode.AUTO, Presence.UNKNOWN, REFUSED, True, Notice(Cause.REFUSED, SIGN_IN)),
    ("auto, locked", Mode.AUTO, Presence.LOCKED, REFUSED, True, None),
    ("auto, presence unknown, gate off", Mode.AUTO, Presence.UNKNOWN, REFUSED, False, Tab(Cause.REFUSED)),
    ("auto, ended", Mode.AUTO, Presence.PRESENT, DEAD, True, Tab(Cause.ENDED)),
    (
        "auto, its tab open",
        Mode.AUTO,
        Presence.PRESENT,
        replace(REFUSED, lineage=replace(REFUSED.lineage, tabs=1, tab_at=at("08:09:30"))),
        True,
        None,
    ),
    (
        "auto, its tab ignored",
        Mode.AUTO,
        Presence.PRESENT,
        replace(REFUSED, lineage=replace(REFUSED.lineage, tabs=1, tab_failed=True)),
        True,
        Notice(Cause.REFUSED, SIGN_IN),
    ),
    ("silent", Mode.SILENT, Presence.PRESENT, DEAD, True, None),
    (
        "noticed before",
        Mode.NOTIFY,
        Presence.PRESENT,
        replace(REFUSED, lineage=replace(REFUSED.lineage, noticed=(Cause.REFUSED,))),
        True,
        None,
    ),
    ("auto before the end is a notice", Mode.AUTO, Presence.PRESENT, "ending", True, Notice(Cause.ENDING, FRESH)),
]


@pytest.mark.parametrize(
    ("mode", "presence", "known", "gate", "action"), [row[1:] for row in MODES], ids=[row[0] for row in MODES]
)
def test_modes_table(mode, presence, known, gate, action):
    now, held = ("15:46", token("16:20")) if known == "ending" else ("08:10", token("09:00"))
    known = memory(renewed_at=at("15:20")) if known == "ending" else known
    plan = decide(now, held, known, policy=Policy(mode=mode, when_locked=gate, when_idle=gate), presence=presence)
    assert plan.actions == ((action,) if action else ())


AROUND = [
    # id, surroundings, policy, what is done at once, whether it waits for somebody, when it is asked again
    ("nobody asked yet", Surroundings(None), Policy(), (), True, "08:45"),
    ("somebody signs in already", Surroundings(Presence.PRESENT, signing_in=True), Policy(), (), False, "08:45"),
    ("paused", Surroundings(Presence.PRESENT, paused_until=at("08:20")), Policy(), (), False, "08:20"),
    ("quiet hours", Surroundings(Presence.PRESENT, quiet_until=at("08:20")), Policy(), (), False, "08:20"),
    ("idle", Surroundings(Presence.IDLE), Policy(), (), True, "08:45"),
    ("idle, that gate off", Surroundings(Presence.IDLE), Policy(when_idle=False), (Cause.REFUSED,), False, "08:45"),
    ("locked, the other gate off", Surroundings(Presence.LOCKED), Policy(when_idle=False), (), True, "08:45"),
    ("silent", Surroundings(None), Policy(mode=Mode.SILENT), (), False, "08:45"),
]


@pytest.mark.parametrize(
    ("around", "policy", "causes", "waits", "wake_at"), [row[1:] for row in AROUND], ids=[row[0] for row in AROUND]
)
def test_what_is_around_keeps_a_question_back(around, policy, causes, waits, wake_at):
    plan = planner.plan(CORP, TokenFile(token("09:00")), REFUSED, policy, around, at("08:10"))
    assert tuple(action.cause for action in plan.actions if isinstance(action, Notice)) == causes
    assert (plan.cause, plan.waits, plan.wake_at) == (Cause.REFUSED, waits, at(wake_at))


LINEAGES = [
    # id, what the lineage remembers, now, mode, what is asked
    ("put off", {"not_before": at("23:00")}, Mode.NOTIFY, None),
    ("put off, and over", {"not_before": at("08:00")}, Mode.NOTIFY, Notice(Cause.ENDED, SIGN_IN)),
    ("when it ends", {"at_end": True}, Mode.NOTIFY, Tab(Cause.ENDED)),
    ("dormant", {"began_at": at("08:00") - timedelta(days=8)}, Mode.AUTO, None),
    ("a tab whose flow never came", {"tabs": 1, "tab_at": at("08:00")}, Mode.AUTO, Notice(Cause.ENDED, SIGN_IN)),
]


@pytest.mark.parametrize(
    ("remembered", "mode", "asked"), [row[1:] for row in LINEAGES], ids=[row[0] for row in LINEAGES]
)
def test_what_a_person_chose_before_counts(remembered, mode, asked):
    known = replace(DEAD, lineage=replace(DEAD.lineage, **remembered))
    plan = decide("08:10", token("09:00"), known, policy=Policy(mode=mode), presence=Presence.PRESENT)
    assert plan.actions == ((asked,) if asked else ())


def test_a_signed_out_sign_in_is_asked_for_when_a_program_waits():
    plan = decide("09:00", None, Memory(lineage=Lineage(asked=True)), presence=Presence.PRESENT)
    assert (plan.state, plan.actions) == (State.SIGNED_OUT, (Notice(Cause.ENDED, SIGN_IN),))
    assert decide("09:01", None, plan.memory, presence=Presence.PRESENT).actions == (), "once"


def test_who_signs_out_while_a_program_waits_is_left_alone():
    waits = Memory(lineage=Lineage("client", at("08:00"), ended_at=at("08:50"), noticed=(Cause.ENDED,), asked=True))
    known = memories.observed(replace(waits, token=REFUSED.token), CORP, None, at("09:00"))
    plan = decide("09:00", None, known, presence=Presence.PRESENT)
    assert (plan.state, plan.cause, plan.actions) == (State.SIGNED_OUT, None, ())
    again = decide("09:05", None, memories.asked(plan.memory, at("09:05")), presence=Presence.PRESENT)
    assert again.actions == (Notice(Cause.ENDED, SIGN_IN),), "a program that asks anew is heard"


def test_nobody_is_asked_to_sign_in_where_no_sign_in_could_be_written():
    """`cache directory chmod 000`: the button would lead to an error."""
    for closed, actions in ((False, (Notice,)), (True, ())):
        file = TokenFile(token("09:00"), "cannot be read: Permission denied", at("08:10"), closed)
        plan = planner.plan(CORP, file, memory(), Policy(), Surroundings(Presence.UNKNOWN), at("08:20"))
        assert (plan.state, plan.problem.code) == (State.LOGIN_REQUIRED, "token_file")
        assert tuple(map(type, plan.actions)) == actions
        assert ("ssowatch login" in plan.problem.fix, "ssowatch doctor" in plan.problem.fix) == (not closed, closed)


def test_an_unreadable_file_keeps_the_last_state_for_a_second():
    file = TokenFile(token("09:00"), "is empty", at("08:10"))
    soon = planner.plan(
        CORP, file, RENEWED, Policy(), Surroundings(Presence.UNKNOWN), at("08:10") + timedelta(seconds=0.4)
    )
    assert (soon.state, soon.actions, soon.wake_at) == (State.VALID, (), at("08:10:01"))
    later = planner.plan(CORP, file, RENEWED, Policy(), Surroundings(Presence.UNKNOWN), at("08:10:01"))
    assert (later.state, later.actions) == (State.LOGIN_REQUIRED, (Notice(Cause.ENDED, SIGN_IN),))
    assert later.problem is not None
    assert later.problem.code == "token_file"
    healed = planner.plan(
        CORP, TokenFile(token("09:00")), later.memory, Policy(), Surroundings(Presence.UNKNOWN), at("08:11")
    )
    assert healed.state is State.VALID
    assert healed.memory.lineage.ended_at is None


def test_renew_never_leaves_a_run_out_token_to_the_user():
    plan = decide("09:01", token("09:00"), RENEWED, policy=Policy(renew=Renew.NEVER))
    assert (plan.state, plan.actions) == (State.UNREACHABLE, ())
    assert plan.problem is not None
    assert plan.problem.fix == "ssowatch refresh corp"


def test_a_wrong_forecast_takes_its_announcement_back_and_the_next_end_is_announced_too():
    """Yesterday's sign-in was ended from elsewhere after 3 h; this one lasts 8 h, as the ones before."""

    def life(back: int, hours: float) -> Life:
        began = at("08:00") - back * DAY
        return Life(began, began + (hours - 0.5) * HOUR, began + hours * HOUR)

    known = replace(memory(), lives=(life(3, 8), life(2, 8), life(1, 3)))
    said = []
    for minutes in range(0, 8 * 60, 5):
        now = at("08:00") + minutes * MINUTE
        held = Token("0" * 16, "client", now + HOUR, refreshable=True)
        known = replace(known, lineage=replace(known.lineage, alive_at=now))
        plan = planner.plan(CORP, TokenFile(held), known, Policy(), Surroundings(Presence.PRESENT), now)
        said += [f"{now:%H:%M}" for action in plan.actions if isinstance(action, Notice)]
        known = plan.memory
    assert said == ["10:15", "15:15"]


@pytest.mark.parametrize("since", [None, at("08:00")], ids=["seen this moment", "since this moment"])
def test_a_file_that_was_just_found_torn_keeps_its_state_for_a_second(since):
    file = TokenFile(token("09:00"), "is empty", since)
    plan = planner.plan(CORP, file, RENEWED, Policy(), Surroundings(Presence.UNKNOWN), at("08:00"))
    assert (plan.state, plan.wake_at) == (State.VALID, at("08:00") + timedelta(seconds=1))


@pytest.mark.parametrize(("skew", "said"), [(60, False), (61, True), (-60, False), (-61, True)])
def test_a_clock_that_is_a_minute_wrong_is_not_worth_saying(skew, said):
    known = memory(renewed_at=at("08:00"), skew=timedelta(seconds=skew))
    assert (decide("08:00", token("09:00"), known).problem is not None) is said


@pytest.mark.parametrize(("known", "lasts"), [(LEARNED, True), (replace(LEARNED, token=REFUSED.token), False)])
def test_how_long_a_fresh_sign_in_lasts_is_said_only_of_one_that_goes_on(known, lasts):
    assert (decide("08:10", token("09:00"), known).fresh_until is not None) is lasts


@pytest.mark.parametrize(
    ("now", "flaw", "says"),
    [
        ("08:40", None, None),
        ("08:40", "odd dates", "odd dates"),
        ("09:00", None, "the token has run out"),
        ("09:00", "odd dates", "odd dates"),
    ],
)
def test_what_is_never_renewed_says_so_only_where_it_matters(now, flaw, says):
    held = replace(token("09:00"), flaw=flaw)
    problem = decide(now, held, RENEWED, policy=Policy(renew=Renew.NEVER)).problem
    assert (problem is not None) == (says is not None)
    assert says is None or says in problem.message


WHEN_RENEWED = [
    # id, when tokens are renewed, surroundings, whether the due one is
    ("somebody is there", Renew.IN_USE, Surroundings(Presence.PRESENT), True),
    ("nobody can tell", Renew.IN_USE, Surroundings(Presence.UNKNOWN), True),
    ("not asked yet", Renew.IN_USE, Surroundings(None), False),
    ("locked", Renew.IN_USE, Surroundings(Presence.LOCKED), False),
    ("idle", Renew.IN_USE, Surroundings(Presence.IDLE), False),
    ("locked, but a program runs on it", Renew.IN_USE, Surroundings(Presence.LOCKED, held=True), True),
    ("all through the night", Renew.ALWAYS, Surroundings(Presence.LOCKED), True),
]


@pytest.mark.parametrize(
    ("renew", "around", "renews"), [row[1:] for row in WHEN_RENEWED], ids=[row[0] for row in WHEN_RENEWED]
)
def test_renewed_in_use_waits_for_somebody_or_a_program(renew, around, renews):
    policy = Policy(renew=renew)
    plan = planner.plan(CORP, TokenFile(token("09:00")), RENEWED, policy, around, at("08:40"))
    assert (Renewal() in plan.actions, plan.waits) == (renews, not renews)
    before = planner.plan(CORP, TokenFile(token("09:00")), RENEWED, policy, around, at("08:10"))
    assert (before.actions, before.waits) == ((), False)


def test_a_renewal_waits_for_somebody_although_nobody_is_to_be_asked_any_more():
    known = remembering(memory(renewed_at=at("15:20")), noticed=(Cause.ENDING,))
    policy, around = Policy(renew=Renew.IN_USE), Surroundings(Presence.LOCKED)
    plan = planner.plan(CORP, TokenFile(token("16:20")), known, policy, around, at("15:50"))
    assert (plan.cause, plan.actions, plan.waits) == (Cause.ENDING, (), True)


TOLD = {"noticed": (Cause.ENDING,), "noticed_at": at("07:00")}
REMEMBERED = [
    # id, now, token, memory, what was announced and is still to come, when it ended
    ("it ended this moment", "09:30", token("09:00"), REFUSED, (Cause.ENDED,), "09:30"),
    (
        "it ended before",
        "09:30",
        token("09:00"),
        remembering(REFUSED, ended_at=at("09:00"), noticed=(Cause.ENDED,), noticed_at=at("09:00")),
        (Cause.ENDED,),
        "09:00",
    ),
    ("it has not ended after all", "08:10", token("09:00"), remembering(RENEWED, ended_at=at("08:05")), (), None),
    ("its end is far again", "08:10", token("09:00"), remembering(RENEWED, **TOLD), (), None),
    ("as far as that", "14:44", token("15:20"), remembering(memory(renewed_at=at("14:20")), **TOLD), (), None),
    ("not far enough", "14:45", token("15:20"), remembering(memory(renewed_at=at("14:20")), **TOLD), TOLD["noticed"], None),
    (
        "warned earlier, as the config said then",
        "08:30",
        token("09:00", refreshable=False),
        remembering(memory(life=None), **TOLD),
        TOLD["noticed"],
        None,
    ),
    ("an outage is no good news", "09:10", token("09:00"), remembering(RENEWED, **TOLD), TOLD["noticed"], None),
    (
        "a program waits for it, and was promised a sign-in",
        "09:00",
        None,
        Memory(lineage=Lineage(asked=True, noticed=(Cause.ENDED,), noticed_at=at("08:50"))),
        (Cause.ENDED,),
        None,
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("now", "held", "known", "noticed", "ended_at"), [row[1:] for row in REMEMBERED], ids=[row[0] for row in REMEMBERED]
)
def test_what_was_announced_is_said_again_only_where_it_did_not_come(now, held, known, noticed, ended_at):
    lineage = decide(now, held, known).memory.lineage
    assert (lineage.noticed, lineage.ended_at) == (noticed, at(ended_at) if ended_at else None)


MORNING = Day(at("05:00"), at("08:20"), at("07:00") + DAY)
WAKES = [
    # id, surroundings, mode, memory, when it is asked again at ten past eight
    ("something of the day changes", Surroundings(Presence.PRESENT, day=MORNING), Mode.NOTIFY, RENEWED, "08:20"),
    ("but no end is known", Surroundings(Presence.PRESENT, day=MORNING), Mode.NOTIFY, memory(began=None), "08:30"),
    ("a pause, and nothing to ask", Surroundings(Presence.PRESENT, paused_until=at("08:20")), Mode.NOTIFY, RENEWED, "08:30"),
    ("a tab was opened", Surroundings(Presence.PRESENT), Mode.AUTO, remembering(REFUSED, tabs=1, tab_at=at("08:09:30")), "08:10:30"),
    ("a tab did not come in its minute", Surroundings(Presence.PRESENT), Mode.AUTO, remembering(REFUSED, tabs=1, tab_at=at("08:09")), "08:45"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("around", "mode", "known", "wake_at"), [row[1:] for row in WAKES], ids=[row[0] for row in WAKES]
)
def test_it_is_asked_again_when_something_changes(around, mode, known, wake_at):
    plan = planner.plan(CORP, TokenFile(token("09:00")), known, Policy(mode=mode), around, at("08:10"))
    assert plan.wake_at == at(wake_at)


SAME_END = Life(at("08:15") - DAY, at("08:26") - DAY, at("08:30") - DAY, inside=at("08:00") - DAY, fresh=True)
FIXED = replace(HALF_AN_HOUR, lives=(replace(HALF_AN_HOUR.lives[0], began_at=at("08:00") - 2 * DAY, alive_at=at("08:22:30") - 2 * DAY, dead_at=at("08:30") - 2 * DAY), SAME_END))  # fmt: skip
WARNED = [
    # id, memory, now, state, wake_at. Sign-ins of half an hour are warned of at half their life
    ("fresh ones end as the one before", FIXED, "08:12", State.VALID, "08:13"),
    ("so this one ran since eight", remembering(FIXED, began_at=at("08:10"), inside=at("08:00"), fresh=True), "08:13", State.EXPIRING, "08:30"),
    ("fresh ones begin anew", remembering(HALF_AN_HOUR, began_at=at("08:10"), inside=at("08:00"), fresh=True), "08:20", State.VALID, "08:21:15"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "now", "state", "wake_at"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED]
)
def test_a_short_sign_in_is_warned_of_at_half_its_life(known, now, state, wake_at):
    plan = decide(now, token("09:00"), known)
    assert (plan.state, plan.wake_at) == (state, at(wake_at))


def test_where_a_fresh_sign_in_moves_nothing_no_button_says_so():
    assert decide("08:13", token("09:00"), FIXED).actions == (Notice(Cause.ENDING, (Button.WHEN_IT_ENDS,)),)
