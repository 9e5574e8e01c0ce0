"""From an entry to what its server is started with: launchers are looked through (rank 1, pure; nothing is run).

Rules of this file:
1. A launcher (`env`, a shell, a container, our own `mcp wrap` and `exec`) changes variables or words; each is taken off
   from the left, in the way it would act itself, until the server's own words are left.
2. What a launcher hides or makes impossible is a `flaw`; the first one found is the one that is said.
3. Values of variables are kept only for the names in `_READ`; of the others the presence alone is known.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from getopt import GetoptError, getopt

from ssowatch.mcp import expansion
from ssowatch.mcp.expansion import UNKNOWN
from ssowatch.mcp.shapes import Entry, split

PROFILE_NAMES = ("AWS_API_MCP_PROFILE_NAME", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""In the order in which they count: awslabs' aws-api server reads the first by itself."""
PROXY_PROFILES = "AWS_MCP_PROXY_PROFILES"
KEY, SESSION_TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"
CONFIG_FILE, HOME = "AWS_CONFIG_FILE", "HOME"
_READ = frozenset({*PROFILE_NAMES, PROXY_PROFILES, CONFIG_FILE, HOME})
_HANDED_ON = _READ | {KEY, SESSION_TOKEN}
"""Of the client's own variables those that count here."""
_UNSET_BY_EXEC = (KEY, "AWS_SECRET_ACCESS_KEY", SESSION_TOKEN, "AWS_DEFAULT_PROFILE")

_TRANSPARENT = {"exec", "nohup", "nice", "time", "command", "setsid", "caffeinate"}
_SHELLS = {"sh", "bash", "zsh", "dash", "ksh", "fish"}
_CONTAINERS = {"docker", "podman", "finch", "nerdctl"}
_STORES = {"aws-vault": "aws-vault", "aws-sso": "aws-sso-cli", "assume": "Granted"}
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_ENDS_COMMAND = re.compile(r"[;&|\n]+")
_SET = re.compile(r"\bset\s+\"?([A-Za-z_]\w*)=([^&\"]*)", re.IGNORECASE)
_MOST_LAUNCHERS = 20


class Flaw(StrEnum):
    """What a launcher takes away from the server."""

    OTHER_STORE = "other_store"
    FROZEN_KEYS = "frozen_keys"
    READ_ONLY = "read_only"
    NOT_MOUNTED = "not_mounted"


@dataclass(slots=True)
class Launch:
    """What the server is started with. `words` may hold secrets: no `repr` shows them."""

    words: list[str] = field(repr=False)
    env: dict[str, str]
    flaw: Flaw | None = None
    store: str = ""
    """Whose credentials it uses, for `OTHER_STORE`."""
    contained: bool = False
    """It runs in a container, so paths in its variables are not of this machine."""
    wrapped: bool = False
    """It is started through us."""
    home: str = ""

    def blame(self, flaw: Flaw) -> None:
        """Note a flaw, if there was none before."""
        self.flaw = self.flaw or flaw


EnvFile = Callable[[str], Mapping[str, str]]
"""The variables in a file; nothing where there is none."""


def launch(entry: Entry, client: str, known: Mapping[str, str], env_file: EnvFile) -> Launch:
    """What `entry` starts. `known`: variables of the client's own, and the words that editors put in."""
    env = {name: expansion.marked(value) for name, value in known.items() if name in _HANDED_ON}
    for name in entry.inherits:
        if name in PROFILE_NAMES:
            env.setdefault(name, UNKNOWN)
    env |= dict.fromkeys(entry.from_keyring, UNKNOWN)
    if entry.env_file:
        env |= _from_file(expansion.expand(entry.env_file, client, known), env_file)
    env |= {name: expansion.expand(value, client, known) for name, value in entry.env.items()}
    words = [expansion.expand(word, client, known) for word in entry.words]
    found = Launch(words, _kept(env), home=known.get("HOME", ""))
    for _ in range(_MOST_LAUNCHERS):
        before = found.words
        _look_through(found)
        if found.words is before:
            break
    for path in _options(found.words, ("--env-file",)):
        found.env = {**_kept(_from_file(path, env_file)), **found.env}
    for given in filter(None, map(_ASSIGNMENT.fullmatch, found.words)):  # `cross-env AWS_PROFILE=x` and its like
        if given[1] in PROFILE_NAMES:
            _assign(found, given[1], given[2])
    return found


def variables(text: str) -> dict[str, str]:
    """The variables of a `.env` file."""
    found = {}
    for line in text.splitlines()[:1000]:
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if equals and _ASSIGNMENT.fullmatch(f"{name.strip()}="):
            value = value.strip()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
            found[name.strip()] = value[1:-1] if quoted else value.partition(" #")[0].rstrip()
    return found


def _from_file(path: str, env_file: EnvFile) -> dict[str, str]:
    known = expansion.plain_text(path)
    return {name: expansion.marked(value) for name, value in env_file(known).items()} if known else {}


def _kept(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value if name in _READ else "" for name, value in env.items() if value}


def _options(words: Iterable[str], names: tuple[str, ...]) -> list[str]:
    """The values of an option, written `--name value` or `--name=value`."""
    values, wanted = [], False
    for word in words:
        if wanted:
            values.append(word)
        wanted = word in names
        values += [word[len(name) + 1 :] for name in names if word.startswith(f"{name}=")]
    return values


