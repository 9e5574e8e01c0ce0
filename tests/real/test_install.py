"""What a user installs: the wheel, in an environment of its own, in a home that has nothing.

Rules of this file:
1. The wheel is built and installed once, by the tools a user has; what needs the network is tried three times.
2. The program is the installed console script, started outside the source tree, with HOME and PATH alone.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from real.machine import AWS_CONFIG, START_URL, Program, until, write_in_place

from ssowatch.clock import utc_now
from ssowatch.paths import key
from ssowatch.tokenfile import stamp

pytestmark = pytest.mark.real

STATE = ".local/state/ssowatch"
DOCUMENT = ["version", "written_at", "watcher", "problem", "sign_ins", "unwatched"]
SIGN_IN = [
    *("name", "kind", "state", "start_url", "region", "good_until", "good_until_certain", "renews_silently"),
    *("token_expires_at", "renew_at", "ends_at", "ends_at_source", "registration_expires_at", "profiles"),
    *("mcp_servers", "problem", "paused_until"),
]
"""The keys of the contract, in its order."""


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty home, under a short name, so that the socket lies in it."""
    return tmp_path_factory.mktemp("h")


def made(home: Path) -> set[str]:
    """Every file below this home."""
    return {str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir()}


def test_a_first_hour_without_any_config(program, home, tmp_path):
    environ = {"HOME": str(home), "PATH": os.defpath}

    def ssowatch(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [program, *arguments], env=environ, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path
        )

    def published() -> dict[str, Any]:
        with suppress(FileNotFoundError):
            return json.loads((home / STATE / "status.json").read_text())
        return {"watcher": {"pid": None}}

    before = ssowatch("status")
    assert (before.returncode, before.stderr) == (0, "")
    assert "aws configure sso" in before.stdout
    assert "ssowatch run" in before.stdout
    assert made(home) == set(), "looking writes nothing"

    watcher = Program([program, "run"], environ, tmp_path / "watcher.txt")
    try:
        until(lambda: published()["watcher"]["pid"] == watcher.pid, "the watcher published its state")
        files = {f"{STATE}/{name}" for name in ("status.json", "watcher.lock", "socket")}
        until(lambda: made(home) == files, "these files and no other")
        assert all(path.stat().st_mode & 0o077 == 0 for path in home.rglob("*")), "for the user alone"
        said = ssowatch("status", "--json")
        assert (said.returncode, said.stderr) == (0, "")
        assert said.stdout == (home / STATE / "status.json").read_text()
        empty = json.loads(said.stdout)
        assert list(empty) == DOCUMENT
        assert (empty["version"], empty["sign_ins"], empty["unwatched"]) == (1, [], [])
        assert list(empty["watcher"]) == ["running", "pid", "since", "paused_until"]
        assert list(empty["problem"]) == ["code", "message", "fix"]
        assert (empty["problem"]["code"], empty["problem"]["fix"]) == ("no_aws_config", "run: aws configure sso")
        said = ssowatch("status")
        assert (said.returncode, said.stderr) == (0, "")
        assert "aws configure sso" in said.stdout
        assert f"pid {watcher.pid}" in said.stdout

        # What `aws configure sso` writes, in a home that had no ~/.aws: the heartbeat finds it, at its 30 s.
        token = {
            "startUrl": START_URL,
            "region": "us-east-1",
            "accessToken": "an access token",
            "expiresAt": stamp(utc_now() + timedelta(minutes=59)),
            "clientId": "a client",
            "clientSecret": "its secret",
            "registrationExpiresAt": stamp(utc_now() + timedelta(days=90)),
            "refreshToken": "a refresh token",
        }
        cache = home / ".aws/sso/cache"
        cache.mkdir(parents=True)
        (home / ".aws/config").write_text(AWS_CONFIG)
        write_in_place(cache / f"{key('corp')}.json", json.dumps(token))

        second = ssowatch("run")
        assert (second.returncode, second.stderr) == (0, "")
        assert second.stdout == f"ssowatch: already running (pid {watcher.pid})\n"

        document = until(lambda: (seen := published())["sign_ins"] and seen, "the new config is seen")
        assert (document["watcher"]["pid"], document["problem"]) == (watcher.pid, None)
        assert [list(one) for one in document["sign_ins"]] == [SIGN_IN] * 2
        corp, old = document["sign_ins"]
        assert (corp["name"], corp["state"], corp["profiles"]) == ("corp", "valid", ["dev", "chained"])
        assert (corp["renews_silently"], corp["ends_at_source"], corp["problem"]) == (True, "assumed", None)
        assert corp["token_expires_at"] == token["expiresAt"]
        assert (old["name"], old["state"], old["profiles"]) == (START_URL, "signed_out", ["old"])
        assert ssowatch("status", "dev", "--check", "--min", "30m").returncode == 0

        assert watcher.terminate() == 0
    finally:
        watcher.kill()
    assert "Traceback" not in watcher.said()
    memory = {f"{STATE}/memory/{key('corp')}.json", f"{STATE}/locks/{key('corp')}.memory"}
    given = {".aws/config", f".aws/sso/cache/{key('corp')}.json"}
    assert made(home) == {f"{STATE}/status.json", f"{STATE}/watcher.lock"} | memory | given
    assert ssowatch("status").returncode == 0
