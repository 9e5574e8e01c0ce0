"""Notices on a real desktop: dunst on a virtual screen. Each kind is photographed; people look at the pictures."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import desktops
import homes
import pytest
from desktops import Bus, Child, wish
from simulator.server import Simulator

from ssowatch import notice_text
from ssowatch.clock import utc_now
from ssowatch.model import Cause, Kind, Memory, Plan, SignIn, State

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

PROGRAMS = ("dbus-daemon", "Xvfb", "dunst", "dunstctl", "import", "convert", "xdotool")
_DUNSTRC = """\
[global]
    monitor = 0
    follow = none
    width = 460
    height = 220
    origin = top-right
    offset = 16x16
    padding = 14
    horizontal_padding = 16
    font = DejaVu Sans 11
    format = "<b>%s</b>\\n%b"
    markup = full
    show_indicators = no
    icon_position = left
    max_icon_size = 48
    frame_width = 1
    frame_color = "#3d444d"
    corner_radius = 0
    idle_threshold = 0
    dmenu = {dmenu}
[urgency_normal]
    background = "#1f2328"
    foreground = "#f0f6fc"
    timeout = 30
[urgency_critical]
    background = "#1f2328"
    foreground = "#f0f6fc"
    frame_color = "#d29922"
    timeout = 0
