"""The moments that can be reckoned with, and the one place that reads the clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ssowatch import clock


@pytest.mark.parametrize(
    ("at", "sensible"),
    [
        (datetime(2026, 1, 5, tzinfo=UTC), True),
        (datetime(2026, 1, 5, tzinfo=timezone(timedelta(hours=9))), True),
        (datetime(2026, 1, 5), False),  # noqa: DTZ001 - without a zone
        (datetime(1900, 1, 1, tzinfo=UTC), True),
        (datetime(1899, 12, 31, tzinfo=UTC), False),
        (datetime(2999, 12, 31, tzinfo=UTC), True),
        (datetime(3000, 1, 1, tzinfo=UTC), False),
    ],
)
def test_a_moment_can_be_reckoned_with(at, sensible):
    assert clock.sensible(at) is sensible


def test_now_is_said_in_utc():
    assert clock.utc_now().tzinfo is UTC
