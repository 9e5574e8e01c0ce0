"""Our config: two YAML layers -> frozen, typed `Settings` (an edge).

With setting_readers.py (checks one value), yaml_layers.py (text, lines, merging) and schedule.py (cron lines) one edge:
the config files.

Rules of this file:
1. A key is one line of a Struct: its type, the reader that checks it, its default.
2. A layer is checked alone before it is laid over the other, so an error names the file in which it was made.
3. Values of `environment` and notification URLs may be passwords: no `repr` and no `config show` holds them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from msgspec import Struct, field, structs

from ssowatch import durations, forecast, paths, schedule, yaml_layers
from ssowatch.model import MINUTE, Mode, Policy, Renew
from ssowatch.setting_readers import argv, auto_or, expect, flag, matching, named, one_of, rows, section, span, word
from ssowatch.yaml_layers import Node, SettingsError, Sort

__all__ = ["Loaded", "Method", "Settings", "SettingsError", "as_yaml", "load", "policy", "watched"]

_CRON = matching(r"[\w*/,-]+( +[\w*/,-]+){4}", "a cron line of five fields", '"55 8 * * mon-fri"')
_HOURS = matching(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d", "a span of the day", '"22:00-07:00"')
_PATH = matching(r"[/~].+", "a full path", "~/project/.mcp.json")
_PORTAL = matching(
    r"https?://[^\s#]*[^\s#/]", "a start URL without # and / at its end", "https://d-1.awsapps.com/start"
)
_LENGTH = span("5m", "90d", "12h")
# What a child may need to reach AWS and to open a browser; LD_*, PYTHON* and the like would run other code in it.
_NAMES = re.compile(
    r"AWS_\w+|(?i:\w+_PROXY)|SSL_CERT_\w+|REQUESTS_CA_BUNDLE|BROWSER|(WAYLAND_)?DISPLAY|XAUTHORITY|XDG_\w+"
    r"|DBUS_SESSION_BUS_ADDRESS|PATH",
    re.ASCII,
)
_KEYS = "static keys win over every profile, so the sign-in would go unused"
_NEVER = {
    "AWS_ACCESS_KEY_ID": _KEYS,
    "AWS_SECRET_ACCESS_KEY": _KEYS,
    "AWS_SESSION_TOKEN": _KEYS,
    "AWS_PROFILE": "each child is told its own profile",
}


class Method(StrEnum):
    """How a person signs in."""

    PKCE = "pkce"
    DEVICE = "device"
    COMMAND = "command"


class Environment(dict[str, str]):
    """Names and values for child processes. Its `repr` shows the names alone."""

    def __repr__(self) -> str:
        return f"Environment({', '.join(self)})"


def _cron(node: Node) -> str:
    line = _CRON(node)
    try:
        schedule.check(line)
    except ValueError as error:
        raise node.error(
            f"is no cron line: {error}", 'write "55 8 * * mon-fri": minute hour day month weekday'
        ) from None
    return line


class Section(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A mapping of the config. Each field's annotation is its type and its reader."""


class Login(Section, frozen=True):
    """How to sign in (no `method`: by a browser where there is one, else by a code); `command` is run for `method: command`, `browser` opens a URL instead of the desktop's."""

    method: Annotated[Method | None, one_of(Method)] = None
    command: Annotated[tuple[str, ...], argv] = ()
    browser: Annotated[tuple[str, ...], argv] = ()


def _login(node: Node) -> Login:
    login = section(Login)(node)
    # A layer above may choose another method over a `command` below; but no layer gives one half alone.
    if (login.command and "method" not in node.entries) or (login.method is Method.COMMAND and not login.command):
        raise node.error(
            "`method: command` and `command` need each other",
            "write `method: command` and `command: [program, argument]`",
        )
    return login


class SignInSettings(Section, frozen=True):
    """What differs for one sign-in."""

    mode: Annotated[Mode | None, one_of(Mode)] = None
    length: Annotated[timedelta | None, _LENGTH] = None
    login: Annotated[Login, _login] = Login()


