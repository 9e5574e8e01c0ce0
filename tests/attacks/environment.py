"""Environments that no program should be started in, and names that no person should be given."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from attacks.scene import Scene
from attacks.table import Attack, must

_COMMANDS = (("status",), ("status", "--json"), ("refresh", "corp"), ("config", "show"))
_LONG = "x" * 100_000
ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "PATH empty": {"PATH": ""},
    "PATH unset": {"PATH": None},
    "LANG=C": {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "XDG elsewhere": {
        f"XDG_{name}": "/nonexistent" for name in ("CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR", "CACHE_HOME")
    },
    "XDG relative": {f"XDG_{name}": "here" for name in ("CONFIG_HOME", "STATE_HOME", "RUNTIME_DIR", "CACHE_HOME")},
    "PYTHON* variables": {
        "PYTHONIOENCODING": "ascii:strict",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "PYTHONDEVMODE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
    },
    "AWS_* nonsense": {
        "AWS_PROFILE": "\x1b[31mnone",
        "AWS_DEFAULT_REGION": "no\nregion",
        "AWS_REGION": "../../x",
        "AWS_MAX_ATTEMPTS": "-1",
        "AWS_RETRY_MODE": "none",
        "AWS_DEFAULTS_MODE": "auto",
        "AWS_USE_FIPS_ENDPOINT": "maybe",
        "AWS_STS_REGIONAL_ENDPOINTS": "x",
        "AWS_DATA_PATH": "/dev",
    },
    "AWS files that are none": {"AWS_CONFIG_FILE": "/dev/zero", "AWS_SHARED_CREDENTIALS_FILE": "/proc/self/mem"},
    "AWS files that are relative": {"AWS_CONFIG_FILE": "config", "AWS_SHARED_CREDENTIALS_FILE": "~nobody/x"},
    "endless values": {"AWS_PROFILE": _LONG, "BROWSER": _LONG, "LANG": _LONG, "TERM": _LONG, "COLUMNS": "9" * 5000},
    "a terminal of no width": {"COLUMNS": "0", "LINES": "-1", "TERM": "\x1b"},
    "endpoints that are none": {"AWS_ENDPOINT_URL_SSO_OIDC": "file:///etc/passwd", "AWS_ENDPOINT_URL_SSO": "\n"},
    "a proxy that is none": {
        "HTTPS_PROXY": "http://user:CANARYPASSWORD@127.0.0.1:1",
        "NO_PROXY": None,
        "AWS_ENDPOINT_URL_SSO_OIDC": None,
    },
    "a CA file that is none": {
        "AWS_CA_BUNDLE": "/dev/zero",
        "AWS_ENDPOINT_URL_SSO_OIDC": None,
        "HTTPS_PROXY": "http://127.0.0.1:1",
    },
    "SSOWATCH_CONFIG nowhere": {"SSOWATCH_CONFIG": "/proc/self/fd/0"},
    "TZ that is none": {"TZ": "Nowhere/\x1b[31m"},
    "a service's variables": {
        "NOTIFY_SOCKET": "/nonexistent",
        "WATCHDOG_USEC": "x",
        "WATCHDOG_PID": "1",
        "LISTEN_FDS": "9",
    },
}


def _odd(name: str, scene: Scene) -> str:
    for words in _COMMANDS:
        scene.run(*words, **ENVIRONMENTS[name])
    return f"{len(_COMMANDS)} commands: an answer or an exit code"


def homes(scene: Scene) -> str:
    """Nothing is made below the working directory, the root, or where there is nothing."""
    missing = scene.victim / "none"
    for home in ("", "here", ".", str(missing), "/dev/null", str(scene.victim / "precious")):
        for words in (("status",), ("status", "--json"), ("pause", "1h"), ("run",), ("login", "corp")):
            scene.run(*words, HOME=home).must(78, words="HOME")
    scene.run("status", HOME=None).must(0)  # the user database knows it; what could be written there is the real home
    return "six HOMEs: 78 and a word, nothing is made anywhere"


def no_user(scene: Scene) -> str:
    """A user id that no user database knows, and no HOME, as in some containers. Forked: who it becomes may not read Python."""
    place = scene.root / "open"
    place.mkdir()
    place.chmod(0o777)
    said = scene.root / "said.txt"
    try:
        for words in (["status"], ["pause", "1h"], ["refresh", "corp"]):
            child = os.fork()
            if child == 0:
                _as_unknown(place, said, words)
            _, status = os.waitpid(child, 0)
            scene.seen.append(("without a user", said.read_text()))
            must(os.waitstatus_to_exitcode(status) == 78 and "HOME" in said.read_text(), said.read_text())
            must(not list(place.iterdir()), f"nothing is made here: {list(place.iterdir())}")
    finally:
        shutil.rmtree(place)
        said.unlink()
    return "no HOME and no entry in the user database: 78 and a word, nothing called `~` is made"


def _as_unknown(place: Path, said: Path, words: list[str]) -> None:
    code = 99
    with contextlib.suppress(BaseException):
        from ssowatch import __main__, cli  # noqa: F401 - imported before nothing can be read any more

        os.chdir(place)
        output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os.environ.pop("HOME", None)
        os.setgroups([])
        os.setgid(54321)
        os.setuid(54321)
        sys.argv = ["ssowatch", *words]
        code = __main__.main()
        sys.stderr.flush()
    os._exit(code)


@contextlib.contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """A server that must never be talked to."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        ended = threading.Event()

        def collect() -> None:
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = server.accept()
                    connection.settimeout(2)
                    with connection, contextlib.suppress(OSError):
                        got.append(connection.recv(1 << 16))

        thread = threading.Thread(target=collect)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.getsockname()[1]}", got
        finally:
            ended.set()
            thread.join()


