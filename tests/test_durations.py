from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ssowatch import durations


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("20m", timedelta(minutes=20)),
        ("1h30m", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("2d", timedelta(days=2)),
        ("100ms", timedelta(milliseconds=100)),
        ("1m100ms", timedelta(minutes=1, milliseconds=100)),
        ("1d2h3m4s5ms", timedelta(days=1, hours=2, minutes=3, seconds=4, milliseconds=5)),
        ("36h", timedelta(days=1, hours=12)),
        ("007m", timedelta(minutes=7)),
        ("0s", timedelta()),
        ("9999999d9999999h", timedelta(days=9999999, hours=9999999)),
    ],
)
def test_read(written, span):
    assert durations.parse(written) == span


@pytest.mark.parametrize(
    "written",
    ["", " ", "20", "m", "20 m", " 20m", "20m\n", "20min", "1.5h", "-5m", "+5m", "30m1h", "1h1h", "1H", "PT20M", "1w"],
)
def test_refused(written):
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(written)


@pytest.mark.parametrize(
    "written",
    ["٢m", "²m", "99999999d", "1e3s", "1h30", "20m,", "5m\x00", "ms", "1s1m"],
)
def test_refused_although_it_looks_like_one(written):
    with pytest.raises(ValueError, match="not a duration"):
        durations.parse(written)


@pytest.mark.parametrize(
    ("span", "written"),
    [
        (timedelta(), "0s"),
        (timedelta(minutes=30), "30m"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=36), "1d12h"),
        (timedelta(milliseconds=1500), "1s500ms"),
        (timedelta(microseconds=999), "0s"),
        (timedelta(microseconds=-999), "0s"),
        (timedelta(minutes=-5), "-5m"),
    ],
)
def test_written(span, written):
    assert durations.text(span) == written


@given(st.integers(min_value=0, max_value=9_999_999 * 86_400_000))
def test_what_is_written_reads_back(milliseconds):
    span = timedelta(milliseconds=milliseconds)
    assert durations.parse(durations.text(span)) == span


@given(st.text(alphabet="0123456789dhms .-\n٢", max_size=12) | st.text(max_size=20))
def test_any_text_is_read_or_refused(written):
    try:
        span = durations.parse(written)
    except ValueError:
        return
    assert span >= timedelta()
    assert durations.parse(durations.text(span)) == span