class Portal(Section, frozen=True):
    """What is known of one access portal."""

    length: Annotated[timedelta | None, _LENGTH] = None


class Schedule(Section, frozen=True):
    """Cron lines: when a fresh sign-in is offered, when the evening's look ahead is taken."""

    fresh: Annotated[str | None, _cron] = None
    evening: Annotated[str | None, _cron] = None


class Quiet(Section, frozen=True):
    """When neither notice nor tab appears."""

    when_locked: Annotated[bool, flag] = True
    when_idle: Annotated[bool, flag] = True
    hours: Annotated[str | None, _HOURS] = None


class Command(Section, frozen=True):
    """A notification channel: a program that reads the notice from its stdin."""

    command: Annotated[tuple[str, ...], argv] = ()


class Apprise(Section, frozen=True):
    """A notification channel: apprise URLs, which hold tokens; so no `repr` shows them."""

    apprise: Annotated[tuple[str, ...], rows(word, "[url]")] = ()

    def __repr__(self) -> str:
        return f"Apprise({len(self.apprise)} URLs)"


Channel = Literal["desktop"] | Command | Apprise


def _channel(node: Node) -> Channel:
    if node.sort is Sort.TEXT and node.text == "desktop":
        return "desktop"
    if set(node.entries) == {"command"}:
        return section(Command)(node)
    if set(node.entries) == {"apprise"}:
        return section(Apprise)(node)
    raise node.error("is no channel", "write desktop, {command: [program, argument]} or {apprise: [url]}")


class Hooks(Section, frozen=True):
    """Programs run after an event; they read one JSON line from their stdin."""

    on_renewed: Annotated[tuple[str, ...], argv] = ()
    on_login_required: Annotated[tuple[str, ...], argv] = ()
    on_signed_in: Annotated[tuple[str, ...], argv] = ()


class Mcp(Section, frozen=True):
    """Where MCP servers are looked for. `configs` are as written: `~` is not expanded."""

    discover: Annotated[bool, flag] = True
    configs: Annotated[tuple[str, ...], rows(_PATH, "[~/project/.mcp.json]", least=0)] = ()


def _watch(node: Node) -> str | tuple[str, ...]:
    if node.sort is Sort.TEXT and node.text in {"all", "mcp"}:
        return node.text
    like = "all, mcp or a list of sign-ins"
    expect(node, Sort.LIST, f"write {like}, like [corp]")
    return rows(word, f"{like}, like [corp]")(node)


def _environment(node: Node) -> Environment:
    expect(node, Sort.MAPPING, "write lines like `AWS_CA_BUNDLE: /etc/ssl/corp.pem` below it")
    for name, entry in node.entries.items():
        if name in _NEVER:
            raise entry.error(f"is refused: {_NEVER[name]}", "take it out")
        if not _NAMES.fullmatch(name):
            allowed = "AWS_*, *_PROXY, SSL_CERT_*, REQUESTS_CA_BUNDLE, BROWSER, DISPLAY, WAYLAND_DISPLAY, XAUTHORITY, XDG_*, DBUS_SESSION_BUS_ADDRESS and PATH"
            raise entry.error("is not a name that children are given", f"only {allowed} may stand here")
    return Environment({name: word(entry) for name, entry in node.entries.items()})