"""
CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev", "prod"))
CONSOLE = SignIn("arn:aws:sts::111111111111:assumed-role/Admin/jane@example.com", "login", "", "", ("console",))
KB = ("aws-kb", "Claude Code")


class Desktop:
    """A screen, a session bus, dunst."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bus = Bus(folder)
        reading, writing = os.pipe()
        self._screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-screen", "0", "500x180x24", "-nolisten", "tcp"],
            pass_fds=[writing],
            stderr=subprocess.DEVNULL,
        )
        os.close(writing)
        with os.fdopen(reading) as number:
            self.environ = {"DISPLAY": f":{number.readline().strip()}", "DBUS_SESSION_BUS_ADDRESS": self.bus.address}
        self._run("xsetroot", "-solid", "#6e7781") if shutil.which("xsetroot") else None
        self._menu = folder / "dmenu"  # dunst draws no buttons; its menu has them, and this is who chooses there
        (folder / "dunstrc").write_text(_DUNSTRC.format(dmenu=self._menu))
        self.start_dunst()

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command, env={**os.environ, **self.environ}, capture_output=True, text=True, timeout=60, check=False
        )
        return done.stdout.strip()

    def start_dunst(self) -> None:
        """Start the notification server, and wait until it answers."""
        with (self.folder / "dunst.log").open("ab") as log:
            self.dunst = subprocess.Popen(
                ["dunst", "-config", str(self.folder / "dunstrc")],
                env={**os.environ, **self.environ},
                stdout=log,
                stderr=log,
            )
        homes.wait_for(lambda: self._run("dunstctl", "is-paused") == "false", "dunst answers", 60)

    def stop_dunst(self) -> None:
        """End it."""
        self.dunst.kill()
        self.dunst.wait()

    def shown(self) -> int:
        """How many notices are on the screen."""
        return int(self._run("dunstctl", "count", "displayed") or 0)

    def until_shown(self, count: int) -> None:
        """Wait until as many are on the screen."""
        homes.wait_for(lambda: self.shown() == count, f"{count} notices on the screen", 60)

    def press(self, label: str) -> None:
        """A person chooses a button in dunst's menu: dunst sends the real D-Bus action."""
        self._menu.write_text(f"#!/bin/sh\ngrep -F -- '{label}' | head -1\n")
        self._menu.chmod(0o755)
        self._run("dunstctl", "context")

    def click(self) -> None:
        """A real click with the left button, which dunst takes for "close"."""
        self._run("xdotool", "mousemove", "300", "50", "click", "1")

    def photograph(self, name: str) -> Path:
        """The picture of the screen once it stands still, cut to what is on it."""
        folder = Path(os.environ.get("SSOWATCH_SCREENSHOTS") or self.folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{name}.png"

        def still() -> bool:
            before = self._colours(path)
            return before > 20 and before == self._colours(path)

        homes.wait_for(still, "a picture that stands still, with a notice in it", 60)
        self._run(
            "convert",
            str(path),
            "-trim",
            "+repage",
            "-bordercolor",
            "#6e7781",
            "-border",
            "12",
            "-strip",
            "-colors",
            "128",
            str(path),
        )
        return path

    def _colours(self, path: Path) -> int:
        """Take the picture; how many colours it has."""
        self._run("import", "-window", "root", str(path))
        return int(self._run("identify", "-format", "%k", str(path)) or 0)

    def close(self) -> None:
        """End it all."""
        for process in (self.dunst, self._screen):
            process.kill()
            process.wait()
        self.bus.stop()


@pytest.fixture
def desktop(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Desktop]:
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing:
        assert not homes.REQUIRED, f"missing: {missing}"
        pytest.skip(f"needs {', '.join(missing)}")
    desktop = Desktop(tmp_path_factory.mktemp("d"))
    yield desktop
    desktop.close()


@pytest.fixture
def child(desktop: Desktop) -> Iterator[Child]:
    child = Child(**desktop.environ)
    with desktops.closing(child):
        yield child


def notice(
    cause: Cause,
    *buttons: str,
    state: State = State.VALID,
    stays: bool = True,
    minutes: int = 15,
    source: str = "configured",
    within: int | None = None,
    sign_in: SignIn = CORP,
    **more,
):
    """A notice as the watcher makes it. `within`: minutes in which the end lies, where it is not known to the minute."""
    now = utc_now().replace(hour=16, minute=45, second=0, microsecond=0)
    end = now + timedelta(minutes=minutes)
    refused = cause is Cause.REFUSED
    facts = {"good_until": end, "ends_at": None if refused else end, "ends_at_source": source}
    plan = Plan(state, Memory(), ends_from=end - timedelta(minutes=within) if within else None, **facts)
    title, message = notice_text.title_and_message(sign_in, plan, cause, now, **more)
    return wish(stays=stays, title=title, message=message, buttons=list(buttons))


KINDS = {
    "ending": notice(Cause.ENDING, "Fresh sign-in", "When it ends", servers=[KB]),
    "ending-about": notice(Cause.ENDING, "Fresh sign-in", "When it ends", minutes=45 * 60, source="learned", within=8),
    "refused": notice(Cause.REFUSED, "Sign in", "Not today", minutes=47),
    "ended": notice(Cause.ENDED, "Sign in", "Not today", state=State.LOGIN_REQUIRED),
    "several": notice(
        Cause.ENDED, "Sign in", "Not today", state=State.LOGIN_REQUIRED, position=(1, 3), others=["lab", "acme"]
    ),
    "aws-login": notice(Cause.ENDED, "Sign in", "Not today", state=State.LOGIN_REQUIRED, sign_in=CONSOLE, servers=[KB]),
    "markup": notice(Cause.ENDED, "Sign in", servers=[("<b>&amp;</i>", "<a href='http://x'>x</a>")]),
    "test": wish(
        stays=False,
        title="ssowatch: this is a test",
        message="Notices about your AWS sign-ins reach you here.",
        buttons=[],
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_seen(desktop, child, kind):
    child.show(KINDS[kind])
    assert child.hear() == {"shown": "corp", "channel": "desktop"}
    desktop.until_shown(1)
    assert desktop.photograph(f"notice-{kind}").stat().st_size > 1000
    child.show()
    desktop.until_shown(0)


@pytest.mark.parametrize("label", ["Sign in", "Not today"])
def test_a_button_is_pressed(desktop, child, label):
    child.show(KINDS["ended"])
    assert child.hear()["shown"] == "corp"
    desktop.until_shown(1)
    desktop.press(label)
    assert child.hear() == {"pressed": "corp", "button": label}
    desktop.until_shown(0)


def test_a_click_closes_it(desktop, child):
    child.show(KINDS["ended"])
    assert child.hear()["shown"] == "corp"
    desktop.until_shown(1)
    desktop.photograph("click")  # it is drawn, so the mouse meets it
    homes.wait_for(lambda: (desktop.click(), desktop.shown() == 0)[1], "the click closed it", 60)
    assert child.hear() == {"closed": "corp"}


@pytest.mark.parametrize("end", ["eof", "sigterm"])
def test_the_end_of_the_child_takes_the_notice_away(desktop, child, end):
    child.show(KINDS["ended"])
    assert child.hear()["shown"] == "corp"
    desktop.until_shown(1)
    if end == "eof":
        child.end_input()
    else:
        child.process.send_signal(signal.SIGTERM)
    assert child.gone() == 0
    desktop.until_shown(0)
    assert child.errors == b""


def test_a_server_that_was_restarted_shows_the_next_notice(desktop, child):
    child.show(KINDS["ended"])
    assert child.hear()["shown"] == "corp"
    desktop.stop_dunst()
    assert "no notification server" in child.hear()["why"]
    desktop.start_dunst()
    child.show(KINDS["ended"])
    assert child.hear()["shown"] == "corp"
    desktop.until_shown(1)


def test_notify_test_names_the_server(desktop):
    done = homes.ssowatch("notify", "test", timeout=60, **desktop.environ)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("desktop: shown by dunst ")
    desktop.until_shown(1)


def test_from_the_end_of_a_sign_in_by_one_button_to_the_next(desktop, home):
    """The whole way: the watcher asks, a person presses, the browser opens, the token is there, the notice is gone."""
    homes.aws_config(home)
    homes.own_config(home, "heartbeat: 200ms\n")
    person = home / "person"
    tests = Path(__file__).parent.parent
    person.write_text(
        f"#!/bin/sh\nPYTHONPATH='{tests}:{tests.parent}' exec '{sys.executable}' -m simulator.person --press Allow \"$1\"\n"
    )
    person.chmod(0o700)
    with Simulator() as center:
        homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
        center.end_session()
        environ = {**center.environ, **desktop.environ, "BROWSER": str(person)}
        with homes.watcher(home, **environ) as running:
            running.until_state("login_required")
            desktop.until_shown(1)
            desktop.photograph("watcher-asks")
            desktop.press("Sign in")
            assert running.until_state("valid")["problem"] is None
            desktop.until_shown(0)
        assert len(center.calls("AuthorizePage")) == 1
