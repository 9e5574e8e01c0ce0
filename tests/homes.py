"""Homes for tests: AWS configs, token files, and a watcher that runs in them."""

from __future__ import annotations

import json
import os
import random
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from ssowatch import paths, tokenfile
from ssowatch.clock import utc_now

REQUIRED = bool(os.environ.get("SSOWATCH_CI"))
"""In CI nothing may be skipped: what a laptop lacks is an error there."""
PATIENCE = 120.0
"""Seconds; far more than anything takes on a machine that is busy with other things, too."""

CONFIG = """\
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = ReadOnly

[profile prod]
sso_session = corp
sso_account_id = 222222222222
sso_role_name = ReadOnly
"""


def aws_config(home: Path, text: str = CONFIG) -> Path:
    """Write ~/.aws/config."""
    path = home / ".aws" / "config"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def own_config(home: Path, text: str) -> Path:
    """Write our config."""
    path = home / ".config" / "ssowatch" / "config.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o600)
    return path


def token_path(name: str = "corp") -> Path:
    """Where the SDKs look for the token of a sign-in."""
    path = Path(paths.token_file(name))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def token(left: timedelta = timedelta(hours=1), **more: Any) -> dict[str, Any]:
    """A token file's content as the AWS CLI writes it; None takes a key away."""
    content = {
        "startUrl": "https://d-1234567890.awsapps.com/start",
        "region": "us-east-1",
        "accessToken": "access-canary",
        "expiresAt": tokenfile.stamp(utc_now() + left),
        "clientId": "client-id",
        "clientSecret": "secret-canary",
        "registrationExpiresAt": tokenfile.stamp(utc_now() + timedelta(days=60)),
        "refreshToken": "refresh-canary",
        **more,
    }
    return {key: value for key, value in content.items() if value is not None}


def write_token(content: dict[str, Any], name: str = "corp") -> Path:
    """Write a token file the way botocore does: as a whole."""
    path = token_path(name)
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps(content))
    fresh.chmod(0o600)
    fresh.replace(path)
    return path


def ssowatch(*arguments: str, timeout: float = PATIENCE, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "ssowatch", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        env={**os.environ, **environ},
    )


def status() -> dict[str, Any]:
    """What `ssowatch status --json` answers."""
    answer = ssowatch("status", "--json")
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def sign_in(name: str = "corp") -> dict[str, Any]:
    """One sign-in of the answer."""
    return next(one for one in status()["sign_ins"] if one["name"] == name)


def free_port() -> int:
    """One below those that the kernel gives to connections: nobody takes it between this look and its use."""
    for port in random.sample(range(20_000, 26_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no free port")


def gone(pid: int) -> bool:
    """Ended. A zombie is: its new parent may not have fetched it, and a container's first process may fetch none."""
    with suppress(OSError):
        os.kill(pid, 0)
        status = Path(f"/proc/{pid}/stat")
        return Path("/proc/self").exists() and status.read_text().rpartition(")")[2].split()[0] in "ZX"
    return True


def wait_for(true: Callable[[], Any], what: str, seconds: float = PATIENCE, look_every: float = 0.02) -> Any:
    """Wait until it is so; fails with `what` after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(look_every)
    return value


class Running:
    """A watcher in the current HOME."""

    def __init__(self, log: Path, **environ: str) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ssowatch", "run"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                env={**os.environ, **environ},
            )

    def published(self) -> dict[str, Any] | None:
        """What this watcher published, once it did."""
        try:
            content = json.loads(Path(paths.status_file()).read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return content if content["watcher"]["pid"] == self.process.pid else None

    def until(self, true: Callable[[dict[str, Any]], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait until the published state is so."""

        def so() -> Any:
            assert self.process.poll() is None, f"the watcher ended:\n{self.log.read_text()}"
            content = self.published()
            return content and true(content)

        try:
            return wait_for(so, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.published()}\n{self.log.read_text()}") from None

    def until_state(self, state: str, name: str = "corp") -> dict[str, Any]:
        """Wait for a sign-in's state, and return the sign-in."""
        return self.until(
            lambda now: next((one for one in now["sign_ins"] if one["name"] == name and one["state"] == state), None),
            f"{name} is {state}",
        )

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        self.process.terminate()
        return self.process.wait(PATIENCE)


@contextmanager
def watcher(home: Path, **environ: str) -> Iterator[Running]:
    """A watcher, ended whatever happens."""
    running = Running(home / "watcher.log", **environ)
    try:
        running.until(lambda _: True, "the watcher published")
        yield running
    finally:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()
