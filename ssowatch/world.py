"""The world as it stands: configs, token files and memories, read by stat and kept between looks (composition).

Rules of this file:
1. Every file is parsed again only when its stat changed, so a look at an unchanged world costs a few stats.
2. A config that broke while we run leaves the last good one in force, with a problem beside it.
3. The watcher *records*: what was observed, and what the plan's actions will have done, is in the memory file before
   they are done. What cannot be recorded is not done, renewals excepted: their child records for itself.
   `status` without a watcher computes the same and writes nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from ssowatch import (
    awsconfig,
    cache,
    files,
    forecast,
    memories,
    memory,
    paths,
    pauses,
    planner,
    quiet_hours,
    schedule,
    settings,
)
from ssowatch.mcp import found, hanging
from ssowatch.mcp.model import McpServer
from ssowatch.model import (
    AwsConfig,
    Life,
    Memory,
    Plan,
    Policy,
    Presence,
    Problem,
    Renewal,
    SignIn,
    Surroundings,
    TokenFile,
    Unwatched,
)
from ssowatch.paths import shown
from ssowatch.protocol import Row
from ssowatch.settings import Settings, SettingsError

_AWS_FILES = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_LOGIN_CACHE_DIRECTORY")


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look found: our settings, and a plan per sign-in."""

    settings: Settings
    problem: Problem | None
    rows: tuple[Row, ...]
    unwatched: tuple[Unwatched, ...]
    paused_until: datetime | None = None
    """The pause of everything."""


