"""The profiles and sso-sessions of both AWS files, and where a profile's credentials come from (rank 1, pure).

Rules of this file:
1. A name means what it means to botocore: `configloader.build_profile_map` for the config file, and over it the
   sections of the credentials file (`Session.full_config`), where the whole header is the name.
2. Credentials come from where botocore's chain finds them first (`credentials.create_credential_resolver`): a role,
   web identity, SSO, shared keys, `aws login`, a program, keys in the config file.
3. One kindness more than botocore: a profile that names itself as `source_profile` and has SSO settings counts by them.
4. What AWS reads otherwise than the user meant it is kept in `unread`, so that it can be said.
"""

from __future__ import annotations

from ssowatch import kinds
from ssowatch.awsfile import STATIC, AwsFile, name_in
from ssowatch.plain import plain

_ROLE_KEYS = ("sso_account_id", "sso_role_name")  # credentials.SSOProvider._PROFILE_REQUIRED_CONFIG_VARS
_SSO_KEYS = (*_ROLE_KEYS, "sso_session", "sso_start_url")
_SHARED = f"{STATIC} in the credentials file"
_OTHER_SOURCES = (  # what botocore asks after SSO, in its order (credentials.ProfileProviderBuilder.providers)
    (_SHARED, STATIC),
    *((setting, "") for setting in kinds.SETTINGS),  # watched: another kind of sign-in
    ("credential_process", "credential_process: {}"),
    (STATIC, STATIC),
)
_LOOP = 6  # names of a loop that are shown


