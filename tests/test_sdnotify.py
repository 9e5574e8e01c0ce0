"""A real datagram socket stands for systemd."""

import os
import socket
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest

from ssowatch import sdnotify
from ssowatch.sdnotify import notify, watchdog_interval

linux = pytest.mark.skipif(sys.platform != "linux", reason="Linux's abstract sockets and queue lengths")


@pytest.fixture(params=["path", pytest.param("abstract", marks=linux)])
def systemd(request, tmp_path, monkeypatch):
    name = f"{tmp_path}/notify"
    if request.param == "abstract":
        name = f"@ssowatch-test-{os.getpid()}-{os.urandom(4).hex()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(name.replace("@", "\0"))
        receiver.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        yield receiver


@pytest.mark.parametrize(
    ("fields", "received"),
    [
        ({"READY": 1}, b"READY=1"),
        ({"READY": 1, "STATUS": "3 sign-ins good"}, b"READY=1\nSTATUS=3 sign-ins good"),
        ({"WATCHDOG": 1}, b"WATCHDOG=1"),
        ({"STOPPING": 1}, b"STOPPING=1"),
        ({"RELOADING": 1, "STATUS": ""}, b"RELOADING=1\nSTATUS="),
        ({"STATUS": "corp\nREADY=0\r\n\x1b[31m\x00\x7f\x85x"}, b"STATUS=corp READY=0   [31m   x"),
        ({"STATUS": "a\u202eb\u2028c"}, b"STATUS=a b c"),
        ({"STATUS": "für Zoë 🔑"}, "STATUS=für Zoë 🔑".encode()),
        ({"STATUS": "from a file name \udcff"}, b"STATUS=from a file name  "),
    ],
)
def test_fields_arrive(systemd, fields, received):
    notify(**fields)
    assert systemd.recv(8192) == received


@pytest.mark.parametrize("char", ["x", "\n", "ß", "🔑"])
def test_long_value_fits_into_what_systemd_reads(systemd, char):
    notify(READY=1, STATUS=char * 10_000)
    assert len(systemd.recv(1 << 20)) <= 4096


def test_nothing_to_say_sends_nothing(systemd):
    notify()
    notify(READY=1)
    assert systemd.recv(8192) == b"READY=1"


@pytest.mark.parametrize(
    "address",
    [None, "", "relative", "vsock:2:1234", "/nonexistent/notify", "/dev/null", "/" + "x" * 300, "@", "/\udcff"],
)
def test_no_listener_is_no_error(monkeypatch, address):
    if address is None:
        monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    else:
        monkeypatch.setenv("NOTIFY_SOCKET", address)
    notify(READY=1)


@linux
def test_listener_that_never_reads_holds_nobody_up(systemd, monkeypatch):
    monkeypatch.setattr(sdnotify, "_WAIT", 0.05)
    start = time.monotonic()
    for _ in range(int(Path("/proc/sys/net/unix/max_dgram_qlen").read_text()) + 5):
        notify(WATCHDOG=1)
        if time.monotonic() - start > 120:
            pytest.fail("it waits")


def test_listener_gone_is_no_error(systemd):
    systemd.close()
    notify(READY=1)


@pytest.mark.parametrize(
    ("usec", "pid", "interval"),
    [
        ("90000000", None, timedelta(seconds=90)),
        ("90000000", "own", timedelta(seconds=90)),
        ("90000000", "1", None),
        ("90000000", "", timedelta(seconds=90)),
        ("500000", "own", timedelta(milliseconds=500)),
        (None, "own", None),
        ("", "own", None),
        ("0", "own", None),
        ("-5", "own", None),
        ("soon", "own", None),
        ("9" * 40, "own", None),
        ("90000000", "nobody", None),
    ],
)
def test_watchdog_interval(monkeypatch, usec, pid, interval):
    for name, value in (("WATCHDOG_USEC", usec), ("WATCHDOG_PID", str(os.getpid()) if pid == "own" else pid)):
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    assert watchdog_interval() == interval
