"""Attacks on the listener of a sign-in that is under way; after each the person still finishes it."""

from __future__ import annotations

import contextlib
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from attacks.scene import PATIENCE, Scene
from attacks.table import Attack, must
from simulator.person import Person

_SECRET = "CANARYPASSWORD"


@dataclass
class Flow:
    """A sign-in that waits for its browser."""

    port: int
    link: str

    def talk(self, raw: bytes, seconds: float = 60) -> bytes:
        """What comes back for these bytes."""
        with self.connect(seconds) as connection:
            with contextlib.suppress(ConnectionError):
                connection.sendall(raw)
            answer = b""
            with contextlib.suppress(ConnectionError):
                while part := connection.recv(1 << 16):
                    answer += part
        must(_SECRET.encode() not in answer, "nothing is echoed")
        return answer

    def connect(self, seconds: float = 60) -> socket.socket:
        """A connection."""
        return socket.create_connection(("127.0.0.1", self.port), seconds)

    def get(self, target: str, method: str = "GET", host: str = "", more: str = "") -> int:
        """The status for this request."""
        head = f"{method} {target} HTTP/1.1\r\nHost: {host or f'127.0.0.1:{self.port}'}\r\n{more}\r\n"
        return int(self.talk(head.encode()).split()[1])


@contextlib.contextmanager
def signing_in(scene: Scene) -> Iterator[Flow]:
    """`login` by a browser. In the end an honest person opens the link and approves, and it must have worked."""
    scene.tabs_allowed = 1
    said = scene.root / "login.txt"
    with said.open("wb") as out:
        login = subprocess.Popen(
            [sys.executable, "-P", "-m", "ssowatch", "login", "corp", "--method=pkce"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=scene.environ(),
            cwd=scene.elsewhere,
            start_new_session=True,
        )
    try:
        link = scene.until(lambda: re.search(r"http://127\.0\.0\.1:(\d+)/\S+", said.read_text()), "there is a link")
        yield Flow(int(link[1]), link[0])
        page = Person().decide(link[0])
        must(page.status == 200 and login.wait(PATIENCE) == 0, f"the person finishes: {page.status} {said.read_text()}")
    finally:
        with contextlib.suppress(OSError):
            login.kill()
        login.wait()
        scene.seen.append(("login", said.read_text()))
        said.unlink()


def forged(scene: Scene) -> str:
    ways = (
        "code=a",
        "code=a&state=",
        f"code=a&state={_SECRET}",
        f"error=access_denied&state={_SECRET}",
        "state=x&state=y",
    )
    with signing_in(scene) as flow:
        codes = {flow.get(f"/oauth/callback?{query}") for query in ways}
        must(codes <= {400, 403}, codes)
    return "five ways back without the right state: 403, and the sign-in goes on"


def other_hosts(scene: Scene) -> str:
    with signing_in(scene) as flow:
        path = urlsplit(flow.link).path
        for host in (
            "evil.example",
            f"localhost:{flow.port}",
            f"127.0.0.1:{flow.port}.evil.example",
            "[::1]",
            "0.0.0.0",
        ):
            must(flow.get(path, host=host) == 421, host)
            must(
                flow.get("/oauth/callback?code=a&state=b", host=host, more="Origin: https://evil.example\r\n") == 421,
                host,
            )
    return "DNS rebinding and other origins: 421, and the link is not used up"


def other_methods(scene: Scene) -> str:
    with signing_in(scene) as flow:
        path = urlsplit(flow.link).path
        for method in ("POST", "HEAD", "PUT", "OPTIONS", "TRACE", "CONNECT", "DELETE"):
            must(flow.get(path, method, more="Content-Length: 0\r\n") == 405, method)
        for target in ("/", "/favicon.ico", path + "/", path.upper(), "/oauth/callback/../callback", f"/{_SECRET}"):
            must(flow.get(target) in {404, 403}, target)
        must(flow.get("//evil.example/") == 404, "a path of another host")
    return "seven methods 405, six paths 404"


def not_http(scene: Scene) -> str:
    with signing_in(scene) as flow:
        for raw in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"GET /\r\n\r\n",
            b"GET / HTTP/1.1\nHost: x\n\n\r\n\r\n",
            b"\0" * 4000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: 127.0.0.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\n\r\n",
        ):
            must(flow.talk(raw).startswith(b"HTTP/1.1 4"), raw[:30])
    return "TLS, HTTP/2, smuggled and half requests: 4xx"


