"""An Identity Center, or whoever sits in its place, that answers whatever it likes."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from attacks.environment import collector
from attacks.scene import Scene
from attacks.table import Attack, must

Answer = bytes | Callable[[socket.socket], None]
_ESCAPES = "\x1b]0;title\x07\x1b[31m\u202e\u200b\nforged: valid"


def http(body: bytes | str, status: str = "200 OK", *headers: str) -> bytes:
    """An answer as AWS gives one."""
    content = body.encode() if isinstance(body, str) else body
    head = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(content)}", *headers, "", ""]
    return "\r\n".join(head).encode("latin-1") + content


def said(**fields: object) -> bytes:
    """A good answer's form."""
    return http(json.dumps(fields))


def _endless(head: bytes, block: bytes, connection: socket.socket, seconds: float = 200) -> None:
    connection.sendall(head)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        connection.sendall(block)


def _trickle(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{")
    for _ in range(300):
        time.sleep(1)
        connection.sendall(b" ")


def _bomb() -> bytes:
    """256 MB of white space in 250 KB."""
    packer = zlib.compressobj(9, wbits=31)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(256)) + packer.flush()


_CHUNKED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_TOKEN = {"accessToken": "a", "expiresIn": 3600, "refreshToken": "r", "tokenType": "Bearer"}
ANSWERS: dict[str, Answer] = {
    "an endless body": partial(
        _endless, b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{", b" " * (1 << 20)
    ),
    "endless chunks": partial(_endless, _CHUNKED, b"10000\r\n" + b" " * 0x10000 + b"\r\n"),
    "an endless header": partial(_endless, b"HTTP/1.1 200 OK\r\nX: ", b"x" * 65536),
    "endless headers": partial(_endless, b"HTTP/1.1 200 OK\r\n", b"X: y\r\n" * 1000),
    "endless 100 Continue": partial(_endless, b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100),
    "a gzip bomb": http(_bomb(), "200 OK", "Content-Encoding: gzip"),
    "deep JSON": http(b'{"accessToken":' + b"[" * 200_000),
    "HTML": http("<html><script>alert(1)</script>", "200 OK", "X-Content: y"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "nothing": b"",
    "half a head": b"HTTP/1.1 200 OK\r\nContent-Le",
    "less than it says": http(json.dumps(_TOKEN))[:-20],
    "a list": http("[1, 2]"),
    "null": http("null"),
    "wrong types": said(accessToken={"a": 1}, expiresIn="soon", refreshToken=[1]),
    "an empty token": said(**{**_TOKEN, "accessToken": ""}),
    "a token of 10 MB": said(**{**_TOKEN, "accessToken": "a" * (10 << 20)}),
    "a life below zero": said(**{**_TOKEN, "expiresIn": -1}),
    "a life of 10^18 s": said(**{**_TOKEN, "expiresIn": 10**18}),
    "a life of 10^5000 s": http(json.dumps(_TOKEN).replace("3600", "1" + "0" * 5000)),
    "a life that is no number": http(json.dumps(_TOKEN).replace("3600", "NaN")),
    "a life of half seconds": said(**{**_TOKEN, "expiresIn": 0.5}),
    "an error with escapes": http(
        json.dumps({"error": _ESCAPES, "error_description": _ESCAPES, "__type": f"x#{_ESCAPES}", "message": _ESCAPES}),
        "400 Bad Request",
    ),
    "an error's name with escapes": http("{}", "400 Bad Request", "x-amzn-ErrorType: \x1b[31m\x9bInvalid"),
    "an error of 1 MB": http(json.dumps({"error": "x" * (1 << 20), "error_description": "y"}), "400 Bad Request"),
    "a status that is none": http("{}", "999 \x1b[31m"),
    "a date that is none": http(json.dumps(_TOKEN), "500 No", "Date: Thu, 32 Foo 99999 99:99:99 XYZ"),
}
SLOW = {"a trickle": _trickle}


@contextlib.contextmanager
def hostile(answers: dict[str, Answer], default: Answer) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers by path; its address, and what it was asked."""
    asked: list[bytes] = []
    ended = threading.Event()
    threads: list[threading.Thread] = []
    server = socket.create_server(("127.0.0.1", 0), backlog=32)
    server.settimeout(0.1)

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(20)
            head = b""
            while b"\r\n\r\n" not in head and (part := connection.recv(1 << 16)):
                head += part
            asked.append(head)
            path = head.split(b" ")[1].decode(errors="replace") if head.count(b" ") > 1 else ""
            answer = answers.get(path.partition("?")[0], default)
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)
                connection.shutdown(socket.SHUT_WR)
                connection.recv(1)

    def accept() -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                threads.append(threading.Thread(target=serve, args=(server.accept()[0],), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}", asked
    finally:
        ended.set()
        accepting.join()
        server.close()


def _endpoints(url: str) -> dict[str, str]:
    return {f"AWS_ENDPOINT_URL_{service}": url for service in ("SSO_OIDC", "SSO", "STS")}


def _renewal(name: str, scene: Scene) -> str:
    """A renewal that is typed meets it; the token stays as it is, whatever came."""
    answer = (ANSWERS | SLOW)[name]
    before = scene.token_file.read_bytes()
    with hostile({}, answer) as (url, asked):
        done = scene.run("refresh", "corp", seconds=240, limit=800, **_endpoints(url)).must(1, 75)
        must(asked, "it was asked")
    must(scene.token_file.read_bytes() == before, "the token file is as it was")
    return f"{done.code} after {done.seconds:.0f} s and {done.megabytes} MB, the token untouched"


def redirects(scene: Scene) -> str:
    """To another host, to a file, to itself: none is followed, so no secret goes there."""
    with collector() as (other, got):
        for target in (other, "file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1/", "/token"):
            for status in ("301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"):
                if target != other and status[:3] != "307":
                    continue
                with hostile({}, http("{}", status, f"Location: {target}")) as (url, _):
                    scene.run("refresh", "corp", **_endpoints(url)).must(1, 75)
                scene.write_token(scene.token())
        must(not got, f"the other host was talked to: {got}")
    return "to another host, a file, itself; 301, 302, 307, 308: none is followed"


_REGISTERED = said(clientId="i", clientSecret="CANARYSECRET", clientSecretExpiresAt=4000000000)
_DEVICE = {"deviceCode": "CANARYPASSWORD", "userCode": "AAAA-BBBB", "verificationUri": "https://d-1234567890.awsapps.com/start/#/device", "verificationUriComplete": "https://d-1234567890.awsapps.com/start/#/device?user_code=AAAA-BBBB", "expiresIn": 2, "interval": 1}  # fmt: skip
_PENDING = http(
    '{"error": "authorization_pending"}', "400 Bad Request", "x-amzn-ErrorType: AuthorizationPendingException"
)
LINKS = ("javascript:alert(1)", "file:///etc/passwd", "http://evil.example/", "http://127.0.0.1.evil.example/", "https://user:pw@evil.example/", "https://x/\x1b[31m", "https://x/ --new-window", "https://x/\u202eexe", "-version", "https://" + "x" * 100_000, "data:text/html,x", "")  # fmt: skip


def _logins(scene: Scene, many: Sequence[dict[str, Answer]], *codes: int, opens: bool = False) -> list[str]:
    """`login` by a device code against each of these, some at a time, each in a home of its own; what was said."""

    def one(number: int) -> str:
        words = ("login", "corp", "--method", "device", *(() if opens else ("--no-browser",)))
        with scene.another_home(f"home{number + 2}") as home, hostile(many[number], http("{}", "403 No")) as (url, _):
            said = scene.run(*words, home=home, **_endpoints(url)).must(*codes).said
            scene.run("status", home=home).must(0)
            for path in (home / ".local/state/ssowatch").rglob("*.json*"):
                if "registrations" not in path.parts:
                    scene.seen.append((str(path), path.read_text()))
            return said

    with ThreadPoolExecutor(6) as pool:  # they wait most of the time
        return list(pool.map(one, range(len(many))))


def device_links(scene: Scene) -> str:
    """What may be opened is https, or http to this very machine; nothing else reaches a browser or a terminal."""
    fields = ("verificationUriComplete", "verificationUri")
    many = [
        {
            "/client/register": _REGISTERED,
            "/device_authorization": said(**{**_DEVICE, field: link}),
            "/token": _PENDING,
        }
        for field in fields
        for link in LINKS
    ]
    for told in _logins(scene, many, 1, 75, opens=True):
        must("no web address" in told or "no device code" in told, told)
    return f"{len(LINKS)} links in two fields: none is opened or shown"


def device_answers(scene: Scene) -> str:
    odd: tuple[dict[str, object], ...] = (
        {"userCode": _ESCAPES},
        {"userCode": "x" * 100_000},
        {"expiresIn": -5},
        {"expiresIn": 10**30},
        {"interval": -5},
        {"interval": 10**30, "expiresIn": 1},
        {"interval": "soon"},
        {"deviceCode": None},
        {"deviceCode": ["CANARYPASSWORD"]},
    )
    over = http("{}", "400 Bad Request", "x-amzn-ErrorType: ExpiredTokenException")
    many: list[dict[str, Answer]] = [
        {"/client/register": _REGISTERED, "/device_authorization": said(**{**_DEVICE, **one}), "/token": over}
        for one in odd
    ]
    _logins(scene, many, 1, 75)
    return f"{len(odd)} device codes: refused, or shown harmlessly until they run out"


def registrations(scene: Scene) -> str:
    odd = (
        http("[]"),
        said(clientId=_ESCAPES, clientSecret="s", clientSecretExpiresAt=-(10**18)),
        said(clientId="i", clientSecret="s", clientSecretExpiresAt=10**400),
        said(clientId="i" * 200_000, clientSecret="s", clientSecretExpiresAt=4000000000),
        said(clientId={"a": 1}, clientSecret=None, clientSecretExpiresAt="x"),
    )
    _logins(scene, [{"/client/register": answer} for answer in odd], 1, 75)
    return f"{len(odd)} registrations: none is kept"


def people(scene: Scene) -> str:
    """Who signed in, as the portal tells it: names of accounts and roles end up on a page and in a memory."""
    token = said(**{**_TOKEN, "accessToken": "CANARYACCESS", "refreshToken": "CANARYREFRESH"})
    rows = (
        http('{"accountList": [{"accountId": "%s", "accountName": "%s"}]}' % (("x" * 100_000,) * 2)),
        said(accountList=[{"accountId": _ESCAPES, "accountName": _ESCAPES}]),
        http("[" * 100_000),
        said(accountList="none"),
    )
    many: list[dict[str, Answer]] = [
        {
            "/client/register": _REGISTERED,
            "/device_authorization": said(**_DEVICE),
            "/token": token,
            "/assignment/accounts": row,
        }
        for row in rows
    ]
    _logins(scene, many, 0)
    return "escapes, 100 KB names, nonsense: the sign-in works, nothing of it is shown as more than text"


def the_service(scene: Scene) -> str:
    """The service's own children meet nonsense while a token is due: it says so, keeps the token, and tries again."""
    for name in ("HTML", "an error with escapes", "wrong types", "no HTTP"):
        with hostile({}, ANSWERS[name]) as (url, asked), scene.another_home() as home:
            token = next((home / ".aws/sso/cache").iterdir())
            token.write_text(json.dumps(scene.token(10)))
            before = token.read_bytes()
            with scene.another_service(home, **_endpoints(url)):
                scene.until(lambda: "unreachable" in (scene.root / "service.txt").read_text(), "it says so")
                scene.run("status", home=home).must(0)
            must(asked and token.read_bytes() == before, "the token is as it was")
            for path in (home / ".local/state/ssowatch").rglob("*.json*"):
                scene.seen.append((str(path), path.read_text()))
    return "four kinds: named in log and status, the token kept, tried again"


ATTACKS = (
    *(
        Attack("Identity Center", name, partial(_renewal, name), essential=name == "an endless body")
        for name in ANSWERS | SLOW
    ),
    Attack("Identity Center", "redirects", redirects),
    Attack("Identity Center", "links of a device code", device_links, essential=False),
    Attack("Identity Center", "device codes", device_answers),
    Attack("Identity Center", "registrations", registrations),
    Attack("Identity Center", "who signed in", people),
    Attack("Identity Center", "while the service renews", the_service),
)
