"""Notices on the desktop, over D-Bus (owner of desktop-notifier).

Rules of this file:
1. The library swallows every failure and logs it; only its `on_dispatched` proves that the server took the notice.
2. Before each notice the server is asked who it is. One that hangs then never gets a notice that would appear minutes
   later with buttons that nobody listens to.
3. One deadline over the asking and the sending. After a failure the connection is closed and dropped, and the next
   notice makes a new one: on an old one the library hangs for ever after a new login (measured), and leaks a
   descriptor per attempt where no server runs.
4. Who waited while another notice failed shares that failure: a mute server costs one deadline, not one per notice.
5. Servers read the message as markup when they say `body-markup`; then it is escaped. A title is plain text by the
   specification, but not everywhere, so there `<` and `>` become characters that no parser knows.
6. What the server says is heard here, not by the library, which knows a notice only after its number has come back:
   whoever is quicker (a server that closes at once, in "do not disturb") would never be heard.
7. A click on the notice itself presses its first button, unless that ends something: a click is too easily made.
"""

from __future__ import annotations

import asyncio
import gc
import html
import logging
import os
from collections.abc import Coroutine, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from ssowatch import paths
from ssowatch.model import Button as Label
from ssowatch.notify.channel import Listener, Notice, NotShownError
from ssowatch.plain import plain

if TYPE_CHECKING:
    from desktop_notifier import DesktopNotifier

_SECONDS = 5.0
_LAST_SECONDS = 0.3
_SERVER = "org.freedesktop.Notifications"
_ICON = Path(__file__).with_name("icon.png")
_PLAIN_TITLE = str.maketrans({"<": "\u2039", ">": "\u203a"})
_KEY = "button-"
_NOT_BY_A_CLICK = {Label.FRESH}
_FIX = "start a notification server (a desktop has one; else dunst or mako), or add another channel to `notify`"


