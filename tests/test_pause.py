"""`ssowatch pause`: what it understands, what it says, what it writes."""

from __future__ import annotations

import json
import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import homes
import pytest

from ssowatch import paths, pauses, protocol, time_of_day
from ssowatch.commands import pause

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


@pytest.fixture(autouse=True)
def zone(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def at(*moment: int) -> datetime:
    return datetime(2026, *moment, tzinfo=UTC)


WINTER, SPRING, AUTUMN = at(1, 5, 8, 0), at(3, 28, 8, 0), at(10, 24, 8, 0)
MOMENTS = [
    # written, now, until (UTC). Berlin is UTC+1 in winter, +2 in summer.
    ("a span", "2h", WINTER, at(1, 5, 10, 0)),
    ("a mixed span", "1h30m", WINTER, at(1, 5, 9, 30)),
    ("a month", "31d", WINTER, at(2, 5, 8, 0)),
    ("a time today", "17:30", WINTER, at(1, 5, 16, 30)),
    ("the next minute", "9:01", WINTER, at(1, 5, 8, 1)),
    ("this very minute is tomorrow's", "09:00", WINTER, at(1, 6, 8, 0)),
    ("a time gone by is tomorrow's", "8:00", WINTER, at(1, 6, 7, 0)),
    ("midnight", "0:00", WINTER, at(1, 5, 23, 0)),
    ("over the night when summer time begins", "9:00", SPRING, at(3, 29, 7, 0)),
    ("over the night when it ends", "9:00", AUTUMN, at(10, 25, 8, 0)),
]


@pytest.mark.parametrize(("what", "written", "now", "until"), MOMENTS, ids=[row[0] for row in MOMENTS])
def test_until_when(what, written, now, until):
    assert pause.moment(written, now) == until


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("0s", "no time at all"),
        ("32d", "31d at most"),
        ("9999999d", "31d at most"),
        ("24:00", "neither a span"),
        ("9:60", "neither a span"),
        ("9", "neither a span"),
        ("-2h", "neither a span"),
        ("tomorrow", "neither a span"),
        ("٩:٣٠", "neither a span"),
        ("+9:30", "neither a span"),
        ("9:+5", "neither a span"),
        ("9:5", "neither a span"),
        ("009:30", "neither a span"),
        ("", "neither a span"),
    ],
)
def test_no_time(written, complaint):
    with pytest.raises(ValueError, match=complaint):
        pause.moment(written, WINTER)


@pytest.mark.parametrize("written", ["24:00", "9:60", "9", "9:5", "now"])
def test_no_time_of_day(written):
    with pytest.raises(ValueError, match="is no time of day like 17:30"):
        time_of_day.next_at(written, WINTER)


SAID = [
    ("today", at(1, 5, 13, 30), "14:30"),
    ("tomorrow", at(1, 6, 8, 0), "tomorrow 09:00"),
    ("today by the clock here, not by UTC", at(1, 5, 22, 59), "23:59"),
    ("tomorrow by the clock here", at(1, 5, 23, 0), "tomorrow 00:00"),
    ("later", at(1, 12, 8, 0), "Mon 12 Jan 09:00"),
]


@pytest.mark.parametrize(("what", "until", "said"), SAID, ids=[row[0] for row in SAID])
def test_how_a_moment_is_said(what, until, said):
    assert time_of_day.shown(until, WINTER) == said


FILES = [
    ("none", None, {}),
    ("good", {"*": protocol.moment(LATER), "corp": protocol.moment(NOW)}, {"*": LATER, "corp": NOW}),
    ("empty", b"", {}),
    ("torn", b'{"*": "2026-01', {}),
    ("another shape", [1], {}),
    ("no UTF-8", b'{"\xff": 1}', {}),
    ("too deep", b"[" * 100_000, {}),
    ("too large", b" " * (1 << 20), {}),
    (
        "bad entries are none",
        {"a": 1, "b": None, "c": "soon", "d": "2026-01-05T08:00:00", "*": protocol.moment(LATER)},
        {"*": LATER},
    ),
]


@pytest.mark.parametrize(("what", "written", "expected"), FILES, ids=[row[0] for row in FILES])
def test_what_is_read(home, what, written, expected):
    path = Path(paths.pauses_file())
    path.parent.mkdir(parents=True)
    if written is not None:
        path.write_bytes(written if isinstance(written, bytes) else json.dumps(written).encode())
    assert pauses.load() == expected


def test_a_device_or_directory_is_no_file(home):
    Path(paths.pauses_file()).mkdir(parents=True)
    assert pauses.load() == {}


def test_what_is_written(home):
    def now() -> datetime:
        return NOW

    pauses.set("old", NOW - timedelta(minutes=1), now)
    pauses.set("corp", LATER, now)
    assert pauses.load() == {"corp": LATER}, "what is over goes with the next change"
    pauses.set(None, LATER, now)
    assert pauses.load() == {"corp": LATER, "*": LATER}
    pauses.set("corp", None, now)
    assert pauses.load() == {"*": LATER}
    pauses.set("corp", LATER, now)
    pauses.set(None, None, now)
    assert pauses.load() == {}, "off for all ends every one"
    info = os.stat(paths.pauses_file())  # noqa: PTH116
    assert info.st_mode & 0o777 == 0o600


@pytest.fixture
def typed(home):
    homes.aws_config(home)

    def run(*words: str) -> tuple[int, str]:
        ended = homes.ssowatch("pause", *words, TZ="Europe/Berlin")
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout + ended.stderr

    return run


def test_a_day_of_pauses(typed):
    assert typed() == (0, "Nothing is paused.\n")
    assert not Path(paths.pauses_file()).exists(), "a look writes nothing"
    code, said = typed("dev", "2h")
    assert code == 0
    assert said.startswith("No notices and no tabs for corp until ")
    assert said.endswith("; renewals go on.\n")
    assert list(pauses.load()) == ["corp"], "a profile means its sign-in"
    same = [one.replace("tomorrow ", "") for one in (typed("corp")[1], said, typed()[1])]  # midnight may come between
    assert same == same[:1] * 3
    code, said = typed("30m")
    assert code == 0
    assert said.startswith("No notices and no tabs until ")
    code, said = typed("corp", "off")
    assert code == 0
    assert said.endswith("That is for all of them, corp too; `ssowatch pause off` ends it.\n")
    assert typed("off") == (0, "Nothing is paused.\n")
    assert typed("corp") == (0, "corp is not paused.\n")


WRONG = [
    ("an unknown name", ["nobody", "1h"], "no sign-in or profile is called nobody\n"),
    ("neither name nor time", ["1hour"], "called 1hour, and it is no time like 2h or 17:30 either\n"),
    ("no time", ["corp", "soon"], "soon: neither a span like 2h"),
    ("nothing", ["0m"], "0m: is no time at all"),
    ("too long", ["40d"], "mode: silent"),
    ("too many words", ["corp", "1h", "off"], "too many words"),
    ("a name with escape sequences", ["\x1b[2Jx", "1h"], "called [2Jx\n"),
]


@pytest.mark.parametrize(("what", "words", "complaint"), WRONG, ids=[row[0] for row in WRONG])
def test_wrong_words(typed, what, words, complaint):
    code, said = typed(*words)
    assert code == 2
    assert complaint in said
    assert "\x1b" not in said
    assert not Path(paths.pauses_file()).exists()


def test_what_cannot_be_written(home, typed):
    Path(paths.state_dir()).parent.mkdir(parents=True)
    Path(paths.state_dir()).write_text("a file where the directory should be")
    assert typed("1h") == (1, "ssowatch: the pause cannot be written: Not a directory\n")