class Settings(Section, frozen=True):
    """The whole config, checked. `Settings()` is what holds without any file; spans are `timedelta`s."""

    mode: Annotated[Mode, one_of(Mode)] = Mode.NOTIFY
    refresh_before: Annotated[timedelta, span("1m", "12h", "30m")] = 30 * MINUTE
    warn_before: Annotated[timedelta, span("0s", "24h", "15m")] = 15 * MINUTE
    renew: Annotated[Renew, one_of(Renew)] = Renew.ALWAYS
    watch: Annotated[str | tuple[str, ...], _watch] = "all"
    sign_ins: Annotated[dict[str, SignInSettings], named(section(SignInSettings))] = {}
    portals: Annotated[dict[str, Portal], named(section(Portal), _PORTAL)] = {}
    schedule: Annotated[Schedule, section(Schedule)] = Schedule()
    quiet: Annotated[Quiet, section(Quiet)] = Quiet()
    notify: Annotated[tuple[Channel, ...], rows(_channel, "[desktop]", least=0)] = ("desktop",)
    hooks: Annotated[Hooks, section(Hooks)] = Hooks()
    mcp: Annotated[Mcp, section(Mcp)] = Mcp()
    environment: Annotated[Environment, _environment] = field(default_factory=Environment)
    heartbeat: Annotated[timedelta | None, auto_or(span("100ms", "10m", "30s"))] = None
    resume_threshold: Annotated[timedelta, span("1s", "1d", "10s")] = timedelta(seconds=10)


class Loaded(Struct, frozen=True, kw_only=True):
    """What the files gave."""

    settings: Settings
    files: tuple[str, ...] = ()
    """The files that were there, the system's first."""
    notes: tuple[str, ...] = ()
    """What the user set and a lock of the system file overruled; sentences for a person."""


def load(path: str | None, system_path: str = paths.SYSTEM_CONFIG) -> Loaded:
    """Read the user's file at `path` over the system's. A missing file is an empty one; None, or the system's own path, is no user's file.

    Raises:
        SettingsError: one of them cannot be used; nothing of it is.

    """
    below = yaml_layers.read(system_path)
    above = yaml_layers.read(path) if path is not None and path != system_path else None
    locks: tuple[Node, ...] = ()
    if below and (locked := below.entries.get("locked")):
        rows(word, "[mode, sign_ins.corp.mode]", least=0)(locked)
        locks = locked.items
        below = replace(below, entries={key: node for key, node in below.entries.items() if node is not locked})
    if above and "locked" in above.entries:
        raise above.entries["locked"].error(f"works in {system_path} alone", "take it out")
    layers = [layer for layer in (below, above) if layer]
    for layer in layers:
        section(Settings)(layer)
    nothing = Node(Sort.MAPPING)
    tree, notes = yaml_layers.layered(below or nothing, above or nothing, locks)
    return Loaded(
        settings=section(Settings)(tree),
        files=tuple(layer.file for layer in layers),
        notes=notes,
    )


def policy(settings: Settings, name: str, start_url: str) -> Policy:
    """What holds for the sign-in `name` of the portal `start_url`: its own keys, else its portal's, else the global ones."""
    own = settings.sign_ins.get(name, SignInSettings())
    portal = settings.portals.get(forecast.portal(start_url), Portal())
    return Policy(
        mode=own.mode or settings.mode,
        refresh_before=settings.refresh_before,
        warn_before=settings.warn_before,
        renew=settings.renew,
        length=own.length or portal.length,
        when_locked=settings.quiet.when_locked,
        when_idle=settings.quiet.when_idle,
    )


def watched(settings: Settings, name: str, *, served: bool) -> bool:
    """True if the sign-in `name` is looked after. `served`: an MCP server hangs on it, or that is not known."""
    return (served or settings.watch != "mcp") if isinstance(settings.watch, str) else name in settings.watch


def as_yaml(settings: Settings) -> str:
    """The settings as a config file would hold them, passwords as `***`."""
    import yaml

    return yaml.safe_dump(_plain(settings), sort_keys=False, allow_unicode=True, width=1000)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what YAML can hold
    match value:
        case Apprise():
            return {"apprise": ["***"] * len(value.apprise)}
        case Struct():
            # What is unset is left out: an empty program would be refused when read back. `notify: []` is set.
            parts = ((each, getattr(value, each.name)) for each in structs.fields(value))
            return {each.name: _plain(part) for each, part in parts if part not in (None, ()) or part != each.default}
        case Environment():
            return dict.fromkeys(value, "***")
        case dict():
            return {name: _plain(part) for name, part in value.items()}
        case tuple():
            return [_plain(part) for part in value]
        case timedelta():
            return durations.text(value)
        case StrEnum():
            return str(value)
    return value
