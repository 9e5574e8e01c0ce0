"""The notifier child, as its watcher sees it: lists in, lines out. Its server is a fake on a real bus."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import desktops
import homes
import pytest
from desktops import Bus, Child, Server, wish

from ssowatch import asking, notifier

pytestmark = pytest.mark.real


@pytest.fixture
def bus(tmp_path_factory, home):
    bus = Bus(tmp_path_factory.mktemp("b"))
    yield bus
    bus.stop()


@pytest.fixture
def server(bus):
    server = Server(bus, "actions", "body", "body-markup")
    with desktops.closing(server):
        yield server


@pytest.fixture
def child(bus):
    child = Child(DBUS_SESSION_BUS_ADDRESS=bus.address)
    with desktops.closing(child):
        yield child


def config(home, *channels):
    homes.own_config(home, f"notify: {json.dumps(channels)}\n")


def test_a_list_is_shown_and_the_same_list_again_does_nothing(server, child):
    child.show(wish("a"), wish("b"))
    assert {child.hear()["shown"], child.hear()["shown"]} == {"a", "b"}
    child.show(wish("a"), wish("b"), wish("c"))
    assert child.hear() == {"shown": "c", "channel": "desktop"}
    assert [server.notified()["number"] for _ in range(3)] == [1, 2, 3]
    assert child.silent()
    assert server.silent()


def test_what_is_missing_is_withdrawn(server, child):
    child.show(wish("a"))
    assert child.hear()["shown"] == "a"
    number = server.notified()["number"]
    child.show()
    assert server.hear() == {"withdrawn": number}
    child.show(wish("a"))  # wished again: shown again
    assert child.hear()["shown"] == "a"
    assert child.silent()  # its own withdrawal is not told as closed


def test_a_button_is_pressed_once_and_the_notice_is_settled(server, child):
    child.show(wish("a"), wish("b"))
    assert {child.hear()["shown"], child.hear()["shown"]} == {"a", "b"}
    numbers = [server.notified()["number"] for _ in range(2)]
    server.press(numbers[0], "button-0")
    pressed = child.hear()
    assert pressed["button"] == "Sign in"
    assert server.hear() == {"withdrawn": numbers[0]}
    server.dismiss(numbers[1])
    assert child.hear() == {"closed": "b"}
    child.show(wish("a"), wish("b"), wish("c"))
    assert child.hear() == {"shown": "c", "channel": "desktop"}


@pytest.mark.parametrize("end", ["eof", "sigterm"])
def test_the_end_withdraws_everything(server, child, end):
    child.show(*(wish(f"n{number}") for number in range(5)))
    for _ in range(5):
        child.hear()
        server.notified()
    if end == "eof":
        child.end_input()
    else:
        child.process.send_signal(signal.SIGTERM)
    assert child.gone() == 0
    assert sorted(server.hear()["withdrawn"] for _ in range(5)) == [1, 2, 3, 4, 5]
    assert child.errors == b""


@pytest.mark.parametrize("what", ["server", "program"])
def test_the_end_waits_for_nobody(home, bus, server, what):
    if what == "program":
        config(home, {"command": ["/bin/sh", "-c", "sleep 600"]})
    else:
        server.freeze()
    child = Child(DBUS_SESSION_BUS_ADDRESS=bus.address)
    with desktops.closing(child):
        child.say({"show": []})
        idle = desktops.steady(child.descriptors)
        child.show(wish())
        busy = child.children if what == "program" else lambda: child.descriptors() > idle  # its connection
        homes.wait_for(busy, "it is in the middle of it", desktops.SECONDS)
        child.end_input()
        assert child.gone() == 0  # long before what it is in the middle of would end
        assert child.errors == b""


def test_a_reader_that_went_away_ends_it(bus, server):
    """Whoever wished the notices died without closing the child's stdin, which somebody else holds too."""
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "ssowatch", "notify", "--child"]
    environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.address}
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writing, env=environ)
    os.close(writing)
    os.close(reading)
    with child:
        child.stdin.write(json.dumps({"show": [wish()]}).encode() + b"\n")
        child.stdin.flush()
        number = server.notified()["number"]
        assert server.hear() == {"withdrawn": number}
        assert child.wait(desktops.SECONDS) == 0


