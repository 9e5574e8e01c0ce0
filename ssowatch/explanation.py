"""What an AWS error text means on this machine, and the one thing that helps (rank 1, pure).

Rules of this file:
1. The text says where to look, the published state what is so: no advice to sign in for a sign-in that works.
2. Nothing of the text is shown again: it may be anybody's. Names shown are those of the AWS config.
3. Of a long text every part is looked at.
"""

from __future__ import annotations

import re
import shlex
import textwrap
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from ssowatch import aws_errors
from ssowatch.aws_errors import TABLE, AwsError, Meaning
from ssowatch.kinds.login import Login
from ssowatch.plain import plain
from ssowatch.short_names import typed
from ssowatch.squeezed import LOOKED_AT, flat
from ssowatch.status_table import clock

_OVERLAP = 2000  # more than an error's sentence has, boxed and coloured
_WORKS = ("valid", "expiring")
_NAME, _SAID, _PROFILES, _SERVERS = 80, 600, 20, 4
"""Characters of a name and of a message that are shown, profiles and servers that are named."""


def explain(
    text: str, document: dict[str, Any], now: datetime, *, profile: str | None = None, width: int
) -> str | None:
    """What to read, or None where the text is no error that is known. `profile` is the one of the environment."""
    errors = _errors(text)
    if not errors:
        return None
    error = errors[0]
    blocks = [_wrapped(f"From {error.sdk}: {error.means}.", "", width)]
    mentions = _mentions(text, document)
    concerned = _concerned(mentions, document["sign_ins"], profile)
    if error.meaning in {Meaning.LOGIN, Meaning.DEAD_KEYS, Meaning.MASKED}:
        if not concerned and document["problem"]:
            blocks.append(_problem(document["problem"], "", width))
        elif not concerned:
            blocks.append(_wrapped(_sentence(error.next_step), "", width))
        works = [one for one in concerned if one["state"] in _WORKS]
        fails = [one for one in concerned if one not in works]
        blocks += [_failing(one, width) for one in fails]
        if works:
            blocks.append(_working(error, works, fails, now, width))
    elif error.meaning is Meaning.AWS_LOGIN and (others := [one for one in concerned if one["kind"] == Login.word]):
        blocks.append(_wrapped(f"ssowatch login {_one_of(others)}.", "", width))
    else:
        blocks.append(_wrapped(_sentence(error.next_step), "", width))
        if error.next_step.startswith("correct"):
            blocks.append(_wrapped(f"Profiles with a sign-in: {_profiles(document)}.", "", width))
    blocks += [_unwatched(one, width) for one in document["unwatched"] if one["profile"] in mentions]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _errors(text: str) -> list[AwsError]:
    windows = list(_windows(text))
    found = {row.code for window in windows for row in aws_errors.found(window) if not row.alone or len(windows) == 1}
    return [row for row in TABLE if row.code in found]


def _windows(text: str) -> Iterator[str]:
    size = 2 * LOOKED_AT
    for start in range(0, len(text), size - _OVERLAP):
        yield text[start : start + size]


# Whose error it is


def _mentions(text: str, document: dict[str, Any]) -> set[str]:
    known = {one["profile"] for one in document["unwatched"]}
    for one in document["sign_ins"]:
        known |= {one["name"], *one["profiles"], *([one["start_url"]] if one["start_url"] else [])}
    found: set[str] = set()
    for window in _windows(text):
        found |= set(aws_errors.mentioned(window, known)) | set(_typed(flat(window), known))
    return found


def _typed(line: str, known: Iterable[str]) -> Iterator[str]:
    """The profiles of a command that was pasted together with its error."""
    for name in known:
        if re.search(rf"(?:--(?:aws-)?profile|aws_profile)[ =][\"']?{re.escape(flat(name))}(?=[\s\"',;]|$)", line):
            yield name


