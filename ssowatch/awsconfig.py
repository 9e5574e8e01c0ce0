"""From the AWS config files to sign-ins, and to profiles that cannot be watched (rank 1, pure: text in, values out).

Rules of this file:
1. botocore decides which token file a profile uses (`utils.SSOTokenLoader`: the SHA-1 of the session's name, else of
   the start URL as it is written, never normalised). Profiles that share it are one sign-in. What other kinds of
   credentials go by stands in `kinds/`.
2. Every profile ends up in exactly one place: in one sign-in, or in `unwatched` with the reason.
3. A sign-in that cannot work has a `problem` that names file and line; nothing is written for it and nothing is asked.
   A region becomes part of a host name and a start URL of a file name, so only plausible ones pass.
4. Nothing is quoted but names, start URLs and regions; `awsfile` says what is never read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from ssowatch import kinds
from ssowatch.awsfile import AwsFile
from ssowatch.awsprofiles import Profiles, header_of
from ssowatch.model import AwsConfig, Kind, Problem, SignIn, Unwatched
from ssowatch.plain import plain

_START_URL = r"https://[^\s/?#]\S*|http://(127\.0\.0\.1|localhost)(:\d{1,5})?([/?#]\S*)?"
_REGION = r"[a-z]{2,8}(-[a-z]{1,12}){1,3}-\d{1,2}"
_FORMS = {
    "sso_start_url": (
        re.compile(_START_URL, re.ASCII | re.IGNORECASE),
        "a URL such as https://d-1234567890.awsapps.com/start",
    ),
    "sso_region": (re.compile(_REGION, re.ASCII), "a region such as us-east-1"),
}
_ACCESS = ("sso:account:access",)
_COMMENT = re.compile(r"\s[#;]")
_REASON = 400  # characters; a reason holds a place, two names and a few words


def parse(
    config: str | None,
    credentials: str | None,
    *,
    config_path: str = "~/.aws/config",
    credentials_path: str = "~/.aws/credentials",
) -> AwsConfig:
    """Read the two files; None is a file that does not exist. The paths are only ever shown. Never raises."""
    files = AwsFile(config_path, config), AwsFile(credentials_path, credentials)
    sign_ins, unwatched = _Reading(*files).result()
    flaws = [(f"{file.path} line {file.flaw.line}: {file.flaw.message}", file.flaw.fix) for file in files if file.flaw]
    problem = None
    if flaws:
        message = f"{'; '.join(message for message, _ in flaws)}; AWS CLI and boto3 refuse to read it"
        problem = Problem("aws_config", message, "; ".join(fix for _, fix in flaws))
    elif not sign_ins and config is None:
        problem = Problem("no_aws_config", f"{files[0].path} does not exist", "run: aws configure sso")
    elif not sign_ins:
        problem = Problem("no_sign_ins", f"{files[0].path} has no SSO profile", "to add one, run: aws configure sso")
    return AwsConfig(sign_ins, unwatched, problem)


@dataclass
class _Group:
    """What shares one token file."""

    profiles: list[str] = field(default_factory=list)
    askers: list[str] = field(default_factory=list)
    """The profiles that name it themselves, not by their source_profile."""
    regions: dict[str, str] = field(default_factory=dict)
    """Of its legacy profiles: each region, "" for none, with the first profile that gives it."""


class _Reading:
    def __init__(self, config: AwsFile, credentials: AwsFile) -> None:
        self._config = config
        self._names = Profiles(config, credentials)
        self._profiles, self._sessions = self._names.profiles, self._names.sessions
        self._groups = {name: _Group() for name in self._sessions if name and not kinds.of(name).setting}

    def result(self) -> tuple[tuple[SignIn, ...], tuple[Unwatched, ...]]:
        ends = {profile: self._names.end(profile) for profile in self._profiles}
        faults = {base: self._names.fault(base) for base, reason in dict.fromkeys(ends.values()) if not reason}
        for base in (base for base, fault in faults.items() if not fault):
            group = self._group(base)
            if "sso_session" in self._profiles[base] or self._names.setting(base):
                group.askers.append(base)
            else:
                group.regions.setdefault(self._profiles[base].get("sso_region", ""), base)
        unwatched = []
        for profile, (base, reason) in ends.items():
            if reason := reason or faults[base] or self._odd_one_out(base):
                said = reason if base == profile else f"source_profile {plain(base)}: {reason}"
                unwatched.append(Unwatched(profile, plain(said, _REASON)))
            else:
                self._group(base).profiles.append(profile)
        for (word, name), (file, header) in self._names.unread.items():
            if word == "sso-session" and not kinds.of(name).setting:
                self._groups.setdefault(name, _Group())
            elif word == "profile" and name not in self._profiles:
                reason = f"AWS reads no profile in [{plain(header)}]; write [{header_of(word, name)}]"
                unwatched.append(Unwatched(name, plain(f"{file.place(header)}: {reason}", _REASON)))
        return tuple(self._sign_in(name, group) for name, group in self._groups.items()), tuple(unwatched)

    def _group(self, base: str) -> _Group:
        keys = self._profiles[base]
        setting = self._names.setting(base) or ("sso_session" if "sso_session" in keys else "sso_start_url")
        return self._groups.setdefault(keys[setting], _Group())

    def _odd_one_out(self, base: str) -> str:
        """Why this profile does not share a sign-in that works for others, or nothing."""
        keys, group = self._profiles[base], self._group(base)
        if self._names.setting(base):
            return ""
        if (name := keys.get("sso_session")) is not None:
            if name in self._sessions or not group.regions:
                return ""
            return f"{self._names.place(base, 'sso_session')}: there is no [{header_of('sso-session', name)}]"
        if keys.get("sso_region") or not (any(group.regions) or keys["sso_start_url"] in self._sessions):
            return ""
        return f"{self._names.place(base, 'sso_region')}: sso_region is missing"

    def _sign_in(self, name: str, group: _Group) -> SignIn:
        if (kind := kinds.of(name)).setting:
            own = tuple(dict.fromkeys(one for one in (*group.askers, *group.profiles) if one in group.profiles))
            return SignIn(name, kind.word, start_url="", region="", profiles=own)
        keys = self._sessions.get(name, {})
        legacy = name not in self._sessions and bool(group.regions)
        url = name if legacy else keys.get("sso_start_url", "")
        region = next(filter(None, group.regions), "") if legacy else keys.get("sso_region", "")
        bundles = (self._profiles.get(profile, {}).get("ca_bundle") for profile in (*group.profiles, "default"))
        return SignIn(
            name=name,
            kind=Kind.LEGACY if legacy else Kind.SSO_SESSION,
            start_url=url,
            region=region,
            profiles=tuple(group.profiles),
            scopes=_scopes(keys.get("sso_registration_scopes", "")) or _ACCESS,
            ca_bundle=next((path for path in bundles if path and path.isprintable()), None),
            problem=next(self._problems(name, group, url, region), None),
        )

    def _problems(self, name: str, group: _Group, url: str, region: str) -> Iterator[Problem]:
        headers = self._names.headers.get(("sso-session", name), [])
        if not headers and not group.regions:
            yield self._no_session(name, group.askers)
        lines = sorted(line for header in headers for line in self._config.starts(header))
        if len(lines) > 1:
            message = f"[{header_of('sso-session', name)}] stands there again, after line {lines[0]}"
            yield _misconfigured(f"{self._config.path} line {lines[1]}", message, "make one section of the two")
        for key, value in (("sso_start_url", url), ("sso_region", region)):
            if found := flaw(key, value):
                base = next(iter(group.regions.values()), "")
                place = self._config.place(headers[-1], key) if headers else self._names.place(base, key)
                yield _misconfigured(place, *found)
        for other, base in group.regions.items():
            if other and (other, name) != (region, url):
                same = f"{plain(url)} in {region}, which has the same token file"
                message = f"{plain(name)} in {plain(other)} contradicts {same}"
                yield _misconfigured(self._names.place(base, "sso_region"), message, "give both the same sso_region")

    def _no_session(self, name: str, askers: list[str]) -> Problem:
        from difflib import get_close_matches

        header = header_of("sso-session", name)
        if unread := self._names.unread.get(("sso-session", name)):
            file, wrong = unread
            message = f"AWS reads no sso-session in [{plain(wrong)}]"
            return _misconfigured(file.place(wrong), message, f"write [{header}] in {self._config.path}")
        known = {session.lower(): session for session in self._sessions}
        meant = _COMMENT.split(name[:100])[0].strip("\"' \n").lower()
        near = get_close_matches(meant, known)
        fix = (
            f'did you mean "{plain(known[near[0]])}"?' if near else f"add [{header}] with sso_start_url and sso_region"
        )
        place = self._names.place(askers[0], "sso_session")
        return _misconfigured(place, f"there is no [{header}]{_hint(name)[0]}", fix)


def _scopes(written: str) -> tuple[str, ...]:
    """What a sign-in asks for, as the AWS CLI reads it (`customizations/sso/utils.py`, parse_sso_registration_scopes)."""
    return tuple(scope.strip() for scope in written.split(",") if scope.strip())


def flaw(key: str, value: str) -> tuple[str, str] | None:
    """What is wrong with the value of `sso_start_url` or `sso_region`, and the fix."""
    form, words = _FORMS[key]
    if not value:
        return f"{key} is missing", f"add {key}, {words}"
    if form.fullmatch(value) and value.isprintable():
        return None
    hint, fix = _hint(value)
    return f'{key} "{plain(value, 100)}" is not {words}{hint}', fix or f"set {key} to {words}"


def _hint(value: str) -> tuple[str, str]:
    """What other INI readers forgive: AWS takes it as part of the value."""
    if "\n" in value:
        return ", because the indented line below belongs to the value", "begin the next line without a space"
    if _COMMENT.search(value):
        return ", because AWS takes a comment behind a value as part of it", "put the comment on a line of its own"
    if value[:1] in {'"', "'"}:
        return ", because AWS takes the quotes as part of the value", "write the value without quotes"
    return "", ""


def _misconfigured(place: str, message: str, fix: str) -> Problem:
    return Problem("misconfigured", f"{place}: {message}", fix)
