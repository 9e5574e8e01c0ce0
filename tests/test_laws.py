"""The laws of the planner, for every input that hypothesis can think of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ssowatch import memory as memories
from ssowatch import planner, timing
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

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)

spans = st.integers(0, 48 * 3600).map(lambda seconds: timedelta(seconds=seconds))
moments = st.integers(-48 * 3600, 48 * 3600).map(lambda seconds: NOON + timedelta(seconds=seconds))
sometimes = st.none() | moments
fingerprints = st.integers(0, 2**64 - 1).map("{:016x}".format)
sign_ins = st.sampled_from(Kind).map(
    lambda kind: SignIn("corp", kind, "https://d-1.awsapps.com/start", "us-east-1", ("dev",))
)
tokens = st.builds(
    Token, fingerprints, st.just("client"), moments, st.booleans(), sometimes, st.none() | st.just("odd dates")
)
tries = st.builds(
    TokenMemory,
    st.just(""),
    st.none() | spans.filter(bool),
    sometimes,
    st.integers(0, 50),
    sometimes,
    sometimes,
    st.none() | st.just("cannot connect"),
    st.none() | st.just("ended"),
    st.just("ended"),
    st.none() | st.booleans(),
    st.booleans(),
    st.just(timedelta()),
)
lineages = st.builds(
    Lineage,
    st.just("client"),
    sometimes,
    st.none() | spans.filter(bool),
    st.none(),
    sometimes,
    st.lists(st.sampled_from(Cause), unique=True).map(tuple),
    st.integers(0, 1),
    st.booleans(),
)
policies = st.builds(
    Policy,
    st.sampled_from(Mode),
    st.integers(60, 12 * 3600).map(lambda s: timedelta(seconds=s)),
    spans,
    st.sampled_from(Renew),
    st.none() | spans.filter(bool),
    st.booleans(),
    st.booleans(),
)
surroundings = st.builds(
    Surroundings,
    st.none() | st.sampled_from(Presence),
    st.booleans(),
    st.booleans(),
    sometimes,
    sometimes,
)
lives = st.builds(Life, moments, moments, sometimes, sometimes, st.booleans(), st.booleans())
days = st.builds(Day, moments, moments, moments, sometimes, sometimes)
informed = st.builds(replace, surroundings, day=st.none() | days, lives=st.lists(lives, max_size=4).map(tuple))
"""A portal of which something was seen, a day with a good moment."""
draws = st.floats(0, 1, exclude_max=True)
files = st.builds(TokenFile, st.none() | tokens, st.none() | st.just("is empty"), st.none() | moments)


def observed(sign_in: SignIn, file: TokenFile, tried: TokenMemory, lineage: Lineage) -> Memory:
    """A memory that belongs to the token, as the world always hands it to the planner."""
    if file.token:
        tried = replace(tried, fingerprint=memories.mark(sign_in, file.token))
    return Memory(tried, lineage)


@given(sign_ins, files, tries, lineages, policies, informed, moments, draws)
@settings(max_examples=500)
def test_asking_twice_acts_once(sign_in, file, tried, lineage, policy, around, now, draw):
    first = planner.plan(sign_in, file, observed(sign_in, file, tried, lineage), policy, around, now)
    known = first.memory
    if Renewal() in first.actions:
        assert file.token is not None
        known = memories.begun(known, file.token, now, draw)  # what the child records before its call
    assert planner.plan(sign_in, file, known, policy, around, now).actions == ()


@given(sign_ins, files, tries, lineages, policies, informed, moments)
@settings(max_examples=500)
def test_it_asks_again_only_later(sign_in, file, tried, lineage, policy, around, now):
    plan = planner.plan(sign_in, file, observed(sign_in, file, tried, lineage), policy, around, now)
    assert plan.wake_at is None or plan.wake_at > now


@given(sign_ins, files, tries, lineages, policies, informed, moments)
@settings(max_examples=500)
def test_nobody_is_asked_in_vain(sign_in, file, tried, lineage, policy, around, now):
    """No sign-in where a renewal may still work; no notice whose buttons cannot improve the state."""
    known = observed(sign_in, file, tried, lineage)
    plan = planner.plan(sign_in, file, known, policy, around, now)
    asks = [action for action in plan.actions if not isinstance(action, Renewal)]
    assert len(asks) <= 1
    for action in asks:
        token = None if file.fault else file.token
        may_renew = token is not None and timing.renewable(token, known, now)
        works = token is not None and token.expires_at > now and plan.state in {State.VALID, State.EXPIRING}
        assert policy.mode is not Mode.SILENT
        gated = policy.when_locked or policy.when_idle
        assert not (policy.when_locked and around.presence is Presence.LOCKED)
        assert not (policy.when_idle and around.presence is Presence.IDLE)
        assert not (gated and around.presence is None)
        assert not around.signing_in
        assert not any(end and end > now for end in (around.paused_until, around.quiet_until))
        if isinstance(action, Tab):
            assert policy.mode is Mode.AUTO
            assert lineage.tabs == 0
            assert around.presence is Presence.PRESENT or not gated
            assert not may_renew
            continue
        assert isinstance(action, Notice)
        assert action.cause not in lineage.noticed
        if action.buttons == (Button.WHEN_IT_ENDS,):
            assert works  # and a fresh one would end as this one does
        elif Button.FRESH in action.buttons:
            # Ending the sign-in first is honest only while it works, and where a plain sign-in would move nothing.
            assert works
            assert not tried.refused
            assert may_renew or sign_in.kind is Kind.LEGACY
        else:
            assert not may_renew or policy.renew is Renew.NEVER or file.fault


@given(
    sign_ins, tokens, tries, lineages, policies, st.lists(st.tuples(moments, surroundings, st.booleans()), max_size=20)
)
@settings(max_examples=300)
def test_one_tab_and_one_notice_per_cause_in_a_lineage(sign_in, token, tried, lineage, policy, asked):
    known = replace(observed(sign_in, TokenFile(token), tried, lineage), lineage=replace(lineage, tabs=0, noticed=()))
    acts: list[object] = []
    for now, around, ignored in sorted(asked, key=lambda one: one[0]):
        plan = planner.plan(sign_in, TokenFile(token), known, policy, around, now)
        acts += [action for action in plan.actions if not isinstance(action, Renewal)]
        known = plan.memory
        if ignored and known.lineage.tabs:
            known = replace(known, lineage=replace(known.lineage, tab_failed=True))
    causes = [act.cause for act in acts if isinstance(act, Notice)]
    assert len(causes) == len(set(causes))
    assert sum(isinstance(act, Tab) for act in acts) <= 1


@given(sign_ins, files, tries, lineages, policies, moments)
@settings(max_examples=500)
def test_the_state_says_what_it_means(sign_in, file, tried, lineage, policy, now):
    known = observed(sign_in, file, tried, lineage)
    plan = planner.plan(sign_in, file, known, policy, Surroundings(Presence.UNKNOWN), now)
    if file.fault or file.token is None:
        return
    works = file.token.expires_at > now and tried.alive is not False
    assert (plan.state in {State.VALID, State.EXPIRING}) == works
    may_renew = timing.renewable(file.token, known, now)
    assert (plan.state is State.UNREACHABLE) == (not works and may_renew)
    assert plan.renews_silently == (may_renew and policy.renew is not Renew.NEVER)
    assert plan.ends_at is None or plan.ends_at > now


@given(
    fingerprints,
    st.integers(30, 4 * 3600).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(60, 12 * 3600).map(lambda seconds: timedelta(seconds=seconds)),
    st.integers(0, 9 * 3600).map(lambda seconds: timedelta(seconds=seconds)),
    st.lists(st.tuples(st.integers(1, 7200), st.booleans(), draws), min_size=1, max_size=120),
)
@example("f" * 16, timedelta(hours=1), timedelta(hours=12), timedelta(), [(1700, True, 0.0)] * 100)
@example("f" * 16, timedelta(hours=1), timedelta(hours=12), timedelta(hours=7.9), [(300, True, 0.0)] * 100)
@settings(max_examples=200)
def test_create_token_is_called_no_more_than_the_law_allows(fingerprint, life, refresh_before, age, wakes):
    """In any window: at most 2 + window / (life/2) successes, and no failure before the back-off of the last.

    `age`: of the sign-in at the first renewal; at 8 hours there is one call more, which tells whether it has ended.
    """
    policy = Policy(refresh_before=refresh_before)
    sign_in = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1")
    token = Token(fingerprint, "client", NOON + life, refreshable=True)
    begun = Memory(lineage=Lineage("client", began_at=NOON - age))
    known = memories.renewed(begun, sign_in, token, life, NOON, timedelta())
    now, successes, not_before = NOON, [NOON], NOON
    for step, answers, draw in wakes:
        plan = planner.plan(sign_in, TokenFile(token), known, policy, Surroundings(Presence.UNKNOWN), now)
        if Renewal() in plan.actions:
            assert now >= not_before
            known = memories.begun(plan.memory, token, now, draw)
            if answers:
                token = replace(token, fingerprint=f"{len(successes):016x}", expires_at=now + life)
                known = memories.renewed(known, sign_in, token, life, now, timedelta())
                successes.append(now)
                not_before = now
            else:
                known = memories.failed(known, token, "cannot connect", now, draw)
                not_before = now + SECOND
        now += timedelta(seconds=step)
    for first in range(len(successes)):
        for last in range(first, len(successes)):
            window = successes[last] - successes[first]
            assert last - first + 1 <= 2 + window / (life / 2)


@given(tokens, tries, lineages, policies, moments)
@settings(max_examples=300)
def test_a_refused_token_is_never_due(token, tried, lineage, policy, now):
    known = Memory(replace(tried, refused="ended"), lineage)
    assert timing.renew_at(token, known, policy, now) is None


@given(sign_ins, files, tries, lineages, policies, informed, moments, draws, draws)
@settings(max_examples=300)
def test_nothing_comes_to_pass_before_it_asks_again(sign_in, file, tried, lineage, policy, around, now, draw, part):
    """What `wake_at` does not name needs no look, so the heartbeat may be slow; it is quick for what else is awaited."""
    assume(not file.fault)
    plan = planner.plan(sign_in, file, observed(sign_in, file, tried, lineage), policy, around, now)
    known = plan.memory
    if Renewal() in plan.actions:
        assert file.token is not None
        known = memories.begun(known, file.token, now, draw)
    settled = planner.plan(sign_in, file, known, policy, around, now)
    assume(not settled.waits)
    asks_again = settled.wake_at or now + timedelta(days=2)
    between = min(now + part * (asks_again - now), asks_again - timedelta.resolution)
    later = planner.plan(sign_in, file, settled.memory, policy, around, between)
    moves = {"memory": settled.memory, "wake_at": settled.wake_at, "fresh_until": settled.fresh_until}
    assert replace(later, **moves) == settled
