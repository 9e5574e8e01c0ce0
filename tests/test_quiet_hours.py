"""The quiet hours, by the local clock."""

from __future__ import annotations

import time
from datetime import datetime

import pytest

from ssowatch import quiet_hours

ROWS = [
    # id, hours, now (in Berlin), their end
    ("none", None, "2026-01-05T23:00+01:00", None),
    ("before", "22:00-07:00", "2026-01-05T21:59+01:00", None),
    ("at their beginning", "22:00-07:00", "2026-01-05T22:00+01:00", "2026-01-06T07:00+01:00"),
    ("after midnight", "22:00-07:00", "2026-01-06T03:00+01:00", "2026-01-06T07:00+01:00"),
    ("at their end", "22:00-07:00", "2026-01-06T07:00+01:00", None),
    ("to the minute", "12:05-12:35", "2026-01-05T12:34:59+01:00", "2026-01-05T12:35+01:00"),
    ("to the minute, after", "12:05-12:35", "2026-01-05T12:35+01:00", None),
    ("a day's hours on the day after", "12:00-13:00", "2026-01-06T12:30+01:00", "2026-01-06T13:00+01:00"),
    ("within a day", "12:00-13:00", "2026-01-05T12:30+01:00", "2026-01-05T13:00+01:00"),
    ("over the change to summer time", "22:00-07:00", "2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),
    ("the whole day", "00:00-00:00", "2026-01-05T12:00+01:00", "2026-01-06T00:00+01:00"),
]


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize(("hours", "now", "end"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_when_quiet_hours_end(hours, now, end):
    assert quiet_hours.end(hours, datetime.fromisoformat(now)) == (datetime.fromisoformat(end) if end else None)


@pytest.mark.usefixtures("berlin")
def test_today_ends_at_the_persons_midnight():
    late = datetime.fromisoformat("2026-03-28T23:30+01:00")
    assert quiet_hours.midnight(late) == datetime.fromisoformat("2026-03-29T00:00+01:00")