def _concerned(mentions: set[str], sign_ins: list[dict[str, Any]], profile: str | None) -> list[dict[str, Any]]:
    """The sign-ins that the text names, else the one of the environment's profile, else all."""
    if mentions:
        return [one for one in sign_ins if mentions & {one["name"], one["start_url"], *one["profiles"]}]
    return [one for one in sign_ins if profile in one["profiles"]] or sign_ins


# What is said of it


def _failing(one: dict[str, Any], width: int) -> list[str]:
    lines = _wrapped(f"{_title(one)}: {one['state'].replace('_', ' ')}.", "", width)
    if one["state"] == "misconfigured":
        return lines + _problem(one["problem"], "  ", width)
    if one["problem"]:
        lines += _wrapped(f"! {plain(one['problem']['message'], _SAID)}", "  ", width)
    if one["state"] == "unreachable":
        return lines + _wrapped("It is tried again by itself; check the network.", "  ", width)
    return [*lines, f"  > ssowatch login {_to_type(one)}"]


def _working(
    error: AwsError, works: list[dict[str, Any]], fails: list[dict[str, Any]], now: datetime, width: int
) -> list[str]:
    """Sign-ins that work, and what the error means then."""
    lines = []
    for one in works:
        until = ""
        if one["good_until"]:
            about = "" if one["good_until_certain"] else "about "
            until = f", good until {about}{clock(datetime.fromisoformat(one['good_until']), now)}"
        lines += _wrapped(f"{_title(one)}: works now{until}.", "", width)
    if fails:
        return lines
    return [*lines, "", *_wrapped(_advice(error, works), "", width)]


def _advice(error: AwsError, works: list[dict[str, Any]]) -> str:
    if error.meaning is Meaning.MASKED:
        return (
            "So a sign-in is not the reason, unless it was renewed since. Try again; then read the program's own log."
        )
    if error.meaning is Meaning.DEAD_KEYS:
        servers = [f"{_name(each['server'])} ({_name(each['client'])})" for one in works for each in one["mcp_servers"]]
        which = f", most likely {' or '.join(servers[:_SERVERS])}" if servers else ""
        return f"A sign-in does not help: the program holds role keys that AWS no longer takes. Restart it{which}."
    return (
        f"Try again. If the error comes back, AWS may have ended the sign-in early: ssowatch refresh {_one_of(works)} asks "
        "AWS. If that says renewed, the program reads another home's ~/.aws/sso/cache, or must be restarted."
    )


def _one_of(sign_ins: list[dict[str, Any]]) -> str:
    return _to_type(sign_ins[0]) if len(sign_ins) == 1 else "NAME"


def _sentence(text: str) -> str:
    return f"{text}." if text.startswith("ssowatch ") else f"{text[0].upper()}{text[1:]}."


def _profiles(document: dict[str, Any]) -> str:
    names = [_name(profile) for one in document["sign_ins"] for profile in one["profiles"]]
    more = len(names) - _PROFILES
    return ", ".join(names[:_PROFILES]) + (f" and {more} more" if more > 0 else "") if names else "none"


def _title(one: dict[str, Any]) -> str:
    profiles = ", ".join(_name(profile) for profile in one["profiles"][:8])
    return f"{_name(one['name'])}{f' ({profiles})' if profiles else ''}"


def _name(text: str) -> str:
    return plain(text, _NAME)


def _to_type(one: dict[str, Any]) -> str:
    return shlex.quote(plain(typed(one["kind"], one["name"], one["profiles"])))


def _problem(problem: dict[str, Any], indent: str, width: int) -> list[str]:
    lines = _wrapped(f"! {plain(problem['message'], _SAID)}", indent, width)
    return lines + (_wrapped(f"> {plain(problem['fix'], _SAID)}", indent, width) if problem["fix"] else [])


def _unwatched(one: dict[str, Any], width: int) -> list[str]:
    return _wrapped(f"{_name(one['profile'])} is not watched: {plain(one['reason'], _SAID)}", "", width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text, width, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
