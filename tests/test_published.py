"""The published state is read without `json`, and `status --check` answers from it as the long way does."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ssowatch import cli, paths, protocol, published
from ssowatch.clock import utc_now
from ssowatch.commands import status

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=12,
)


@settings(max_examples=30, deadline=None)
@given(st.dictionaries(st.text(st.characters(codec="utf-8")), VALUES))
def test_it_reads_what_json_reads(document):
    content = protocol.encoded(document)
    assert published.parsed(content) == json.loads(content) == document


def test_json_stands_in_where_the_parser_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "_json", None)
    assert published.parsed(b'{"a": [1, null]}\n') == {"a": [1, None]}


NOW = utc_now()
"""When the tests were collected; they run minutes later, and every span below is of hours."""


def sign_in(name, state="valid", token_left=timedelta(hours=3), good_left=timedelta(hours=8), profiles=()):
    return {
        "name": name,
        "kind": "sso-session",
        "state": state,
        "good_until": protocol.moment(NOW + good_left) if good_left is not None else None,
        "token_expires_at": protocol.moment(NOW + token_left) if token_left is not None else None,
        "profiles": list(profiles),
    }


HOUR = timedelta(hours=1)
SIGN_INS = {
    "good": sign_in("good", profiles=["dev", "twice"]),
    "short": sign_in("short", "expiring", timedelta(hours=2), timedelta(hours=2), ["twice"]),
    "token over": sign_in("token over", token_left=-HOUR),
    "over": sign_in("over", good_left=-HOUR),
    "unknown": sign_in("unknown", good_left=None),
    "no token": sign_in("no token", "signed_out", None, None),
    "odd": {**sign_in("odd"), "token_expires_at": "999-01-01T00:00:00Z"},
}
CHECKS = [
    # the sign-ins, the names, the exit code, the words
    (["good"], [], 0, ""),
    (["good", "short"], ["twice"], 0, ""),
    (["good", "no token"], ["dev"], 0, ""),
    (["good", "no token"], [], 1, "no token: signed out\n"),
    (["token over"], [], 1, "token over: the token has run out\n"),
    (["odd"], [], 1, "odd: the token has run out\n"),
    (["over"], [], 1, f"over: good until {protocol.moment(NOW - HOUR)} only\n"),
    (["unknown"], [], 1, "unknown: good until unknown only\n"),
    (["good"], ["keys"], 1, "keys: not watched: static keys\n"),
    (["good"], ["dev", "nope"], 2, ""),
    ([], [], 1, "there is no sign-in to check\n"),
]


@pytest.fixture
def publish(home):
    """Publish as a running watcher does; this process holds the lock."""
    held = []

    def write(sign_ins):
        os.makedirs(paths.state_dir(), 0o700)  # noqa: PTH103
        fd = os.open(paths.watcher_lock(), os.O_RDWR | os.O_CREAT, 0o600)
        held.append(fd)
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.write(fd, str(os.getpid()).encode())
        document = protocol.document(NOW, protocol.WatcherFacts(os.getpid(), NOW), None, [], [])
        document |= {"sign_ins": sign_ins, "unwatched": [{"profile": "keys", "reason": "static keys"}]}
        with open(paths.status_file(), "wb") as file:  # noqa: PTH123
            file.write(protocol.encoded(document))

    yield write
    for fd in held:
        os.close(fd)


@pytest.mark.parametrize(
    ("sign_ins", "names", "code", "words"), CHECKS, ids=[f"{row[1]} of {row[0]}" for row in CHECKS]
)
def test_the_short_way_of_check_answers_as_the_long_one(publish, capsys, sign_ins, names, code, words):
    publish([SIGN_INS[name] for name in sign_ins])
    answers = []
    for way in (status.main, lambda given: cli.main(["status", *given])):
        answers.append((way(["--check", *names]), *capsys.readouterr()))
        answers.append((way([*names, "--check"]), *capsys.readouterr()))
    assert all(one == answers[0] for one in answers)
    assert answers[0][:2] == (code, words)


def test_check_loads_no_more_than_it_needs(publish, home):
    publish([SIGN_INS["good"]])
    program = (
        "import sys; bare = set(sys.modules); from ssowatch.commands import status;"
        "code = status.main(['--check', 'dev']); print(*set(sys.modules) - bare); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert not {"re", "json", "argparse", "datetime", "hashlib", "typing", "enum"} & set(done.stdout.split())
