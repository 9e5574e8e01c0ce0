"""The scene of one round: a machine as in `real.machine`, on a small disk of its own, with a service manager.

Rules of this file:
1. The home is a file system of its own (tmpfs, as root), so that it can be filled, closed and taken away.
2. The watcher is the console script, started again whenever it dies, as the unit says: `Restart=on-failure`, but not
   after exit 78. An exit nobody asked for is remembered.
3. `pass_time` moves both clocks, as an hour that passes does; `clock` alone is a machine whose clock is wrong.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from real import javascript
from real.canaries import below
from real.machine import BOTO3_PROGRAM, AwsClient, Machine, Program, moment, until
from real.moved_clock import Clock
from simulator.faults import Fault as Weather
from simulator.faults import Kind
from simulator.remote import RemoteSimulator, running

from faults.names import HOST, NAMES
from faults.witness import Witness

ROOT = os.geteuid() == 0
SSOWATCH = Path(sys.executable).with_name("ssowatch")
HEARTBEAT_AND_BACK_OFF = timedelta(seconds=30 + 300)
"""What is promised: the right state within one heartbeat and the longest back-off."""
POWERLESS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all") if ROOT else ()
_CONFIG = """\
heartbeat: 200ms
resume_threshold: 1h  # time is passed in steps below it; a suspend is longer
notify: [{{command: ["{notifier}"]}}]
sign_ins: {{corp: {{length: 90d}}}}  # else its end would be assumed after 8 h
"""
_TELL = '#!/bin/sh\ncat >> "{folder}/notices"\n'
_BROWSER = '#!/bin/sh\necho "$1" >> "{folder}/tabs"\nexec sleep 600\n'
_CENTER = {
    "role_life": timedelta(minutes=5),  # a client asks at every call
    "session_length": timedelta(days=800),  # a sign-in ends when a fault ends it
    "registration_life": timedelta(days=1200),
    "grace": timedelta(days=1),
}


class Scene(Machine):
    """Everything of one round."""

    def __init__(self, folder: Path, clock: Clock, center_clock: Clock, chance: random.Random) -> None:
        self._stack = contextlib.ExitStack()
        self._center_clock = center_clock
        self._settings = {**_CENTER, "refresh_tokens": chance.choice(["same", "grace", "none"])}
        self._centers = 0
        self.folder = folder
        self.exits: list[int] = []
        """Of watchers that nobody stopped."""
        self.asked_tabs = 0
        """How many tabs were asked for."""
        super().__init__(folder, clock, self._center())
        for name, text in (("notifier", _TELL), ("browser", _BROWSER)):
            (folder / name).write_text(text.format(folder=folder))
            (folder / name).chmod(0o755)
        config = self.home / ".config/ssowatch/config.yaml"
        config.write_text(_CONFIG.format(notifier=folder / "notifier"))
        self.environ["BROWSER"] = str(folder / "browser")
        if NAMES.is_alive():
            self.environ["NO_PROXY"] = f"127.0.0.1,{HOST}"
            self.environ |= {name: url.replace("127.0.0.1", HOST) for name, url in self.simulator.environ.items()}
        self.witness = Witness(self.token_file)
        self.witness.start()
        self.client: AwsClient | None = None
        self.description = f"{self._settings['refresh_tokens']} refresh token"

    def _center(self) -> RemoteSimulator:
        """A new Identity Center, at the port that its predecessor had."""
        self._centers += 1
        ports = self.folder / f"ports{self._centers}"
        center = self._stack.enter_context(running(ports, environ=self._center_clock.environ, settings=self._settings))
        self._settings["port"] = center.port
        return center

    # Programs

    def start_watcher(self, *options: str, within: Sequence[str] = POWERLESS) -> Program:
        """The service, by its console script."""
        command = [*within, SSOWATCH, "run", *options]
        watcher = self.watcher = Program(command, self.environ, self.folder / "watcher.txt")
        self._programs.append(watcher)
        return watcher

    def start_some_client(self, chance: random.Random) -> None:
        """boto3, or the SDK for JavaScript where it is there."""
        commands: list[tuple[Sequence[str | Path], dict[str, str]]] = [(BOTO3_PROGRAM, {})]
        if shutil.which("node") and (javascript.MODULES / "@aws-sdk").is_dir():
            commands.append(javascript.program())
        command, environ = chance.choice(commands)
        self.client = self.start_client([*POWERLESS, *map(str, command)], **environ)
        self.description += f", {'JavaScript' if environ else 'boto3'}"

    def start(self, name: str, *arguments: str, **environ: str) -> Program:
        """`ssowatch`, running beside the rest."""
        command = [*POWERLESS, SSOWATCH, *arguments]
        program = Program(command, {**self.environ, **environ}, self.folder / f"{name}.txt")
        self._programs.append(program)
        return program

    def ssowatch(self, *arguments: str, patience: float = 120) -> subprocess.CompletedProcess[str]:
        """A command that a person types."""
        return subprocess.run(
            [*POWERLESS, SSOWATCH, *arguments],
            env=self.environ, capture_output=True, text=True, timeout=patience, check=False, cwd=self.folder,
        )  # fmt: skip

    def tend(self) -> None:
        """Be the service manager."""
        assert self.watcher
        if not self.watcher.lives():
            code = self.watcher.process.returncode
            self.exits.append(code)
            assert code not in {0, 78}, f"the watcher ended with {code}, and would not be started again"
            self.start_watcher()

    def restart_watcher(self, within: Sequence[str] = POWERLESS) -> None:
        """Another one in its place, in another environment."""
        assert self.watcher
        self.watcher.terminate()
        self.start_watcher(within=within)

    def renewal_child(self) -> int | None:
        """The process that renews now."""
        assert self.watcher
        for pid in below(self.watcher.pid):
            with contextlib.suppress(OSError):
                if b"refresh" in Path(f"/proc/{pid}/cmdline").read_bytes():
                    return pid
        return None

    def lose_center(self) -> None:
        """Identity Center dies, and comes back without any memory."""
        os.kill(self.simulator.pid, signal.SIGKILL)
        self.simulator = self._center()

    def close(self) -> None:
        """End every program."""
        super().close()
        self.witness.stop()
        self._stack.close()

    # What passes

    def pass_time(self, by: timedelta) -> None:
        """On all clocks."""
        self.clock.jump(by)
        self._center_clock.jump(by)

    def jump_to_renewal(self) -> None:
        """To just past the moment for which a renewal is announced."""
        due = moment(self.until_fresh()["renew_at"])
        self.pass_time(max(due - self.clock.now(), timedelta()) + timedelta(seconds=2))

    def linger(self, chance: random.Random, most: float = 2.0) -> None:
        """Some time, in which the fault is met or not: chance is what is wanted."""
        end = time.monotonic() + chance.uniform(0.2, most)
        while time.monotonic() < end:
            time.sleep(0.05)
            self.tend()

    def hold_a_renewal(self) -> None:
        """A renewal is due, and its call hangs until the weather clears."""
        self.simulator.add_fault(Weather(Kind.HANG, "CreateToken"))
        self.jump_to_renewal()
        until(lambda: self._tended(lambda: "hang" in self.renewals()), "a renewal is in the middle of its call")

    def sign_in(self, **arguments: Any) -> dict[str, str]:
        """A new sign-in by another program, written as botocore writes: as a whole."""
        token: dict[str, str] = self.simulator.sign_in(**arguments)
        fresh = self.token_file.with_suffix(".new")
        fresh.write_text(json.dumps(token))
        fresh.chmod(0o600)
        fresh.replace(self.token_file)
        return token

    # What is true

    def published(self) -> dict[str, Any] | None:
        """What the present watcher published; None while it has not, or nobody can read it."""
        self.tend()
        assert self.watcher
        try:
            published: dict[str, Any] = json.loads((self.home / ".local/state/ssowatch/status.json").read_text())
        except OSError:
            return None
        return published if published["watcher"]["pid"] == self.watcher.pid else None

    def corp(self) -> dict[str, Any]:
        """What the watcher says of the sign-in; nothing where it says nothing."""
        signed_in = (self.published() or {"sign_ins": []})["sign_ins"]
        return next((one for one in signed_in if one["name"] == "corp"), {})

    def is_fresh(self, corp: dict[str, Any]) -> bool:
        """True of a sign-in that needs nothing: it works, nothing is wrong, and no attempt of a moment ago is due again.

        The last renewal may have begun long ago by a clock that was moved in the middle of its call.
        """
        right = corp and corp["state"] == "valid" and not corp["problem"] and corp["renew_at"]
        return bool(right and moment(corp["renew_at"]) > self.clock.now() + timedelta(minutes=1))

    def _tended(self, condition: Callable[[], bool]) -> bool:
        self.tend()
        return condition()

    def tabs(self) -> list[str]:
        """Every link that a browser was given."""
        return _lines(self.folder / "tabs")

    def notices(self) -> list[dict[str, Any]]:
        """Every notice that was shown."""
        return [json.loads(line) for line in _lines(self.folder / "notices")]


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


@contextlib.contextmanager
def scene(folder: Path, shim: Path, chance: random.Random) -> Iterator[Scene]:
    """A scene at rest: signed in, watched, used."""
    with contextlib.ExitStack() as stack:
        home = folder / "home"
        home.mkdir()
        if ROOT:
            mount("-t", "tmpfs", "-o", "size=8m,mode=700", "home", str(home))
            stack.callback(subprocess.run, ["umount", "--lazy", home], check=True)
        clocks = [Clock(shim, folder / name) for name in ("clock", "center_clock")]
        for clock in clocks:
            stack.callback(clock.close)
        made = stack.enter_context(contextlib.closing(Scene(folder, *clocks, chance)))
        made.sign_in()
        made.start_watcher()
        made.start_some_client(chance)
        made.until_fresh()
        yield made


def mount(*arguments: str) -> None:
    """As root, in the mount namespace of `scripts/faults`."""
    subprocess.run(["mount", *arguments], check=True)