class World:
    """Looks again and again, cheaply."""

    def __init__(self, *, recording: bool, system_config: str = paths.SYSTEM_CONFIG) -> None:
        self._recording = recording
        self._system_config = system_config
        self._tokens = cache.TokenCache()
        self._memories = memories.Memories()
        self._unwritten: dict[str, Memory] = {}
        self._days = schedule.Days()
        self._lives: dict[str, list[tuple[str, Life]]] = {}
        self._aws = AwsConfig()
        self._aws_stat: object = ()
        self._settings = Settings()
        self._settings_stat: object = ()
        self._pauses: dict[str, datetime] = {}
        self._pauses_stat: object = None
        self._servers: tuple[McpServer, ...] | None = None
        self._servers_stat: object = ()
        self.settings_error: SettingsError | None = None
        """Why our config cannot be used; the last good one is in force."""
        self.unsettled = False
        """At the last look a token file could not be read: somebody may be writing it."""
        self._read_settings()

    def look(self, now: datetime, presence: Presence | None = None) -> Sight:
        """Read what changed, and plan every watched sign-in. `presence`: None where nobody asked for it yet."""
        self._read_settings()
        self._read_aws_config()
        self._read_pauses()
        self._read_servers()
        names = {
            one.name
            for one in self._aws.sign_ins
            if settings.watched(self._settings, one.name, served=self._servers is None or bool(self._on(one.name)))
        }
        self._tokens.keep_only(names)
        self._memories.keep_only(names)
        self._lives = self._lives_of(names)
        self.unsettled = False
        reason = "its sign-in is not named in `watch` of the ssowatch config"
        if self._settings.watch == "mcp":
            reason = "no MCP server hangs on its sign-in (`watch: mcp` in the ssowatch config)"
        left_out = tuple(
            Unwatched(profile, reason)
            for one in self._aws.sign_ins
            if one.name not in names
            for profile in one.profiles
        )
        return Sight(
            settings=self._settings,
            problem=Problem("config", str(broken), None) if (broken := self.settings_error) else self._aws.problem,
            rows=tuple(self._row(one, presence, now) for one in self._aws.sign_ins if one.name in names),
            unwatched=self._aws.unwatched + left_out,
            paused_until=end if (end := self._pauses.get(pauses.ALL)) and end > now else None,
        )

    def sign_ins(self) -> tuple[SignIn, ...]:
        """Every sign-in of the AWS config, watched or not."""
        self._read_aws_config()
        return self._aws.sign_ins

    def aws_config(self) -> AwsConfig:
        """What the AWS config files hold."""
        self._read_aws_config()
        return self._aws

    def aws_problem(self) -> Problem | None:
        """What is wrong with the AWS config as a whole."""
        return self._aws.problem

    def mcp_servers(self) -> tuple[McpServer, ...]:
        """What discovery found last, with the sign-ins by the AWS config as it is now."""
        self._read_aws_config()
        self._read_servers()
        return self._servers or ()

    def servers_of(self, name: str) -> tuple[McpServer, ...]:
        """Those that hang on the sign-in `name`, with and without a problem of their own."""
        return tuple(one for one in self.mcp_servers() if one.sign_in == name)

    def _on(self, name: str) -> tuple[McpServer, ...]:
        return tuple(one for one in self._servers or () if one.sign_in == name)

    def policy(self, sign_in: SignIn) -> Policy:
        """What our config says of it."""
        return settings.policy(self._settings, sign_in.name, sign_in.start_url)

    @property
    def settings(self) -> Settings:
        """Our settings in force."""
        return self._settings

    def note(self, name: str, change: Callable[[Memory], Memory]) -> None:
        """Change a sign-in's memory. What cannot be written is kept here, so that it counts all the same."""
        try:
            memories.update(name, change)
        except (files.BusyError, OSError):
            self._unwritten[name] = change(self._known(name))

    def _lives_of(self, names: set[str]) -> dict[str, list[tuple[str, Life]]]:
        known = ((one, self._known(one.name)) for one in self._aws.sign_ins if one.name in names)
        return forecast.by_portal(known)

    def _known(self, name: str) -> Memory:
        """The memory file, or what could not be written over it."""
        known = self._memories.look(name)
        unwritten = self._unwritten.get(name)
        if unwritten and unwritten.token.fingerprint == known.token.fingerprint:
            return replace(known, token=unwritten.token)
        self._unwritten.pop(name, None)
        return known

    def forget(self) -> None:
        """Read everything anew at the next look (SIGHUP)."""
        self._aws_stat = self._settings_stat = ()
        self._tokens = cache.TokenCache()
        self._memories = memories.Memories()

    def around(self, name: str, now: datetime, presence: Presence | None = None) -> Surroundings:
        """What else is so for the sign-in `name`."""
        self._read_pauses()
        self._read_servers()
        until = [self._pauses[one] for one in (name, pauses.ALL) if one in self._pauses]
        portal = next((forecast.portal(one.start_url) for one in self._aws.sign_ins if one.name == name), "")
        lives = self._lives or self._lives_of({one.name for one in self._aws.sign_ins})
        return Surroundings(
            presence=presence,
            held=files.taken(paths.use_lock(name), shared=True),
            signing_in=files.taken(paths.flow_lock(name)),
            paused_until=max((end for end in until if end > now), default=None),
            quiet_until=quiet_hours.end(self._settings.quiet.hours, now),
            day=self._days.of(self._settings.schedule.fresh, self._settings.schedule.evening, now),
            lives=tuple(life for one, life in lives.get(portal, ()) if one != name),
            served=bool(self._on(name)),
        )

    def _row(self, sign_in: SignIn, presence: Presence | None, now: datetime) -> Row:
        policy, around = self.policy(sign_in), self.around(sign_in.name, now, presence)
        file, known = self._tokens.look(sign_in.name, now), self._known(sign_in.name)
        self.unsettled |= file.fault is not None

        def decide(file: TokenFile, known: Memory) -> Plan:
            if not file.fault and not sign_in.problem:
                known = memory.observed(known, sign_in, file.token, now, seen=self._recording)
            return planner.plan(sign_in, file, known, policy, around, now)

        plan = decide(file, known)
        if self._recording and plan.memory != known:
            try:
                with memories.locked(sign_in.name):  # both are read anew: a renewal may have changed them since
                    file, known = self._tokens.look(sign_in.name, now), memories.load(sign_in.name)
                    plan = decide(file, known)
                    if plan.memory != known:
                        memories.write(sign_in.name, plan.memory)
            except (files.BusyError, OSError):
                plan = replace(plan, actions=tuple(one for one in plan.actions if isinstance(one, Renewal)))
        return Row(sign_in, file.token, plan, around.paused_until, around.signing_in, self._on(sign_in.name))

    def _read_pauses(self) -> None:
        stat = files.signature(paths.pauses_file())
        if stat != self._pauses_stat:
            self._pauses_stat = stat
            self._pauses = pauses.load() if stat else {}

    def _read_servers(self) -> None:
        stat = (files.signature(paths.mcp_servers_file()), self._settings.mcp, self._aws_stat)
        if stat == self._servers_stat:
            return
        self._servers_stat = stat
        mcp = self._settings.mcp
        last = found.servers() if mcp.discover or mcp.configs else ()
        self._servers = None if last is None else hanging.hang(last, self._aws)

    def _read_settings(self) -> None:
        path = paths.config_file()
        stat = (path, files.signature(path), files.signature(self._system_config))
        if stat == self._settings_stat:
            return
        self._settings_stat = stat
        try:
            _check_named(path)
            self._settings = settings.load(path, self._system_config).settings
            self.settings_error = None
            # A service has not the shell's AWS_CONFIG_FILE: what `environment` says of it counts for our own look, too.
            given = {name: value for name, value in self._settings.environment.items() if name in _AWS_FILES}
            os.environ.update(given)
        except SettingsError as error:
            self.settings_error = error
            self._settings_stat = ()  # the same

    def _read_aws_config(self) -> None:
        config, credentials = paths.aws_config(), paths.aws_credentials()
        stat = (config, files.signature(config), credentials, files.signature(credentials))
        if stat == self._aws_stat:
            return
        self._aws_stat = stat
        texts, unreadable = [], None
        for path in (config, credentials):
            try:
                texts.append(_text(path))
            except files.NotReadableError as error:
                texts.append(None)
                fix = "make it a readable text file in UTF-8"
                unreadable = unreadable or Problem("aws_config", f"{shown(path)} {error}", fix)
        read = awsconfig.parse(texts[0], texts[1], config_path=shown(config), credentials_path=shown(credentials))
        if unreadable:
            read = replace(read, problem=unreadable)
            self._aws_stat = ()  # what the system lacks for a moment leaves the stat alone
        broken = read.problem is not None and read.problem.code == "aws_config"
        self._aws = replace(self._aws, problem=read.problem) if broken and self._aws.sign_ins else read


def _check_named(path: str) -> None:
    """A config that was asked for by name must be there; the usual one need not."""
    if os.environ.get("SSOWATCH_CONFIG") and not os.path.exists(path):  # noqa: PTH110
        raise SettingsError(path, None, "", "does not exist", "give --config or SSOWATCH_CONFIG a file that does")


def _text(path: str) -> str | None:
    content = files.read(path)
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1 if content else 1
        raise files.NotReadableError(f"line {line}: is not UTF-8 text") from None
