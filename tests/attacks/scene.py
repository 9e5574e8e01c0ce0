"""A home with a running service, seen from outside, and the one oracle that every attack is judged by.

Rules of this file:
1. The service and every command are the real ones, in processes of their own, against the simulated Identity Center.
2. Nothing here is found out by asking ssowatch's own code: files, /proc, sockets, exit codes and printed text tell.
3. Secrets are canaries; whatever could be started or opened is a trap that writes down that it was.
4. An attack puts back what it changed (`kept`); then everything must be well again, and nothing else be there.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from homes import CONFIG
from simulator.remote import RemoteSimulator, running

TOP = Path(__file__).parents[2]
PATIENCE = 120.0
"""Seconds; far more than anything takes on a busy machine."""
NOBODY = 65534
CODES = {0, 1, 2, 75, 78, 130}
MOST_MEMORY = 300
"""MB that any command may take; boto3 alone is 60."""
_GROWTH = 64 << 10  # KB, over all attacks; a large state takes room that Python keeps
_CANARIES = ("CANARYACCESS", "CANARYREFRESH", "CANARYSECRET", "CANARYKEY", "CANARYPASSWORD")
_OURS = (".local/state/ssowatch", ".cache")
_TRAPS = ("xdg-open", "gio", "sensible-browser", "www-browser", "aws", "granted", "uvx", "npx", "docker", "evil")
_WATCHED = ("victim", "elsewhere", "bin")
OWN_CONFIG = "heartbeat: 1s\nnotify: []\n"


class BreachError(AssertionError):
    """What must not be, is."""


@dataclass(frozen=True, slots=True)
class Done:
    """A command that ended."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    seconds: float
    megabytes: int

    @property
    def said(self) -> str:
        """All of it."""
        return self.out + self.err

    def must(self, *codes: int, words: str = "") -> Done:
        """It ended so, and said so."""
        if self.code not in codes or words not in " ".join(self.said.split()):
            raise BreachError(f"{' '.join(self.words)!r} ended with {self.code}: {self.said[-600:]}")
        return self


