"""The machine, as the doctor's checks see it: each thing is looked at once, and only when a check asks (composition)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from ssowatch import children, kinds, paths, published, service, survey, upgrading
from ssowatch.model import SignIn
from ssowatch.upgrading import NotRewritableError, NotUpgradableError, Proposal
from ssowatch.world import Sight, World

_KNOCK_SECONDS = 60.0
"""Each sign-in's answer comes within 20 s, and few are asked."""
_PROBE_SECONDS = 60.0
_MOST = 3  # portals that are knocked at


@dataclass(frozen=True, slots=True)
class Knock:
    """What AWS answered to one sign-in's call."""

    name: str
    why: str | None
    """Why there was no answer; None where there was one."""
    skew: timedelta | None = None
    """The local clock minus AWS's."""


@dataclass
class Scene:
    """The machine at `now`."""

    now: datetime
    environ: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))
    """The shell's."""

    def __post_init__(self) -> None:
        self.world = World(recording=False)
        self.sight: Sight = survey.look(self.now)

    @property
    def sign_ins(self) -> tuple[SignIn, ...]:
        """Those that are watched and whose config can work."""
        return tuple(row.sign_in for row in self.sight.rows if not row.sign_in.problem)

    @property
    def of_identity_center(self) -> tuple[SignIn, ...]:
        """Those of them that ssowatch itself signs in to and renews."""
        return tuple(one for one in self.sign_ins if not kinds.of(one.name).not_renewed)

    @cached_property
    def upgrades(self) -> dict[str, Proposal | NotUpgradableError]:
        """The sign-ins that not every program makes renewable, by name: how they become so, or why they cannot."""
        found: dict[str, Proposal | NotUpgradableError] = {}
        for one in self.of_identity_center:
            try:
                proposal = upgrading.propose(one.name)
            except NotUpgradableError as error:
                found[one.name] = error
            except NotRewritableError:  # the AWS config's own check says so
                return {}
            else:
                if proposal.changes:
                    found[one.name] = proposal
        return found

    @cached_property
    def given(self) -> dict[str, str] | None:
        """What the service manager gives to what it starts; None where there is none, or nobody can tell."""
        return service.here().environment()

    @property
    def as_service(self) -> dict[str, str]:
        """What a child of the service sees; where nobody can tell, what one of a watcher started from here would."""
        base = self.environ if self.given is None else {"HOME": paths.home(), **self.given}
        return children.environment(self.world.settings.environment, base)

    @cached_property
    def knocks(self) -> tuple[tuple[Knock, ...], tuple[Knock, ...]]:
        """What AWS answers to the shell and to the service; the same where the two do not differ."""
        asked: dict[tuple[str, str | None], str] = {}
        for one in self.of_identity_center:
            asked.setdefault((one.region, one.ca_bundle), one.name)
        names = list(asked.values())[:_MOST]
        environs = [children.environment({}, self.environ)] if self.given is not None else []
        found = asyncio.run(_knock_all(names, [*environs, self.as_service]))
        return found[0], found[-1]

    @cached_property
    def channels(self) -> list[dict[str, Any]]:
        """What each channel of `notify` says of itself, asked as the service would ask."""
        ended = asyncio.run(children.run(["notify", "--probe"], {}, _PROBE_SECONDS, self.as_service))
        return [*ended.lines] if ended.lines or not ended.code else [{"channel": "notify", "why": ended.complaint}]

    @cached_property
    def watcher(self) -> int | None:
        """The pid of the running watcher."""
        return published.running_watcher()


async def _knock_all(names: list[str], environs: list[dict[str, str]]) -> list[tuple[Knock, ...]]:
    return await asyncio.gather(*(_knock(names, environ) for environ in environs))


async def _knock(names: list[str], environ: dict[str, str]) -> tuple[Knock, ...]:
    if not names:
        return ()
    ended = await children.run(["doctor", "--knock", "--", *names], {}, _KNOCK_SECONDS, environ)
    said = {
        line["name"]: Knock(line["name"], line["why"], timedelta(seconds=line["skew"] or 0)) for line in ended.lines
    }
    return tuple(said.get(name, Knock(name, ended.complaint)) for name in names)
