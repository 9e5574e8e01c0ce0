"""The published document and the requests of the socket, key by key."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ssowatch import protocol
from ssowatch.mcp.model import McpServer
from ssowatch.model import Kind, Memory, Plan, Problem, SignIn, State, Token, Unwatched
from ssowatch.protocol import Row, WatcherFacts

NOW = datetime(2026, 1, 5, 8, 0, 3, 999999, tzinfo=UTC)
HOUR = timedelta(hours=1)
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1.awsapps.com/start", "us-east-1", ("dev", "prod"))
PLAN = Plan(
    State.VALID,
    Memory(),
    problem=Problem("unreachable", "AWS does not answer", "wait"),
    renews_silently=True,
    renew_at=NOW + HOUR / 2,
    good_until=NOW + 8 * HOUR,
    good_until_certain=False,
    ends_at=NOW + 9 * HOUR,
    ends_at_source="assumed",
)
TOKEN = Token("f", "client", NOW + HOUR, refreshable=True, registration_expires_at=NOW + 90 * 24 * HOUR)
KB = McpServer("claude-code", "aws-kb", "/home/me/.claude.json", "dev", "corp", certain=True)
ROW = Row(
    CORP,
    TOKEN,
    PLAN,
    paused_until=NOW + 2 * HOUR,
    mcp_servers=(
        KB,
        McpServer("claude-code", "aws-kb", "/home/me/x/.mcp.json", "dev", "corp", certain=True),
        McpServer("cursor", "broken", "/x", "dev", "corp", problem=Problem("restart", "keeps its keys")),
    ),
)
SIGN_IN = {
    "name": "corp",
    "kind": "sso-session",
    "state": "valid",
    "start_url": "https://d-1.awsapps.com/start",
    "region": "us-east-1",
    "good_until": "2026-01-05T16:00:03Z",
    "good_until_certain": False,
    "renews_silently": True,
    "token_expires_at": "2026-01-05T09:00:03Z",
    "renew_at": "2026-01-05T08:30:03Z",
    "ends_at": "2026-01-05T17:00:03Z",
    "ends_at_source": "assumed",
    "registration_expires_at": "2026-04-05T08:00:03Z",
    "profiles": ["dev", "prod"],
    "mcp_servers": [{"client": "claude-code", "server": "aws-kb", "profile": "dev", "certain": True}],
    "problem": {"code": "unreachable", "message": "AWS does not answer", "fix": "wait"},
    "paused_until": "2026-01-05T10:00:03Z",
}


def test_the_document():
    watcher = WatcherFacts(4242, NOW - HOUR, NOW + HOUR)
    made = protocol.document(NOW, watcher, Problem("config", "line 3"), [ROW], [Unwatched("x", "because")])
    assert made == {
        "version": 1,
        "written_at": "2026-01-05T08:00:03Z",
        "watcher": {
            "running": True,
            "pid": 4242,
            "since": "2026-01-05T07:00:03Z",
            "paused_until": "2026-01-05T09:00:03Z",
        },
        "problem": {"code": "config", "message": "line 3", "fix": None},
        "sign_ins": [SIGN_IN],
        "unwatched": [{"profile": "x", "reason": "because"}],
    }
    assert list(made) == ["version", "written_at", "watcher", "problem", "sign_ins", "unwatched"]
    assert list(made["sign_ins"][0]) == list(SIGN_IN)


def test_what_is_not_known_is_null():
    bare = Row(SignIn("corp", Kind.SSO_SESSION, "", ""), None, Plan(State.MISCONFIGURED, Memory()))
    [one] = protocol.document(NOW, WatcherFacts(), None, [bare], [])["sign_ins"]
    assert {key for key, value in one.items() if value is None} == {
        "start_url", "region", "good_until", "token_expires_at", "renew_at", "ends_at", "ends_at_source",
        "registration_expires_at", "problem", "paused_until",
    }  # fmt: skip
    nobody = protocol.document(NOW, WatcherFacts(), None, [], [])["watcher"]
    assert nobody == {"running": False, "pid": None, "since": None, "paused_until": None}


def test_an_event():
    assert protocol.event("expiring", ROW, "title", "message", ("Sign in",)) == {
        "version": 1,
        "event": "expiring",
        "sign_in": SIGN_IN,
        "title": "title",
        "message": "message",
        "buttons": ["Sign in"],
    }
    assert protocol.event("renewed", ROW, "", "")["buttons"] == []


def test_a_server():
    assert protocol.mcp_server(KB) == {
        "client": "claude-code",
        "server": "aws-kb",
        "file": "/home/me/.claude.json",
        "profile": "dev",
        "sign_in": "corp",
        "certain": True,
        "problem": None,
    }


def test_a_moment_is_in_utc_and_whole_seconds():
    assert protocol.moment(NOW.astimezone(timezone(9 * HOUR))) == "2026-01-05T08:00:03Z"
    assert protocol.moment(None) is None


def test_a_line_holds_any_name_and_takes_what_is_none():
    assert protocol.encoded({"name": "žluťoučký"}) == '{"name": "žluťoučký"}\n'.encode()
    assert protocol.encoded({"name": "\udcff"}) == b'{"name": "?"}\n'


@pytest.mark.parametrize("do", ["status", "look"])
def test_a_request(do):
    assert protocol.request(json.dumps({"version": 1, "do": do}).encode()) == do


OBJECT = 'a request is an object with "version": 1'
LINE = "a request is one line of JSON"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param(b" " * 4097, "a request has at most 4096 bytes", id="too long"),
        pytest.param(b" " * 4096, LINE, id="as long as it may be"),
        pytest.param(b"", LINE, id="nothing"),
        pytest.param(b"\xff", LINE, id="no text"),
        pytest.param(b"[" * 4000, LINE, id="deep"),
        pytest.param(b'"status"', OBJECT, id="no object"),
        pytest.param(b'{"do": "status"}', OBJECT, id="no version"),
        pytest.param(b'{"version": 2, "do": "status"}', OBJECT, id="another version"),
        pytest.param(b'{"version": 1}', '"do" is one of status, look', id="nothing asked"),
        pytest.param(b'{"version": 1, "do": "stop"}', '"do" is one of status, look', id="something else asked"),
    ],
)
def test_no_request(line, said):
    with pytest.raises(protocol.RequestError) as told:
        protocol.request(line)
    assert str(told.value) == said


def test_the_answers():
    assert json.loads(protocol.refusal('say "please"')) == {"version": 1, "ok": False, "error": 'say "please"'}
    assert json.loads(protocol.answer()) == {"version": 1, "ok": True}
    published = protocol.encoded({"version": 1})
    assert json.loads(protocol.answer(published)) == {"version": 1, "ok": True, "status": {"version": 1}}
    assert all(one.count(b"\n") == 1 for one in (protocol.answer(), protocol.answer(published), protocol.refusal("")))
