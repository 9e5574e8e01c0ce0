"""The channels: one contract over all of them, and what each of them does of its own. Their other ends are fakes."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import os
import sys
import threading
import time
from pathlib import Path

import desktops
import homes
import pytest

from ssowatch import notify
from ssowatch.notify.apprise import Apprise
from ssowatch.notify.channel import Notice, NotShownError
from ssowatch.notify.command import Command, scrubbed
from ssowatch.notify.desktop import Desktop
from ssowatch.notify.dialog import Dialog
from ssowatch.notify.toast import Toast

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise, below 3.13
EVENT = desktops.wish()["event"]
NOTICE = Notice(
    "corp",
    'corp: $(touch x) `id` "&<b>',
    "it's \\ over\n%PATH% $HOME ' \" ü",
    ("Sign in", "Not today"),
    stays=True,
    typed="To sign in, type: ssowatch login corp",
    event=EVENT,
)
LONG = 60.0


class Heard:
    """Keeps what a channel says."""

    def __init__(self) -> None:
        self.said: list[tuple[str, ...]] = []
        self.event = asyncio.Event()

    def pressed(self, notice_id, button):
        self._note("pressed", notice_id, button)

    def closed(self, notice_id):
        self._note("closed", notice_id)

    def lost(self, notice_id):
        self._note("lost", notice_id)

    def _note(self, *what):
        self.said.append(what)
        self.event.set()


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class World:
    """The other end of one channel: `works` or not, and what it was told."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.log = folder / "log"
        self.stack = contextlib.ExitStack()
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    def program(self, name: str, body: str) -> str:
        """A fake program in Python that notes argv, stdin and environment, and then does `body`."""
        path = self.folder / name
        path.write_text(
            f"#!{sys.executable} -I\n"
            "import json, os, sys, time\n"
            "stdin = '' if sys.stdin is None or sys.stdin.isatty() else sys.stdin.readline()\n"
            f"with open({str(self.log)!r}, 'a') as log:\n"
            "    log.write(json.dumps({'argv': sys.argv[1:], 'stdin': stdin, 'environ': dict(os.environ)}) + '\\n')\n"
            f"{body}\n"
        )
        path.chmod(0o755)
        return str(path)

    def told(self) -> list[dict]:
        """Every run of a program."""
        return [json.loads(line) for line in self.log.read_text().splitlines()] if self.log.exists() else []


@pytest.fixture
def world(tmp_path_factory, home, monkeypatch):
    world = World(tmp_path_factory.mktemp("w"), monkeypatch)
    with world.stack:
        yield world


def desktop(world: World, works: bool) -> Desktop:
    bus = desktops.Bus(world.folder)
    world.stack.callback(bus.stop)
    world.monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    if works:
        server = desktops.Server(bus, "actions", "body", "body-markup")
        world.stack.callback(server.close)
        world.server = server
    return Desktop(LONG)


def dialog(world: World, works: bool) -> Dialog:
    body = (
        "time.sleep(600)"
        if works
        else "print('execution error: No user interaction allowed. (-1713)', file=sys.stderr); sys.exit(1)"
    )
    world.program("osascript", body)
    return Dialog(0.5 if works else LONG)


def toast(world: World, works: bool) -> Toast:
    world.program(
        "powershell.exe", "" if works else "print('Show : not allowed\\r\\n at line 1', file=sys.stderr); sys.exit(1)"
    )
    return Toast(LONG)


def command(world: World, works: bool) -> Command:
    return Command((world.program("tell-me", f"sys.exit({0 if works else 3})"),), os.environ, LONG)


def apprise(world: World, works: bool) -> Apprise:
    got = world.posts = []

    class Post(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200 if works else 500)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Post)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    world.stack.callback(server.server_close)
    world.stack.callback(server.shutdown)
    return Apprise((f"json://someone:canary@127.0.0.1:{server.server_port}/",), LONG)


MAKE = {Desktop: desktop, Dialog: dialog, Toast: toast, Command: command, Apprise: apprise}
KINDS = [pytest.param(kind, id=kind.__name__.lower()) for kind in notify.KINDS]


def made(kind, world, works):
    if kind is Apprise and not homes.REQUIRED:
        pytest.importorskip("apprise")
    return MAKE[kind](world, works)