def huge(scene: Scene) -> str:
    with signing_in(scene) as flow:
        for raw in (
            b"GET /" + b"x" * (4 << 20) + b" HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nX: " + b"y" * (4 << 20),
            b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 500_000 + b"\r\n",
        ):
            must(flow.talk(raw)[9:12] in {b"431", b""}, "refused")  # b"": reset before it could be read
    return "4 MB of target, header and headers: 431 or reset"


def crowd(scene: Scene) -> str:
    with signing_in(scene) as flow:
        slow = []
        try:
            for _ in range(400):
                with contextlib.suppress(OSError):
                    slow.append(flow.connect(5))
                    slow[-1].send(b"GET / HT")
            ended = threading.Event()

            def drip() -> None:
                while not ended.wait(0.2):
                    for one in slow:
                        with contextlib.suppress(OSError):
                            one.send(b"x")

            dripping = threading.Thread(target=drip, daemon=True)
            dripping.start()
            scene.until(lambda: _served(flow), "others are served again")
            ended.set()
            dripping.join()
        finally:
            for one in slow:
                one.close()
    return "400 slow connections (slow loris): ended after 5 s, the person is served"


def _served(flow: Flow) -> bool:
    with contextlib.suppress(OSError, IndexError):
        return flow.get("/nothing") == 404
    return False


def replayed(scene: Scene) -> str:
    """The redirect's address is read as a browser would be sent there; then the link is used again."""
    scene.tabs_allowed = 1
    with contextlib.suppress(StopIteration), signing_in(scene) as flow:
        first = Person(follow=False).open(flow.link)
        authorize = first.headers["Location"]
        state = parse_qs(urlsplit(authorize).query)["state"][0]
        must(flow.get(urlsplit(flow.link).path) == 410, "the link is good once")
        page = Person().decide(authorize)
        must(page.status == 200, page.status)
        must(_gone(flow, f"/oauth/callback?code={_SECRET}&state={state}"), "a replay comes to nothing")
        raise StopIteration
    return "link used twice 410; the way back used twice comes to nothing"


def _gone(flow: Flow, target: str) -> bool:
    try:
        return flow.get(target) == 410
    except (OSError, IndexError):
        return True  # the listener has closed


def another_user(scene: Scene) -> str:
    with signing_in(scene) as flow:
        said = scene.as_nobody(
            """
port, path = int(sys.argv[1]), sys.argv[2]
for target in (path, "/oauth/callback?code=a&state=b"):
    s = socket.create_connection(("127.0.0.1", port), 60)
    s.sendall(f"GET {target} HTTP/1.1\\r\\nHost: 127.0.0.1:{port}\\r\\n\\r\\n".encode())
    print(s.recv(1 << 16).split()[1].decode())
""",
            str(flow.port),
            urlsplit(flow.link).path,
        )
        must(said.split() == ["403", "403"], said)
    return "another user who read the link: 403, and the link is not used up"


_A: Callable[..., Attack] = Attack
ATTACKS = (
    _A("callback", "forged states", forged, essential=True),
    _A("callback", "other hosts and origins", other_hosts),
    _A("callback", "other methods and paths", other_methods),
    _A("callback", "what is no HTTP", not_http),
    _A("callback", "huge requests", huge),
    _A("callback", "slow loris", crowd),
    _A("callback", "replays", replayed),
    _A("callback", "another user of the machine", another_user, essential=True, root=True),
)