@pytest.mark.parametrize("fault", ["no-address", "dead-address", "no-server", "mute", "server-died", "bus-died"])
def test_the_next_channel_takes_over_and_the_desktop_is_back_at_the_next_notice(home, bus, tmp_path, fault):
    config(home, "desktop", {"command": ["/bin/sh", "-c", f"cat >> {tmp_path}/told"]})
    address = {"no-address": "", "dead-address": f"unix:path={tmp_path}/nothing"}.get(fault, bus.address)
    child = Child(DBUS_SESSION_BUS_ADDRESS=address, XDG_RUNTIME_DIR=str(tmp_path))
    servers = []
    with desktops.closing(child):
        if fault not in {"no-address", "dead-address", "no-server"}:
            servers.append(Server(bus, "actions"))
            child.show(wish("before"))
            assert child.hear() == {"shown": "before", "channel": "desktop"}
            child.show()
            if fault == "mute":
                servers[0].freeze()
            else:
                servers[0].close()
            if fault == "bus-died":
                bus.stop()
        child.show(wish("during"))
        assert child.hear() == {"shown": "during", "channel": "command sh"}
        assert json.loads((tmp_path / "told").read_text())["title"] == "corp: sign in to AWS"
        if fault in {"no-server", "mute", "server-died", "bus-died"}:
            if fault == "mute":
                servers[0].close()
            if fault == "bus-died":
                bus.start()
            back = Server(bus, "actions")
            with desktops.closing(back):
                child.show(wish("after"))
                assert child.hear() == {"shown": "after", "channel": "desktop"}
                assert back.notified()["title"] == "corp: sign in to AWS"
        assert child.errors == b""
        child.end_input()
        assert child.gone() == 0
    for server in servers:
        server.close()


@pytest.mark.parametrize("fault", ["server-died", "bus-died"])
def test_what_was_lost_is_shown_elsewhere(home, bus, fault):
    config(home, "desktop", {"command": ["/bin/true"]})
    server = Server(bus, "actions")
    child = Child(DBUS_SESSION_BUS_ADDRESS=bus.address)
    with desktops.closing(child, server):
        child.show(wish())
        assert child.hear() == {"shown": "corp", "channel": "desktop"}
        server.close()
        if fault == "bus-died":
            bus.stop()
        assert child.hear() == {"shown": "corp", "channel": "command true"}


def test_all_fail_and_the_next_list_tries_again(bus, child):
    child.show(wish())
    said = child.hear()
    assert said == {"not_shown": "corp", "why": "desktop: no notification server runs on the session bus"}
    server = Server(bus, "actions")
    with desktops.closing(server):
        child.show(wish())
        assert child.hear() == {"shown": "corp", "channel": "desktop"}


def test_no_channel_at_all_is_said(home):
    config(home)
    child = Child()
    with desktops.closing(child):
        child.show(wish())
        assert "names no channel" in child.hear()["why"]


@pytest.mark.parametrize(
    "line",
    [
        pytest.param([], id="a-list"),
        pytest.param({"show": 1}, id="a-number"),
        pytest.param({"show": [{"id": "x"}]}, id="no-event"),
        pytest.param({"show": [{"id": "x", "event": {"title": "t"}}]}, id="no-message"),
        pytest.param({"show": [7]}, id="no-object"),
    ],
)
def test_a_line_that_is_none_is_told_in_one_line_and_changes_nothing(server, child, line):
    child.say(line)
    child.show(wish())
    assert child.hear() == {"shown": "corp", "channel": "desktop"}
    server.notified()
    child.end_input()
    assert child.gone() == 0
    assert child.errors.count(b"\n") == 1
    assert child.errors.startswith(b"ssowatch: ")


