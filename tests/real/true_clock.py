"""A user's machine on the true clock, with an Identity Center in the test's own process: for races and crashes.

Rules of this file:
1. No clock is moved. A token is made old by its file alone (`age`): the file says when a client renews, while Identity
   Center's own idea of the token's life stays, as after a renewal that was late.
2. An overlap is made, not hoped for: `Crossroads` holds each CreateToken call until the test lets it in, so that every
   client has read the old file before any has an answer.
3. Who calls is told by the user agent.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from real.machine import CLIENT_NAME, PATIENCE, Machine, Program, until
from simulator.clients import clients
from simulator.server import Simulator

from ssowatch import tokenfile
from ssowatch.clock import utc_now
from ssowatch.demo.center import wire
from ssowatch.demo.center.calls import Caller
from ssowatch.demo.center.state import Result

IN_CI = os.environ.get("SSOWATCH_CI") == "1"
SOON = timedelta(minutes=4)
"""Left of a token that everybody wants to renew: boto3 below 15 minutes, the JS SDK below 5."""
RUN_OUT = timedelta(minutes=-1)


class TrueClock:
    """What `Machine` asks of a clock."""

    environ: dict[str, str] = {}  # noqa: RUF012 - never changed

    def now(self) -> datetime:
        """It is what it is."""
        return utc_now()


def required(true: object, what: str) -> None:
    """Skip where a laptop lacks it; CI may not."""
    if not true:
        assert not IN_CI, f"CI installs {what}"
        pytest.skip(f"there is no {what}")


def who(user_agent: str) -> str:
    """The program behind a call."""
    if "aws-sdk-js" in user_agent:
        return "js"
    if CLIENT_NAME in user_agent:
        return "boto3"
    return "cli" if "aws-cli" in user_agent else "ssowatch"


class Crossroads(Simulator):
    """An Identity Center before which CreateToken calls can be held, and which remembers what it gave out."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.given: list[str] = []
        """Every access token of CreateToken, in order."""
        self.gave = threading.Event()
        """Set at each of them; the test clears it."""
        self._held: dict[str, threading.Event] | None = None
        self._door = threading.Lock()

    def hold(self) -> None:
        """From now on the first CreateToken call of each program waits."""
        with self._door:
            self._held = {}

    def waiting(self) -> set[str]:
        """Whose call waits."""
        with self._door:
            return {name for name, turn in (self._held or {}).items() if not turn.is_set()}

    def let_in(self, name: str) -> None:
        """Look at this one's call now, and come back when its answer is decided."""
        before = len(self.calls("CreateToken"))
        with self._door:
            assert self._held is not None
            self._held[name].set()
        until(lambda: len(self.calls("CreateToken")) > before, f"the call of {name} is looked at", look_every=0.001)

    def callers(self) -> list[str]:
        """Who asked for a token and what came of it, in order."""
        return [f"{who(call.user_agent)} {call.outcome}" for call in self.calls("CreateToken")]

    def act_in(self, request: wire.Request, met: Any, caller: Caller) -> wire.Answer | None:
        """As ever, but in its turn."""
        if request.operation == "CreateToken":
            with self._door:
                name = who(caller.user_agent)
                turn = None
                if self._held is not None and name not in self._held:
                    turn = self._held[name] = threading.Event()
            if turn:
                turn.wait(PATIENCE)
        return super().act_in(request, met, caller)

    def act(self, request: wire.Request, caller: Caller, sent: Callable[[Result], Result] = dict) -> wire.Answer:
        """As ever, and remember the token."""

        def noted(result: Result) -> Result:
            if request.operation == "CreateToken":
                self.given.append(result["accessToken"])
                self.gave.set()
            return sent(result)

        return super().act(request, caller, noted)

    def takes(self, access_token: str) -> bool:
        """Whether the portal takes it."""
        with clients() as made:
            portal = made.connect("sso", self.url)
            try:
                portal.list_accounts(accessToken=access_token)
            except portal.exceptions.UnauthorizedException:
                return False
        return True


@contextlib.contextmanager
def on_true_clock(folder: Path, **settings: Any) -> Iterator[Machine]:
    """A machine and its Identity Center; role credentials there live 5 minutes, so a client asks at every call."""
    with Crossroads(role_life=timedelta(minutes=5), **settings) as simulator:
        machine = Machine(folder, TrueClock(), simulator)  # type: ignore[arg-type] # what it asks of them is all there
        try:
            yield machine
        finally:
            simulator.clear_faults()
            machine.close()
        complaints = [said for _, said in machine.outputs() if "Traceback" in said or "a tick failed" in said]
        assert not complaints, "\n".join(complaints)


def age(machine: Machine, left: timedelta) -> dict[str, str]:
    """Let the file say that its token ends so soon. Written as a whole, so that no reader is disturbed by the test."""
    token: dict[str, str] = json.loads(machine.token_file.read_text())
    token["expiresAt"] = tokenfile.stamp(utc_now() + left)
    fresh = machine.token_file.with_suffix(".aged")
    fresh.write_text(json.dumps(token))
    fresh.chmod(0o600)
    fresh.replace(machine.token_file)
    return token


def started(machine: Machine, *arguments: str) -> Program:
    """`ssowatch`, running beside the test."""
    number = len(machine._programs)
    command = [sys.executable, "-m", "ssowatch", *arguments]
    program = Program(command, machine.environ, machine.home.parent / f"ssowatch{number}.txt")
    machine._programs.append(program)
    return program
