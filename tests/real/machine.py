"""A user's machine: one HOME, one moved clock, and the real programs that run there.

Rules of this file:
1. Nothing of the developer's own environment reaches a program: its environment is built here, not inherited.
2. A test waits for a condition with `until`, which looks every 20 ms and gives up after two minutes; nothing ever sleeps
   for a time that is hoped to be enough.
3. No program outlives its test, nor does any child of one: each leads a process group, which is killed as a whole.
4. What the programs print goes to files, which are shown when the test fails.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO, Any, TypeVar

from real.moved_clock import Clock
from simulator.remote import RemoteSimulator

from ssowatch.paths import key

PATIENCE = 120.0
"""Seconds; far more than anything takes on a loaded machine."""
_LOOK_EVERY = 0.02
START_URL = "https://d-1234567890.awsapps.com/start"
AWS_CONFIG = f"""
[sso-session corp]
sso_start_url = {START_URL}
sso_region = us-east-1
sso_registration_scopes = sso:account:access

[profile dev]
sso_session = corp
sso_account_id = 111111111111
sso_role_name = Developer
region = us-east-1

# Its role credentials live for 15 minutes, so that boto3 fetches them again at each call.
[profile chained]
role_arn = arn:aws:iam::333333333333:role/Deploy
source_profile = dev
duration_seconds = 900
region = us-east-1

[profile old]
sso_start_url = {START_URL}
sso_region = us-east-1
sso_account_id = 222222222222
sso_role_name = ReadOnly
region = us-east-1
"""
SSOWATCH_CONFIG = "heartbeat: 200ms\n"
CLIENT_NAME = "an-mcp-server"
"""In the user agent of every call that the AWS client makes, and of no other."""
BOTO3_PROGRAM = (sys.executable, Path(__file__).with_name("boto3_program.py"))


_T = TypeVar("_T")


def until(
    condition: Callable[[], _T | None], what: str, patience: float = PATIENCE, look_every: float = _LOOK_EVERY
) -> _T:
    """The first answer of `condition` that is true."""
    deadline = time.monotonic() + patience
    while not (found := condition()):
        assert time.monotonic() < deadline, f"not within {patience:.0f} s: {what}"
        time.sleep(look_every)
    return found


def bare_environ(home: Path) -> dict[str, str]:
    """What a program needs at all. No bus: no test shows a notice on the desktop of whoever runs it."""
    nowhere = "unix:path=/nonexistent"
    buses = {"DBUS_SESSION_BUS_ADDRESS": nowhere, "DBUS_SYSTEM_BUS_ADDRESS": nowhere}
    path = {"HOME": str(home), "PATH": os.defpath}
    return {**path, "NO_PROXY": "127.0.0.1", "AWS_EC2_METADATA_DISABLED": "true", **buses}


class Program:
    """A running program whose output is kept."""

    def __init__(
        self,
        command: Sequence[str | Path],
        environ: Mapping[str, str],
        output: Path,
        stdin: IO[str] | int | None = None,
    ) -> None:
        self.output = output
        with output.open("ab") as file:
            self.process = subprocess.Popen(
                command,
                env=dict(environ),
                cwd=output.parent,  # not the source tree, from which Python would import
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=subprocess.PIPE if stdin else file,
                stderr=file,
                text=True,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    def lives(self) -> bool:
        """True until it ended."""
        return self.process.poll() is None

    def said(self) -> str:
        """All it printed so far."""
        return self.output.read_text(errors="replace")

    def terminate(self, patience: float = PATIENCE) -> int:
        """SIGTERM; its exit code."""
        self.process.terminate()
        return self.process.wait(patience)

    def kill(self) -> None:
        """SIGKILL, to it and all its children."""
        with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS: only zombies are left
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                with contextlib.suppress(OSError):
                    pipe.close()


@dataclass(frozen=True, slots=True)
class Said:
    """What the AWS client's call came to."""

    ok: bool
    arn: str = ""
    error: str = ""
    text: str = ""


class AwsClient(Program):
    """`boto3_program.py`, or another that answers as it does, running."""

    def __init__(self, environ: Mapping[str, str], output: Path, command: Sequence[str | Path] = BOTO3_PROGRAM) -> None:
        named = {**environ, "AWS_SDK_UA_APP_ID": CLIENT_NAME}
        super().__init__(command, named, output, subprocess.PIPE)
        self._answers: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(ValueError):  # closed
            for line in self.process.stdout:
                self._answers.put(line)

    def call(self, profile: str) -> Said:
        """One call to AWS with this profile."""
        assert self.process.stdin
        self.process.stdin.write(f"call {profile}\n")
        self.process.stdin.flush()
        return Said(**json.loads(self._answers.get(timeout=PATIENCE)))

    def works(self, *profiles: str) -> bool:
        """True, or the assertion that failed says why not."""
        for profile in profiles or ("dev", "chained"):
            said = self.call(profile)
            assert said.ok, f"{profile}: {said}"
        return True


