"""The demo's stage: a throw-away home, a simulated portal, the real watcher and the "MCP server" in it.

Rules of this file:
1. Everything lies in one temporary directory and ends with the `with`, however it is left.
2. No process of the demo sees the user's home, AWS settings or proxies.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Caller
from ssowatch.demo.center.refusal import Refusal
from ssowatch.demo.center.server import Server
from ssowatch.demo.center.state import Result
from ssowatch.demo.fast_clock import VARIABLE, FastClock
from ssowatch.paths import key

_AWS_CONFIG = """\
[sso-session corp]
sso_start_url = https://d-1234567890.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = ReadOnly
region = us-east-1
"""
# The heartbeat counts real seconds; on a clock that runs fast every one of them would look like a sleep.
# No channel: the desktop is the user's own, and its notices are for what is real.
_OWN_CONFIG = "heartbeat: 200ms\nresume_threshold: 30m\nnotify: []\nsign_ins: {{corp: {{length: {hours}h}}}}\n"
_SITE = "from ssowatch.demo import fast_clock\nfast_clock.install()\n"
_KEPT = ("PATH", "LANG", "LC_ALL", "TERM", "SYSTEMROOT", "VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")
_PATIENCE = 120.0


class Portal(Server):
    """An Identity Center that can be out of order: its token service answers 500, the access portal goes on."""

    out_of_order = False

    def act(self, request: wire.Request, caller: Caller, sent: Callable[[Result], Result] = dict) -> wire.Answer:
        """As ever, or nothing but 500."""
        if self.out_of_order and request.operation == "CreateToken":
            return wire.bad(request.operation, Refusal("InternalServerException"))
        return super().act(request, caller, sent)


class Stage:
    """What the story can do and see."""

    def __init__(self, home: Path, clock: FastClock, portal: Portal, rate: float) -> None:
        self.clock = clock
        self.portal = portal
        self._home = home
        self._rate = rate
        self._processes: list[subprocess.Popen[str]] = []

    def sign_in(self) -> None:
        """A person signs in; the file is written as `aws sso login` writes it."""
        path = self._home / ".aws/sso/cache" / f"{key('corp')}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.portal.sign_in()))

    def start_watcher(self) -> None:
        """`ssowatch run`, and wait until it has looked once."""
        log = (self._home / "watcher.log").open("w")
        self._start([sys.executable, "-m", "ssowatch", "run"], stdout=log, stderr=log)
        log.close()
        self.until(lambda state: state["watcher"]["running"], "the watcher runs")

    def start_mcp_server(self) -> None:
        """The program whose calls must not fail."""
        pipe = subprocess.PIPE
        self._server = self._start([sys.executable, "-m", "ssowatch.demo.mcp_server"], stdin=pipe, stdout=pipe)

    def call(self) -> dict[str, Any]:
        """One call of the MCP server: `ok`, and what it got or the error text."""
        self.clock.run()  # a call takes as long as it takes
        if self._server.stdin is None or self._server.stdout is None:
            raise RuntimeError("the MCP server has no pipes")
        self._server.stdin.write("call\n")
        self._server.stdin.flush()
        said: dict[str, Any] = json.loads(self._server.stdout.readline())
        return said

    def status(self) -> str:
        """What `ssowatch status` prints."""
        command = [sys.executable, "-m", "ssowatch", "status"]
        environ = {**self._environ(), "COLUMNS": "72"}  # it is shown indented
        return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.rstrip()

    def until(self, so: Callable[[dict[str, Any]], Any], what: str) -> None:
        """Wait, at the pace of real time, until the published state is so.

        Raises:
            TimeoutError: it does not come about.

        """
        self.clock.run()
        deadline = time.monotonic() + _PATIENCE
        while not ((state := self.state()) and so(state)):
            if time.monotonic() > deadline:
                log = (self._home / "watcher.log").read_text()
                raise TimeoutError(f"waited for: {what}; the watcher's log:\n{log}")
            time.sleep(0.05)

    def pass_until(self, moment: datetime) -> None:
        """Let the clock run fast until `moment`, but not while a renewal is being made: that takes its real time."""
        while (now := self.clock.now()) < moment:
            state = self.state() or {"sign_ins": []}
            failing = any(one["problem"] for one in state["sign_ins"])
            due = [_moment(one["renew_at"]) for one in state["sign_ins"] if one["renew_at"] and not failing]
            if any(at <= now for at in due):
                self.clock.run()
            else:
                self.clock.run(self._rate, min([moment, *due]))
            time.sleep(0.02)
        self.clock.run()

    def state(self) -> dict[str, Any] | None:
        """The published state, once there is one."""
        try:
            content: dict[str, Any] = json.loads((self._home / ".local/state/ssowatch/status.json").read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        return content

    def close(self) -> None:
        """End all processes."""
        for process in self._processes:
            if process.stdin:
                process.stdin.close()
            process.terminate()
        for process in self._processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout:
                process.stdout.close()

    def _start(
        self,
        command: list[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: IO[str] | int,
        stderr: IO[str] | None = None,
    ) -> subprocess.Popen[str]:
        # Of its own session: Ctrl-C is for the story, which then ends them in order.
        process = subprocess.Popen(
            command, env=self._environ(), cwd=self._home, text=True, start_new_session=True,
            stdin=stdin, stdout=stdout, stderr=stderr,
        )  # fmt: skip
        self._processes.append(process)
        return process

    def _environ(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        where = {
            VARIABLE: str(self._home / "clock"),
            "PYTHONPATH": str(self._home / "site"),
            "HOME": str(self._home),
            "TZ": "UTC",
        }
        return {**kept, **where, **self.portal.environ}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@contextmanager
def stage(rate: float, sign_in_length: timedelta) -> Iterator[Stage]:
    """A stage on which it is nine o'clock, in UTC."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ssowatch-demo-")))
        own = _OWN_CONFIG.format(hours=sign_in_length // timedelta(hours=1))
        for name, text in (
            (".aws/config", _AWS_CONFIG),
            (".config/ssowatch/config.yaml", own),
            ("site/sitecustomize.py", _SITE),
        ):
            path = home / name
            path.parent.mkdir(parents=True)
            path.write_text(text)
            path.chmod(0o600)
        clock = FastClock(home / "clock", datetime(2026, 1, 5, 9, tzinfo=UTC))
        stack.callback(clock.close)
        portal = stack.enter_context(
            Portal(clock=clock.now, session_length=sign_in_length, role_life=timedelta(minutes=5))
        )
        on = Stage(home, clock, portal, rate)
        stack.callback(on.close)
        yield on