def test_what_is_shown_is_plain_whoever_wrote_it():
    event = wish(title="a\x1b[31m\nb", message="x\u202ey\r\nz\x07", buttons=["Sign\nin"])["event"]
    shown = notifier.notice("x", event, stays=True)
    assert (shown.title, shown.message, shown.buttons) == ("a [31m b", "x y\nz", ("Sign in",))


@pytest.mark.parametrize("works", [True, False], ids=["shown", "no-server"])
def test_a_thousand_notices_leave_nothing_behind(home, bus, works):
    """Descriptors, children and threads are as many after 1,000 notices as after 20."""
    if not works:
        config(home, "desktop", {"command": ["/does/not/exist"]})
    servers = [Server(bus, "actions")] if works else []
    child = Child(DBUS_SESSION_BUS_ADDRESS=bus.address)
    with desktops.closing(child, *servers):

        def counts():
            threads = len(list(Path(f"/proc/{child.process.pid}/task").iterdir()))
            return child.descriptors(), child.children(), threads

        def send(numbers):
            for number in numbers:
                child.show(wish(f"n{number}"))
                said = child.hear()
                assert ("shown" in said) is works
                if works:
                    servers[0].notified()
                    child.show()
                    assert "withdrawn" in servers[0].hear()

        send(range(20))
        before = desktops.steady(counts)
        send(range(20, 1020))

        def as_before():
            """Give or take what comes and goes by itself; a leak would be a thousand."""
            now = counts()
            return now[0] < before[0] + 5 and len(now[1]) < len(before[1]) + 2 and now[2] < before[2] + 2

        homes.wait_for(as_before, "it holds no more than before")
        assert child.errors == b""


# --- ask


@pytest.mark.parametrize(
    ("act", "answer"),
    [
        pytest.param(lambda server, number: server.press(number, "button-1"), "Not today", id="pressed"),
        pytest.param(lambda server, number: server.dismiss(number), None, id="closed"),
    ],
)
def test_asking_one_notice(bus, server, act, answer):
    def person():
        act(server, server.notified()["number"])

    thread = threading.Thread(target=person)
    thread.start()
    assert asking.ask(wish(), {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.address}) == answer
    thread.join()


def test_asking_where_nothing_can_be_shown(bus):
    with pytest.raises(asking.NotShownError, match="no notification server"):
        asking.ask(wish(), {**os.environ, "DBUS_SESSION_BUS_ADDRESS": bus.address})


# --- notify test


def test_notify_test_says_what_was_shown(home, bus, server):
    config(home, {"command": ["/does/not/exist"]}, "desktop")
    done = homes.ssowatch("notify", "test", DBUS_SESSION_BUS_ADDRESS=bus.address)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "command exist: not shown: /does/not/exist cannot be started: No such file or directory; correct `command` in `notify`",
        "desktop: shown by fake 1.0",
    ]
    assert server.notified()["title"] == "ssowatch: this is a test"
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("channels", "says"),
    [
        pytest.param(["desktop"], "desktop: not shown: there is no session bus", id="none-shows-it"),
        pytest.param([], "no channel", id="no-channel"),
    ],
)
def test_notify_test_fails(home, tmp_path, channels, says):
    config(home, *channels)
    done = homes.ssowatch("notify", "test", DBUS_SESSION_BUS_ADDRESS="", XDG_RUNTIME_DIR=str(tmp_path))
    assert done.returncode == 1
    assert says in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [pytest.param(["notify"], 2, id="no-word"), pytest.param(["notify", "tset"], 2, id="unknown-word")],
)
def test_notify_wants_a_word(home, arguments, code):
    assert homes.ssowatch(*arguments).returncode == code


def test_notify_test_with_a_broken_config(home):
    homes.own_config(home, "notify: [pigeon]\n")
    done = homes.ssowatch("notify", "test")
    assert done.returncode == 78
    assert "notify[0]: is no channel" in done.stderr
