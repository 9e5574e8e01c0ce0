"""What is a step: the system calls by which `files` and `cache` touch what is shared, and the answers of AWS.

Rules of this file:
1. The stand-ins are put where ssowatch's code meets the system (`os`, `fcntl`, `time` of two modules, boto3's clients);
   everything above is the real thing, and so are the files and the locks below.
2. Reading a whole small file is one step: all writers but AWS's replace it, and those that cut it off are seen before or
   after.
3. A lock that is held is not waited for by the clock: who wants it is not ready until it is free; as a variant it waits in
   vain (`busy`).
4. A call is one step, at which the service acts; its answer may be `lost`. What happens between the call and the next
   step of its caller, happens before that step.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from interleavings.scheduler import Scheduler, Step
from ssowatch.demo.center.calls import NOBODY, Caller
from ssowatch.demo.center.identity_center import IdentityCenter
from ssowatch.demo.center.refusal import Refusal
from ssowatch.exchange import swap as _swap


class Os:
    """`os`, for code that is stepped."""

    def __init__(self, scheduler: Scheduler, token: str, memory: str, log: Callable[..., None]) -> None:
        self._scheduler = scheduler
        self._token, self._memory, self._log = token, memory, log
        self.draft = f"{os.path.dirname(token)}/.{os.path.basename(token)}.ssowatch.tmp"
        self.here = True
        """Whether two files can change their names here."""
        self.paths: dict[int, str] = {}
        self.holders: dict[str, str] = {}
        """Who holds which lock; for the moment, by the name of the actor."""
        self.fds: dict[str, set[int]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)

    def _who(self) -> str:
        actor = self._scheduler.mine()
        return actor.name if actor else ""

    def _alone(self) -> bool:
        """Whether this actor holds the memory's lock."""
        return any(path.endswith(".memory") and holder == self._who() for path, holder in self.holders.items())

    def open(self, path: str, flags: int, mode: int = 0o777) -> int:
        if path == self._token:
            self._scheduler.wait(Step("read token"))
        elif path == self._memory:
            self._scheduler.wait(Step("read memory", private=self._alone()))
        elif path == self.draft and not flags & os.O_EXCL:
            self._scheduler.wait(Step("look at what was displaced"))
        elif flags & os.O_EXCL and path.startswith(os.path.dirname(self._token)):
            self._scheduler.wait(Step("take room", private=True))
        try:
            return self.open_plainly(path, flags, mode)
        except OSError as error:
            self._scheduler.told(path, error.errno)
            raise

    def open_plainly(self, path: str, flags: int, mode: int) -> int:
        """Without a step."""
        fd = os.open(path, flags, mode)
        self.paths[fd] = path
        self.fds.setdefault(self._who(), set()).add(fd)
        return fd

    def read(self, fd: int, count: int) -> bytes:
        content = os.read(fd, count)
        self._scheduler.told(content)
        return content

    def close(self, fd: int) -> None:
        who = self._who()
        self._close(who, fd)

    def _close(self, who: str, fd: int) -> None:
        os.close(fd)
        path = self.paths.pop(fd, "")
        self.fds.get(who, set()).discard(fd)
        if self.holders.get(path) == who:
            del self.holders[path]

    def replace(self, source: str, target: str) -> None:
        if target == self._token:
            self._scheduler.wait(Step("replace token"))
            with open(source, "rb") as file:
                self._log("write", self._who(), file.read())
        elif target == self._memory:
            self._scheduler.wait(Step("write memory", private=self._alone()))
        os.replace(source, target)

    def swap(self, one: str, other: str) -> bool | None:
        """In place of `exchange.swap`."""
        self._scheduler.wait(Step("exchange token"))
        if not self.here:
            return None
        with contextlib.suppress(FileNotFoundError), open(one, "rb") as file:
            content = file.read()
            if done := _swap(one, other):
                self._log("exchange", self._who(), content)
            return done
        return False

    def unlink(self, path: str) -> None:
        if path == self._token:
            self._scheduler.wait(Step("remove token"))
            if os.path.exists(path):
                self._log("remove", self._who(), None)
        self._scheduler.mine()
        os.unlink(path)

    def crash(self, who: str) -> None:
        """What the kernel does when a process ends."""
        for fd in self.fds.pop(who, set()):
            self._close(who, fd)

    def reset(self) -> None:
        """Between two runs."""
        for who in list(self.fds):
            self.crash(who)
        self.holders.clear()
        self.paths.clear()


class Fcntl:
    """`fcntl`, for `files.locked`."""

    LOCK_EX, LOCK_NB, LOCK_SH = fcntl.LOCK_EX, fcntl.LOCK_NB, fcntl.LOCK_SH

    def __init__(self, scheduler: Scheduler, system: Os) -> None:
        self._scheduler, self._system = scheduler, system

    def flock(self, fd: int, operation: int) -> None:
        path = self._system.paths[fd]
        held = self._system.holders
        variants = ("busy",) if path in held else ()
        if self._scheduler.wait(Step(f"lock {path[-6:]}", ready=lambda: path not in held, variants=variants)) == "busy":
            raise BlockingIOError
        fcntl.flock(fd, operation)
        actor = self._scheduler.mine()
        held[path] = actor.name if actor else ""


class Time:
    """`time`, for waits that nobody waits for: what is still held at the second look is given up."""

    def __init__(self) -> None:
        self._looks = 0.0

    def monotonic(self) -> float:
        self._looks += 1000.0
        return self._looks

    def sleep(self, _: float) -> None:
        pass


class Client:
    """A client of boto3's for any of the services, which asks the simulated service without a wire."""

    class meta:  # noqa: N801 - its name in boto3
        """What `authorize_url` asks for."""

        endpoint_url = "http://127.0.0.1"

    def __init__(
        self, scheduler: Scheduler, center: IdentityCenter, now: Callable[[], datetime], agent: str = ""
    ) -> None:
        self._scheduler, self._center, self._now, self._agent = scheduler, center, now, agent

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        operation = "".join(part.title() for part in name.split("_"))

        def call(**parameters: Any) -> dict[str, Any]:
            actor = self._scheduler.mine()
            how = self._scheduler.wait(Step(f"call {operation}", variants=("lost",)))
            caller = Caller(user_agent=actor.name, faults=("lost",) if how else ()) if actor else NOBODY
            try:
                answer = self._center.call(operation, parameters, self._now(), caller)
            except Refusal as refusal:
                self._lose(how)
                self._scheduler.told(refusal.code)
                error = {"Code": refusal.code, "Message": refusal.description}
                raise ClientError(
                    {"Error": error, "ResponseMetadata": {"HTTPStatusCode": refusal.status}}, operation
                ) from None
            self._lose(how)
            self._scheduler.told(sorted(answer.items()))
            return {name: value for name, value in answer.items() if value is not None}

        return call

    def _lose(self, how: str) -> None:
        if how == "lost":
            self._scheduler.told("lost")
            raise ReadTimeoutError(endpoint_url=self.meta.endpoint_url)
