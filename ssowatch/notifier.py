"""The notifier child: a list of wished notices in, what became of them out (composition).

Rules of this file:
1. Each line of stdin is the whole list. What is new in it is shown, what is missing is withdrawn, the rest is left
   alone: the same id is the same notice, pressed and closed ones included.
2. The first channel that shows it wins. A notice that none showed is forgotten: the next line that holds it tries
   again, so retries are the asker's.
3. Every notice has its own task: one that hangs until its deadline holds up no other.
4. The end of stdin, SIGTERM and a reader that went away withdraw everything; then the child is gone within 2 seconds,
   whatever a server or a program does.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from ssowatch import notice_text, settings
from ssowatch.notify import channels
from ssowatch.notify.channel import Channel, Notice, NotShownError
from ssowatch.plain import plain
from ssowatch.settings import Settings

_LINE_LIMIT = 4 << 20
_LAST_SHOW_SECONDS = 0.8
"""At the end: for a notice that is just being shown, so that it can be withdrawn instead of left behind."""
_WITHDRAW_SECONDS = 0.8

Say = Callable[[dict[str, Any]], None]


def configured(known: Settings, environment: Mapping[str, str]) -> tuple[Channel, ...]:
    """The channels of the config's `notify`, in their order."""
    rows: list[tuple[str, tuple[str, ...]]] = []
    for one in known.notify:
        match one:
            case settings.Command():
                rows.append(("command", one.command))
            case settings.Apprise():
                rows.append(("apprise", one.apprise))
            case word:
                rows.append((word, ()))
    return channels(rows, environment)


class Notifier:
    """What is wished and what is shown."""

    def __init__(self, ways: Sequence[Channel], say: Say) -> None:
        self._ways = ways
        self._say = say
        self._wished: dict[str, Notice] = {}
        self._shown: dict[str, Channel] = {}
        self._settled: set[str] = set()  # pressed or closed, and still wished
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._withdrawing: set[asyncio.Task[None]] = set()

    def wish(self, notices: Sequence[Notice]) -> None:
        """Make what is shown what is wished."""
        self._wished = {one.id: one for one in notices}
        self._settled &= self._wished.keys()
        for notice_id in self._shown.keys() - self._wished.keys():
            self._withdraw(notice_id)
        for notice in notices:
            if not {notice.id} & (self._shown.keys() | self._tasks.keys() | self._settled):
                self._tasks[notice.id] = asyncio.get_running_loop().create_task(self._show(notice))

    async def _show(self, notice: Notice) -> None:
        complaints = []
        try:
            for way in self._ways:
                try:
                    await way.show(notice, self)
                except NotShownError as error:
                    complaints.append(f"{way.name}: {error}")
                    continue
                except Exception as error:  # noqa: BLE001 - a fault in one channel must not cost the notice
                    complaints.append(f"{way.name}: {type(error).__name__}")
                    continue
                if notice.id not in self._settled:
                    self._shown[notice.id] = way
                self._say({"shown": notice.id, "channel": way.name})
                break
            else:
                why = "; ".join(complaints) or "the config names no channel that works here (`notify`)"
                self._say({"not_shown": notice.id, "why": plain(why, 600)})
        finally:
            self._tasks.pop(notice.id, None)
        if notice.id not in self._wished and notice.id in self._shown:  # unwished meanwhile
            self._withdraw(notice.id)

    def _withdraw(self, notice_id: str) -> None:
        way = self._shown.pop(notice_id)
        task = asyncio.get_running_loop().create_task(way.withdraw(notice_id))
        self._withdrawing.add(task)
        task.add_done_callback(self._withdrawing.discard)

    def pressed(self, notice_id: str, button: str) -> None:
        """Heard from a channel."""
        self._settle({"pressed": notice_id, "button": button}, notice_id)

    def closed(self, notice_id: str) -> None:
        """Heard from a channel."""
        self._settle({"closed": notice_id}, notice_id)

    def lost(self, notice_id: str) -> None:
        """Heard from a channel: shown again, wherever that works now."""
        self._shown.pop(notice_id, None)
        self.wish(tuple(self._wished.values()))

    def _settle(self, said: dict[str, Any], notice_id: str) -> None:
        self._shown.pop(notice_id, None)
        if notice_id in self._wished:
            self._settled.add(notice_id)
            # A channel may hear of it before its `show` returns; "shown" is said first all the same.
            asyncio.get_running_loop().call_soon(self._say, said)

    async def end(self) -> None:
        """Withdraw everything and let the channels go, within a time that is bounded."""
        self.wish(())
        for patience in (_LAST_SHOW_SECONDS, _WITHDRAW_SECONDS):
            if pending := {*self._tasks.values(), *self._withdrawing}:
                await asyncio.wait(pending, timeout=patience)
        for task in (*self._tasks.values(), *self._withdrawing):
            task.cancel()
        with suppress(TimeoutError):
            async with asyncio.timeout(_WITHDRAW_SECONDS / 4):
                await asyncio.gather(
                    *self._tasks.values(), *(way.close() for way in self._ways), return_exceptions=True
                )


async def serve(ways: Sequence[Channel]) -> None:
    """Be the child, until stdin ends, SIGTERM comes or nobody reads our stdout."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: _complain(context))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    def say(line: dict[str, Any]) -> None:
        try:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()
        except OSError:
            stop.set()

    notifier = Notifier(ways, say)
    reader = asyncio.StreamReader(limit=_LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    reading = loop.create_task(_read(reader, notifier))
    reading.add_done_callback(lambda _: stop.set())
    await stop.wait()
    reading.cancel()
    await notifier.end()


async def _read(reader: asyncio.StreamReader, notifier: Notifier) -> None:
    while line := await reader.readline():
        try:
            notices = wished(line)
        except (LookupError, ValueError, TypeError, AttributeError) as error:
            print(f"ssowatch: not a list of notices: {plain(str(error))}", file=sys.stderr, flush=True)  # noqa: T201 - a child's complaint
            continue
        notifier.wish(notices)


def wished(line: bytes) -> list[Notice]:
    """The notices of one line of stdin.

    Raises:
        LookupError, ValueError, TypeError, AttributeError: it is none of the protocol.

    """
    return [notice(str(one["id"]), one["event"], stays=bool(one.get("stays"))) for one in json.loads(line)["show"]]


def notice(notice_id: str, event: Mapping[str, Any], *, stays: bool) -> Notice:
    """The notice for an event line, its words made safe to show."""
    return Notice(
        id=notice_id,
        title=plain(str(event["title"]), 120),
        message="\n".join(plain(part) for part in str(event["message"]).splitlines()[:6]),
        buttons=tuple(plain(str(label), 40) for label in event.get("buttons") or ()),
        stays=stays,
        typed=notice_text.typed(event),
        event=event,
    )


def _complain(context: Mapping[str, Any]) -> None:
    """A fault that nobody awaits, on one line."""
    said = context.get("exception") or context.get("message")
    print(f"ssowatch: notifier: {plain(repr(said))}", file=sys.stderr, flush=True)  # noqa: T201 - a child's complaint
