"""The browser: which program opens which link, with what environment, mask and descriptors. Openers stand on PATH."""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

import pytest
from homes import wait_for

from ssowatch import browser, links, paths

LINK = "http://127.0.0.1:43210/go/x7f9"
PAGE = "https://device.sso.us-east-1.amazonaws.com/?user_code=ABCD-EFGH&x=1"
RECORD = """\
#!{python} -IS
import json, os, sys, time
def note():
    mask = os.umask(0)
    fds = [int(fd) for fd in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + fd)]
    said = dict(argv=sys.argv[1:], environ=dict(os.environ), umask=mask, sid=os.getsid(0), pid=os.getpid(), fds=fds,
                cwd=os.getcwd(), stdin=os.readlink("/proc/self/fd/0"))
    with open({record!r} + ".part", "w") as out:
        json.dump(said, out)
    os.rename({record!r} + ".part", {record!r})
note()
{body}
"""
MANAGER = "print('DISPLAY=:7')\nprint('PATH=/usr/bin')"

pytestmark = pytest.mark.skipif(sys.platform == "darwin", reason="the openers here are Linux's")


class Desk:
    """A PATH of our own programs; each leaves a record of how it was started."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def program(self, name: str, body: str = "") -> Path:
        path = self.folder / name
        record = str(self.folder / f"{name}.json")
        path.write_text(RECORD.format(python=sys.executable, record=record, body=body))
        path.chmod(0o755)
        return path

    def started(self, name: str) -> bool:
        return (self.folder / f"{name}.json").exists()

    def record(self, name: str) -> dict:
        return json.loads((self.folder / f"{name}.json").read_text())


@pytest.fixture
def desk(tmp_path, monkeypatch, home):
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "INVOCATION_ID"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(browser, "_MANAGER_SECONDS", 30.0)
    monkeypatch.setattr(browser, "_SECONDS", 60.0)
    return Desk(folder)


LINKS = [
    ("our listener", LINK, True),
    ("our listener by IPv6", "http://[::1]:43210/go/x", True),
    ("localhost", "http://localhost:8/x", True),
    ("a page of AWS", PAGE, True),
    ("http elsewhere", "http://example.com/x", False),
    ("loopback only by the look", "http://127.0.0.1.example.com/", False),
    ("loopback as a user name", "http://127.0.0.1@example.com/", False),
    ("a user name", "https://me@example.com/", False),
    ("a file", "file:///etc/passwd", False),
    ("javascript", "javascript:alert(1)", False),
    ("another program's scheme", "ms-msdt:/id", False),
    ("capitals", "HTTPS://example.com/", False),
    ("an option", "--new-window", False),
    ("a space", "https://example.com/ x", False),
    ("a quote", "https://example.com/'x", False),
    ("a double quote", 'https://example.com/"x', False),
    ("a backtick", "https://example.com/`x`", False),
    ("a backslash", "https://example.com\\@x/", False),
    ("a curly quote", "https://example.com/\u2019x", False),
    ("an escape sequence", "https://example.com/\x1b[2J", False),
    ("a line feed at the end", "https://example.com/\n", False),
    ("no host", "https:///x", False),
    ("a bad port is a bad link's own affair", "https://example.com:99999/", True),
    ("a broken IPv6 host", "https://[::1/", False),
    ("a password", "https://:secret@example.com/", False),
    ("the longest", "https://example.com/".ljust(2048, "x"), True),
    ("too long", "https://example.com/".ljust(2049, "x"), False),
    ("nothing", "", False),
]


@pytest.mark.parametrize(("what", "url", "expected"), LINKS, ids=[row[0] for row in LINKS])
def test_which_links_are_opened(what, url, expected):
    assert links.allowed(url) is expected


def test_a_refused_link_starts_nothing(desk, monkeypatch):
    desk.program("xdg-open")
    monkeypatch.setenv("DISPLAY", ":1")
    assert browser.open_url("file:///etc/passwd") == "this is no link that ssowatch opens"
    assert not desk.started("xdg-open")


CHOICES = [
    # BROWSER, the programs there, the one started, its words
    ("a program", "one", ["one"], "one", [LINK]),
    ("the first that there is", "none:one", ["one"], "one", [LINK]),
    ("the first of two", "one:two", ["one", "two"], "one", [LINK]),
    ("words before the link", "one --new-window", ["one"], "one", ["--new-window", LINK]),
    ("a place for the link", "one --url %s --private", ["one"], "one", ["--url", LINK, "--private"]),
    ("a place within a word", "one --url=%s", ["one"], "one", [f"--url={LINK}"]),
    ("a quoted word", "one --profile 'My Work' %s", ["one"], "one", ["--profile", "My Work", LINK]),
    ("in the background", "one %s &", ["one"], "one", [LINK]),
    ("an open quote is passed over", "one '%s:two", ["one", "two"], "two", [LINK]),
    ("empty entries", "::one:", ["one"], "one", [LINK]),
    ("no shell", "one $HOME ;true", ["one"], "one", ["$HOME", ";true", LINK]),
    ("none of them: the desktop", "none", ["xdg-open"], "xdg-open", [LINK]),
    ("nothing: the desktop", "", ["xdg-open"], "xdg-open", [LINK]),
    ("no xdg-open: gio", "", ["gio"], "gio", ["open", LINK]),
]


@pytest.mark.parametrize(("what", "variable", "programs", "started", "words"), CHOICES, ids=[row[0] for row in CHOICES])
def test_what_opens_it(desk, monkeypatch, what, variable, programs, started, words):
    for name in programs:
        desk.program(name)
    monkeypatch.setenv("BROWSER", variable)
    monkeypatch.setenv("DISPLAY", ":1")
    assert browser.available(os.environ)
    assert browser.open_url(LINK) is None
    assert desk.record(started)["argv"] == words
    assert [name for name in programs if desk.started(name)] == [started]


def test_the_configs_own_command_comes_first_and_alone(desk, monkeypatch):
    monkeypatch.setenv("BROWSER", "one")
    monkeypatch.setenv("DISPLAY", ":1")
    for name in ("one", "xdg-open"):
        desk.program(name)
    mine = desk.program("firefox")
    assert browser.open_url(PAGE, [str(mine), "-P", "work %s"]) is None
    assert desk.record("firefox")["argv"] == ["-P", "work %s", PAGE]
    desk.program("firefox", "sys.exit(9)")
    assert browser.open_url(PAGE, ["firefox"]) == "firefox: it failed (exit code 9)"
    assert browser.open_url(PAGE, ["nowhere"]) == "nowhere is not installed"
    assert not desk.started("one")
    assert not desk.started("xdg-open")


def test_how_it_is_started(desk, monkeypatch):
    desk.program("xdg-open")
    secrets = {
        "AWS_ACCESS_KEY_ID": "canary",
        "AWS_SECRET_ACCESS_KEY": "canary",
        "AWS_SESSION_TOKEN": "canary",
        "AWS_PROFILE": "canary",
        "NOTIFY_SOCKET": "canary",
        "WATCHDOG_PID": "canary",
        "LISTEN_FDS": "canary",
        "JOURNAL_STREAM": "canary",
    }
    for name, value in {**secrets, "DISPLAY": ":1", "MINE": "kept"}.items():
        monkeypatch.setenv(name, value)
    held = os.open(os.devnull, os.O_RDONLY)
    os.set_inheritable(held, True)  # noqa: FBT003
    before = os.umask(0o077)
    try:
        assert browser.open_url(LINK) is None
    finally:
        os.umask(before)
        os.close(held)
    said = desk.record("xdg-open")
    assert said["umask"] == 0o022
    assert said["sid"] == said["pid"]
    assert said["cwd"] == "/"
    assert said["stdin"] == os.devnull
    assert said["fds"] == [0, 1, 2]
    assert said["environ"]["MINE"] == "kept"
    assert "canary" not in said["environ"].values()


FAILURES = [
    ("no browser at all", "sys.exit(3)", "xdg-open: no browser is installed (exit code 3)"),
    ("it would not start", "sys.exit(4)", "xdg-open: no browser could be started (exit code 4)"),
    ("killed", "os.kill(os.getpid(), 9)", "xdg-open: it failed (exit code -9)"),
]


@pytest.mark.parametrize(("what", "body", "expected"), FAILURES, ids=[row[0] for row in FAILURES])
def test_a_failure_says_why(desk, monkeypatch, what, body, expected):
    desk.program("xdg-open", body)
    monkeypatch.setenv("DISPLAY", ":1")
    assert browser.open_url(LINK) == expected


def test_nothing_that_could_open_it(desk, monkeypatch):
    assert not browser.available(os.environ)
    assert browser.open_url(LINK) == "there is no browser"
    monkeypatch.setenv("DISPLAY", ":1")
    assert browser.open_url(LINK) == "xdg-open is not installed"


def test_every_failure_is_told(desk, monkeypatch):
    desk.program("one", "sys.exit(1)")
    monkeypatch.setenv("BROWSER", "one:two")
    assert browser.open_url(LINK) == "one: it failed (exit code 1); two is not installed"


def test_a_browser_in_the_foreground_is_open(desk, monkeypatch):
    desk.program("xdg-open", "time.sleep(600)")
    monkeypatch.setenv("DISPLAY", ":1")
    monkeypatch.setattr(browser, "_SECONDS", 0.5)
    began = time.monotonic()
    assert browser.open_url(LINK) is None
    assert time.monotonic() - began < 60
    pid = wait_for(lambda: desk.started("xdg-open") and desk.record("xdg-open"), "the browser runs", 60)["pid"]
    os.kill(pid, 9)
    wait_for(lambda: not Path(f"/proc/{pid}").exists(), "no zombie stays", 60)


UNIT = ["--user", "--quiet", "--collect", "--property=KillMode=process"]
SERVICES = [
    # environment here, what the manager says, is it started in a unit of its own?
    ("from a service", {}, MANAGER, True),
    ("from GNOME's terminal", {"DISPLAY": ":1", "INVOCATION_ID": "x"}, MANAGER, True),
    ("from a terminal", {"DISPLAY": ":1"}, MANAGER, False),
    ("a desktop that tells its manager nothing", {"DISPLAY": ":1", "INVOCATION_ID": "x"}, "print('PATH=/bin')", False),
    ("no manager", {"WAYLAND_DISPLAY": "w", "INVOCATION_ID": "x"}, "sys.exit(1)", False),
]


@pytest.mark.parametrize(("what", "environ", "manager", "own_unit"), SERVICES, ids=[row[0] for row in SERVICES])
def test_from_a_service(desk, monkeypatch, what, environ, manager, own_unit):
    for name in ("xdg-open", "systemd-run"):
        desk.program(name)
    desk.program("systemctl", manager)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert browser.available(os.environ)
    assert browser.open_url(LINK) is None
    assert desk.started("systemd-run") is own_unit
    assert desk.started("xdg-open") is not own_unit
    if own_unit:
        words = desk.record("systemd-run")["argv"]
        assert [word for word in words if word != "--wait"] == [*UNIT, "--", str(desk.folder / "xdg-open"), LINK]


def test_from_a_service_the_users_own_choice_gets_a_unit_too(desk, monkeypatch):
    for name in ("one", "two", "systemd-run"):
        desk.program(name)
    desk.program("systemctl", MANAGER)
    monkeypatch.setenv("BROWSER", "one")
    assert browser.open_url(LINK) is None
    assert desk.record("systemd-run")["argv"][-2:] == [str(desk.folder / "one"), LINK]
    assert browser.open_url(LINK, ["two", "-P", "work"]) is None
    assert desk.record("systemd-run")["argv"][-4:] == [str(desk.folder / "two"), "-P", "work", LINK]


def test_the_managers_environment_is_asked_anew(desk, monkeypatch):
    desk.program("systemctl", "print('PATH=/bin')")
    assert not browser.available(os.environ)
    desk.program("systemctl", MANAGER)
    assert browser.available(os.environ)


SSH = {"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"}
THERE = [
    ("a display", {"DISPLAY": ":1"}, True),
    ("Wayland", {"WAYLAND_DISPLAY": "wayland-0"}, True),
    ("an empty one", {"DISPLAY": ""}, False),
    ("a browser of one's own", {"BROWSER": "one"}, True),
    ("one that is not there", {"BROWSER": "none"}, False),
    ("ssh", SSH, False),
    ("ssh with X", SSH | {"DISPLAY": "localhost:10"}, True),
    ("ssh with a browser of one's own", SSH | {"BROWSER": "one"}, True),
    ("nothing", {}, False),
]


@pytest.mark.parametrize(("what", "environ", "expected"), THERE, ids=[row[0] for row in THERE])
def test_is_there_one(desk, what, environ, expected):
    desk.program("one")
    assert browser.available({"PATH": str(desk.folder), **environ}) is expected


def test_over_ssh_the_desktop_of_this_machine_is_not_used(desk, monkeypatch):
    for name in ("xdg-open", "systemd-run"):
        desk.program(name)
    desk.program("systemctl", MANAGER)
    monkeypatch.setenv("SSH_CONNECTION", SSH["SSH_CONNECTION"])
    assert not browser.available(os.environ)
    assert browser.open_url(LINK) == "there is no browser"
    assert not desk.started("systemd-run")
    assert browser.available(os.environ, ["mine"]), "the config's own command knows better"


WINDOWS = [
    ("wslu", ["wslview", "rundll32.exe", "powershell.exe"], "wslview", [PAGE]),
    ("bare", ["rundll32.exe", "powershell.exe"], "rundll32.exe", ["url.dll,FileProtocolHandler", PAGE]),
    (
        "PowerShell alone",
        ["powershell.exe"],
        "powershell.exe",
        ["-NoProfile", "-NonInteractive", "-Command", f"Start-Process -FilePath '{PAGE}'"],
    ),
]


@pytest.mark.parametrize(("what", "programs", "started", "words"), WINDOWS, ids=[row[0] for row in WINDOWS])
def test_wsl(desk, monkeypatch, what, programs, started, words):
    """The kernel's name is the machine's, so what is looked up is replaced; the rest is the real way."""
    monkeypatch.setattr(browser, "_KERNEL", desk.folder / "osrelease")
    (desk.folder / "osrelease").write_text("5.15.167.4-microsoft-standard-WSL2\n")
    assert not browser.available(os.environ), "a container on WSL's kernel"
    for name in programs:
        desk.program(name)
    assert browser.available(os.environ)
    assert browser.open_url(PAGE) is None
    assert desk.record(started)["argv"] == words


BUS = [
    ("a client that strips the environment", {}, True, {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}),
    ("it is there", {"XDG_RUNTIME_DIR": "/run/mine"}, True, {}),
    ("no such directory", {}, False, {}),
]


@pytest.mark.parametrize(("what", "environ", "there", "expected"), BUS, ids=[row[0] for row in BUS])
def test_where_the_session_bus_is(home, monkeypatch, what, environ, there, expected):
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "access", lambda path, mode: there)
    assert paths.session_bus() == expected