@dataclass
class Scene:
    """One home and its surroundings."""

    root: Path
    center: RemoteSimulator
    watcher: subprocess.Popen[bytes] | None = None
    done: list[Done] = field(default_factory=list)
    seen: list[tuple[str, str]] = field(default_factory=list)
    """What was said by other ways: where, and the text."""
    tabs_allowed: int = 0
    may_differ: set[str] = field(default_factory=set)
    """Places below the home where an attack itself leaves something."""
    _log_read: int = 0
    _first: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.home, self.victim, self.elsewhere, self.bin = (
            self.root / name for name in ("home", "victim", "elsewhere", "bin")
        )
        self.log = self.root / "watcher.log"
        self.state = self.home / ".local/state/ssowatch"
        self.token_file = self.home

    # The world

    def build(self) -> None:
        """Lay everything out."""
        self.root.chmod(0o711)
        for folder in (self.victim, self.elsewhere, self.bin):
            folder.mkdir()
        (self.victim / "precious").write_text("nobody may touch this\n")
        (self.victim / "precious").chmod(0o640)
        for name in _TRAPS:
            trap = self.bin / name
            trap.write_text(f'#!/bin/sh\necho "{name} $*" >> {self.root}/executed\n')
            trap.chmod(0o755)
        browser = self.bin / "browser"
        browser.write_text(f'#!/bin/sh\necho "$*" >> {self.root}/tabs\n')
        browser.chmod(0o755)
        self.furnish(self.home)
        self.token_file = next((self.home / ".aws/sso/cache").iterdir())

    def furnish(self, home: Path) -> Path:
        """A home as a user has it."""
        from hashlib import sha1

        home.mkdir(mode=0o700)
        cache = home / ".aws/sso/cache"
        cache.mkdir(parents=True)
        (home / ".aws/config").write_text(CONFIG)
        (home / ".aws/credentials").write_text(
            "[keys]\naws_access_key_id = CANARYKEY\naws_secret_access_key = CANARYKEYSECRET\n"
        )
        own = home / ".config/ssowatch/config.yaml"
        own.parent.mkdir(parents=True, mode=0o700)
        own.write_text(OWN_CONFIG)
        token = cache / f"{sha1(b'corp', usedforsecurity=False).hexdigest()}.json"
        token.write_text(json.dumps(self.token()))
        token.chmod(0o600)
        return home

    def token(self, minutes: float = 60, **more: Any) -> dict[str, Any]:
        """A token file whose secrets are canaries: to the simulated Identity Center they are unknown."""
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 60 * minutes))  # noqa: TID251 - its own clock
        content = {
            "startUrl": "https://d-1234567890.awsapps.com/start",
            "region": "us-east-1",
            "accessToken": f"CANARYACCESS{secrets.token_hex(8)}",  # never the one of which something is remembered
            "expiresAt": moment,
            "clientId": "client",
            "clientSecret": "CANARYSECRET",
            "registrationExpiresAt": "2099-01-01T00:00:00Z",
            "refreshToken": "CANARYREFRESH",
        }
        return {**content, **more}

    def environ(self, home: Path | None = None, **more: str | None) -> dict[str, str]:
        """What a program is given; None takes a name away."""
        nowhere = "unix:path=/nonexistent"
        environ: dict[str, str | None] = {
            "HOME": str(home or self.home),
            "PATH": f"{self.bin}:{Path(sys.executable).parent}:{os.defpath}",
            "BROWSER": str(self.bin / "browser"),
            "NO_PROXY": "127.0.0.1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "DBUS_SESSION_BUS_ADDRESS": nowhere,
            "DBUS_SYSTEM_BUS_ADDRESS": nowhere,
            "AWS_SECRET_ACCESS_KEY": "CANARYKEYSECRET",
            "LANG": "C.UTF-8",
            **self.center.environ,
            **more,
        }
        return {name: value for name, value in environ.items() if value is not None}

    def start(self) -> None:
        """The service."""
        with self.log.open("ab") as log:
            self.watcher = subprocess.Popen(
                [sys.executable, "-P", "-m", "ssowatch", "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ(),
                cwd=self.elsewhere,
                start_new_session=True,
            )
        self.until(lambda: self.works() is None, "the service starts")
        self._first, self.stay = self.weight(), self._everything()

    def close(self) -> None:
        """End it, and whatever was left behind."""
        if self.watcher:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.watcher.pid, signal.SIGKILL)
            self.watcher.wait()

    # What an attack does

    def run(
        self,
        *words: str | bytes,
        home: Path | None = None,
        stdin: bytes = b"",
        seconds: float = PATIENCE,
        limit: int = MOST_MEMORY,
        cwd: Path | None = None,
        **more: str | None,
    ) -> Done:
        """A command as a user types it, judged at once: code, time, memory."""
        began = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, tempfile.TemporaryFile() as given:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ssowatch", *words],
                stdin=given,
                stdout=out,
                stderr=err,
                env=self.environ(home, **more),
                cwd=cwd or self.elsewhere,
                start_new_session=True,
            )
            deadline, most = began + seconds, 0
            while process.poll() is None and time.monotonic() < deadline:
                most = max(most, _peak(process.pid))
                time.sleep(0.01)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                raise BreachError(f"{words!r} hangs for {seconds:.0f} s")
            out.seek(0)
            err.seek(0)
            done = Done(
                tuple(os.fsdecode(word) for word in words),
                process.returncode,
                out.read(8 << 20).decode(errors="replace"),
                err.read(8 << 20).decode(errors="replace"),
                time.monotonic() - began,
                most >> 10,
            )
        self.done.append(done)
        if done.megabytes > limit:
            raise BreachError(f"{done.words} took {done.megabytes} MB")
        return done

    def connect(self, seconds: float = 10.0) -> socket.socket:
        """To the service's socket."""
        connection = socket.socket(
            socket.AF_UNIX
        )  # a blocking one waits while others are taken in; it says EAGAIN else
        try:
            connection.connect(str(self.state / "socket"))
        except OSError:
            connection.close()
            raise
        connection.settimeout(seconds)
        return connection

    def say(self, line: bytes, seconds: float = 30.0) -> bytes:
        """One line to the socket, and all that comes back."""
        with self.connect(seconds) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(line)
                connection.shutdown(socket.SHUT_WR)
            answer = b""
            with contextlib.suppress(ConnectionResetError):
                while part := connection.recv(1 << 16):
                    answer += part
        self.seen.append(("the socket", answer.decode(errors="replace")))
        return answer

    def as_nobody(self, program: str, *arguments: str) -> str:
        """What a Python program prints that another user of this machine runs; as that user it is started by nobody else."""
        done = subprocess.run(
            ["/usr/bin/env", "-i", sys.executable, "-IS", "-c", _DROP + program, *arguments],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
            cwd="/",
        )
        if done.returncode:
            raise BreachError(f"the other user's program failed: {done.stderr[-500:]}")
        return done.stdout

    def until(self, true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
        """Wait for it."""
        deadline = time.monotonic() + seconds
        while not (value := true()):
            if time.monotonic() > deadline:
                raise BreachError(f"not within {seconds:.0f} s: {what}; {self.works()}\n{self.log.read_text()[-800:]}")
            time.sleep(0.02)
        return value

    def logged(self, words: str) -> None:
        """Wait until the service said so."""
        self.until(lambda: words in self.log.read_text(errors="replace"), f"the log says {words!r}")

    @contextlib.contextmanager
    def kept(self, *paths: Path) -> Iterator[None]:
        """Put these back as they were, whatever stands there then."""
        aside = []
        for path in paths:
            place = self.root / f"aside{len(aside)}"
            if there := os.path.lexists(path):
                path.rename(place)
                _copy(place, path)
            aside.append((path, place, there))
        try:
            yield
        finally:
            for path, place, there in aside:
                _remove(path)
                if there:
                    place.rename(path)

    @contextlib.contextmanager
    def another_home(self, name: str = "home2") -> Iterator[Path]:
        """A home of its own, with a token and no service."""
        home = self.furnish(self.root / name)
        try:
            yield home
        finally:
            _remove(home)

    @contextlib.contextmanager
    def another_service(self, home: Path, **more: str | None) -> Iterator[subprocess.Popen[bytes]]:
        """A service in another home, for as long as it likes to run; what it says is judged."""
        said = self.root / "service.txt"
        with said.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "ssowatch", "run"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environ(home, **more),
                cwd=self.elsewhere,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            self.seen.append(("another service", said.read_text(errors="replace")))

    # The oracle

    def works(self) -> str | None:
        """None where the service lives and says that all is well; else what is wrong."""
        if self.watcher is None or self.watcher.poll() is not None:
            return f"the service ended: {self.log.read_text()[-800:]}"
        try:
            answer = json.loads(self.say(b'{"version": 1, "do": "status"}\n'))
            self.seen.pop()
            if not answer["ok"]:
                return f"it refuses: {answer['error']}"
            said = answer["status"]
            (corp,) = (one for one in said["sign_ins"] if one["name"] == "corp")
        except (OSError, ValueError, KeyError) as error:
            return f"no good answer: {type(error).__name__} {error}"
        good = corp["state"] == "valid" and not corp["problem"] and not said["problem"]
        return None if good else f"it says {corp['state']}, {corp['problem']}, {said['problem']}"

    def weight(self) -> dict[str, int]:
        """Memory (KB), descriptors and threads of the service."""
        assert self.watcher
        pid = self.watcher.pid
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        return {
            "KB": int(re.search(r"Pss_Anon:\s+(\d+)", rollup)[1]),
            "descriptors": len(list(Path(f"/proc/{pid}/fd").iterdir())),
            "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
        }

    def judged(self) -> None:
        """Everything that must hold after any attack; raises BreachError for what does not."""
        self.write_token(self.token())
        self.until(lambda: self.works() is None, "all is well again")
        self._no_growth()
        texts = [(" ".join(one.words)[:60], one.said) for one in self.done]
        texts += (
            self.seen
            + [("the log", self._new_log())]
            + [
                (str(path.relative_to(self.root)), path.read_text(errors="replace"))
                for path in [*self.state.rglob("*.json"), *self.state.rglob("*.jsonl")]
                if path.is_file() and "registrations" not in path.parts
            ]
        )
        for where, text in texts:
            if found := [one for one in _CANARIES if one in text]:
                raise BreachError(f"{where} holds {found}")
            if "Traceback" in text or "a tick failed" in text:
                raise BreachError(f"{where} shows a traceback: {text[-800:]}")
            if bad := {char for char in text if not (char.isprintable() or char == "\n")}:
                raise BreachError(f"{where} holds control characters {bad!r}")
        if wrong := [one for one in self.done if one.code not in CODES]:
            raise BreachError(f"no exit code of the contract: {wrong[0].words} {wrong[0].code} {wrong[0].said[-400:]}")
        if (self.root / "executed").exists():
            raise BreachError(f"was executed: {(self.root / 'executed').read_text()}")
        tabs = (self.root / "tabs").read_text().splitlines() if (self.root / "tabs").exists() else []
        if len(tabs) > self.tabs_allowed:
            raise BreachError(f"tabs: {tabs}")
        if differs := _differences(self.stay, self._everything(), self.may_differ):
            raise BreachError(f"changed: {differs}")
        self.done, self.seen, self.tabs_allowed, self.may_differ = [], [], 0, set()
        _remove(self.root / "tabs")

    def _no_growth(self) -> None:
        def settled() -> bool:
            now = self.weight()
            return now["descriptors"] <= self._first["descriptors"] + 4 and now["threads"] <= self._first["threads"] + 2

        self.until(settled, f"descriptors and threads are as they were ({self._first}, {self.weight()})", 30)
        if (now := self.weight())["KB"] > self._first["KB"] + _GROWTH:
            raise BreachError(f"the service grew from {self._first['KB']} to {now['KB']} KB")

    def _new_log(self) -> str:
        text = self.log.read_text(errors="replace")
        self._log_read, new = len(text), text[self._log_read :]
        return new

    def write_token(self, content: dict[str, Any] | bytes) -> None:
        """As the AWS CLI does: as a whole."""
        fresh = self.root / "token.new"
        fresh.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        fresh.chmod(0o600)
        _remove(self.token_file)
        self.token_file.parent.mkdir(parents=True, exist_ok=True)
        fresh.replace(self.token_file)

    def _everything(self) -> dict[str, tuple[Any, ...]]:
        """What stands where nothing of ours may be written: kind, mode, owner and content."""
        found: dict[str, tuple[Any, ...]] = {}
        for path in [*(one for name in _WATCHED for one in (self.root / name).rglob("*")), *self.home.rglob("*")]:
            place = str(path.relative_to(self.root))
            if any(place.startswith(f"home/{ours}") for ours in _OURS) or path == self.token_file:
                continue
            with contextlib.suppress(FileNotFoundError):
                info = path.lstat()
                content = path.read_bytes() if stat.S_ISREG(info.st_mode) and info.st_size < 1 << 20 else info.st_size
                kind = stat.S_IFMT(info.st_mode)
                found[place] = (kind, info.st_mode & 0o777, info.st_uid, content if kind != stat.S_IFDIR else None)
        for outside in ("/.local", "/.config", "/.aws", "/~", f"{self.elsewhere}/~"):
            found[outside] = (os.path.lexists(outside),)
        return found


_DROP = f"""
import encodings.idna, os, socket, sys, time, json
os.setgroups([]); os.setresgid({NOBODY}, {NOBODY}, {NOBODY}); os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
"""


def _peak(pid: int) -> int:
    """The most KB that a process had since its exec (`ru_maxrss` would count what we had when we forked)."""
    with contextlib.suppress(OSError):
        found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
        return int(found[1]) if found else 0
    return 0


def _differences(before: dict[str, Any], after: dict[str, Any], but: set[str]) -> list[str]:
    places = before.keys() | after.keys()
    return sorted(
        f"{place}: {before.get(place)} -> {after.get(place)}"[:300]
        for place in places
        if before.get(place) != after.get(place) and not any(place.startswith(f"home/{one}") for one in but)
    )


def _copy(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True) if source.is_dir() else shutil.copy2(
        source, target, follow_symlinks=False
    )


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def standing() -> Iterator[Scene]:
    """A scene with a running service."""
    root = Path(tempfile.mkdtemp(prefix="ssa-", dir="/tmp"))
    try:
        with running(root / "ports") as center:
            scene = Scene(root, center)
            scene.build()
            try:
                scene.start()
                yield scene
            finally:
                scene.close()
    finally:
        shutil.rmtree(root, ignore_errors=True)