class Machine:
    """Everything that belongs to one user."""

    def __init__(self, folder: Path, clock: Clock, simulator: RemoteSimulator) -> None:
        self.clock = clock
        self.simulator = simulator
        self.home = folder / "home"
        self._folder = folder
        self._programs: list[Program] = []
        self.token_file = self.home / ".aws/sso/cache" / f"{key('corp')}.json"
        self.token_file.parent.mkdir(parents=True)
        (self.home / ".aws/config").write_text(AWS_CONFIG)
        (self.home / ".config/ssowatch").mkdir(parents=True, mode=0o700)
        (self.home / ".config/ssowatch/config.yaml").write_text(SSOWATCH_CONFIG)
        self.environ = {**bare_environ(self.home), **clock.environ, **simulator.environ}
        self.watcher: Program | None = None

    # Programs

    def start_watcher(self, *options: str) -> Program:
        """`ssowatch run`, which has published what it sees."""
        command = [sys.executable, "-m", "ssowatch", "run", *options]
        watcher = self.watcher = Program(command, self.environ, self._folder / "watcher.txt")
        self._programs.append(watcher)
        until(lambda: self.published() is not None, "the watcher published its state")
        return watcher

    def start_client(self, command: Sequence[str] = BOTO3_PROGRAM, **environ: str) -> AwsClient:
        """An AWS program for life."""
        output = self._folder / f"client{len(self._programs)}.txt"
        client = AwsClient({**self.environ, **environ}, output, command)
        self._programs.append(client)
        return client

    def ssowatch(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that a person types."""
        command = [sys.executable, "-m", "ssowatch", *arguments]
        return subprocess.run(
            command, env=self.environ, capture_output=True, text=True, timeout=PATIENCE, check=False, cwd=self._folder
        )

    def close(self) -> None:
        """End every program."""
        for program in self._programs:
            program.kill()

    def outputs(self) -> Iterable[tuple[str, str]]:
        """What each program printed, for a person."""
        for program in self._programs:
            yield f"{program.output.stem} (pid {program.pid})", program.said()

    # What a person, and the programs of others, do

    def sign_in(self, **arguments: Any) -> dict[str, str]:
        """`aws sso login`: a new sign-in, written as the AWS CLI writes."""
        token: dict[str, str] = self.simulator.sign_in(**arguments)
        write_in_place(self.token_file, json.dumps(token))
        return token

    # What is true

    def published(self) -> dict[str, Any] | None:
        """The state that the watcher published; None while it has not."""
        watcher = self.watcher
        assert watcher, "no watcher was started"
        assert watcher.lives(), f"the watcher ended with {watcher.process.returncode}"
        try:
            published: dict[str, Any] = json.loads((self.home / ".local/state/ssowatch/status.json").read_text())
        except FileNotFoundError:
            return None
        return published if published["watcher"]["pid"] == watcher.pid else None

    def corp(self) -> dict[str, Any]:
        """What the watcher says of the one sign-in."""
        published = self.published()
        assert published
        return next(one for one in published["sign_ins"] if one["name"] == "corp")

    def until(
        self, condition: Callable[[dict[str, Any]], Any], what: str, patience: float = PATIENCE
    ) -> dict[str, Any]:
        """Wait until `condition` holds of what the watcher says of the sign-in, and return that."""
        last: dict[str, Any] = {}

        def holds() -> dict[str, Any] | None:
            nonlocal last
            last = self.corp()
            return last if condition(last) else None

        try:
            return until(holds, what, patience)
        except AssertionError as error:
            raise AssertionError(f"{error}\nthe clock: {self.clock.now()}; the last state: {last}") from None

    def is_fresh(self, corp: dict[str, Any]) -> bool:
        """True of a sign-in that needs nothing: calls work, nothing is wrong, the next renewal is long ahead.

        A renewal that was cut off is due again within seconds, so a moment ahead alone would not tell.
        """
        soon = self.clock.now() + timedelta(minutes=10)
        return bool(
            corp["state"] == "valid" and not corp["problem"] and corp["renew_at"] and moment(corp["renew_at"]) > soon
        )

    def until_fresh(self) -> dict[str, Any]:
        """Wait until the sign-in needs nothing now."""
        return self.until(self.is_fresh, "the sign-in is valid and not due")

    def jump_to_renewal(self) -> None:
        """Move the clock to just past the moment for which a renewal is announced."""
        self.clock.jump_to(moment(self.until_fresh()["renew_at"]) + timedelta(seconds=1))

    def renewals(self) -> list[str]:
        """The outcome of every CreateToken call of ssowatch, in order."""
        return [call.outcome for call in self.simulator.calls("CreateToken") if CLIENT_NAME not in call.user_agent]

    def renewals_of_clients(self) -> list[str]:
        """The same of the AWS clients."""
        return [call.outcome for call in self.simulator.calls("CreateToken") if CLIENT_NAME in call.user_agent]


def moment(text: str) -> datetime:
    """A moment of the published state."""
    return datetime.fromisoformat(text)


def write_in_place(path: Path, content: str) -> None:
    """As AWS CLI v2 writes a token file: cut off, then written; a reader may see it empty."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.ftruncate(file, 0)
        os.write(file, content.encode())
    finally:
        os.close(file)
