"""The listener that the browser comes back to, over raw sockets: its way, and every attack on it.

Rules of this file:
1. Whatever is refused ends nothing: after each attack the honest browser still gets through.
2. No page and no `repr` shows the state or the code.
"""

import concurrent.futures
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from homes import REQUIRED, free_port, wait_for

from ssowatch import listener as module
from ssowatch import pkce
from ssowatch.listener import Callback, Listener
from ssowatch.result_page import Page

STATE = "STATE-CANARY"
CODE = "CODE-CANARY"
AUTHORIZE = "https://oidc.us-east-1.amazonaws.com/authorize?state=STATE-CANARY"
DONE = Page(200, b"<p>done</p>")
GOOD = f"/oauth/callback?code={CODE}&state={STATE}"


@pytest.fixture
def listener():
    with Listener(lambda redirect: f"{AUTHORIZE}&redirect_uri={redirect}", STATE) as listener:
        yield listener


def talk(listener, raw, seconds=60):
    """What comes back for these bytes."""
    with socket.create_connection(("127.0.0.1", listener.port), seconds) as connection:
        connection.sendall(raw)
        connection.settimeout(seconds)
        parts = []
        try:
            while part := connection.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts).decode()


def request(listener, target, *, method="GET", host=None, more=""):
    host = f"127.0.0.1:{listener.port}" if host is None else host
    head = f"Host: {host}\r\n" if host else ""
    return f"{method} {target} HTTP/1.1\r\n{head}{more}\r\n".encode()


def get(listener, target, **how):
    return talk(listener, request(listener, target, **how))


def status(answer):
    return int(answer.split()[1])


