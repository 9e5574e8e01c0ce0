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
from dataclasses import dataclass, field
from enum import StrEnum

from ssowatch.mcp import expansion
from ssowatch.mcp.expansion import UNKNOWN
from ssowatch.mcp.shapes import Entry, split

PROFILE_NAMES = ("AWS_API_MCP_PROFILE_NAME", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")
"""In the order in which they count: awslabs' aws-api server reads the first by itself."""
PROXY_PROFILES = "AWS_MCP_PROXY_PROFILES"
KEY, SESSION_TOKEN = "AWS_ACCESS_KEY_ID", "AWS_SESSION_TOKEN"
CONFIG_FILE, HOME = "AWS_CONFIG_FILE", "HOME"
_READ = frozenset({*PROFILE_NAMES, PROXY_PROFILES, CONFIG_FILE, HOME})
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
    """What the server is started with. `words` and `env` may hold secrets: no `repr` shows them."""

    words: list[str] = field(repr=False)
    env: dict[str, str] = field(repr=False)
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
    env = dict(known_profiles(known))
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
        if not found.words or not _look_through(found, env_file):
            break
    for path in _options(found.words, ("--env-file",)) if not found.contained else ():
        found.env = {**_kept(_from_file(path, env_file)), **found.env}
    for given in filter(None, map(_ASSIGNMENT.fullmatch, found.words)):  # `cross-env AWS_PROFILE=x` and its like
        if given[1] in PROFILE_NAMES and not found.contained:
            _assign(found, given[1], given[2])
    return found


def known_profiles(known: Mapping[str, str]) -> Mapping[str, str]:
    """Of the client's own variables those that its servers are handed and that count here."""
    return {name: expansion.marked(value) for name, value in known.items() if name in _READ - {HOME} or name == KEY}


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


def _look_through(found: Launch, env_file: EnvFile) -> bool:
    """Take one launcher off; False where there is none."""
    head = _program(found.words[0])
    ours = next((place for place, word in enumerate(found.words) if _program(word) == "ssowatch"), None)
    if head == "env":
        return _env(found)
    if head in _SHELLS:
        return _shell(found)
    if head == "cmd":
        return _cmd(found)
    if head in _CONTAINERS:
        return _container(found, env_file)
    if head in _STORES and not found.wrapped:
        found.blame(Flaw.OTHER_STORE)
        found.store = _STORES[head]
        return _store(found)
    if head in _TRANSPARENT:
        found.words = found.words[1:]
        return True
    return ours is not None and _through_us(found, ours + 1)


def _program(word: str) -> str:
    return (expansion.plain_text(word) or "").replace("\\", "/").rpartition("/")[2].lower().removesuffix(".exe")


def _env(found: Launch) -> bool:
    words = found.words[1:]
    while words and (words[0].startswith("-") or _ASSIGNMENT.fullmatch(words[0])):
        word = words.pop(0)
        if word in {"-i", "-", "--ignore-environment"}:
            found.env = {}
        elif word in {"-u", "--unset"} and words:
            found.env.pop(words.pop(0), None)
        elif word in {"-S", "--split-string"} and words:
            words = [*split(words[0]), *words[1:]]
        elif word in {"-C", "--chdir"} and words:
            words.pop(0)
        elif assigned := _ASSIGNMENT.fullmatch(word):
            _assign(found, assigned[1], assigned[2])
    found.words = words
    return True


def _assign(found: Launch, name: str, value: str) -> None:
    found.env.pop(name, None)
    found.env |= _kept({name: value})


def _shell(found: Launch) -> bool:
    """`sh -c "AWS_PROFILE=x server"`, and what a person may write there: export, `&&`, `exec`."""
    place = next((at for at, word in enumerate(found.words) if re.fullmatch(r"-[a-z]*c", word)), None)
    if place is None or place + 1 >= len(found.words):
        return False
    script = found.words[place + 1]
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
    return True


def _cmd(found: Launch) -> bool:
    """`cmd /c set AWS_PROFILE=x&& server`."""
    line = " ".join(word for word in found.words[1:] if word.lower() not in {"/c", "/k"})
    for name, value in _SET.findall(line):
        _assign(found, name, value.strip())
    found.words = list(split(line.rpartition("&&")[2].replace("\\", "/")))
    return True


def _store(found: Launch) -> bool:
    """`aws-vault exec x -- server`."""
    words = found.words[1:]
    named = next((word for word in words[1:] if not word.startswith("-")), "") if words[:1] == ["exec"] else ""
    if named:
        _assign(found, "AWS_PROFILE", named)
    found.words = words[words.index("--") + 1 :] if "--" in words else []
    return bool(found.words)


def _through_us(found: Launch, start: int) -> bool:
    """`ssowatch mcp wrap [--profile P] -- server` and `ssowatch exec P -- server`."""
    words = found.words[start:]
    if words[:1] == ["--config"]:
        words = words[2:]
    if words[:2] == ["mcp", "wrap"]:
        options, words = words[2:], words[2:]
        if "--" in options:
            place = options.index("--")
            options, words = options[:place], options[place + 1 :]
        for profile in _options(options, ("--profile",))[:1]:
            _assign(found, "AWS_PROFILE", profile)
    elif words[:1] == ["exec"] and len(words) > 1:
        for name in _UNSET_BY_EXEC:
            found.env.pop(name, None)
        _assign(found, "AWS_PROFILE", words[1])
        words = words[3:] if words[2:3] == ["--"] else words[2:]
    else:
        return False
    found.words, found.wrapped = words, True
    return True


def _container(found: Launch, env_file: EnvFile) -> bool:
    """`docker run -e AWS_PROFILE=x -v ~/.aws:/root/.aws image`: only what is handed over is inside."""
    if next((word for word in found.words[1:] if not word.startswith("-")), "") not in {"run", "container"}:
        return False  # `docker compose`, `docker mcp`: what they start stands elsewhere
    outside, found.env, found.contained = found.env, {}, True
    # A README of awslabs has both in one word: "-e AWS_PROFILE=x".
    words = [part for word in found.words for part in (word.split(maxsplit=1) if re.match(r"-[ev] ", word) else [word])]
    words = [part for word in words for part in ((word[:2], word[2:]) if re.match(r"-e\w|-v[/~.$]", word) else (word,))]
    for path in _options(words, ("--env-file",)):
        found.env |= _kept(_from_file(path, env_file))
    for given in _options(words, ("-e", "--env")):
        if assigned := _ASSIGNMENT.fullmatch(given):
            _assign(found, assigned[1], assigned[2])
        elif given in outside:
            found.env[given] = outside[given]
        elif given in PROFILE_NAMES:
            found.env[given] = UNKNOWN
    mounts = [expansion.plain_text(spec) or "" for spec in _options(words, ("-v", "--volume", "--mount"))]
    aws = [spec for spec in mounts if re.search(r"[/\\]\.aws\b", spec) or spec.startswith(f"{found.home}:")]
    if KEY not in found.env:
        if not aws:
            found.blame(Flaw.NOT_MOUNTED)
        elif all(re.search(r"[:,](ro|readonly|readonly=true)(,|$)", spec) for spec in aws):
            found.blame(Flaw.READ_ONLY)
    return False