class Desktop:
    """The notification server of the session bus."""

    word: ClassVar[str] = "desktop"
    name = "desktop"

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._notifier: DesktopNotifier | None = None
        self._server = ""
        self._abilities: frozenset[str] = frozenset()
        self._turn = asyncio.Lock()
        self._failures = 0
        self._last: NotShownError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._shown: dict[int, tuple[Notice, Listener]] = {}  # by the server's number
        self._early: dict[int, str | None] = {}  # what was heard of numbers that are not known yet

    @classmethod
    def made(cls, arguments: tuple[str, ...], environment: Mapping[str, str]) -> Self:  # noqa: ARG003 - it takes none
        """The one desktop."""
        return cls()

    @classmethod
    def fits(cls, platform: str, release: str) -> bool:  # noqa: ARG003 - a WSL may have a server, with real buttons
        """Linux. On macOS the library is a dummy outside an app bundle, and inside one it wants the main thread."""
        return platform == "linux"

    async def show(self, notice: Notice, listener: Listener) -> str:
        """Show it, within the deadline."""
        return await self._in_time(self._show(notice, listener))

    async def probe(self) -> str:
        """Ask the server who it is."""
        return await self._in_time(self._answers())

    async def _answers(self) -> str:
        await self._connected()
        return f"{self._server} answers" + ("" if "actions" in self._abilities else ", which has no buttons")

    async def _in_time(self, doing: Coroutine[Any, Any, str]) -> str:
        before = self._failures
        async with self._turn:
            if self._last and self._failures != before:
                doing.close()
                raise self._last
            try:
                async with asyncio.timeout(self._seconds):
                    return await doing
            except TimeoutError:
                failed = NotShownError(f"the notification server gave no answer within {self._seconds:g} s", _FIX)
            except NotShownError as error:
                failed = error
            except Exception as error:  # noqa: BLE001 - the library and dbus-fast raise whatever they meet
                failed = NotShownError(_reason(error), _FIX)
            self._failures += 1
            self._last = failed
            await self._drop()
            raise failed from None

    async def _show(self, notice: Notice, listener: Listener) -> str:
        from desktop_notifier import Button, Urgency

        notifier = await self._connected()
        buttons = "actions" in self._abilities
        message = notice.message if buttons else notice.text
        if "body-markup" in self._abilities:
            message = html.escape(message, quote=False)
        dispatched = asyncio.Event()
        self._early.clear()
        with _Complaints() as complaints:
            known = await notifier.send(
                title=notice.title.translate(_PLAIN_TITLE),
                message=message,
                urgency=Urgency.Critical if notice.stays else Urgency.Normal,
                timeout=0 if notice.stays else -1,
                buttons=[Button(title=label, identifier=f"{_KEY}{at}") for at, label in enumerate(notice.buttons)],
                on_dispatched=dispatched.set,
            )
        # To a server whose interface it does not know the library sends nothing, and says that it did.
        number = self._backend()._platform_to_interface_notification_identifier.inverse.get(known)  # noqa: SLF001
        if not dispatched.is_set() or number is None:
            raise NotShownError(complaints.last or "the notification server did not take it", _FIX)
        self._shown[number] = (notice, listener)
        if number in self._early:
            self._heard(number, self._early[number])
        return f"shown by {self._server}" + ("" if buttons else ", which has no buttons")

    async def _connected(self) -> DesktopNotifier:
        """The library's object, connected to a server that has just answered."""
        if self._notifier and not self._bus_is_up():
            await self._drop()
        if self._notifier is None:
            from desktop_notifier import DesktopNotifier, Icon

            _find_bus()
            self._notifier = DesktopNotifier(app_name="ssowatch", app_icon=Icon(path=_ICON))
            await self._notifier.get_capabilities()  # connects; unlike send() it raises
            interface = self._backend().interface
            if hasattr(interface, "on_action_invoked"):
                interface.on_action_invoked(self._heard)
            if hasattr(interface, "on_notification_closed"):
                interface.on_notification_closed(lambda number, _reason: self._heard(number, None))
            self._bus().add_message_handler(self._owner_changed)
            self._start(self._watch(self._bus()))
        interface = self._backend().interface
        name, _, version, _ = await interface.call_get_server_information()
        self._server = plain(f"{name} {version}", 60)
        self._abilities = frozenset(await interface.call_get_capabilities())
        return self._notifier

    def _backend(self) -> Any:  # noqa: ANN401 - private to the library, so without types here
        """What the library keeps to itself: D-Bus connection and interface, and the server's numbers."""
        return self._notifier._backend  # type: ignore[union-attr]  # noqa: SLF001

    def _bus(self) -> Any:  # noqa: ANN401 - see above
        return getattr(self._backend(), "bus", None)

    def _bus_is_up(self) -> bool:
        bus = self._bus()
        return bool(bus and bus.connected)

    def _heard(self, number: int, key: str | None) -> None:
        """The server says that a button was pressed, or that a notice is gone (no key). Signals of others come too."""
        if number not in self._shown:
            if self._turn.locked():
                self._early.setdefault(number, key)
            return
        notice, listener = self._shown.pop(number)
        if key is not None:
            self._start(self._take_away(number))
        if button := _button(notice, key):
            listener.pressed(notice.id, button)
        else:
            listener.closed(notice.id)

    async def _take_away(self, number: int) -> None:
        """Off the screen. What was pressed as well: dunst leaves it there."""
        if self._notifier:
            with suppress(Exception):  # gone already, or its server is
                async with asyncio.timeout(self._seconds):
                    await self._backend().interface.call_close_notification(number)

    def _start(self, doing: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(doing)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _owner_changed(self, message: Any) -> None:  # noqa: ANN401 - dbus-fast's Message
        """The server ended, and with it what it showed. dbus-fast asks the bus for this signal by itself."""
        if message.member == "NameOwnerChanged" and message.body[:1] == [_SERVER] and message.body[1]:
            self._lose()

    async def _watch(self, bus: Any) -> None:  # noqa: ANN401 - dbus-fast's MessageBus
        """Until the bus ends, and with it what is shown."""
        with suppress(Exception):
            await bus.wait_for_disconnect()
        if self._notifier and self._bus() is bus:
            self._lose()

    def _lose(self) -> None:
        lost, self._shown = self._shown, {}
        for notice, listener in lost.values():
            listener.lost(notice.id)

    async def withdraw(self, notice_id: str) -> None:
        """Take it off the screen."""
        for number in [number for number, (notice, _) in self._shown.items() if notice.id == notice_id]:
            del self._shown[number]
            await self._take_away(number)

    async def close(self) -> None:
        """Disconnect."""
        await self._drop()

    async def _drop(self) -> None:
        """Close the connection and forget it. What it shows can no longer be pressed."""
        if self._notifier is None:
            return
        bus = self._bus()
        if bus and bus.connected and self._shown:
            with suppress(TimeoutError):  # a button that nobody hears must not stay on the screen
                async with asyncio.timeout(_LAST_SECONDS):
                    await asyncio.gather(*map(self._take_away, self._shown))
        self._notifier = None
        self._lose()
        with suppress(Exception):
            if bus and bus._sock and not bus._disconnected:  # noqa: SLF001 - `connected` is False before the handshake's end
                bus.disconnect()
                async with asyncio.timeout(_LAST_SECONDS):
                    await bus.wait_for_disconnect()
        del bus
        gc.collect()  # a connection that never came up is a ring of objects around a socket


class _Complaints(logging.Handler):
    """While it is entered: what the library would have logged as a traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.last = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the reason."""
        error = record.exc_info[1] if record.exc_info else None
        self.last = _reason(error) if error else plain(record.getMessage())

    def __enter__(self) -> Self:
        self._log = logging.getLogger("desktop_notifier")
        self._log.propagate = False
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.removeHandler(self)


def _button(notice: Notice, key: str | None) -> str | None:
    """The label of the button that `key` presses."""
    number = (key or "").removeprefix(_KEY)
    if number in map(str, range(len(notice.buttons))):
        return notice.buttons[int(number)]
    first = notice.buttons[0] if notice.buttons else None
    return first if key == "default" and first not in _NOT_BY_A_CLICK else None


def _reason(error: BaseException) -> str:
    """What the error means, on one line."""
    kind = getattr(error, "type", "")  # dbus_fast.DBusError
    if kind in {"org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner"}:
        return "no notification server runs on the session bus"
    if isinstance(error, FileNotFoundError | ConnectionError) or type(error).__name__ == "InvalidAddressError":
        return "there is no session bus (nobody is logged in at a desktop)"
    return plain(f"{kind or type(error).__name__}: {error}")


def _find_bus() -> None:
    """Name the session bus where the environment does not: MCP clients strip it from what they start."""
    folder = {**os.environ, **paths.session_bus()}.get("XDG_RUNTIME_DIR")
    if folder and not os.environ.get("DBUS_SESSION_BUS_ADDRESS") and Path(folder, "bus").is_socket():
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={folder}/bus"
