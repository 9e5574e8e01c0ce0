"""What a notice says (rank 1, pure).

Rules of this file:
1. The title says whose sign-in and what is the matter; the message, what stops when. Both fit on a small screen.
2. Times are local: the zone of `now`.
3. Names come from files and servers; all of them pass through `plain`, cut short. What the channel's other end would
   read as markup is the channel's business.
4. An end is said as surely as it is known: it may end (assumed), ends about or between (learned), ends (configured, or
   told by AWS).
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from ssowatch import forecast, short_names
from ssowatch.model import Button, Cause, Kind, Plan, SignIn, State
from ssowatch.plain import plain

_NAME = 32
_PROFILES = 3
_SERVERS = 2
_TYPED = {Button.SIGN_IN: "ssowatch login {}", Button.FRESH: "ssowatch login {} --fresh"}


def title_and_message(
    sign_in: SignIn,
    plan: Plan,
    cause: Cause,
    now: datetime,
    *,
    servers: Sequence[tuple[str, str]] = (),
    position: tuple[int, int] = (1, 1),
    others: Sequence[str] = (),
) -> tuple[str, str]:
    """The text of one notice.

    `servers`: the MCP servers on this sign-in, as (server, client as a person calls it). `position`: which of how many
    that wait; `others`: the names of those that come after it.
    """
    who = called(sign_in)
    users = _Users(sign_in.profiles, servers)
    match cause:
        case Cause.ENDING:
            title = f"{who}: AWS sign-in {ends(plan, now)}"
            message = f"Then {users.text} {users.verb('stops', 'stop')}."
        case Cause.OFFER:
            fresh = plan.fresh_until or now
            title = f"{who}: start a fresh {_span(fresh - now)} day?"
            message = f"The present sign-in {ends(plan, now)}; a fresh one now lasts to about {_clock(fresh, now)}."
        case Cause.REFUSED:
            title = f"{who}: AWS will not renew this sign-in"
            until = f"until {_clock(plan.good_until, now)}" if plan.good_until else "a little while"
            message = f"{users.start} {users.verb('goes', 'go')} on {until}, then {users.verb('stops', 'stop')}."
        case Cause.ENDED:  # pragma: no branch - these are all there are, which mypy knows
            title = f"{who}: sign in to AWS"
            if plan.state is State.SIGNED_OUT:
                message = f"A program waits for {users.text}."
            else:
                message = f"{users.start} {users.verb('has', 'have')} stopped."
    first, count = position
    if count > 1:
        title += f" ({first} of {count})"
    return title, "\n".join([message, *_portal(sign_in), *_next(others)])


def called(sign_in: SignIn) -> str:
    """A sign-in as a person calls it: its name, a legacy one's portal, an ARN's user."""
    return short_names.called(sign_in.kind, sign_in.name, _NAME)


def ends(plan: Plan, now: datetime) -> str:
    """When the sign-in ends, like "ends about 16:58 (in 15 min)" or "ends between 16:30 and 17:10"."""
    first, last = plan.ends_from, plan.ends_at
    verb = "may end" if plan.ends_at_source == "assumed" else "ends"
    if last is None or first is None or first == last:
        return f"{verb} {_at(last or plan.good_until, now)}"
    if last - first <= forecast.NARROW:
        return f"{verb} {_at(first + (last - first) / 2, now, about=True)}"
    if first <= now:
        return f"{verb} before {_clock(last, now)}"
    return f"{verb} between {_clock(first, now)} and {_clock(last, now)}"


def typed(event: Mapping[str, Any]) -> str:
    """What to type where there are no buttons; "" if nothing helps. `event` is an event line of the contract."""
    sign_in = event.get("sign_in")
    lines = [_TYPED[label] for label in event.get("buttons", ()) if label in _TYPED]
    if not sign_in or not lines:
        return ""
    name = short_names.typed(sign_in.get("kind", Kind.SSO_SESSION), sign_in["name"], sign_in.get("profiles", ()))
    word = shlex.quote(name) if plain(name) == name else "NAME"  # what cannot be shown cannot be typed
    return f"To sign in, type: {lines[0].format(word)}"


class _Users:
    """Who uses a sign-in, as the subject of a sentence."""

    def __init__(self, profiles: Sequence[str], servers: Sequence[tuple[str, str]]) -> None:
        named = _some([plain(one, _NAME) for one in profiles], _PROFILES, "profile")
        named += _some(
            [f"{plain(server, _NAME)} ({plain(client, _NAME)})" for server, client in servers], _SERVERS, "MCP server"
        )
        self.text = _listed(named) or "whatever uses it"
        self.start = self.text if named else "What uses it"
        self._one = len(profiles) + len(servers) <= 1

    def verb(self, one: str, many: str) -> str:
        """The verb that fits."""
        return one if self._one else many


def _some(names: list[str], most: int, what: str) -> list[str]:
    """The first ones, and how many more."""
    left = len(names) - most
    if left <= 1:  # "1 more profile" is no shorter than its name
        return names
    return [*names[:most], f"{left} more {what}s"]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)


def _portal(sign_in: SignIn) -> list[str]:
    """The host that will ask for the password: what a person can compare with the page."""
    host = _host(sign_in.start_url)
    return [f"Portal: {host}"] if host and host != called(sign_in) else []


def _host(url: str) -> str:
    try:
        return plain(urlsplit(url).hostname or "", 60)
    except ValueError:
        return ""


def _next(others: Sequence[str]) -> list[str]:
    return [f"Next: {_listed(_some([plain(one, _NAME) for one in others], _PROFILES, 'sign-in'))}"] if others else []


def _at(moment: datetime | None, now: datetime, *, about: bool = False) -> str:
    """Like "at 17:00 (in 15 min)" or, of another day, "tomorrow 02:45 (in 10 h)"."""
    if moment is None:
        return "soon"
    left = moment - now
    if left <= timedelta():
        return "now"
    clock = _clock(moment, now)
    return f"{'about ' if about else '' if ' ' in clock else 'at '}{clock} (in {_span(left)})"


def _span(left: timedelta) -> str:
    minutes = max(1, round(left / timedelta(minutes=1)))
    return f"{minutes} min" if minutes < 120 else f"{round(left / timedelta(hours=1))} h"


def _clock(moment: datetime, now: datetime) -> str:
    """The time of day, with the day where it is another one."""
    local = moment.astimezone(now.tzinfo)
    days = (local.date() - now.date()).days
    clock = local.strftime("%H:%M")
    if days == 0:
        return clock
    return f"tomorrow {clock}" if days == 1 else f"{local:%a} {clock}" if days < 7 else f"{local:%Y-%m-%d} {clock}"
