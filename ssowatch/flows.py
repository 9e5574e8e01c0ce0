"""The sign-in under way: a detached process, its record, its locks, and how callers join it (an edge).

Rules of this file:
1. A flow is a process of its own session, so the Ctrl-C, the time-out or the death of a caller only detaches. It is
   alive as long as its flow lock is held: the starter takes that lock and hands the open file over, so there is no
   moment at which a flow that is about to run looks dead.
2. Look, start and attach happen under a start lock; whether a sign-in is needed at all is asked again under it. So of
   any number of callers one starts, and the others join.
3. Who waits looks at the lock first and reads the record then: behind a free lock the record changes no more. A flow
   whose lock is free and which left no outcome has died.
4. The starter writes the record's first form, the flow every later one. It holds the link and the code, by which
   whoever has them could sign in as this person's program: mode 0600, and both are taken out at the end.
5. One tab at a time on this machine: a flow takes the *turn* before it opens the browser, and its deadline counts
   from then.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from ssowatch import files, paths
from ssowatch.flow_record import SUPERSEDED, UNREACHABLE, Record, Stage, decoded, encoded

_START_SECONDS = 20.0
_LOCK_SECONDS = 5.0
"""Others look at the flow lock by taking it, shared, for a moment."""
_LOOK_SECONDS = 0.1
_LARGEST = 64 << 10
_children: list[subprocess.Popen[bytes]] = []
"""What this process started; nobody waits for it, and a dropped `Popen` complains."""


def read(name: str) -> Record | None:
    """The record of the last flow of `name`, running or over; None where there is none, or none that makes sense."""
    return _read(paths.flow_record(name))


def _read(path: str) -> Record | None:
    try:
        content = files.read(path, _LARGEST)
    except files.NotReadableError:
        return None
    return decoded(content) if content else None


def alive(name: str) -> bool:
    """Whether a flow of `name` runs."""
    return files.taken(paths.flow_lock(name))


def running(name: str) -> Record | None:
    """The record of the flow that runs; None where none does."""
    record = read(name) if alive(name) else None
    return record if record and record.outcome is None else None


def whose_turn() -> str | None:
    """The sign-in that holds this machine's one turn; None where none does."""
    if not files.taken(paths.turn_lock()):
        return None
    folder = f"{paths.state_dir()}/flows"
    with contextlib.suppress(OSError, files.NotReadableError):
        pid = (files.read(paths.turn_lock()) or b"").strip().decode(errors="replace")
        for entry in os.listdir(folder):  # noqa: PTH208
            record = _read(f"{folder}/{entry}") if entry.endswith(".json") else None
            if record and str(record.pid) == pid and record.outcome is None:
                return record.name
    return None


def join(
    name: str,
    arguments: Sequence[str],
    environment: Mapping[str, str],
    *,
    first: Record,
    since: datetime,
    needless: Callable[[], bool],
) -> tuple[Record, bool] | None:
    """Join the flow of `name`, or start one by `ssowatch login --flow … ARGUMENTS… -- NAME`; its record, and whether it began now.

    `first` is the record of one that is started. One that ended after `since` (when the caller began) is joined as
    well: both were asked for at once. `needless` is asked under the start lock; if it says so the answer is None. One that
    only asks by a notice gives way to a `first` that does not ask.

    Raises:
        files.BusyError: the locks are held by somebody who does not answer.
        OSError: it cannot be started or recorded.

    """
    with files.locked(paths.start_lock(name), _START_SECONDS):
        lives, record = alive(name), read(name)
        if record and lives and not record.outcome:
            if not (record.stage is Stage.ASKING and first.stage is not Stage.ASKING and _supersede(record)):
                return record, False
        elif record and record.ended_at and record.ended_at >= since and record.outcome != SUPERSEDED:
            return record, False
        if needless():
            return None
        with files.locked(paths.flow_lock(name), _LOCK_SECONDS) as lock:
            _write(first)
            _spawn([f"--flow={lock}", *arguments, "--", name], environment, lock)
        return first, True


def _supersede(record: Record) -> bool:
    """Tell a flow that asks by a notice to give way."""
    if record.pid is None:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(record.pid, signal.SIGUSR1)
    return True


