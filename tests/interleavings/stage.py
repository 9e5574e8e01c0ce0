"""One home and one Identity Center, set up anew for each run, and what a moment there looks like.

Rules of this file:
1. The files are real, in a directory of memory where the machine has one. Only chance is taken out: the service's texts are
   numbered by who asked for them, so that the order of two calls that do not bear on each other leaves no trace.
2. The clock stands still. The token is one that the last renewal got, and it is due.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from interleavings.actors import ACTS
from interleavings.scheduler import Scheduler
from interleavings.seams import Client, Fcntl, Os, Time
from ssowatch import aws_clients, cache, exchange, files, memories, memory, paths, renewal
from ssowatch.demo.center import authorization_codes, device_codes, registrations, role_keys, sessions, tokens
from ssowatch.demo.center.identity_center import IdentityCenter
from ssowatch.demo.center.settings import RefreshTokens, Settings
from ssowatch.model import Kind, Memory, SignIn

BEGAN = datetime(2026, 1, 5, 8, tzinfo=UTC)
LIVES = {"lives": timedelta(minutes=45), "has run out": timedelta(minutes=61)}
"""How old the token is: its life is an hour."""


class Stage:
    """Where a run takes place. Made by `stage`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.corp = SignIn("corp", Kind.SSO_SESSION, Settings().start_url, "us-east-1", ("dev",))
        self.token, self.memory = paths.token_file("corp"), paths.memory_file("corp")
        self.events: list[tuple[str, str, bytes | None]] = []
        """Writes, removals and crashes, each with who and what."""
        self.pause: Callable[[float], None] = lambda _: None
        self._kept = paths.registration_file(
            json.dumps(("device", self.corp.start_url, "us-east-1", list(self.corp.scopes)))
        )
        self._texts: Counter[str] = Counter()
        self._memory_at_first = b""
        self._now = BEGAN
        for folder in (self.token, self.memory, self._kept, paths.write_lock("corp")):
            os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)

    def now(self) -> datetime:
        """The clock."""
        return self._now

    def later(self, seconds: int) -> None:
        """Let the clock go on."""
        self._now += timedelta(seconds=seconds)

    def client(self) -> Client:
        """As boto3 makes it."""
        return Client(self.scheduler, self.center, self.now)

    def log(self, what: str, who: str, content: bytes | None) -> None:
        """An event."""
        self.events.append((what, who, content))

    def begin(self, policy: str, age: str, *, exchanges: bool = True) -> None:
        """A home with a token that is due, and its memory."""
        self._texts.clear()
        self.scheduler = Scheduler(self._crash)
        self.system = Os(self.scheduler, self.token, self.memory, self.log)
        self.system.here = exchanges
        for module, name, stand_in in (
            (files, "os", self.system),
            (cache, "os", self.system),
            (exchange, "os", self.system),
            (exchange, "swap", self.system.swap),
            (files, "fcntl", Fcntl(self.scheduler, self.system)),
            (files, "time", Time()),
            (cache, "time", Time()),
        ):
            setattr(module, name, stand_in)
        self.center = IdentityCenter(Settings(refresh_tokens=RefreshTokens(policy)))
        self._now = BEGAN
        document = self.center.sign_in(BEGAN)
        Path(self.token).write_text(json.dumps(document))
        for path in (self._kept, self.system.draft):
            Path(path).unlink(missing_ok=True)
        if not self._memory_at_first:
            contents = cache.load("corp")
            assert contents
            life = timedelta(hours=1)
            known = memory.signed_in(Memory(), self.corp, contents.token, life, BEGAN, timedelta(), None)
            memories.write("corp", known)
            self._memory_at_first = Path(self.memory).read_bytes()
        Path(self.memory).write_bytes(self._memory_at_first)
        self.center.calls.clear()
        self.events.clear()
        self._now = BEGAN + LIVES[age]

    def start(self, cast: Iterable[str]) -> None:
        """Bring them to their first steps."""
        self.scheduler.start({name: lambda name=name: ACTS[name.partition(" #")[0]](self) for name in cast})

    def finish(self) -> None:
        """The run is over."""
        self.scheduler.end()
        self.system.reset()

    def _crash(self, who: str) -> None:
        self.log("crash", who, None)
        self.system.crash(who)

    def token_bytes(self) -> bytes | None:
        """What the token file holds now."""
        return _bytes(self.token)

    def leftovers(self) -> list[str]:
        """What lies beside the token file."""
        return [name for name in os.listdir(os.path.dirname(self.token)) if name != os.path.basename(self.token)]

    def memory_is_damaged(self) -> bool:
        """Whether the memory file is none."""
        content = _bytes(self.memory)
        return content is None or not content.endswith(b"}")

    def moment(self) -> object:
        """All that bears on what can still happen."""
        state = self.center._state
        return (
            *(_bytes(path) for path in (self.token, self.memory, self._kept, self.system.draft)),
            tuple(sorted(self.system.holders.items())),
            tuple((s.begun_at, s.ended_at, s.logged_out) for s in state.sessions._all),
            tuple(sorted((text, one.consumed_at is None) for text, one in state.tokens._refresh.items())),
            tuple(sorted(state.tokens._access)),
            tuple(sorted(state.registrations._known)),
            tuple(
                (one.user_code, one.polls, one.decided, one.redeemed)
                for _, one in sorted(state.device_codes._by_device_code.items())
            ),
            tuple((actor.name, actor.state) for actor in self.scheduler.actors.values()),
        )

    # Chance, taken out

    def text(self, _: int = 0) -> str:
        """A new one of the service's texts."""
        actor = self.scheduler._by_thread and self.scheduler.mine()
        who = actor.name.replace(" ", "-").replace("#", "") if actor else "first"
        self._texts[who] += 1
        return f"{who}-{self._texts[who]}"

    def letter(self, letters: str) -> str:
        """One of a code that is unlike every other code."""
        self._texts["letters"] += 1
        return letters[self._texts["letters"] % len(letters)]


def _bytes(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            return file.read()
    except FileNotFoundError:
        return None


@contextmanager
def stage() -> Iterator[Stage]:
    """A stage in a home of its own; everything is put back at the end."""
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=folder) as home, ExitStack() as patches:
        patch = patches.enter_context
        patch(mock.patch.dict(os.environ, HOME=home))
        for module in (files, cache, exchange):
            for name in ("os", "fcntl", "time", "swap"):
                if hasattr(module, name):
                    patch(mock.patch.object(module, name, getattr(module, name)))
        made = Stage(Path(home))
        chance = SimpleNamespace(token_urlsafe=made.text, choice=made.letter)
        for module in (authorization_codes, device_codes, registrations, role_keys, sessions, tokens):
            patch(mock.patch.object(module, "secrets", chance))
        patch(mock.patch.object(renewal, "random", SimpleNamespace(random=lambda: 0.5)))
        patch(mock.patch.object(aws_clients.Clients, "__init__", return_value=None))
        patch(mock.patch.object(aws_clients.Clients, "_ca_file", return_value=None))
        patch(mock.patch.object(aws_clients.Clients, "make", side_effect=lambda *_, **__: made.client()))
        yield made
