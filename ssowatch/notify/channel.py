"""What a notification channel is: one Protocol, and the values that go through it.

Rules of this file:
1. A channel that returns from `show` has shown the notice; whatever else happened is a `NotShownError`. "Probably"
   counts as not shown, because the next channel is tried only then.
2. What a notice says is anybody's text (names from config files). It comes here free of control and bidirectional
   characters; a channel whose other end parses markup escapes that itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, Self


class Listener(Protocol):
    """Who is told what becomes of a notice that was shown; one of these, once."""

    def pressed(self, notice_id: str, button: str) -> None:
        """The button with this label was pressed."""

    def closed(self, notice_id: str) -> None:
        """Somebody closed it, or its time was over."""

    def lost(self, notice_id: str) -> None:
        """It is gone without anybody's doing: its server or session ended."""


class NotShownError(Exception):
    """The notice was not shown. The message says why, without a secret; `fix` what to do about it, or "" ."""

    def __init__(self, why: str, fix: str = "") -> None:
        super().__init__(why)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice. The same id is the same notice."""

    id: str
    title: str
    message: str
    buttons: tuple[str, ...] = ()
    stays: bool = False
    """It stays until somebody acts; else it goes by itself when its time is over."""
    typed: str = ""
    """What to type instead of pressing a button, for channels that have none."""
    event: Mapping[str, Any] = field(default_factory=dict)
    """The event line of the contract, for programs."""

    @property
    def text(self) -> str:
        """The message for a channel without buttons."""
        return f"{self.message}\n{self.typed}".strip()


class Channel(Protocol):
    """One way to tell a person something."""

    word: ClassVar[str]
    """The word in the config's `notify` that asks for it."""
    name: str
    """What a log calls it; never a secret."""

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:
        """The channel for one entry of `notify`; `arguments` is what stands beside the word. Touches nothing yet."""

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:
        """Whether it can work on this `sys.platform` and kernel release."""

    async def show(self, notice: Notice, listener: Listener) -> str:
        """Show it; says what was really shown, for a person.

        Raises:
            NotShownError: it was not shown. At most `seconds` of the channel have passed.

        """

    async def probe(self) -> str:
        """Who would show a notice, as far as can be told without showing one; for a person.

        Raises:
            NotShownError: nobody would. At most `seconds` of the channel have passed.

        """

    async def withdraw(self, notice_id: str) -> None:
        """Take it back if it is still shown and can be taken back. Never raises."""

    async def close(self) -> None:
        """Give back what the channel holds. Never raises."""
