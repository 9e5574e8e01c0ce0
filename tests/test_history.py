"""`history`: what the last days came to, from the log of acts. Today is Friday, 2026-01-09, 18:00."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from homes import ssowatch

from ssowatch import act_log, history
from ssowatch.clock import utc_now
from ssowatch.history import Cell

NOW = datetime(2026, 1, 9, 18, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)


def act(at: str, event: str, state: str = "valid", *, presence=None, good_until=None, sign_in="corp", day=9):
    return {
        "version": 1,
        "at": f"2026-01-{day:02}T{at}:00Z",
        "event": event,
        "sign_in": sign_in,
        "state": state,
        "good_until": f"2026-01-{day:02}T{good_until}:00Z" if good_until else None,
        "presence": presence,
        "message": "",
    }


def over(at: str, event: str = "login_required", **more) -> dict:
    return act(at, event, "login_required", **more)


SIGNED_IN = act("09:00", "signed_in")
ROWS = [
    # id, acts, renewed, signed in, warned, minutes expired in use, minutes unattended
    ("nothing", [], 0, 0, 0, 0, 0),
    ("a quiet day", [SIGNED_IN, act("09:30", "renewed"), act("10:00", "renewed")], 2, 1, 0, 0, 0),
    ("warned in time, a fresh one", [act("16:45", "warned", "expiring"), act("16:50", "signed_in")], 0, 1, 1, 0, 0),
    ("ended while somebody was there", [over("10:00"), over("10:00", "warned"), act("10:07", "signed_in")], 0, 1, 1, 7, 0),
    ("ended by a tab", [over("10:00"), over("10:01", "tab"), act("10:03", "signed_in")], 0, 1, 0, 2, 0),
    ("ended at night, asked in the morning", [over("02:00"), over("09:00", "warned"), act("09:04", "signed_in")], 0, 1, 1, 4, 0),
    ("ended, and nobody was asked", [over("02:00"), act("09:04", "signed_in")], 0, 1, 0, 0, 0),
    ("asked, and left for the day", [over("10:00"), over("10:00", "warned"), act("17:00", "signed_in")], 0, 1, 1, 120, 0),
    ("asked, and nothing yet", [over("17:40"), over("17:50", "warned")], 0, 0, 1, 10, 0),
    ("asked twice", [over("10:00", "warned"), over("10:30", "tab"), act("10:40", "signed_in")], 0, 1, 1, 40, 0),
    ("no network is not expired", [act("10:00", "unreachable", "unreachable"), act("11:00", "renewed")], 1, 0, 0, 0, 0),
    ("the screen is locked", [SIGNED_IN, act("12:00", "renewed", presence="locked"), act("12:30", "renewed", presence="present")], 2, 1, 0, 0, 30),
    ("idle, then nothing is known", [act("09:00", "renewed", presence="idle")], 1, 0, 0, 0, 60),
    ("somebody is there", [act("09:00", "renewed", presence="present")], 1, 0, 0, 0, 0),
    ("locked, but the token is dead", [over("09:00", presence="locked"), act("12:00", "signed_in")], 0, 1, 0, 0, 0),
    ("another day", [act("09:00", "renewed", day=5), over("10:00", "warned", day=4)], 0, 0, 0, 0, 0),
    ("lines that are none of ours", [{"at": "x", "event": "renewed", "sign_in": "a"}, {"at": "2026-01-09T09:00:00Z", "event": "renewed"}], 0, 0, 0, 0, 0),
    ("a moment that no clock shows", [{**act("09:00", "renewed", presence="locked"), "at": "9999-12-31T23:59:59Z"}], 0, 0, 0, 0, 0),
]  # fmt: skip


@pytest.mark.parametrize(
    ("acts", "renewed", "signed_in", "warned", "expired", "alone"),
    [row[1:] for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_today(acts, renewed, signed_in, warned, expired, alone):
    (today,) = history.days(acts, NOW, 1)
    assert (today.renewed, today.signed_in, today.warned) == (renewed, signed_in, warned)
    assert (today.expired_in_use, today.unattended) == (expired * MINUTE, alone * MINUTE)
    assert today.cells == ()  # nobody asked for a picture


def test_several_sign_ins_are_added_up_and_told_apart():
    acts = [over("10:00", "warned"), over("10:00", "warned", sign_in="lab"), act("10:05", "signed_in", sign_in="lab")]
    (today,) = history.days(sorted([*acts, act("10:10", "signed_in")], key=lambda one: one["at"]), NOW, 1)
    assert (today.signed_in, today.expired_in_use) == (2, 15 * MINUTE)


def test_what_passes_midnight_counts_for_both_days():
    acts = [over("23:30", "warned", day=8), act("00:30", "signed_in")]
    assert [day.expired_in_use for day in history.days(acts, NOW, 2)] == [30 * MINUTE, 30 * MINUTE]


def test_days_are_those_of_the_persons_zone():
    tokyo = NOW.astimezone(timezone(9 * HOUR))
    acts = [act("16:00", "renewed", day=8)]  # there: 01:00 on the 9th, and now it is the 10th
    assert [(day.date.day, day.renewed) for day in history.days(acts, tokyo, 2)] == [(9, 1), (10, 0)]


def test_a_picture_of_a_day():
    acts = [
        act("06:00", "renewed", presence="locked", good_until="12:00"),
        act("08:00", "renewed", good_until="12:00"),
        over("13:00"),
        act("15:00", "signed_in", good_until="23:00"),
        act("17:00", "signed_out", "signed_out"),
    ]
    (today,) = history.days(acts, NOW, 1, cells=24)
    night, good, alone = [Cell.UNKNOWN] * 6, Cell.GOOD, Cell.UNATTENDED
    assert list(today.cells) == [
        *night, alone, *[good] * 5, Cell.UNKNOWN, *[Cell.OVER] * 2, *[good] * 2, Cell.OVER, *night
    ]  # fmt: skip


@pytest.mark.parametrize(("minutes", "cell"), [(14, Cell.UNKNOWN), (15, Cell.GOOD)])
def test_a_stretch_is_what_at_least_a_quarter_of_it_was(minutes, cell):
    (today,) = history.days([act("10:00", "renewed", good_until=f"10:{minutes}")], NOW, 1, cells=24)
    assert today.cells[10] is cell


def test_a_day_knows_when_somebody_signed_in():
    acts = [
        act("08:00", "signed_in", day=7),
        SIGNED_IN,
        act("09:30", "renewed"),
        over("10:00"),
        act("10:07", "signed_in"),
    ]
    (today,) = history.days(acts, NOW, 1)
    assert [f"{at:%H:%M}" for at in today.sign_ins_at] == ["09:00", "10:07"]


def alone(until: str) -> list[dict]:
    return [act("12:00", "renewed", presence="locked"), act(until, "renewed", presence="present")]


LOCKED = [SIGNED_IN, *(act(f"{hour:02}:30", "renewed", presence="locked") for hour in range(9, 12))]
SENTENCES = [
    # id, acts, days, what is said
    ("nothing", [], 1, ["today: 0 renewals, 0 sign-ins, 0 minutes expired while you worked"]),
    ("some minutes", [over("10:00", "warned"), act("10:07", "signed_in")], 1, ["today: 0 renewals, 1 sign-in, 7 minutes expired while you worked"]),
    ("a week", LOCKED, 7, ["7 days: 3 renewals, 1 sign-in, 0 minutes expired while you worked", "A live token lay here for 3 hours with nobody at the screen, as far as that is known."]),
    ("half an hour alone is none", alone("12:30"), 1, ["today: 2 renewals, 0 sign-ins, 0 minutes expired while you worked"]),
    ("more is one", alone("12:31"), 1, ["today: 2 renewals, 0 sign-ins, 0 minutes expired while you worked", "A live token lay here for 1 hour with nobody at the screen, as far as that is known."]),
]  # fmt: skip


@pytest.mark.parametrize(("acts", "count", "said"), [row[1:] for row in SENTENCES], ids=[row[0] for row in SENTENCES])
def test_the_sentences(acts, count, said):
    assert history.totals(history.days(acts, NOW, count)) == said


def write(*acts: dict) -> None:
    """As the watcher writes, at this moment."""
    act_log.append({**one, "at": f"{utc_now():%Y-%m-%dT%H:%M:%SZ}"} for one in acts)


def test_the_json_is_the_contract(home):
    write(act("", "signed_in"), act("", "renewed"), act("", "renewed", sign_in="lab"))
    found = json.loads(ssowatch("history", "--json", TZ="UTC").stdout)
    assert list(found) == ["version", "days"]
    assert (found["version"], len(found["days"])) == (1, 7)
    assert list(found["days"][-1]) == ["date", "renewed", "signed_in", "warned", "expired_minutes_in_use"]
    assert sum(day["renewed"] for day in found["days"]) == 2
    found = json.loads(ssowatch("history", "--json", "--days", "30", "lab").stdout)
    assert (len(found["days"]), sum(day["renewed"] for day in found["days"])) == (30, 1)


@pytest.mark.parametrize("columns", ["80", "50", "200"])
def test_the_picture_fits(home, columns):
    write(
        act("", "signed_in"),
        act("", "renewed", sign_in="a-name-that-its-owner-found-descriptive-although-it-has-no-end"),
    )
    answer = ssowatch("history", COLUMNS=columns)
    assert answer.returncode == 0, answer.stderr
    assert max(map(len, answer.stdout.splitlines())) <= int(columns)
    assert "7 days: 1 renewal, 1 sign-in, 0 minutes" in " ".join(answer.stdout.split())
    assert "▲" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param([], 0, "Nothing is written down yet", id="nothing"),
        pytest.param(["nope"], 2, "known: none", id="unknown"),
        pytest.param(["--days", "0"], 2, "--days is from 1 to 60", id="no-days"),
    ],
)
def test_what_it_cannot_show(home, arguments, code, words):
    answer = ssowatch("history", *arguments)
    assert (answer.returncode, words in answer.stdout + answer.stderr) == (code, True), answer
    assert "Traceback" not in answer.stderr


def test_a_call_that_failed_is_not_hidden_by_the_rest_of_its_stretch():
    acts = [
        act("10:00", "renewed", good_until="10:20"),
        over("10:20"),
        over("10:30", "warned"),
        act("10:40", "signed_in"),
    ]
    (today,) = history.days(acts, NOW, 1, cells=24)
    assert today.cells[10] is Cell.EXPIRED


def test_the_document():
    acts = [SIGNED_IN, act("09:30", "renewed"), over("10:00", "warned"), act("10:07", "signed_in")]
    assert history.document(history.days(acts, NOW, 2)) == {
        "version": 1,
        "days": [
            {"date": "2026-01-08", "renewed": 0, "signed_in": 0, "warned": 0, "expired_minutes_in_use": 0},
            {"date": "2026-01-09", "renewed": 1, "signed_in": 2, "warned": 1, "expired_minutes_in_use": 7},
        ],
    }
