"""A legacy profile, or an sso-session without a scope, made renewable: texts to texts (rank 1, pure).

Rules of this file:
1. No line changes but those that must (`aws_document` keeps the others).
2. All legacy profiles of one portal and region move together, into one sso-session: they are one sign-in then, however
   they spelled the start URL. A session that is there already is used.
3. What was written is read again before it leaves: every other profile must mean what it meant, and the moved ones the
   session. If not, nothing is proposed.
4. A file that AWS refuses to read is not touched; only a byte order mark, which has a mend of its own, may stand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import cast

from ssowatch import awsconfig
from ssowatch.aws_document import Document, OddLayoutError
from ssowatch.awsfile import AwsFile
from ssowatch.awsprofiles import Profiles, header_of
from ssowatch.model import AwsConfig, Problem
from ssowatch.plain import plain
from ssowatch.start_urls import portal, session_name

SCOPE = "sso:account:access"
"""With it every way to sign in brings a refresh token; without one the device code does not (aws-vault 445, boto3 3768)."""

_URL, _REGION, _SCOPES = "sso_start_url", "sso_region", "sso_registration_scopes"
_MARK = "\ufeff"
_SESSION = re.compile(r"[\w.@+-]{1,64}")


class NotUpgradableError(Exception):
    """It cannot be done. The message names the place; `fix` is what to do first."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Texts:
    """The two AWS files; None is a file that does not exist. The paths are only ever shown."""

    config: str | None
    credentials: str | None = None
    config_path: str = "~/.aws/config"
    credentials_path: str = "~/.aws/credentials"

    def read(self) -> AwsConfig:
        """What ssowatch makes of them."""
        return awsconfig.parse(
            self.config, self.credentials, config_path=self.config_path, credentials_path=self.credentials_path
        )


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What to write. Equal texts mean that nothing needs to change."""

    session: str
    """The sso-session that the sign-in has afterwards."""
    moved: tuple[str, ...]
    """The profiles whose own settings move into it."""
    texts: Texts
    left: tuple[str, ...] = ()
    """Legacy profiles of the same portal that stay, because they name another region."""


def upgrade(old: Texts, name: str, session: str | None = None) -> Upgrade:
    """Make the sign-in `name` renewable; `name` may be a profile's, too. `session`: what its sso-session shall be called.

    Raises:
        NotUpgradableError: it cannot be done, or not without changing what other profiles mean.

    """
    names = Profiles(_read(old.config, old.config_path), _read(old.credentials, old.credentials_path))
    try:
        work = _Work(old, names)
        sessions = names.sessions.keys() & _problems_of(old.read())
        if name in sessions:
            return work.scope(name)
        legacy = (one for one, keys in names.profiles.items() if _is_legacy(keys) and keys[_URL] == name)
        base = names.end(name)[0] if name in names.profiles else next(legacy, None)
        if base is not None and (own := names.profiles[base].get("sso_session", "")) in sessions:
            return work.scope(own)
        if base is not None and _is_legacy(names.profiles[base]):
            return work.move(base, session)
    except OddLayoutError:
        message = f"{old.config_path} is laid out so that the change would do more than it should"
        raise NotUpgradableError(message, f"move {_URL} and {_REGION} into an [sso-session] by hand") from None
    raise NotUpgradableError(f"{plain(name)} has no SSO settings that could be upgraded", "ssowatch status says more")


def _read(text: str | None, path: str) -> AwsFile:
    file = AwsFile(path, (text or "").removeprefix(_MARK))
    if file.flaw:
        raise NotUpgradableError(f"{file.path} line {file.flaw.line}: {file.flaw.message}", file.flaw.fix)
    return file


def _is_legacy(keys: dict[str, str]) -> bool:
    return "sso_session" not in keys and bool(keys.get(_URL))


class _Work:
    def __init__(self, old: Texts, names: Profiles) -> None:
        self._old, self._names = old, names
        self._config, self._credentials = Document(old.config or ""), Document(old.credentials or "")

    def scope(self, session: str) -> Upgrade:
        """Give the session its scope."""
        if problem := _problems_of(self._old.read())[session]:
            raise NotUpgradableError(problem.message, cast("str", problem.fix))  # such problems have one
        self._add_scope(session)
        return self._checked(session, ())

    def move(self, base: str, wanted: str | None) -> Upgrade:
        """Move `base`, and every profile of its portal and region, into a session."""
        keys = self._names.profiles[base]
        for key in (_URL, _REGION):
            if flaw := awsconfig.flaw(key, keys.get(key, "")):
                raise NotUpgradableError(f"{self._names.place(base, key)}: {flaw[0]}", flaw[1])
        if fault := self._names.fault(base):
            raise NotUpgradableError(fault, "complete the profile")
        url, region = keys[_URL], keys[_REGION]
        same = {
            one: its
            for one, its in self._names.profiles.items()
            if _is_legacy(its) and portal(its[_URL]) == portal(url) and not self._names.fault(one)
        }
        moved = tuple(one for one, its in same.items() if its.get(_REGION) == region)
        places = [place for one in moved for place in self._places(one)]
        session = self._session(url, region, wanted, moved)
        if session in self._names.sessions:
            self._add_scope(session)
        elif self._old.config is None:
            message = f"{self._old.config_path} does not exist, and AWS reads an sso-session nowhere else"
            raise NotUpgradableError(message, f"make it: touch {self._old.config_path}")
        else:
            shortest = min((same[one][_URL] for one in moved), key=len)
            document, header = places[0]
            self._config.append(
                header_of("sso-session", session),
                {_URL: shortest, _REGION: region, _SCOPES: SCOPE},
                like=document.line(header, _URL),
            )
        for document, header in places:
            document.rewrite(header, _URL, "sso_session", session)
            document.remove(header, _REGION)
        return self._checked(session, moved, tuple(one for one in same if one not in moved))

    def _session(self, url: str, region: str, wanted: str | None, moved: tuple[str, ...]) -> str:
        sessions = self._names.sessions
        fitting = [
            one
            for one, keys in sessions.items()
            if portal(keys.get(_URL, "")) == portal(url) and keys.get(_REGION) == region
        ]
        if wanted is None:
            taken = {*sessions, *(one for _, one in self._names.unread), *self._names.profiles} - {*moved}
            return next(iter(fitting), None) or session_name(url, taken)
        if not _SESSION.fullmatch(wanted):
            raise NotUpgradableError(
                f"{plain(wanted)} is no name for an sso-session", "give --session letters, digits or _ . @ + -"
            )
        if wanted in sessions and wanted not in fitting:
            place = self._config_place("sso-session", wanted)
            raise NotUpgradableError(f"{place}: that sso-session is of another portal", "give --session another name")
        return wanted

    def _config_place(self, word: str, name: str) -> str:
        return f"{self._old.config_path} [{header_of(word, name)}]"

    def _places(self, profile: str) -> list[tuple[Document, str]]:
        """Where the profile's start URL stands: in its section of the config, of the credentials file, or of both."""
        headers = self._names.headers.get(("profile", profile), [])
        sections = [(self._config, header) for header in headers[-1:]] + [(self._credentials, profile)]
        found = [(document, header) for document, header in sections if document.has(header, _URL)]
        if not found:
            raise NotUpgradableError(
                f"{self._names.place(profile)}: {plain(profile)} has its {_URL} from [DEFAULT]",
                f"write {_URL} and {_REGION} into the profile itself",
            )
        return found

    def _add_scope(self, session: str) -> None:
        header = self._names.headers["sso-session", session][-1]
        scopes = self._names.sessions[session].get(_SCOPES, "")
        if SCOPE in [one.strip() for one in scopes.split(",")]:
            return
        if "\n" in scopes:
            message = f"{self._config_place('sso-session', session)}: {_SCOPES} stands on more than one line"
            raise NotUpgradableError(message, "write it on one line, with commas between")
        wanted = f"{scopes},{SCOPE}" if scopes else SCOPE
        if self._config.has(header, _SCOPES):
            self._config.rewrite(header, _SCOPES, _SCOPES, wanted)
        else:
            below = _REGION if self._config.has(header, _REGION) else _URL
            self._config.insert(header, below, _SCOPES, wanted)

    def _checked(self, session: str, moved: tuple[str, ...], left: tuple[str, ...] = ()) -> Upgrade:
        """Read it again as AWS would.

        Raises:
            OddLayoutError: something else changed its meaning.

        """
        old = self._old
        texts = replace(
            old,
            config=self._config.text,
            credentials=None if old.credentials is None else self._credentials.text,
        )
        before, after = old.read(), texts.read()
        known = [
            one for one in _sign_in_of(before) if one in self._names.profiles
        ]  # no headers that AWS reads otherwise
        moving = [one for one in known if self._names.end(one)[0] in moved]
        expected = _sign_in_of(before) | dict.fromkeys(moving, session)
        if _problems_of(after).get(session) or _sign_in_of(after) != expected:
            raise OddLayoutError
        return Upgrade(session, moved, texts, left)


def _problems_of(config: AwsConfig) -> dict[str, Problem | None]:
    """Every sign-in with what is wrong with it."""
    return {one.name: one.problem for one in config.sign_ins}


def _sign_in_of(config: AwsConfig) -> dict[str, str | None]:
    """Every profile with the name of its sign-in; None where it cannot be watched."""
    watched = {profile: one.name for one in config.sign_ins for profile in one.profiles}
    return dict.fromkeys((one.profile for one in config.unwatched), None) | watched
