"""What a doctor's check is, and what it finds (composition).

Rules of this file:
1. A check looks, and changes nothing: no token, no notice, no tab. What it sends to AWS is one call without any secret.
2. A finding says what is so, what follows from it, and what to type. A command in `fix` stands alone, so that it can be
   copied; a `mend` is the same act, where doing it unasked can lose nothing.
3. What is said may be pasted into a chat: no secret, no value of a variable, no account id, the home directory as `~`.
   Names of profiles, start URLs and regions are in it: without them nobody could help.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from ssowatch import paths
from ssowatch.doctor.scene import Scene
from ssowatch.model import SignIn
from ssowatch.plain import plain


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    message: str
    fix: str | None = None
    mend: Callable[[], object] | None = None
    """Does what `fix` says; raises OSError or another error of ours where it cannot."""
    ok: bool = False


def good(message: str) -> Finding:
    """All is well, in words."""
    return Finding(message, ok=True)


class Check(Protocol):
    """One check."""

    name: str
    """A word for programs; it stays the same."""

    def look(self, scene: Scene) -> Iterable[Finding]:
        """What it found; at least one, good or not."""


def tidy(text: str) -> str:
    """Safe to show and to paste: one line each, with the home directory as `~`."""
    home = paths.home()
    lines = (line.replace(f"{home}/", "~/").replace(home, "~") if home != "/" else line for line in text.splitlines())
    return "\n".join(" " * (len(line) - len(line.lstrip(" "))) + plain(line, 800) for line in lines)


def typed(path: str) -> str:
    """A path as a shell reads it, with `~` where it may be."""
    home = paths.home()
    return f"~/{shlex.quote(path.removeprefix(f'{home}/'))}" if path.startswith(f"{home}/") else shlex.quote(path)


def named(sign_in: SignIn) -> str:
    """The sign-in in words and in commands: a legacy one by its first profile."""
    legacy = sign_in.name == sign_in.start_url and sign_in.profiles
    return plain(sign_in.profiles[0] if legacy else sign_in.name)
