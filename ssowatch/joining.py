"""A caller and a flow: how one is begun or joined, and what the person at the terminal is told (composition)."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum

from ssowatch import browser, flows, kinds, login_text, settings, ways
from ssowatch.flow_record import Record, Stage
from ssowatch.model import SignIn
from ssowatch.ways import Way
from ssowatch.world import World


class Ask(StrEnum):
    """What a flow does before it begins."""

    NOTHING = "nothing"
    NOTICE = "notice"
    """Shows a notice and waits for its button."""
    MODE = "mode"
    """What the modes table says: a notice, or the one tab of `auto`."""


def login(world: World, sign_in: SignIn) -> settings.Login:
    """How this sign-in is signed in to, by the config and its kind."""
    chosen = world.settings.sign_ins.get(sign_in.name, settings.SignInSettings()).login
    if (argv := program(sign_in)) and not chosen.command:
        return settings.Login(method=settings.Method.COMMAND, command=argv)
    return chosen


def program(sign_in: SignIn) -> tuple[str, ...]:
    """What signs in to a kind that ssowatch does not sign in to itself, as an argument list; else ()."""
    return kinds.of(sign_in.name).program(next(iter(sign_in.profiles), "default"))


def way(world: World, sign_in: SignIn, typed: str | None = None, *, no_browser: bool = False) -> Way:
    """How this caller would sign in."""
    chosen = login(world, sign_in)
    here = browser.available(environment(world), chosen.browser)
    return ways.choose(typed, chosen.method, here=here, no_browser=no_browser)


def environment(world: World) -> Mapping[str, str]:
    """What a flow, a notice and a browser are given."""
    from ssowatch import children  # asyncio; who finds a good token needs none

    return children.environment(world.settings.environment)


def begin(
    world: World,
    sign_in: SignIn,
    chosen: Way,
    *,
    since: datetime,
    now: datetime,
    needless: Callable[[], bool] | None = None,
    ask: Ask = Ask.NOTHING,
    fresh: bool = False,
) -> tuple[Record, bool] | None:
    """Join the flow of this sign-in, or start one; see `flows.join`. With `needless` it ends by itself once it is so.

    Raises:
        files.BusyError: see there.
        OSError: see there.

    """
    arguments = [f"--method={chosen.method}", f"--ask={ask}"]
    arguments += ["--no-browser"] if not chosen.opens else []
    arguments += ["--fresh"] if fresh else []
    arguments += ["--needed"] if needless else []
    stage = Stage.STARTING if ask is Ask.NOTHING else Stage.ASKING
    return flows.join(
        sign_in.name,
        arguments,
        environment(world),
        first=Record(flows.fresh_id(), sign_in.name, now, stage=stage, method=chosen.method, fresh=fresh),
        since=since,
        needless=needless or (lambda: False),
    )


class Teller:
    """Tells a person each stage once; a stage whose words are the same is no news."""

    def __init__(self, sign_in: SignIn, say: Callable[[str], None]) -> None:
        self._sign_in = sign_in
        self._say = say
        self._said: list[str] = []

    def __call__(self, record: Record) -> None:
        """For `flows.follow`."""
        ahead = flows.whose_turn() if record.stage is Stage.QUEUED else None
        host = os.uname().nodename if ways.remote(os.environ) else None
        port = ways.tunnel_port(os.getuid())
        lines = login_text.progress(record, self._sign_in, ahead, host, port)
        if lines and lines != self._said:
            self._said = lines
            self._say("\n".join(lines))