def come_back(listener, target=GOOD, page=DONE):
    """The honest browser, whose page comes once the listener's owner has one."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(get, listener, target)
        came = listener.wait(60)
        listener.show(page)
        return came, answer.result(60)


def path(listener):
    return listener.link.removeprefix(f"http://127.0.0.1:{listener.port}")


# The way


def test_the_link_leads_to_the_authorize_url_once(listener):
    answer = get(listener, path(listener))
    assert status(answer) == 302
    assert f"Location: {AUTHORIZE}&redirect_uri=http://127.0.0.1:{listener.port}/oauth/callback\r\n" in answer
    again = get(listener, path(listener))
    assert status(again) == 410
    assert "used already" in again
    assert STATE not in again


def test_the_browser_gets_the_page_when_there_is_one(listener):
    came, answer = come_back(listener)
    assert came == Callback(CODE)
    assert status(answer) == 200
    assert answer.endswith("<p>done</p>")
    assert CODE not in repr(came)


@pytest.mark.parametrize(
    ("query", "error"),
    [
        pytest.param("error=access_denied", "access_denied", id="denied"),
        pytest.param("error=invalid_scope&error_description=x", "invalid_scope", id="another"),
        pytest.param("error=%3Cb%3E%0a", "unknown_error", id="no-word-of-oauth"),
    ],
)
def test_an_error_with_the_right_state_comes_back_too(listener, query, error):
    came, _ = come_back(listener, f"/oauth/callback?{query}&state={STATE}")
    assert came == Callback(error=error)


def test_every_answer_forbids_storing_referring_and_scripts(listener):
    for answer in (get(listener, path(listener)), get(listener, "/nothing"), come_back(listener)[1]):
        head = answer.partition("\r\n\r\n")[0]
        assert "Cache-Control: no-store" in head
        assert "Referrer-Policy: no-referrer" in head
        assert "Content-Security-Policy: default-src 'none'; style-src 'sha256-" in head
        assert "frame-ancestors 'none'" in head
        assert "X-Content-Type-Options: nosniff" in head
        assert "Connection: close" in head
        assert "Server:" not in head


def test_it_listens_on_loopback_alone(listener):
    assert listener._socket.getsockname()[0] == "127.0.0.1"


def test_a_fixed_port_for_a_tunnel(listener):
    port = free_port()
    with Listener(lambda _: AUTHORIZE, STATE, port) as fixed:
        assert fixed.link.startswith(f"http://127.0.0.1:{port}/")
        with pytest.raises(OSError, match="in use"):
            Listener(lambda _: AUTHORIZE, STATE, port)


def test_nothing_came(listener):
    assert listener.wait(0) is None


def test_a_port_that_was_just_used_can_be_used_again(listener):
    port = free_port()
    with Listener(lambda _: AUTHORIZE, STATE, port) as first:
        come_back(first)
    with Listener(lambda _: AUTHORIZE, STATE, port) as second:
        assert come_back(second)[0] == Callback(CODE)


# Attacks

HUGE = "x" * 9000
ATTACKS = [
    ("forged-state", {"target": f"/oauth/callback?code={CODE}&state=guess"}, 403),
    ("no-state", {"target": f"/oauth/callback?code={CODE}"}, 403),
    ("empty-state", {"target": f"/oauth/callback?code={CODE}&state="}, 403),
    ("two-states", {"target": f"/oauth/callback?code={CODE}&state={STATE}&state=x"}, 403),
    ("state-in-other-letters", {"target": f"/oauth/callback?code={CODE}&state=%C3%A9%FF"}, 403),
    ("denied-with-forged-state", {"target": "/oauth/callback?error=access_denied&state=guess"}, 403),
    ("no-code", {"target": f"/oauth/callback?state={STATE}"}, 400),
    ("empty-code", {"target": f"/oauth/callback?code=&state={STATE}"}, 400),
    ("two-codes", {"target": f"/oauth/callback?code=a&code=b&state={STATE}"}, 400),
    ("code-and-error", {"target": f"/oauth/callback?code=a&error=b&state={STATE}"}, 400),
    ("many-fields", {"target": f"/oauth/callback?{'&'.join('a=1' for _ in range(50))}&state={STATE}"}, 400),
    ("post", {"target": GOOD, "method": "POST", "more": "Content-Length: 0\r\n"}, 405),
    ("head", {"target": GOOD, "method": "HEAD"}, 405),
    ("options", {"target": GOOD, "method": "OPTIONS"}, 405),
    ("wrong-path", {"target": f"/oauth/callback/?code={CODE}&state={STATE}"}, 404),
    ("root", {"target": "/"}, 404),
    ("guessed-link", {"target": "/" + "a" * 64}, 404),
    ("whole-url", {"target": f"http://127.0.0.1{GOOD}"}, 400),
    ("other-host", {"target": GOOD, "host": "evil.example"}, 421),
    ("rebound-host", {"target": GOOD, "host": "localhost:1"}, 421),
    ("host-without-port", {"target": GOOD, "host": "127.0.0.1"}, 421),
    ("no-host", {"target": GOOD, "host": ""}, 421),
    ("two-hosts", {"target": GOOD, "more": "Host: evil.example\r\n"}, 421),
    ("huge-target", {"target": f"/oauth/callback?code={HUGE}&state={STATE}"}, 431),
    ("huge-header", {"target": GOOD, "more": f"X: {HUGE}\r\n"}, 431),
]


@pytest.mark.parametrize(("how", "refused"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_an_attack_gets_a_plain_page_and_ends_nothing(listener, how, refused):
    answer = get(listener, **how)
    assert status(answer) == refused
    assert "ssowatch" in answer
    assert not any(canary in answer for canary in (STATE, CODE, "evil", "guess", HUGE[:50]))
    assert listener.wait(0) is None
    assert status(get(listener, path(listener))) == 302
    assert come_back(listener)[0] == Callback(CODE)


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\r\n\r\n", id="empty"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", id="tls"),
        pytest.param(b"GET / HTTP/2\r\n\r\n", id="http-2"),
        pytest.param(b"GET /\xff\xfe HTTP/1.1\r\n\r\n", id="bytes"),
        pytest.param(b"GET  / HTTP/1.1\r\n\r\n", id="two-spaces"),
        pytest.param(b"get / HTTP/1.1\r\n\r\n", id="small-letters"),
    ],
)
def test_what_is_no_request(listener, raw):
    assert status(talk(listener, raw)) == 400
    assert come_back(listener)[0] == Callback(CODE)


def test_half_a_request_and_then_nothing(listener):
    with socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(b"GET / HT")
        connection.shutdown(socket.SHUT_WR)
        assert b" 400 " in connection.recv(4096)
    assert come_back(listener)[0] == Callback(CODE)


def test_the_way_back_counts_once(listener):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        first = pool.submit(get, listener, GOOD)
        assert listener.wait(60) == Callback(CODE)
        replayed = get(listener, f"/oauth/callback?code=another&state={STATE}")
        assert status(replayed) == 410
        assert listener.wait(0) == Callback(CODE)
        listener.show(DONE)
        assert status(first.result(60)) == 200


def test_two_at_once_only_one_of_which_counts(listener):
    with concurrent.futures.ThreadPoolExecutor() as pool:
        both = [pool.submit(get, listener, f"/oauth/callback?code={code}&state={STATE}") for code in "ab"]
        came = listener.wait(60)
        assert came in {Callback("a"), Callback("b")}
        listener.show(DONE)
        assert sorted(status(one.result(60)) for one in both) == [200, 410]


def test_slow_ones_keep_nobody_waiting_and_are_ended(listener, monkeypatch):
    monkeypatch.setattr(module, "_SECONDS", 3.0)
    slow = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(20)]
    ended = threading.Event()

    def drip():
        while not ended.wait(0.1):
            for one in slow:
                try:
                    one.send(b"x")
                except OSError:
                    return

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        began = time.monotonic()
        assert come_back(listener)[0] == Callback(CODE)
        assert time.monotonic() - began < 120
        for one in slow:
            one.settimeout(60)
            assert b" 408 " in one.recv(4096)
    finally:
        ended.set()
        dripping.join()
        for one in slow:
            one.close()


def test_a_flood_is_cut_off_and_the_browser_still_gets_through(listener, monkeypatch):
    monkeypatch.setattr(module, "_MOST_CONNECTIONS", 5)
    flood = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(20)]
    wait_for(lambda: listener._open == 5, "the first five wait, the others are gone")
    for one in flood:
        one.close()
    wait_for(lambda: listener._open == 0, "they are gone")
    assert come_back(listener)[0] == Callback(CODE)


def test_late_is_too_late():
    with Listener(lambda _: AUTHORIZE, STATE) as listener:
        port = listener.port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 5)


def test_who_came_back_is_told_when_the_sign_in_is_stopped():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        with Listener(lambda _: AUTHORIZE, STATE) as listener:
            answer = pool.submit(get, listener, GOOD)
            assert listener.wait(60)
        assert status(answer.result(60)) == 500


def test_a_browser_that_went_away_is_not_waited_for(listener):
    with socket.create_connection(("127.0.0.1", listener.port)) as connection:
        connection.sendall(request(listener, GOOD))
        assert listener.wait(60) == Callback(CODE)
    began = time.monotonic()
    listener.show(DONE)
    assert time.monotonic() - began < 60


def test_the_state_is_compared_in_constant_time(listener, monkeypatch):
    compared = []
    honest = module.hmac.compare_digest
    monkeypatch.setattr(module.hmac, "compare_digest", lambda one, other: compared.append(one) or honest(one, other))
    get(listener, "/oauth/callback?code=a&state=guess")
    assert b"guess" in compared


OTHER = """
import encodings.idna, os, socket, sys
port, target, address, user = int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
os.setuid(user)
connection = socket.create_connection((address, port))
connection.sendall(f"GET {target} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n".encode())
print(connection.recv(65536).decode())
"""
NOBODY = 65534


def as_user(listener, target, address, user):
    return subprocess.run(
        [sys.executable, "-c", OTHER, str(listener.port), target, address, str(user)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout


@pytest.mark.parametrize("address", ["127.0.0.1", "::ffff:127.0.0.1"])
def test_another_user_who_read_the_link_is_refused_and_does_not_use_it_up(listener, address):
    if sys.platform != "linux" or os.getuid() != 0:
        assert not REQUIRED, "CI runs as root on Linux"
        pytest.skip("becoming another user needs root")
    if ":" in address:
        try:
            socket.create_connection((address, listener.port)).close()
        except OSError:
            return  # a kernel without IPv6 has no such way in
    for target in (path(listener), GOOD):
        answer = as_user(listener, target, address, NOBODY)
        assert status(answer) == 403
        assert STATE not in answer
    assert status(as_user(listener, path(listener), address, 0)) == 302
    assert come_back(listener)[0] == Callback(CODE)


def test_where_the_system_has_no_list_of_owners_everybody_is_served(listener, monkeypatch, tmp_path):
    monkeypatch.setattr(module, "Path", lambda _: tmp_path / "none")
    assert status(get(listener, path(listener))) == 302


def test_links_cannot_be_guessed():
    assert len({pkce.draw() for _ in range(1000)}) == 1000
    assert len(pkce.draw()) == 64