async def shown(channel, notice=NOTICE, heard=None):
    try:
        return await channel.show(notice, heard or Heard())
    finally:
        await channel.close()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shown_is_said(kind, world):
    async def story():
        channel = made(kind, world, works=True)
        assert await channel.show(NOTICE, Heard())
        await channel.withdraw(NOTICE.id)
        await channel.withdraw(NOTICE.id)  # twice, or one that is unknown: nothing
        await channel.withdraw("never seen")
        await channel.close()
        await channel.close()

    asyncio.run(story())


@pytest.mark.parametrize("kind", KINDS)
def test_a_probe_shows_nothing(kind, world):
    async def story():
        channel = made(kind, world, works=True)
        assert await channel.probe()
        await channel.close()

    asyncio.run(story())
    assert not world.told()
    assert not getattr(world, "posts", [])
    if kind is Desktop:
        assert world.server.silent()


UNLIKELY = [
    ("no bus", lambda world: Desktop(LONG), "no session bus"),
    ("a bus without a server", lambda world: desktop(world, works=False), "no notification server"),
    ("no osascript", lambda world: Dialog(), "no osascript"),
    ("no PowerShell", lambda world: Toast(), "no powershell.exe"),
    ("no program", lambda world: Command(("/nonexistent/x",), os.environ), "no program that can be run"),
    ("no such service", lambda world: Apprise(("nonsense-canary://x",)), "does not know the kind of URL number 1"),
]


@pytest.mark.parametrize(("make", "words"), [row[1:] for row in UNLIKELY], ids=[row[0] for row in UNLIKELY])
def test_a_probe_says_why_nobody_would_show_it(world, make, words):
    async def story():
        channel = make(world)
        if isinstance(channel, Apprise) and not homes.REQUIRED:
            pytest.importorskip("apprise")
        with pytest.raises(NotShownError, match=words) as caught:
            await channel.probe()
        assert "canary" not in f"{caught.value}{caught.value.fix}"
        await channel.close()

    asyncio.run(story())


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_shown_raises_with_one_plain_line_and_no_secret(kind, world, caplog, capfd):
    with pytest.raises(NotShownError) as caught:
        asyncio.run(shown(made_in_loop(kind, world)))
    said = f"{caught.value}{caught.value.fix}"
    assert str(caught.value)
    assert "\n" not in said
    assert "canary" not in said + caplog.text + "".join(capfd.readouterr())
    assert "Traceback" not in said + caplog.text


def made_in_loop(kind, world):
    return made(kind, world, works=False)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_not_for_ever(kind, world):
    async def story():
        channel = made(kind, world, works=False)
        for _ in range(2):
            with pytest.raises(NotShownError):
                await channel.show(NOTICE, Heard())
        await channel.close()

    asyncio.run(story())


@pytest.mark.parametrize("kind", KINDS)
def test_its_name_is_for_a_log(kind, world):
    channel = made(kind, world, works=False)
    assert channel.name
    assert "canary" not in channel.name + repr(channel)


@pytest.mark.parametrize("kind", [Dialog, Toast, Command])
def test_words_are_data_never_part_of_a_script(kind, world):
    async def story():
        channel = made(kind, world, works=True)
        await channel.show(NOTICE, Heard())
        await asyncio.to_thread(homes.wait_for, world.told, "the program was told")  # a dialog is open before it looks
        await channel.close()

    asyncio.run(story())
    run = world.told()[0]
    script = next((word for word in run["argv"] if "\n" in word or ";" in word), "")
    assert "touch x" not in script
    if kind is Dialog:
        assert run["argv"][2] == NOTICE.title
        assert NOTICE.message in run["argv"][3]
    else:
        assert run["argv"].count(NOTICE.title) == 0
        given = json.loads(run["stdin"])
        assert run["stdin"].isascii()
        assert given["title"] == (NOTICE.title if kind is Toast else EVENT["title"])


@pytest.mark.parametrize(
    ("platform", "release", "names"),
    [
        pytest.param("linux", "6.1.0-28-amd64", ["desktop"], id="linux"),
        pytest.param("darwin", "24.0.0", ["dialog"], id="macos"),
        pytest.param("linux", "5.15.167.4-microsoft-standard-WSL2", ["desktop", "toast"], id="wsl2"),
        pytest.param("freebsd14", "14.0", [], id="elsewhere"),
    ],
)
def test_desktop_means_what_the_platform_has(platform, release, names):
    assert [one.name for one in notify.channels([("desktop", ())], {}, platform, release)] == names


def test_the_order_is_the_configs():
    rows = [("command", ("/bin/tell", "x")), ("desktop", ()), ("apprise", ("json://a",))]
    assert [one.name for one in notify.channels(rows, {}, "linux", "6.1")] == ["command tell", "desktop", "apprise"]


