"""The sign-in that the server hangs on, as the wrapper sees it (composition: token file, published state, `ensure`).

Rules of this file:
1. While all is well it costs a stat of the token file. What costs more is done by a child.
2. Which sign-in it is follows from the profile that the wrapper was started with, never from what an agent says.
3. It is *in use* as long as the wrapper lives (`renew: in_use`).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta

from ssowatch import cache, files, paths, published
from ssowatch.clock import utc_now
from ssowatch.model import Token
from ssowatch.wish import Verdict
from ssowatch.wrapper.ensuring import Ensuring

SHORT = timedelta(minutes=1)
"""A token with less is renewed before a call."""
_REST_SECONDS = 30.0
"""A token that a silent renewal did not help is left alone for so long."""


def _nothing() -> None:
    """Nobody is told."""


def _never() -> bool:
    return False


class OurSignIn:
    """Found by the profile; until then, and where there is none, nothing is known."""

    def __init__(self, profile: str, ensuring: Ensuring) -> None:
        self._profile = profile
        self._ensuring = ensuring
        self._tokens = cache.TokenCache()
        self._looking = threading.Lock()
        self._tried: tuple[str, float] = ("", 0.0)
        self.name: str | None = None
        self.found = threading.Event()
        """It is known which sign-in it is, or that there is none."""
        self.problem: str | None = None
        """Why there is none."""

    def find(self, seconds: float) -> None:
        """Find it: in what a watcher published, else by a child, which renews it in the same go if it must."""
        name = self._published()
        if name is None:
            arguments = ("--min=1m", "--login=never", "--of-profile", "--", self._profile)
            answer = self._ensuring.ask(arguments, time.monotonic() + seconds, _nothing, _never)
            name, verdict = answer or (None, Verdict(1, "ssowatch ensure takes too long"))
            if name is None:
                self.problem = verdict.message
        if name is not None:
            with suppress(OSError):  # then it does not count as used, and works all the same
                files.shared(paths.use_lock(name))
        self.name = name
        self.found.set()

    def _published(self) -> str | None:
        with suppress(ValueError, KeyError, TypeError):
            for one in (published.document() or {"sign_ins": []})["sign_ins"]:
                if self._profile in one["profiles"]:
                    return str(one["name"])
        return None

    def token(self) -> Token | None:
        """The token in the file; None where there is none that can be read."""
        if self.name is None:
            return None
        with self._looking:
            file = self._tokens.look(self.name, utc_now())
        return None if file.fault else file.token

    def works(self, token: Token | None) -> bool:
        """Whether calls work with this token, by what the file says. One that its users renew works until they cannot."""
        return token is not None and (token.session is not None or token.expires_at > utc_now())

    def due(self) -> bool:
        """Whether a silent renewal should come before a call."""
        token = self.token()
        if token is None or not token.refreshable or token.expires_at - utc_now() >= SHORT:
            return False
        tried, at = self._tried
        return token.fingerprint != tried or time.monotonic() - at >= _REST_SECONDS

    def renew(self, until: float, over: Callable[[], bool]) -> None:
        """Silently; what came of it is in the file."""
        if self.name is None:
            return
        token = self.token()
        self._ensuring.ask(("--min=1m", "--login=never", "--", self.name), until, _nothing, over)
        if token and (now := self.token()) and now.fingerprint == token.fingerprint:
            self._tried = (token.fingerprint, time.monotonic())

    def ensure(
        self, until: float, tick: Callable[[], None], over: Callable[[], bool], *, login: bool, doubted: bool
    ) -> Verdict | None:
        """Make it work: renewed, or a person is asked if `login`. `doubted`: AWS is asked about the token in the file.

        None: it is `over`, or `until` has passed.
        """
        if self.name is None:
            return None
        doubt = ("--doubt",) if doubted else ()
        ask = ("--login=auto",) if login else ("--login=never",)
        answer = self._ensuring.ask(("--min=1m", *doubt, *ask, "--", self.name), until, tick, over)
        return answer[1] if answer else None
