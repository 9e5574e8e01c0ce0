"""Notices through apprise, to a telephone or a chat (owner of that library; an optional extra).

Rules of this file:
1. Its URLs hold passwords. None is ever part of a message, and what the library logs is not logged.
2. It has no buttons: the text says what to type. What was sent cannot be taken back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, ClassVar, Self

from ssowatch.notify.channel import Listener, Notice, NotShownError

_SECONDS = 30.0


class Apprise:
    """The services behind some apprise URLs."""

    word: ClassVar[str] = "apprise"
    name = "apprise"

    def __init__(self, urls: tuple[str, ...], seconds: float = _SECONDS) -> None:
        self._urls = urls
        self._seconds = seconds

    def __repr__(self) -> str:
        return f"Apprise({len(self._urls)} URLs)"

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:  # noqa: ARG003 - not used
        """The services behind the URLs `arguments`."""
        return cls(arguments)

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:  # noqa: ARG003 - pure Python
        """Everywhere."""
        return True

    async def show(self, notice: Notice, listener: Listener) -> str:  # noqa: ARG002 - nobody answers
        """Send it to every URL; one that took it is enough."""
        services = self._services()
        sendings = [
            asyncio.wait_for(one.async_notify(title=notice.title, body=notice.text), self._seconds) for one in services
        ]
        results = await asyncio.gather(*sendings, return_exceptions=True)
        took = sum(not isinstance(result, BaseException) and bool(result) for result in results)
        count = f"{took} of {len(results)} services took it"
        if not took:
            raise NotShownError(count, "check the URLs of `apprise` in `notify`, and the network")
        return count

    async def probe(self) -> str:
        """Whether apprise knows the URLs. Whether they take a notice only a notice tells."""
        return f"apprise knows {len(self._services())} services"

    def _services(self) -> list[Any]:
        try:
            import apprise
        except ImportError:
            raise NotShownError(
                "apprise is not installed", "install it where ssowatch is: pip install 'ssowatch[apprise]'"
            ) from None
        logging.getLogger("apprise").disabled = True
        services = []
        for number, url in enumerate(self._urls, 1):
            one = apprise.Apprise()
            if not one.add(url):
                raise NotShownError(f"apprise does not know the kind of URL number {number}", "correct it in `notify`")
            services.append(one)
        return services

    async def withdraw(self, notice_id: str) -> None:
        """What was sent stays sent."""

    async def close(self) -> None:
        """Nothing is held."""