# --- desktop


def test_markup_is_escaped_where_the_server_reads_it(world):
    asyncio.run(shown(desktop(world, works=True), Notice("x", "<i>R&D</i>", "<b>a</b> & b")))
    told = world.server.notified()
    assert told["title"] == "\u2039i\u203aR&D\u2039/i\u203a"
    assert told["message"] == "&lt;b&gt;a&lt;/b&gt; &amp; b"


@pytest.mark.parametrize(
    ("stays", "urgency", "timeout"), [pytest.param(True, 2, 0, id="stays"), pytest.param(False, 1, -1, id="goes")]
)
def test_urgency_and_time_out(world, stays, urgency, timeout):
    asyncio.run(shown(desktop(world, works=True), Notice("x", "t", "m", stays=stays)))
    told = world.server.notified()
    assert (told["urgency"], told["timeout"]) == (urgency, timeout)


@pytest.mark.parametrize(
    ("buttons", "act", "said"),
    [
        pytest.param(("Sign in", "Not today"), "button-1", ("pressed", "x", "Not today"), id="button"),
        pytest.param(("Sign in", "Not today"), "default", ("pressed", "x", "Sign in"), id="click"),
        pytest.param(("Fresh sign-in", "When it ends"), "default", ("closed", "x"), id="click-that-would-end-one"),
        pytest.param((), "default", ("closed", "x"), id="click-without-buttons"),
        pytest.param(("Sign in",), 2, ("closed", "x"), id="dismissed"),
        pytest.param(("Sign in",), 1, ("closed", "x"), id="its-time-was-over"),
    ],
)
def test_what_a_person_does_is_heard_once(world, buttons, act, said):
    async def story():
        channel, heard = desktop(world, works=True), Heard()
        await channel.show(Notice("x", "t", "m", buttons), heard)
        number = world.server.notified()["number"]
        if isinstance(act, str):
            world.server.press(number, act)
        else:
            world.server.dismiss(number, act)
        await asyncio.wait_for(heard.event.wait(), LONG)
        await channel.show(Notice("y", "t", "m"), heard)  # a round trip: what else came is heard by now
        assert heard.said == [said]
        await channel.close()

    asyncio.run(story())


def test_a_server_without_buttons_gets_the_words_to_type(world):
    async def story():
        bus = desktops.Bus(world.folder)
        world.stack.callback(bus.stop)
        server = desktops.Server(bus, "body")
        world.monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
        with desktops.closing(server):
            assert "has no buttons" in await shown(Desktop(LONG))
            assert server.notified()["message"].endswith("\nTo sign in, type: ssowatch login corp")

    asyncio.run(story())


def test_the_session_bus_is_found_without_an_environment(world):
    async def story():
        bus = desktops.Bus(world.folder)  # its socket is called `bus`, as systemd's
        world.stack.callback(bus.stop)
        server = desktops.Server(bus, "actions")
        world.monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
        world.monkeypatch.setenv("XDG_RUNTIME_DIR", str(world.folder))
        with desktops.closing(server):
            assert await shown(Desktop(LONG)) == "shown by fake 1.0"

    asyncio.run(story())


def test_a_mute_server_costs_one_deadline_for_all_who_wait(world):
    async def story():
        channel = desktop(world, works=True)
        channel._seconds = 1.0
        world.server.freeze()
        began = time.monotonic()
        sendings = [channel.show(Notice(str(number), "t", "m"), Heard()) for number in range(200)]
        results = await asyncio.gather(*sendings, return_exceptions=True)
        assert all(isinstance(one, NotShownError) for one in results)
        assert time.monotonic() - began < 100  # 200 deadlines would be 200 s
        await channel.close()

    asyncio.run(story())


# --- dialog


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("print('Not today')", ("pressed", "corp", "Not today"), id="button"),
        pytest.param("print('')", ("closed", "corp"), id="gave-up"),
        pytest.param("print('Close')", ("closed", "corp"), id="close"),
    ],
)
def test_a_dialogs_answer(world, body, said):
    async def story():
        world.program("osascript", body)
        channel, heard = Dialog(LONG), Heard()
        await channel.show(NOTICE, heard)
        await asyncio.wait_for(heard.event.wait(), LONG)
        assert heard.said == [said]
        assert world.told()[0]["argv"][4:] == ["0", "Not today", "Sign in"]  # it stays; the right one is the default

    asyncio.run(story())