def _look_through(found: Launch) -> None:
    """Take one launcher off; where there is none, `words` stays the same list."""
    head = _program(found.words[0]) if found.words else ""
    if head == "env":
        _env(found)
    elif head in _SHELLS:
        _shell(found)
    elif head == "cmd":
        _cmd(found)
    elif head in _CONTAINERS:
        _container(found)
    elif head in _STORES and not found.wrapped:
        found.blame(Flaw.OTHER_STORE)
        found.store = _STORES[head]
        _store(found)
    elif head in _TRANSPARENT:
        found.words = found.words[1:]
    else:
        _through_us(found)


def _program(word: str) -> str:
    return (expansion.plain_text(word) or "").replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


def _env(found: Launch) -> None:
    words = found.words[1:]
    while words and (words[0].startswith("-") or _ASSIGNMENT.fullmatch(words[0])):
        match words:
            case ["-i" | "-" | "--ignore-environment", *rest]:
                found.env = {}
            case ["-u" | "--unset", name, *rest]:
                found.env.pop(name, None)
            case ["-S" | "--split-string", line, *rest]:
                rest = [*split(line), *rest]
            case ["-C" | "--chdir", _, *rest]:
                pass
            case _:
                rest = words[1:]
                if assigned := _ASSIGNMENT.fullmatch(words[0]):
                    _assign(found, assigned[1], assigned[2])
        words = rest
    found.words = words


def _assign(found: Launch, name: str, value: str) -> None:
    found.env.pop(name, None)
    found.env |= _kept({name: value})


def _shell(found: Launch) -> None:
    """`sh -c "AWS_PROFILE=x server"`, and what a person may write there: export, `&&`, `exec`."""
    places = enumerate(found.words[:-1])
    script = next((found.words[at + 1] for at, word in places if re.fullmatch(r"-[a-z]*c", word)), None)
    if script is None:
        return
    if "export-credentials" in script:
        found.blame(Flaw.FROZEN_KEYS)
        # The profile that the keys were taken from.
        for profile in _options(split(re.sub(r"[()`\"';|&]", " ", script)), ("--profile",))[:1]:
            _assign(found, "AWS_PROFILE", profile)
    words: list[str] = []
    for command in _ENDS_COMMAND.split(script):
        parts = list(split(command))
        if parts[:1] == ["export"]:
            parts = parts[1:]
        while parts and (assigned := _ASSIGNMENT.fullmatch(parts[0])):
            parts.pop(0)
            _assign(found, assigned[1], expansion.shell(assigned[2], found.env))
        words = parts or words
    found.words = words


def _cmd(found: Launch) -> None:
    """`cmd /c set AWS_PROFILE=x&& server`."""
    line = " ".join(word for word in found.words[1:] if not re.fullmatch("/[A-Za-z]", word))
    for name, value in _SET.findall(line):
        _assign(found, name, value.strip())
    found.words = list(split(line.rpartition("&&")[2].replace("\\", "/")))


def _store(found: Launch) -> None:
    """`aws-vault exec x -- server`."""
    words = found.words[1:]
    match words:
        case ["exec", *options]:
            for profile in [word for word in options if not word.startswith("-")][:1]:
                _assign(found, "AWS_PROFILE", profile)
    found.words = words[words.index("--") + 1 :] if "--" in words else []


def _through_us(found: Launch) -> None:
    """`ssowatch mcp wrap [--profile P] -- server` and `ssowatch exec P -- server`, also by `uvx` and its like."""
    places = (place for place, word in enumerate(found.words) if _program(word) == "ssowatch")
    words = found.words[next(places, len(found.words)) + 1 :]
    if words[:1] == ["--config"]:
        words = words[2:]
    match words:
        case ["mcp", "wrap", *rest]:
            with suppress(GetoptError):  # as the wrapper itself reads them
                options, rest = getopt(rest, "", ["profile=", "wait="])
                if profile := dict(options).get("--profile"):
                    _assign(found, "AWS_PROFILE", profile)
        case ["exec", profile, "--", *rest] | ["exec", profile, *rest]:
            for name in _UNSET_BY_EXEC:
                found.env.pop(name, None)
            _assign(found, "AWS_PROFILE", profile)
        case _:
            return
    found.words, found.wrapped = rest, True


def _container(found: Launch) -> None:
    """`docker run -e AWS_PROFILE=x -v ~/.aws:/root/.aws image`: only what is handed over is inside."""
    if next((word for word in found.words[1:] if not word.startswith("-")), "") not in {"run", "container"}:
        return  # `docker compose`, `docker mcp`: what they start stands elsewhere
    outside, found.env, found.contained = found.env, {}, True
    # A README of awslabs has both in one word: "-e AWS_PROFILE=x".
    words = [part for word in found.words for part in (word.split(maxsplit=1) if re.match(r"-[ev] ", word) else [word])]
    words = [part for word in words for part in ((word[:2], word[2:]) if re.match(r"-e\w|-v[/~.$]", word) else (word,))]
    for given in _options(words, ("-e", "--env")):
        if assigned := _ASSIGNMENT.fullmatch(given):
            _assign(found, assigned[1], assigned[2])
        elif given in outside:
            found.env[given] = outside[given]
        elif given in PROFILE_NAMES:
            found.env[given] = UNKNOWN
    mounts = [spec.replace(expansion.EXPANDED, "") for spec in _options(words, ("-v", "--volume", "--mount"))]
    aws = [spec for spec in mounts if re.search(r"[/\\]\.aws\b", spec) or spec.startswith(f"{found.home}:")]
    if not aws:
        found.blame(Flaw.NOT_MOUNTED)
    elif all(re.search(r"[:,](ro|readonly|readonly=true)(,|$)", spec) for spec in aws):
        found.blame(Flaw.READ_ONLY)
