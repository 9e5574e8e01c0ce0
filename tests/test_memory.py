"""The rules of the two memories, as rows: what a look, a renewal, a refusal and a failure leave in them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssowatch import memory
from ssowatch.model import Cause, Kind, Life, Lineage, Memory, SignIn, Token, TokenMemory

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
EARLIER = datetime(2026, 1, 5, 7, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")
MOVED = replace(CORP, region="eu-west-1")
OLD = Token("old", "client", NOW + HOUR, refreshable=True)
SAME_CLIENT = Token("new", "client", NOW + 2 * HOUR, refreshable=True)
OTHER_CLIENT = Token("new", "other", NOW + 2 * HOUR, refreshable=True)
NO_CLIENT = Token("new", "", NOW + 2 * HOUR, refreshable=False)
LIVED = Lineage("client", EARLIER, HOUR, noticed=(Cause.ENDING,), tabs=1, tab_failed=True)
TRIED = TokenMemory("old@us-east-1", HOUR, EARLIER, attempts=2, attempted_at=NOW, retry_at=NOW + SECOND, failure="x")
SEEN = replace(LIVED, alive_at=NOW)
KNOWN = Memory(TRIED, LIVED)
REFUSED = Memory(replace(TRIED, refused="ended", refused_code="ended", alive=True), LIVED)
ENDED_FOR_A_FRESH_ONE = Memory(replace(TRIED, refused="x", refused_code="fresh", alive=False), LIVED)
ENDED = Memory(TRIED, replace(LIVED, ended_at=EARLIER))
ASKED = Memory(TRIED, replace(LIVED, asked=True))
SIGNED_OUT = Memory(TRIED, replace(LIVED, signed_out_at=EARLIER))
LOGGED_IN_BARE = Memory(TRIED, replace(LIVED, client=""))


def begins(client="client", began=NOW, **more):
    return Lineage(client, began, HOUR, **more)


@pytest.mark.parametrize(
    ("known", "sign_in", "token", "token_memory", "lineage"),
    [
        pytest.param(Memory(), CORP, None, TokenMemory(), Lineage(), id="nothing-ever"),
        pytest.param(Memory(), CORP, OLD, TokenMemory("old@us-east-1"), Lineage("client", NOW), id="first-token"),
        pytest.param(Memory(), CORP, NO_CLIENT, TokenMemory("new@us-east-1"), Lineage("", NOW), id="first-token-bare"),
        pytest.param(KNOWN, CORP, OLD, TRIED, LIVED, id="same-token"),
        pytest.param(REFUSED, CORP, OLD, REFUSED.token, LIVED, id="same-token-refused"),
        pytest.param(KNOWN, CORP, SAME_CLIENT, TokenMemory("new@us-east-1"), SEEN, id="foreign-renewal"),
        pytest.param(
            KNOWN, CORP, OTHER_CLIENT, TokenMemory("new@us-east-1"), begins("other", inside=EARLIER), id="other-client"
        ),
        pytest.param(
            KNOWN, CORP, NO_CLIENT, TokenMemory("new@us-east-1"), begins("", inside=EARLIER), id="client-gone"
        ),
        pytest.param(
            LOGGED_IN_BARE, CORP, SAME_CLIENT, TokenMemory("new@us-east-1"), begins(inside=EARLIER), id="client-came"
        ),
        pytest.param(REFUSED, CORP, SAME_CLIENT, TokenMemory("new@us-east-1"), begins(), id="after-a-refusal"),
        pytest.param(
            ENDED_FOR_A_FRESH_ONE,
            CORP,
            SAME_CLIENT,
            TokenMemory("new@us-east-1"),
            begins(inside=EARLIER, fresh=True),
            id="after-ending-it-for-a-fresh-one",
        ),
        pytest.param(ENDED, CORP, SAME_CLIENT, TokenMemory("new@us-east-1"), begins(), id="after-the-end"),
        pytest.param(SIGNED_OUT, CORP, SAME_CLIENT, TokenMemory("new@us-east-1"), begins(), id="after-signing-out"),
        pytest.param(SIGNED_OUT, CORP, OLD, TRIED, LIVED, id="the-very-file-came-back"),
        pytest.param(KNOWN, CORP, None, TRIED, replace(LIVED, signed_out_at=NOW), id="file-removed"),
        pytest.param(
            ASKED, CORP, None, TRIED, replace(LIVED, signed_out_at=NOW), id="file-removed-while-a-program-waits"
        ),
        pytest.param(SIGNED_OUT, CORP, None, TRIED, SIGNED_OUT.lineage, id="still-removed"),
        pytest.param(KNOWN, MOVED, OLD, TokenMemory("old@eu-west-1"), SEEN, id="region-changed"),
        pytest.param(REFUSED, MOVED, OLD, TokenMemory("old@eu-west-1"), begins(), id="region-mended-after-a-refusal"),
    ],
)
def test_what_a_look_at_the_token_file_leaves(known, sign_in, token, token_memory, lineage):
    after = memory.observed(known, sign_in, token, NOW)
    assert after == Memory(token_memory, lineage)
    assert memory.observed(after, sign_in, token, NOW + HOUR) == after  # a second look says nothing new


@pytest.mark.parametrize("known", [Memory(), REFUSED, ENDED, SIGNED_OUT])
def test_a_look_without_a_watcher_claims_no_beginning(known):
    after = memory.observed(known, CORP, OTHER_CLIENT, NOW, seen=False)
    assert (after.lineage.client, after.lineage.began_at) == ("other", None)


def test_what_belongs_to_the_portal_outlives_the_sign_in():
    assert memory.new_lineage(ENDED, OTHER_CLIENT, NOW) == Lineage("other", NOW, life=HOUR)


def test_an_attempt_is_counted_with_its_back_off_before_the_call():
    first = memory.begun(Memory(TokenMemory("old@us-east-1"), LIVED), OLD, NOW, 0.5)
    assert first.token == TokenMemory("old@us-east-1", attempts=1, attempted_at=NOW, retry_at=NOW + SECOND)
    second = memory.begun(first, OLD, NOW + MINUTE, 0.99)
    assert second.token.attempts == 2
    assert second.token.retry_at == NOW + MINUTE + 0.99 * 4 * SECOND
    assert second.lineage == LIVED


def test_a_failure_counts_its_attempt_once_and_waits_from_its_own_end():
    began = memory.begun(Memory(TokenMemory("old@us-east-1")), OLD, NOW, 0.0)
    after = memory.failed(began, OLD, "cannot connect", NOW + MINUTE, 0.99)
    assert after.token.attempts == 1
    assert after.token.attempted_at == NOW, (
        "a network that comes up meanwhile need not wait for what began a minute ago"
    )
    assert after.token.retry_at == NOW + MINUTE + 0.99 * 2 * SECOND
    assert after.token.failure == "cannot connect"
    assert memory.failed(Memory(), OLD, "x", NOW, 0.5).token.attempts == 1
    unsaid = memory.failed(Memory(), OLD, "its child died", NOW, 0.5, begun=False)
    assert (unsaid.token.attempts, unsaid.token.attempted_at) == (1, NOW)
    again = memory.failed(after, OLD, "its child died", NOW + HOUR, 0.5, begun=False)
    assert (again.token.attempts, again.token.attempted_at) == (2, NOW + HOUR)


def test_a_success_starts_the_token_anew_and_keeps_the_sign_in():
    after = memory.renewed(REFUSED, CORP, OTHER_CLIENT, 2 * HOUR, NOW, SECOND)
    assert after.token == TokenMemory("new@us-east-1", life=2 * HOUR, renewed_at=NOW, skew=SECOND)
    assert after.lineage == replace(LIVED, client="other", life=2 * HOUR, alive_at=NOW)
    assert memory.observed(after, CORP, OTHER_CLIENT, NOW + SECOND) == after


@pytest.mark.parametrize("alive", [True, False, None])
def test_a_refusal_is_kept_with_what_the_probe_said(alive):
    after = memory.refused(KNOWN, "ended", "the sign-in has ended", NOW, alive=alive, skew=SECOND)
    assert after.lineage == LIVED
    expected = replace(TRIED, refused="the sign-in has ended", refused_code="ended", alive=alive, skew=SECOND)
    assert after.token == replace(expected, failure=None)


def test_a_sign_in_is_never_known_to_have_lived_less_than_it_was():
    later = replace(KNOWN, lineage=replace(LIVED, alive_at=NOW + MINUTE))  # the clock went back
    after = memory.renewed(later, CORP, OTHER_CLIENT, HOUR, NOW, SECOND)
    assert after.lineage.alive_at == NOW + MINUTE


AT_ONCE = {"attempts": 1, "retry_at": None}


@pytest.mark.parametrize(
    ("tried", "expected"),
    [
        pytest.param(TokenMemory("old"), {}, id="never-tried"),
        pytest.param(replace(TRIED, attempted_at=NOW - MINUTE), AT_ONCE, id="waiting"),
        pytest.param(replace(TRIED, attempted_at=NOW - SECOND / 2), AT_ONCE, id="tried-half-a-second-ago"),
        pytest.param(
            replace(TRIED, attempted_at=NOW - 0.4 * SECOND, retry_at=NOW + MINUTE),
            {"retry_at": NOW + 0.1 * SECOND},
            id="tried-just-now",
        ),
        pytest.param(replace(TRIED, attempted_at=NOW, retry_at=NOW + SECOND / 4), {}, id="tried-now-and-due-sooner"),
        pytest.param(replace(TRIED, attempted_at=NOW + SECOND), AT_ONCE, id="clock-set-back"),
        pytest.param(replace(TRIED, attempted_at=NOW - MINUTE, retry_at=None), {}, id="nothing-waits"),
        pytest.param(replace(TRIED, attempted_at=None), AT_ONCE, id="no-moment"),
    ],
)
def test_the_network_or_a_resume_makes_a_waiting_retry_due(tried, expected):
    known = Memory(tried, LIVED)
    after = memory.nudged(known, NOW)
    assert after == Memory(replace(tried, **expected), LIVED)
    assert memory.nudged(after, NOW) == after


def test_what_was_asked_is_recorded_and_nothing_else_changes():
    after = memory.tab_opened(memory.noticed(Memory(TRIED, Lineage("client")), Cause.ENDED, EARLIER), NOW)
    noticed = Lineage("client", noticed=(Cause.ENDED,), noticed_at=EARLIER, tabs=1, tab_at=NOW)
    assert after == Memory(TRIED, noticed)
    again = memory.noticed(after, Cause.REFUSED, NOW).lineage
    assert (again.noticed, again.noticed_at) == ((Cause.ENDED, Cause.REFUSED), EARLIER)


def ended(known):
    return replace(known, lineage=replace(known.lineage, ended_at=NOW))


OF_A_PERSON = [
    # id, change, what it leaves in a lineage
    ("asked", lambda known: memory.asked(known, NOW), {"asked": True, "used_at": NOW}),
    ("used", lambda known: memory.used(known, NOW), {"used_at": NOW}),
    ("when it ends", memory.when_it_ends, {"at_end": True}),
    ("unheard", lambda known: memory.unheard(known, "no bus"), {"unheard": "no bus"}),
    (
        "a tab denied",
        lambda known: memory.tab_denied(known, "denied", NOW),
        {"tab_failed": True, "denied_at": NOW, "denials": 1, "denial": "denied"},
    ),
    ("denied, then a button", lambda known: memory.human_act(memory.tab_denied(known, "x", NOW)), {"tab_failed": True}),
    ("denied, then back", lambda known: memory.back(memory.tab_denied(known, "x", NOW)), {"tab_failed": True}),
    (
        "a notice that vanished",
        lambda known: memory.withdrawn(memory.noticed(known, Cause.ENDED, NOW), Cause.ENDED),
        {"noticed_at": NOW},
    ),
    ("an offer that vanished", lambda known: memory.withdrawn(memory.offered(known, NOW), Cause.OFFER), {}),
    ("put off, then a button", lambda known: memory.human_act(memory.not_today(known, NOW)), {}),
    (
        "put off, then back",
        lambda known: memory.back(memory.not_today(known, NOW)),
        {"not_before": NOW, "denial": "put off until tomorrow by the button Not today"},
    ),
    (
        "an end that did not come",
        lambda known: memory.not_come(memory.noticed(known, Cause.ENDING, NOW), Cause.ENDING),
        {},
    ),
    (
        "an end that did not come, after another notice",
        lambda known: memory.not_come(
            memory.noticed(memory.noticed(known, Cause.REFUSED, EARLIER), Cause.ENDING, NOW), Cause.ENDING
        ),
        {"noticed": (Cause.REFUSED,), "noticed_at": EARLIER},
    ),
    ("an end that nobody was told of, taken back", lambda known: memory.not_come(ended(known), Cause.ENDED), {}),
    (
        "over, whatever was announced",
        lambda known: memory.not_come(memory.noticed(ended(known), Cause.ENDING, NOW), Cause.ENDING),
        {"ended_at": NOW},
    ),
]


@pytest.mark.parametrize(("change", "fields"), [row[1:] for row in OF_A_PERSON], ids=[row[0] for row in OF_A_PERSON])
def test_what_people_and_their_programs_leave(change, fields):
    before = Memory(TRIED, Lineage("client", EARLIER))
    assert change(before) == Memory(TRIED, replace(before.lineage, **fields))


def test_who_is_back_keeps_what_was_put_off():
    put_off = memory.not_today(Memory(TRIED, Lineage("client")), NOW + HOUR)
    assert memory.cooldown_until(memory.back(put_off).lineage) == NOW + HOUR


@pytest.mark.parametrize(("denials", "minutes"), [(1, 5), (2, 15), (3, 60), (9, 60)])
def test_each_denial_makes_the_cooldown_longer(denials, minutes):
    known = Memory()
    for _ in range(denials):
        known = memory.tab_denied(known, "denied", NOW)
    assert memory.cooldown_until(known.lineage) == NOW + minutes * MINUTE


@pytest.mark.parametrize(("put_off", "minutes"), [(HOUR, 60), (MINUTE, 5)])
def test_what_was_denied_and_put_off_waits_for_the_later_of_both(put_off, minutes):
    known = memory.not_today(memory.tab_denied(Memory(), "denied", NOW), NOW + put_off)
    assert memory.cooldown_until(known.lineage) == NOW + minutes * MINUTE


def test_a_sign_in_of_our_own_begins_anew_and_keeps_who_it_was():
    before = Memory(TRIED, replace(LIVED, who="someone"))
    after = memory.signed_in(before, CORP, SAME_CLIENT, HOUR, NOW, SECOND, None)
    assert after == Memory(
        TokenMemory("new@us-east-1", HOUR, NOW, skew=SECOND),
        Lineage("client", NOW, HOUR, who="someone", inside=EARLIER),
    )
    assert memory.signed_in(before, CORP, SAME_CLIENT, HOUR, NOW, SECOND, "other").lineage.who == "other"


DORMANT = [
    # id, lineage, whether
    ("new", Lineage(began_at=NOW), False),
    ("unknown beginning", Lineage(), False),
    ("a week without use", Lineage(began_at=NOW - 7 * 24 * HOUR), True),
    ("used this week", Lineage(began_at=NOW - 30 * 24 * HOUR, used_at=NOW - 6 * 24 * HOUR), False),
    ("a notice ignored for a day", Lineage(began_at=NOW - 30 * HOUR, noticed_at=NOW - 24 * HOUR), True),
    ("ignored for less", Lineage(began_at=NOW - 30 * HOUR, noticed_at=NOW - 23 * HOUR), False),
    ("ignored since it was first seen", Lineage(began_at=NOW - 24 * HOUR, noticed_at=NOW - 24 * HOUR), True),
    ("ignored, and nobody saw it begin", Lineage(noticed_at=NOW - 24 * HOUR), True),
    ("ignored, then used", Lineage(began_at=NOW - 50 * HOUR, noticed_at=NOW - 40 * HOUR, used_at=NOW - HOUR), False),
]


@pytest.mark.parametrize(("lineage", "dormant"), [row[1:] for row in DORMANT], ids=[row[0] for row in DORMANT])
def test_what_nobody_cares_for_is_dormant(lineage, dormant):
    assert memory.dormant(lineage, NOW) is dormant


def test_what_an_mcp_server_hangs_on_is_used_but_may_be_ignored():
    assert not memory.dormant(Lineage(began_at=NOW - 7 * 24 * HOUR), NOW, served=True)
    assert memory.dormant(Lineage(began_at=NOW - 30 * HOUR, noticed_at=NOW - 24 * HOUR), NOW, served=True)


# Back-off

DRAWS = st.floats(0, 1, exclude_max=True)
SPANS = st.timedeltas(timedelta(days=-3000), timedelta(days=3000))


@given(st.integers(1, 10**6), SPANS, DRAWS)
def test_the_back_off_lies_between_a_second_and_its_cap(attempts, left, draw):
    cap = 30 * SECOND if left < 15 * MINUTE else 300 * SECOND
    wait = memory.back_off(attempts, left, draw)
    assert SECOND <= wait <= min(cap, 2 * SECOND * 2 ** min(attempts - 1, 20))
    assert wait <= memory.back_off(attempts + 1, left, draw)
    assert wait <= memory.back_off(attempts, HOUR, draw)
    assert wait <= 30 * SECOND or left - wait >= 15 * MINUTE, "botocore, which begins at 15 minutes, never comes first"


@pytest.mark.parametrize(
    ("attempts", "left", "longest"),
    [
        pytest.param(1, HOUR, 2, id="first"),
        pytest.param(2, HOUR, 4, id="second"),
        pytest.param(8, HOUR, 256, id="eighth"),
        pytest.param(9, HOUR, 300, id="capped"),
        pytest.param(100_000, HOUR, 300, id="far-beyond"),
        pytest.param(9, 20 * MINUTE + 30 * SECOND, 300, id="time-enough"),
        pytest.param(9, 17 * MINUTE, 90, id="not-into-the-last-15-minutes"),
        pytest.param(4, 15 * MINUTE - SECOND, 16, id="short-of-time"),
        pytest.param(9, 15 * MINUTE - SECOND, 30, id="short-of-time-capped"),
        pytest.param(9, -HOUR, 30, id="run-out"),
    ],
)
def test_the_jitter_is_full(attempts, left, longest):
    assert memory.back_off(attempts, left, 1 - 1e-9).total_seconds() == pytest.approx(longest)
    assert memory.back_off(attempts, left, 0.5).total_seconds() == pytest.approx(longest / 2)
    assert memory.back_off(attempts, left, 0.0) == SECOND


WAITS = [
    # id, what is known of a token with an hour left, the longest wait in seconds
    ("its life is not known", {}, 300),
    ("given this moment", {"life": HOUR}, 300),
    ("more left than its whole life, so the clock was set back", {"life": HOUR - SECOND}, 30),
    ("the clock was seen to be set back", {"doubted": True}, 30),
]


@pytest.mark.parametrize(("tried", "longest"), [row[1:] for row in WAITS], ids=[row[0] for row in WAITS])
def test_what_is_left_of_a_token_counts_only_by_a_clock_that_can_be_trusted(tried, longest):
    known = Memory(TokenMemory("old@us-east-1", attempts=20, **tried))
    assert memory.begun(known, OLD, NOW, 0.5).token.retry_at == NOW + longest / 2 * SECOND


@given(st.integers(0, 1000), st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2)), DRAWS)  # noqa: DTZ001
def test_every_attempt_is_recorded_with_a_later_next_one(attempts, at, draw):
    at = min(at, datetime(8999, 1, 1, tzinfo=UTC))
    before = Memory(TokenMemory("old@us-east-1", attempts=attempts))
    began = memory.begun(before, OLD, at, draw)
    failed = memory.failed(began, OLD, "x", at, draw)
    for after in (began, failed):
        assert after.token.attempts == attempts + 1
        assert at + SECOND <= after.token.retry_at <= at + 300 * SECOND
    assert memory.nudged(failed, at + 5 * SECOND).token.retry_at is None


# Lives

ENDS = NOW + 8 * HOUR


def lived(*, until=None, code="ended"):
    """A sign-in of ours, renewed every 30 minutes until `until`, refused then."""
    known = memory.signed_in(Memory(), CORP, OLD, HOUR, NOW, timedelta(), None)
    now = NOW
    while (now := now + HOUR / 2) < until:
        known = memory.renewed(
            known, CORP, Token(str(now), "client", now + HOUR, refreshable=True), HOUR, now, timedelta()
        )
    return memory.refused(known, code, "x", until, alive=False, skew=timedelta())


def test_a_refusal_leaves_a_life_and_a_second_one_nothing_more():
    known = lived(until=ENDS)
    assert known.lives == (Life(NOW, ENDS - HOUR / 2, ENDS),)
    assert memory.refused(known, "ended", "x", ENDS + MINUTE, alive=False, skew=timedelta()).lives == known.lives
    assert memory.observed(known, CORP, None, ENDS + HOUR).lives == known.lives
    assert memory.observed(known, CORP, OTHER_CLIENT, ENDS + HOUR).lives == known.lives


NO_LIFE = [
    # id, memory that it is asked of, what happens
    ("not ended, only not allowed", lambda: lived(until=ENDS, code="not_allowed")),
    ("the registration was forgotten", lambda: lived(until=ENDS, code="registration")),
    ("ended for a fresh one", lambda: lived(until=ENDS, code="fresh")),
    ("signed out after an hour", lambda: memory.observed(KNOWN, CORP, None, NOW)),
    (
        "the clock was set back",
        lambda: memory.refused(memory.doubted(KNOWN), "ended", "x", NOW, alive=None, skew=SECOND),
    ),
    (
        "nobody saw it begin",
        lambda: memory.refused(replace(KNOWN, lineage=Lineage("client")), "ended", "x", NOW, alive=None, skew=SECOND),
    ),
]


@pytest.mark.parametrize("known", [row[1] for row in NO_LIFE], ids=[row[0] for row in NO_LIFE])
def test_what_says_nothing_of_the_length_leaves_no_life(known):
    assert known().lives == ()


def test_a_sign_in_that_was_longer_than_believed_is_kept_whatever_ended_it():
    known = replace(KNOWN, lineage=replace(LIVED, began_at=NOW - 10 * HOUR, alive_at=NOW))
    outlived = (Life(NOW - 10 * HOUR, NOW, None),)
    assert memory.observed(known, CORP, None, NOW).lives == outlived
    for code in ("not_allowed", "registration", "fresh"):
        assert memory.refused(known, code, "x", NOW + HOUR, alive=None, skew=SECOND).lives == outlived


def test_no_more_lives_are_kept_than_say_something():
    known = Memory()
    for day in range(40):
        began = NOW + timedelta(days=day)
        known = memory.signed_in(known, CORP, replace(OLD, fingerprint=str(day)), HOUR, began, timedelta(), None)
        known = memory.refused(known, "ended", "x", began + 8 * HOUR, alive=False, skew=timedelta())
    assert [one.began_at for one in known.lives] == [NOW + timedelta(days=day) for day in range(24, 40)]


def test_a_shorter_token_tells_the_end_and_the_next_confirms_it():
    known = memory.signed_in(Memory(), CORP, OLD, HOUR, NOW, timedelta(), None)
    known = memory.renewed(known, CORP, SAME_CLIENT, 40 * MINUTE, NOW + HOUR, timedelta())
    assert (known.lineage.tail_at, known.lineage.life) == (NOW + 100 * MINUTE, HOUR)
    known = memory.renewed(known, CORP, OTHER_CLIENT, 20 * MINUTE, NOW + 80 * MINUTE, timedelta())
    assert known.lineage.tail_at == NOW + 100 * MINUTE
    dead = memory.refused(known, "ended", "x", NOW + 110 * MINUTE, alive=False, skew=timedelta())
    assert dead.lives == (Life(NOW, NOW + 100 * MINUTE, NOW + 100 * MINUTE),)


def test_tokens_that_are_shorter_from_now_on_tell_no_end():
    known = memory.signed_in(Memory(), CORP, OLD, HOUR, NOW, timedelta(), None)
    known = memory.renewed(known, CORP, SAME_CLIENT, 40 * MINUTE, NOW + HOUR, timedelta())
    known = memory.renewed(known, CORP, OTHER_CLIENT, 40 * MINUTE, NOW + 80 * MINUTE, timedelta())
    assert (known.lineage.tail_at, known.lineage.life) == (None, 40 * MINUTE)


TAILS = [
    # id, the life that tokens have here, that of the new one, the end it tells
    ("as long as ever", HOUR, HOUR, None),
    ("half a minute shorter", HOUR, HOUR - 30 * SECOND, None),
    ("a second less than that", HOUR, HOUR - 31 * SECOND, NOW + HOUR - 31 * SECOND),
    ("a tenth of a short life", 100 * SECOND, 90 * SECOND, None),
    ("a second less than a tenth", 100 * SECOND, 89 * SECOND, NOW + 89 * SECOND),
]


@pytest.mark.parametrize(("usual", "life", "tail_at"), [row[1:] for row in TAILS], ids=[row[0] for row in TAILS])
def test_how_much_shorter_a_token_must_be_to_tell_the_end(usual, life, tail_at):
    known = replace(KNOWN, lineage=replace(LIVED, life=usual))
    after = memory.renewed(known, CORP, SAME_CLIENT, life, NOW, SECOND).lineage
    assert (after.tail_at, after.life) == (tail_at, usual if tail_at else life)


@pytest.mark.parametrize(("later", "confirmed"), [(30, True), (31, False)])
def test_a_short_token_that_ends_with_the_one_before_confirms_the_end(later, confirmed):
    tail_at = NOW + 20 * MINUTE
    known = replace(KNOWN, lineage=replace(LIVED, tail_at=tail_at))
    life = 20 * MINUTE + later * SECOND
    after = memory.renewed(known, CORP, SAME_CLIENT, life, NOW, SECOND).lineage
    assert (after.tail_at, after.life) == ((NOW + life, HOUR) if confirmed else (None, life))


SEEN_LATE = [
    # id, what is known, what the token has left when it is first seen, whether it began before
    ("installed in the afternoon", Memory(), 40 * MINUTE, True),
    ("installed before signing in", Memory(), 60 * MINUTE, False),
    ("seen within two minutes", Memory(), 58 * MINUTE, False),
    ("seen a second later", Memory(), 58 * MINUTE - SECOND, True),
    ("this portal's tokens are short", Memory(REFUSED.token, replace(LIVED, life=15 * MINUTE)), 15 * MINUTE, False),
    ("seen within a tenth of a short life", Memory(REFUSED.token, replace(LIVED, life=10 * MINUTE)), 9 * MINUTE, False),
    ("seen a second after that", Memory(REFUSED.token, replace(LIVED, life=10 * MINUTE)), 9 * MINUTE - SECOND, True),
    ("signed in while nobody watched", REFUSED, 30 * MINUTE, True),
    ("nothing is known of its tokens", Memory(REFUSED.token, Lineage("client")), 30 * MINUTE, False),
]


@pytest.mark.parametrize(("known", "left", "late"), [row[1:] for row in SEEN_LATE], ids=[row[0] for row in SEEN_LATE])
def test_a_sign_in_that_is_seen_late_is_known_for_one(known, left, late):
    assert memory.observed(known, CORP, replace(OTHER_CLIENT, expires_at=NOW + left), NOW).lineage.late is late


GAPS = [
    # id, what is known of the sign-in, what the new token has left, whether it began late, when it was last alive
    ("two lives of a token", {"alive_at": NOW - 2 * HOUR}, HOUR, False, NOW),
    ("a second more", {"alive_at": NOW - 2 * HOUR - SECOND}, HOUR, True, NOW),
    ("two lives of a short one", {"life": HOUR / 4, "alive_at": NOW - HOUR / 2}, HOUR / 4, False, NOW),
    ("and more", {"life": HOUR / 4, "alive_at": NOW - HOUR / 2 - SECOND}, HOUR / 4, True, NOW),
    ("nothing is known of its tokens", {"life": None, "alive_at": NOW - 2 * HOUR - SECOND}, HOUR, True, NOW),
    ("it began late, anyway", {"late": True, "alive_at": NOW - HOUR}, HOUR, True, NOW),
    ("given before the last of ours", {"alive_at": NOW - MINUTE}, HOUR / 2, False, NOW - MINUTE),
]


@pytest.mark.parametrize(("known", "left", "late", "alive_at"), [row[1:] for row in GAPS], ids=[row[0] for row in GAPS])
def test_a_token_from_elsewhere_after_a_long_gap_makes_the_beginning_doubtful(known, left, late, alive_at):
    seen = Memory(TRIED, replace(LIVED, **known))
    after = memory.observed(seen, CORP, replace(SAME_CLIENT, expires_at=NOW + left), NOW).lineage
    assert (after.late, after.alive_at) == (late, alive_at)


def test_a_clock_that_was_set_back_is_doubted_once_and_only_with_a_token():
    after = memory.doubted(KNOWN)
    assert after == replace(KNOWN, token=replace(TRIED, doubted=True), lineage=replace(LIVED, clock_set=True))
    assert memory.doubted(after) is after
    nothing = Memory()
    assert memory.doubted(nothing) is nothing
