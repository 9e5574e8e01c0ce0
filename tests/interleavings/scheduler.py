"""Actors of which one runs at a time, from one step to the next.

Rules of this file:
1. An actor is a thread that waits before each of its steps until it is told to go on. So a schedule is a list of choices,
   and the same list gives the same run.
2. An actor that crashes does nothing any more: its locks fall, as the kernel sees to, and what it left stays.
3. A step that nobody else can see or hinder (*private*: it is under a lock, or in a file of one's own) is no place to
   change to another actor; it is a place to crash.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

_PATIENCE = 120.0
"""Seconds; a step takes less than a thousandth of one."""


class Crashed(BaseException):
    """Unwinds the thread of an actor that is no more."""


@dataclass
class Step:
    """What an actor is about to do. `variants`: other ways in which it may come out."""

    what: str
    private: bool = False
    ready: Callable[[], bool] = lambda: True
    variants: tuple[str, ...] = ()


@dataclass
class Actor:
    """One program."""

    name: str
    act: Callable[[], object]
    step: Step | None = None
    seen: bytes = b""
    """A digest of all that it was told so far: as the code has no clock and no chance, that is its state."""
    chosen: str = ""
    dead: bool = False
    outcome: object = None
    error: BaseException | None = None
    go: threading.Lock = field(default_factory=threading.Lock)

    @property
    def state(self) -> object:
        if self.step is None:
            return "dead" if self.dead else repr(self.outcome)
        return (self.step.what, self.seen)


class Scheduler:
    """Runs actors by choices."""

    def __init__(self, on_crash: Callable[[str], None]) -> None:
        self.actors: dict[str, Actor] = {}
        self._on_crash = on_crash
        self._by_thread: dict[int, Actor] = {}
        self._back = threading.Lock()
        self._back.acquire()

    def start(self, acts: Mapping[str, Callable[[], object]]) -> None:
        """Bring each to its first step."""
        for name, act in acts.items():
            actor = self.actors[name] = Actor(name, act)
            actor.go.acquire()
            _thread.start_new_thread(self._run, (actor,))  # a tenth of what `Thread` takes
            self._until_it_waits()

    def _run(self, actor: Actor) -> None:
        self._by_thread[threading.get_ident()] = actor
        try:
            actor.outcome = actor.act()
        except Crashed:
            pass
        except BaseException as error:  # noqa: BLE001 - the oracle judges it
            actor.error = error
        actor.step = None
        del self._by_thread[threading.get_ident()]
        self._back.release()

    def _until_it_waits(self) -> None:
        """For its next step, or has ended."""
        assert self._back.acquire(timeout=_PATIENCE), "an actor waits for something else than its turn"

    # For the seams

    def mine(self) -> Actor | None:
        """The actor whose thread this is; None in a helper thread, and beside all runs."""
        actor = self._by_thread.get(threading.get_ident())
        if actor and actor.dead:
            raise Crashed
        return actor

    def wait(self, step: Step) -> str:
        """Before a step; the variant that was chosen, mostly ""."""
        actor = self.mine()
        if actor is None:
            return ""
        actor.step = step
        self._back.release()
        actor.go.acquire()
        if actor.dead:
            raise Crashed
        return actor.chosen

    def told(self, *facts: object) -> None:
        """What the step told its actor."""
        if actor := self.mine():
            actor.seen = blake2b(actor.seen + repr(facts).encode(), digest_size=8).digest()

    # For the explorer

    def choices(self, budget: Mapping[str, int]) -> list[tuple[str, str]]:
        """Who may go on, and how; "crash" and each variant cost one of the budget."""
        waiting = [(actor, actor.step) for actor in self.actors.values() if actor.step]
        private = [(actor, step) for actor, step in waiting if step.private]
        found = []
        for actor, step in private[:1] or waiting:
            if step.ready():
                found.append((actor.name, ""))
            found += [(actor.name, variant) for variant in step.variants if budget.get(variant)]
            if budget.get("crash"):
                found.append((actor.name, "crash"))
        return found

    def take(self, name: str, how: str) -> str:
        """Let one do its step, or crash before it; what it was."""
        actor = self.actors[name]
        assert actor.step
        what = actor.step.what
        if how == "crash":
            self.kill(actor)
            return what
        actor.chosen = how
        actor.seen = blake2b(actor.seen + f"{what}{how}".encode(), digest_size=8).digest()
        actor.go.release()
        self._until_it_waits()
        return what

    def kill(self, actor: Actor) -> None:
        """It is no more."""
        actor.dead = True
        self._on_crash(actor.name)
        actor.go.release()
        self._until_it_waits()

    def end(self) -> None:
        """Nobody goes on."""
        for actor in self.actors.values():
            if actor.step:
                self.kill(actor)