class Profiles:
    """Every profile and sso-session by its name, with the keys that `awsfile` keeps."""

    def __init__(self, config: AwsFile, credentials: AwsFile) -> None:
        """Merge the two files as `Session.full_config` does."""
        self._config, self._credentials = config, credentials
        self.profiles: dict[str, dict[str, str]] = {}
        self.sessions: dict[str, dict[str, str]] = {}
        self.headers: dict[tuple[str, str], list[str]] = {}
        """("profile" or "sso-session", name) to its headers in the config file; of several the last one counts."""
        self.unread: dict[tuple[str, str], tuple[AwsFile, str]] = {}
        """The same to a header that looks like one to a person, but not to AWS."""
        self._ends: dict[str, tuple[str, str]] = {}
        for header, keys in config.sections.items():
            self._add(header, keys)
        for name, keys in credentials.sections.items():
            if name.startswith("sso-session") and (session := name_in(name)):
                self.unread.setdefault(("sso-session", session), (credentials, name))
            else:
                shared = {_SHARED: ""} if STATIC in keys else {}
                self.profiles[name] = self.profiles.get(name, {}) | keys | shared

    def _add(self, header: str, keys: dict[str, str]) -> None:
        # configloader.build_profile_map, which takes any header that begins so and drops what it cannot split.
        word = next((word for word in ("profile", "sso-session") if header.startswith(word)), "")
        name = "default" if header == "default" else name_in(header) if word else None
        if name is not None:
            self.headers.setdefault((word or "profile", name), []).append(header)
            (self.sessions if word == "sso-session" else self.profiles)[name] = keys
        elif any(key in keys for key in _SSO_KEYS):
            first, _, rest = header.strip().partition(" ")
            meant = first.lower().replace("_", "-")
            word, name = (meant, rest) if meant in {"profile", "sso-session"} else ("profile", header)
            if name := name.strip(" \t\"'"):
                self.unread.setdefault((word, name), (self._config, header))

    def place(self, profile: str, key: str = "") -> str:
        """Where a profile's key stands, or the profile itself, in words."""
        headers = self.headers.get(("profile", profile))
        if headers and key not in self._credentials.sections.get(profile, {}):
            return self._config.place(headers[-1], key)
        return self._credentials.place(profile, key)

    def end(self, profile: str) -> tuple[str, str]:
        """The profile whose own settings give `profile` its credentials, and why that is not by SSO (else "")."""
        # A profile with keys of its own uses its role when it is asked for, and its keys as somebody's source
        # (credentials.AssumeRoleProvider._resolve_credentials_from_profile), so its walk must not teach the others.
        known = {} if STATIC in self.profiles[profile] else self._ends
        path: dict[str, None] = {profile: None}
        here = profile
        end = self._stop(here, path)
        while end is None:
            here = self.profiles[here]["source_profile"]
            end = known.get(here)
            if end is None:
                path[here] = None
                end = self._stop(here, path)
        del path[profile]  # which was asked, and may come to another end as somebody's source
        known.update(dict.fromkeys(path, end))
        return end

    def _stop(self, here: str, path: dict[str, None]) -> tuple[str, str] | None:
        keys = self.profiles[here]
        asked = len(path) == 1
        source = keys.get("source_profile")
        takes_role = "role_arn" in keys and "web_identity_token_file" not in keys and (asked or STATIC not in keys)
        if not takes_role or (source == here and "credential_source" not in keys):
            return here, self._own_source(keys, asked=asked)
        if fault := self._role_fault(here, source, path):
            return here, fault
        return None

    def _role_fault(self, here: str, source: str | None, path: dict[str, None]) -> str:
        # credentials.AssumeRoleProvider._get_role_config and _validate_source_profile
        if "credential_source" in self.profiles[here]:
            if source is None:
                return "credential_source: keys of the machine or container"
            return f"{self.place(here, 'credential_source')}: has both source_profile and credential_source"
        if source is None:
            return f"{self.place(here, 'role_arn')}: role_arn without source_profile"
        if source not in self.profiles:
            return f"{self.place(here, 'source_profile')}: there is no source_profile {plain(source)}"
        if source in path:
            names = list(path)
            loop = [plain(name, 40) for name in (*names[names.index(source) :], source)]
            shown = loop if len(loop) <= _LOOP else [*loop[: _LOOP - 1], "…", loop[-1]]
            return f"{self.place(here, 'source_profile')}: source_profile loop {' → '.join(shown)}"
        return ""

    @staticmethod
    def _own_source(keys: dict[str, str], *, asked: bool) -> str:
        # A profile with an sso_session alone has a bearer token, but no credentials that another could use.
        if "web_identity_token_file" in keys:
            return "web identity (web_identity_token_file)"
        if any(key in keys for key in (_SSO_KEYS if asked else _ROLE_KEYS)):
            return ""
        return next((words.format(keys[key]) for key, words in _OTHER_SOURCES if key in keys), "no SSO settings")

    def setting(self, base: str) -> str:
        """The setting that names the sign-in of this profile, where it is of another kind than SSO; else ""."""
        keys = self.profiles[base]
        if any(key in keys for key in _ROLE_KEYS):  # an sso_session without them gives botocore no credentials
            return ""
        return next((key for key in kinds.SETTINGS if key in keys), "")

    def fault(self, base: str) -> str:
        """Why botocore refuses this SSO profile alone (credentials.SSOProvider._load_sso_config), or ""."""
        keys = self.profiles[base]
        if other := self.setting(base):
            kind = kinds.SETTINGS[other]
            return "" if kind.owns(keys[other]) else f"{self.place(base, other)}: {kind.flaw()}"
        name = keys.get("sso_session")
        if other := kinds.of(name or keys.get("sso_start_url", "")).setting:
            return f"{self.place(base)}: a sign-in of this name would be taken for a {other}"
        if name is None and not keys.get("sso_start_url"):
            return f"{self.place(base, 'sso_start_url')}: SSO settings without sso_session or sso_start_url"
        if name == "":
            return f"{self.place(base, 'sso_session')}: sso_session is empty"
        if name is not None and name not in self.sessions:
            return ""  # the sign-in's problem, not this profile's alone
        if not any(key in keys for key in _ROLE_KEYS):
            return ""
        if name is not None:
            for key, value in self.sessions[name].items():
                if keys.get(key, value) != value:
                    header = header_of("sso-session", name)
                    return f"{self.place(base, key)}: {key} differs from that of [{header}]"
        missing = [key for key in _ROLE_KEYS if not keys.get(key)]
        return f"{self.place(base, missing[0])}: {missing[0]} is missing" if missing else ""


def header_of(word: str, name: str) -> str:
    """The header, quoted where it must be, in which AWS reads this name."""
    if (word, name) == ("profile", "default"):
        return name
    bare = f"{word} {name}"
    return bare if name_in(bare) == name == plain(name) else f'{word} "{plain(name)}"'