def other_endpoints(scene: Scene) -> str:
    """LocalStack users have these; a refresh token must never go there."""
    config = scene.home / ".aws/config"
    with collector() as (url, got), scene.kept(config):
        config.write_text(
            config.read_text().replace(
                "[profile dev]", f"[default]\nendpoint_url = {url}\n[profile dev]\nendpoint_url = {url}\nservices = x"
            )
            + f"[services x]\nsso-oidc =\n  endpoint_url = {url}\n"
        )
        scene.run("refresh", "corp", AWS_ENDPOINT_URL=url, AWS_PROFILE="dev")
        scene.run("logout", "corp", AWS_ENDPOINT_URL=url)
        must(not got, got)
    return "AWS_ENDPOINT_URL, endpoint_url and services of the config: no call goes there"


def foreign_modules(scene: Scene) -> str:
    """The service's children start in any directory, beside any file."""
    for name in ("json", "boto3", "yaml", "asyncio", "ssowatch", "msgspec", "sitecustomize"):
        (scene.elsewhere / f"{name}.py").write_text(f"open({str(scene.root / 'executed')!r}, 'a').write('{name}')\n")
    try:
        scene.write_token(scene.token(2))  # due: the service starts a child, whose working directory is ours
        scene.until(lambda: "corp" in scene.log.read_text().rpartition("watching")[2], "a child ran")
        scene.run("refresh", "corp")
        scene.run("mcp", "servers")
    finally:
        for one in scene.elsewhere.glob("*.py"):
            one.unlink()
        shutil.rmtree(scene.elsewhere / "__pycache__", ignore_errors=True)
    return "modules of our names in the working directory: none is imported"


def browsers(scene: Scene) -> str:
    """A BROWSER that is no browser: what a person chose is run with the link as one word; nothing else of it is."""
    mark = scene.root / "executed"
    for browser in (
        f"sh -c 'true' ; touch {mark}",
        f"$(touch {mark})",
        f"`touch {mark}`",
        f"true && touch {mark}",
        "'",
        "%s",
        "\x1b[31m",
        "/dev/null",
        ".",
    ):
        scene.run("login", "corp", "--no-browser", "--help", BROWSER=browser).must(0)
        scene.run("ensure", "corp", BROWSER=browser).must(0)
        scene.run("doctor", BROWSER=browser)
    return "nine of them: none is run unasked, none by a shell"


WORDS = (
    "\x1b[31mred\x1b]0;t\x07",
    "a\nb",
    "\u202etxt",
    "\u200b",
    "-",
    "--",
    "../../etc",
    "%s%n",
    "$(evil)",
    "`evil`",
    "x" * 50_000,
)
_NAMING = (
    ("status",), ("login",), ("logout",), ("refresh",), ("ensure", "--login=never"), ("pause",), ("upgrade-profile",),
    ("explain",), ("mcp", "snippet", "cursor"), ("exec",),
)  # fmt: skip


def arguments(scene: Scene) -> str:
    """Names that a person pastes, or an agent makes up."""
    words: list[str | bytes] = [*WORDS, b"\xff\xfe", b"\x9b31m"]
    for word in words[:2] + words[-3:]:
        for command in _NAMING:
            scene.run(*command, word).must(0, 1, 2, 78)
    for word in words:
        for command in (
            ("status",),
            ("refresh",),
            ("pause", "corp"),
            ("login", "--method"),
            ("frobnicate",),
            ("status", "--min"),
        ):
            scene.run(*command, word).must(0, 1, 2, 78)
    return f"{len(words)} names and options: refused with 1, 2 or 78, shown harmlessly"


ATTACKS = (
    *(Attack("environment", name, partial(_odd, name), essential=name == "LANG=C") for name in ENVIRONMENTS),
    Attack("environment", "HOME empty, relative, missing", homes, essential=True),
    Attack("environment", "no HOME and no user", no_user, root=True),
    Attack("environment", "general endpoints", other_endpoints, essential=True),
    Attack("environment", "modules in the working directory", foreign_modules),
    Attack("environment", "a BROWSER that is none", browsers),
    Attack("arguments", "names that are none", arguments),
)