def test_a_dialog_goes_with_its_program(world):
    async def story():
        channel, heard = dialog(world, works=True), Heard()
        await channel.show(NOTICE, heard)
        process = channel._open["corp"]
        await channel.withdraw("corp")
        assert process.returncode is not None
        assert heard.said == []
        await channel.close()

    asyncio.run(story())


# --- toast


def test_a_toast_says_what_to_type_and_is_withdrawn_by_its_tag(world):
    async def story():
        channel = toast(world, works=True)
        assert "no buttons" in await channel.show(NOTICE, Heard())
        await channel.withdraw("corp")

    asyncio.run(story())
    first, second = (json.loads(run["stdin"]) for run in world.told())
    assert first["message"].endswith("ssowatch login corp")
    assert first["tag"] == second["tag"]
    assert len(first["tag"]) == 16
    assert all('"' not in word for run in world.told() for word in run["argv"])


# --- command


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param("print('Sign in')", [("pressed", "corp", "Sign in")], id="a-label"),
        pytest.param("print('noise'); print(' Not today ')", [("pressed", "corp", "Not today")], id="after-noise"),
        pytest.param("print('Reboot')", [], id="no-label"),
        pytest.param("print('x' * (1 << 20))", [], id="a-flood"),
        pytest.param("", [], id="silence"),
    ],
)
def test_what_a_command_says(world, body, said):
    heard = []

    async def story():
        one = Heard()
        await shown(Command((world.program("tell", body), "an argument"), os.environ, LONG), heard=one)
        heard.extend(one.said)

    asyncio.run(story())
    assert heard == said
    run = world.told()[0]
    assert run["argv"] == ["an argument"]
    assert json.loads(run["stdin"]) == EVENT


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        pytest.param(("/does/not/exist",), "cannot be started: No such file or directory", id="missing"),
        pytest.param(("/",), "cannot be started: Permission denied", id="no-program"),
        pytest.param(("/bin/sh", "-c", "exit 3"), "exit code 3", id="fails"),
        pytest.param(("/bin/sh", "-c", "kill -9 $$"), "exit code -9", id="dies"),
        pytest.param(("/bin/sh", "-c", "sleep 600 & sleep 600"), "did not end within 1 s", id="hangs"),
    ],
)
def test_a_command_that_fails(home, argv, why):
    with pytest.raises(NotShownError, match=why):
        asyncio.run(shown(Command(argv, os.environ, 1.0 if "1 s" in why else LONG)))


@pytest.mark.skipif(sys.platform != "linux", reason="counts in /proc")
def test_a_command_may_leave_something_in_the_background(home):  # which holds its stdout
    async def story():
        heard = Heard()
        before = descriptors()
        command = Command(("/bin/sh", "-c", "echo Sign in; sleep 5 & exit 0"), os.environ, LONG)
        assert await command.show(NOTICE, heard) == "ended with exit code 0"
        assert heard.said == [("pressed", "corp", "Sign in")]
        await asyncio.to_thread(  # which has descriptors of its own
            homes.wait_for, lambda: descriptors() <= before + 4, "no descriptor is left"
        )

    asyncio.run(story())


def test_a_commands_environment():
    given = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "AWS_PROFILE": "x",
        "AWS_SECRET_ACCESS_KEY": "canary",
        "AWS_CONFIG_FILE": "/c",
        "NOTIFY_SOCKET": "@x",
    }
    assert scrubbed(given) == {"PATH": "/bin", "HOME": "/home/me", "AWS_CONFIG_FILE": "/c"}


# --- apprise


def test_apprise_sends_the_words_to_type(world):
    asyncio.run(shown(made(Apprise, world, works=True)))
    assert world.posts[0]["title"] == NOTICE.title
    assert "ssowatch login corp" in world.posts[0]["message"]


@pytest.mark.parametrize(
    ("hidden", "urls", "why"),
    [
        pytest.param(True, ("json://canary@127.0.0.1:1/",), "apprise is not installed", id="not-installed"),
        pytest.param(False, ("nothing-like-it://canary",), "does not know the kind of URL number 1", id="unknown-url"),
    ],
)
def test_apprise_cannot(home, monkeypatch, hidden, urls, why):
    if hidden:
        monkeypatch.setitem(sys.modules, "apprise", None)
    elif not homes.REQUIRED:
        pytest.importorskip("apprise")
    with pytest.raises(NotShownError, match=why) as caught:
        asyncio.run(shown(Apprise(urls, LONG)))
    assert "canary" not in f"{caught.value}{caught.value.fix}"
