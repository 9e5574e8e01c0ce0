"""When a renewal would come too soon after the last one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import timing
from ssowatch.model import Memory, Token, TokenMemory

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)
LIVING = Token("f", "client", NOW + SECOND, refreshable=True)
RUN_OUT = Token("f", "client", NOW, refreshable=True)


def tried(renewed=None, attempted=None, retry=None):
    """Seconds from now."""
    moments = [None if one is None else NOW + one * SECOND for one in (renewed, attempted, retry)]
    return Memory(TokenMemory(renewed_at=moments[0], attempted_at=moments[1], retry_at=moments[2]))


@pytest.mark.parametrize(
    ("known", "token", "resting"),
    [
        pytest.param(tried(), LIVING, False, id="nothing was tried"),
        pytest.param(tried(renewed=0), LIVING, True, id="renewed this moment"),
        pytest.param(tried(renewed=-59), LIVING, True, id="within the minute"),
        pytest.param(tried(renewed=-60), LIVING, False, id="a minute ago"),
        pytest.param(tried(renewed=1), LIVING, False, id="renewed in the future: the clock was set back"),
        pytest.param(tried(renewed=-1), RUN_OUT, False, id="renewed, and run out"),
        pytest.param(tried(attempted=-5, retry=1), RUN_OUT, True, id="within the back-off"),
        pytest.param(tried(attempted=0, retry=1), RUN_OUT, True, id="it begins"),
        pytest.param(tried(attempted=-5, retry=0), LIVING, False, id="it is over"),
        pytest.param(tried(attempted=1, retry=5), LIVING, False, id="tried in the future: the clock was set back"),
        pytest.param(tried(attempted=-5), LIVING, False, id="tried, and due at once"),
    ],
)
def test_resting(known, token, resting):
    assert timing.resting(known, token, NOW) is resting
