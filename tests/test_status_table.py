"""The published state as a person reads it: a row of the contract in, the words out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ssowatch import status_table

NOW = datetime(2026, 1, 5, 16, 45, tzinfo=UTC)  # a Monday


def row(**changes):
    return {
        "name": "corp",
        "kind": "sso-session",
        "state": "valid",
        "good_until": "2026-01-05T17:30:00Z",
        "good_until_certain": True,
        "renews_silently": True,
        "renew_at": "2026-01-05T17:00:00Z",
        "ends_at": None,
        "ends_at_source": None,
        "profiles": [],
        "mcp_servers": [],
        "problem": None,
    } | changes


def document(*sign_ins, **changes):
    return {
        "watcher": {"running": True, "pid": 4242, "since": "2026-01-05T08:00:00Z"},
        "problem": None,
        "sign_ins": list(sign_ins),
        "unwatched": [],
    } | changes


def lines(*sign_ins, width=80, now=NOW, **changes):
    return status_table.table(document(*sign_ins, **changes), now, width).splitlines()


HEAD = "SIGN-IN  STATE  GOOD UNTIL  NEXT"


@pytest.mark.parametrize(
    ("changes", "state", "good_until", "upcoming"),
    [
        pytest.param({}, "valid", "17:30", "renews 17:00", id="renewed by itself"),
        pytest.param({"renew_at": None}, "valid", "17:30", "renewing", id="renewed now"),
        pytest.param({"renew_at": "2026-01-05T16:45:00Z"}, "valid", "17:30", "renewing", id="due this moment"),
        pytest.param({"renews_silently": False}, "valid", "17:30", "cannot renew", id="not renewable"),
        pytest.param({"state": "signed_out"}, "signed out", "-", "you: sign in", id="signed out"),
        pytest.param({"state": "login_required"}, "login required", "-", "you: sign in", id="over"),
        pytest.param({"state": "misconfigured"}, "misconfigured", "-", "you: mend the config", id="wrong"),
        pytest.param({"state": "unreachable", "renew_at": None}, "unreachable", "-", "renewing", id="tried again"),
        pytest.param({"good_until": None}, "valid", "-", "renews 17:00", id="nobody knows until when"),
        pytest.param(
            {"good_until_certain": False, "ends_at": "2026-01-05T17:40:00Z"},
            "valid", "about 17:35", "renews 17:00", id="ten minutes are about their middle",
        ),
        pytest.param(
            {"good_until_certain": False, "ends_at": "2026-01-05T17:40:01Z"},
            "valid", "17:30 to 17:40", "renews 17:00", id="more are two bounds",
        ),
        pytest.param({"good_until_certain": False}, "valid", "17:30", "renews 17:00", id="a token that is not renewed"),
        pytest.param({"ends_at": "2026-01-05T18:40:00Z"}, "valid", "17:30", "renews 17:00", id="certain before its end"),
        pytest.param(
            {"state": "expiring", "ends_at": "2026-01-05T17:01:00Z", "ends_at_source": "configured"},
            "expiring", "17:01", "renews 17:00", id="an end that is configured",
        ),
        pytest.param(
            {"state": "expiring", "ends_at": "2026-01-05T17:01:00Z", "ends_at_source": "learned"},
            "expiring", "by 17:01", "renews 17:00", id="one that was learned",
        ),
        pytest.param(
            {"state": "expiring", "ends_at": "2026-01-05T17:01:00Z", "ends_at_source": "assumed"},
            "expiring", "about 17:01", "renews 17:00", id="one that is assumed",
        ),
        pytest.param({"state": "expiring"}, "expiring", "17:30", "renews 17:00", id="a token that ends by itself"),
        pytest.param(
            {"kind": "login", "renews_silently": False, "ends_at": "2026-01-05T20:45:00Z"},
            "valid", "20:45 at most", "renewed in use", id="a session that its users renew",
        ),
        pytest.param({"kind": "login", "renews_silently": False}, "valid", "not known", "renewed in use", id="one whose beginning nobody saw"),
        pytest.param(
            {"kind": "login", "state": "login_required", "renews_silently": False},
            "login required", "-", "you: sign in", id="a session that is over",
        ),
    ],
)  # fmt: skip
def test_a_row(changes, state, good_until, upcoming):
    head, shown, *_ = lines(row(**changes))
    assert head.split() == HEAD.split()
    cells = [shown[head.index(title) :] for title in ("STATE", "GOOD UNTIL", "NEXT")]
    assert shown.startswith("corp ")
    assert [cell.partition("  ")[0] for cell in cells] == [state, good_until, upcoming]


NOBODY = {"running": False, "pid": None, "since": None}


def test_without_a_watcher_nobody_renews():
    shown = lines(row(), watcher=NOBODY, width=200)
    assert shown[1].endswith("nobody renews it")
    assert lines(row(renews_silently=False), watcher=NOBODY, width=200)[1].endswith("cannot renew")
    assert shown[-2:] == ["", "No watcher is running: nothing renews these. Start it with: ssowatch run"]


def test_the_watcher_is_named():
    assert lines()[-1] == "Watching since 08:00 (pid 4242)."
    assert lines(watcher={"running": True, "pid": 1, "since": None})[-1] == "Watching (pid 1)."


@pytest.mark.parametrize(
    ("name", "kind", "shown"),
    [
        ("corp", "sso-session", "corp"),
        ("https://d-1.awsapps.com/start", "legacy", "d-1 (legacy)"),
        ("https://sso.example.com/start#/", "legacy", "sso.example.com (legacy)"),
        ("https://d-1.awsapps.com/start", "sso-session", "https://d-1.awsapps.com/start"),
    ],
)
def test_a_name(name, kind, shown):
    assert lines(row(name=name, kind=kind), width=120)[1].partition("  ")[0] == shown


def test_who_uses_it_and_what_is_wrong_with_its_mend():
    servers = [{"server": "aws-kb", "client": "claude-code"}]
    problem = {"code": "x", "message": "m" * 10, "fix": "do this"}
    assert lines(row(profiles=["dev", "prod"], mcp_servers=servers, problem=problem))[2:5] == [
        "  dev, prod, aws-kb (Claude Code)",
        "  ! mmmmmmmmmm",
        "  > do this",
    ]
    assert lines(row(problem={**problem, "fix": None}))[2:] == ["  ! mmmmmmmmmm", "", lines()[-1]]


def test_a_long_mend_goes_on_below_its_beginning():
    shown = lines(row(problem={"code": "x", "message": "word " * 12, "fix": None}), width=40)
    assert [line for line in shown if "word" in line] == [
        "  ! word word word word word word word",
        "    word word word word word",
    ]


def test_what_a_person_copies_is_not_broken():
    link = "https://" + "x" * 60
    words = f"word word word word word upgrade-profile {link}"
    assert lines(row(problem={"code": "x", "message": words, "fix": None}), width=40)[2:5] == [
        "  ! word word word word word",
        "    upgrade-profile",
        f"    {link}",
    ]


def test_many_users_stand_below_each_other():
    assert lines(row(profiles=["production"] * 4), width=40)[2:4] == [
        "  production, production, production,",
        "  production",
    ]


def cut(most: int) -> tuple[str, str]:
    """A text that is one too long, and what is shown of it."""
    return "x" * (most + 1), "x" * (most - 1) + "…"


LONG = [
    # what, most, as it stands in the document, the line
    ("a name", 60, lambda text: {"sign_ins": [row(name=text)]}, "{}  valid  17:30       renews 17:00"),
    ("a profile", 60, lambda text: {"sign_ins": [row(profiles=[text])]}, "  {}"),
    ("a server", 40, lambda text: {"sign_ins": [row(mcp_servers=[{"server": text, "client": "codex"}])]}, "  {} (Codex)"),
    ("a message", 600, lambda text: {"problem": {"message": text, "fix": None}}, "! {}"),
    ("a mend", 600, lambda text: {"problem": {"message": "m", "fix": text}}, "> {}"),
    ("a profile that is not watched", 60, lambda text: {"unwatched": [{"profile": text, "reason": "r"}]}, "not watched: {}: r"),
    ("a reason", 300, lambda text: {"unwatched": [{"profile": "p", "reason": text}]}, "not watched: p: {}"),
]  # fmt: skip


@pytest.mark.parametrize(("most", "made", "line"), [one[1:] for one in LONG], ids=[one[0] for one in LONG])
def test_what_somebody_wrote_takes_a_bounded_place(most, made, line):
    text, shown = cut(most)
    assert line.format(shown) in lines(**made(text), width=1000)


def test_a_problem_of_ours_comes_first_and_what_is_not_watched_last():
    shown = lines(
        row(),
        problem={"code": "config", "message": "line 3", "fix": None},
        unwatched=[{"profile": "x", "reason": "credential_process"}],
    )
    assert shown[0] == "! line 3"
    assert shown[-4:] == ["", "not watched: x: credential_process", "", "Watching since 08:00 (pid 4242)."]


def test_where_next_does_not_fit_it_has_a_line_of_its_own():
    shown = lines(row(name="a-name-of-more-than-sixteen"), width=44)
    assert shown[:3] == [
        "SIGN-IN                    STATE  GOOD UNTIL",
        "a-name-of-more-than-sixt…  valid  17:30",
        "  renews 17:00",
    ]
    assert all(len(line) <= 44 for line in shown)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        pytest.param("corp", 40, id="a short name is whole"),
        pytest.param("a-name-of-more-than-sixteen", 49, id="a long one keeps sixteen"),
    ],
)
def test_next_stands_in_the_row_as_long_as_the_name_can_be_told(name, width):
    assert len(lines(row(name=name), width=width)[1]) == width
    assert lines(row(name=name), width=width - 1)[2] == "  renews 17:00"


def test_on_a_terminal_of_no_width_the_beginning_of_the_name_stays():
    assert lines(row(name="abcdefgh"), width=5)[1].startswith("abc…  valid")


@pytest.mark.parametrize(
    ("later", "shown"),
    [
        (timedelta(hours=1), "17:45"),
        (timedelta(hours=8), "Tue 00:45"),
        (timedelta(hours=-17), "Sun 23:45"),
        (timedelta(days=6) - timedelta(seconds=1), "Sun 16:44"),
        (timedelta(days=6), "2026-01-11 16:45"),
        (timedelta(days=-6), "2025-12-30 16:45"),
    ],
)
def test_a_moment_is_as_short_as_it_is_clear(later, shown):
    assert status_table.clock(NOW + later, NOW) == shown


def test_a_moment_is_on_the_readers_clock():
    here = NOW.astimezone(timezone(timedelta(hours=9)))
    assert status_table.clock(NOW, here) == "01:45"