def _spawn(arguments: Sequence[str], environment: Mapping[str, str], lock: int) -> None:
    """Start the detached process, with the lock's open file in its hands."""
    _children[:] = [one for one in _children if one.poll() is None]
    _children.append(
        subprocess.Popen(
            [sys.executable, "-P", "-m", "ssowatch", "login", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(environment),
            cwd="/",  # it may outlive the directory of its caller
            pass_fds=[lock],
            start_new_session=True,
        )
    )


def fresh_id() -> str:
    """What tells one flow from every other."""
    return os.urandom(8).hex()


def follow(
    record: Record,
    seconds: float | None,
    show: Callable[[Record], None],
    enough: Callable[[], bool] = lambda: False,
) -> Record | None:
    """Wait for the outcome of a flow, at most `seconds`; None when they have passed, or `enough` says so.

    `show` is told of each change of the record.

    The flow that took its place is followed as well. One that died without an outcome has UNREACHABLE for one.
    """
    until = None if seconds is None else time.monotonic() + seconds
    shown: Record | None = None
    successor_by = 0.0
    while True:
        lives, found = alive(record.name), read(record.name)
        _reap()
        if found and found.id != record.id:
            record = found  # its lock must be looked at anew
            continue
        if found and found.outcome and found.outcome != SUPERSEDED:
            return found
        if found and found.outcome:
            successor_by = successor_by or time.monotonic() + _START_SECONDS
            lives = time.monotonic() < successor_by
        if not lives:
            return replace(
                found or record,
                stage=Stage.DONE,
                outcome=UNREACHABLE,
                message="the process of this sign-in died; try again",
            )
        if found and found != shown and not found.outcome:
            show(found)
            shown = found
        if enough() or (until is not None and time.monotonic() >= until):
            return None
        time.sleep(_LOOK_SECONDS)


def _reap() -> None:
    for child in _children:
        child.poll()


def cancel(name: str) -> bool:
    """Ask the flow of `name` to end; whether there was one."""
    record = running(name)
    if record is None or record.pid is None:
        return False
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(record.pid, signal.SIGTERM)
        return True
    return False


class NoFlowError(Exception):
    """Not started as the flow of that sign-in."""


class Own:
    """The flow's own view of its record."""

    def __init__(self, name: str, lock: int) -> None:
        """Raises NoFlowError where `lock` is not the open flow lock of `name`."""
        try:
            same = os.path.samestat(os.fstat(lock), os.stat(paths.flow_lock(name)))  # noqa: PTH116
            os.set_inheritable(lock, False)  # noqa: FBT003 - a browser must not keep the flow alive
        except OSError:
            same = False
        record = read(name) if same else None
        if record is None or record.outcome:
            raise NoFlowError
        self.record = record
        self._lock = lock
        self._telling = threading.Lock()
        self.tell(pid=os.getpid())

    def tell(self, **changes: object) -> None:
        """Change the record, until the end. A full disk must not end a sign-in: its callers look at the token, too."""
        with self._telling:
            if self.record.outcome:
                return
            self.record = replace(self.record, **changes)  # type: ignore[arg-type] # by keyword, as the fields are
            with contextlib.suppress(OSError):
                _write(self.record)

    def end(self, outcome: str, message: str, who: str | None, now: datetime) -> None:
        """The outcome; link and code are of no more use, and the next flow may begin."""
        self.tell(
            stage=Stage.DONE, outcome=outcome, message=message, who=who, ended_at=now, link=None, code=None, page=None
        )
        os.close(self._lock)


@contextlib.contextmanager
def turn(patience: Callable[[], bool]) -> Iterator[bool]:
    """Wait for this machine's one turn and hold it; False when `patience` ended first. It is asked several times a second.

    Raises:
        OSError: the lock cannot be made.

    """
    with contextlib.ExitStack() as held:
        while True:
            try:
                held.enter_context(files.locked(paths.turn_lock(), 0))
                break
            except files.BusyError:
                if not patience():
                    yield False
                    return
                time.sleep(_LOOK_SECONDS)
        yield True


def _write(record: Record) -> None:
    """By whoever holds the flow lock."""
    path = paths.flow_record(record.name)
    files.private_dir(path.rpartition("/")[0])
    files.replace(path, encoded(record), durable=False)
