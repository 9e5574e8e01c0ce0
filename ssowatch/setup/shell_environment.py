"""What the shell knows and a service does not: proxies, certificates, other AWS files (composition; a step of `setup`).

Rules of this file:
1. It goes into `environment` of the ssowatch config, which every child reads anew, so that it can be changed later.
2. No value is shown with a password in it.
3. The config keeps every line that it has. What cannot be written without rewriting it is left to the person.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from difflib import unified_diff

from ssowatch import files, paths, service, settings
from ssowatch.paths import shown
from ssowatch.setup.step import Finding, Mend, NotMendedError
from ssowatch.world import World

_NAMES = (
    *("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"),
    *("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_LOGIN_CACHE_DIRECTORY"),
    *("AWS_ENDPOINT_URL_SSO_OIDC", "AWS_ENDPOINT_URL_SSO", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
)
_PASSWORD = re.compile(r"//[^/@\s]*@")
_LONGEST = 400
_HEAD = "# Written by `ssowatch setup`; `ssowatch config init` in an empty place shows every other key.\n"


class ShellEnvironment:
    """What the service lacks."""

    title = "Environment"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """One finding for all of it."""
        kind = service.here()
        if isinstance(kind, service.ByHand):
            return  # it is started by a shell
        has = {**(kind.environment() or {}), **World(recording=False).settings.environment}
        lacks = {name: os.environ[name] for name in _NAMES if os.environ.get(name) and name not in has}
        if not lacks:
            return
        file, before = paths.config_file(), _text()
        after = with_environment(before, lacks)
        fix = f"Write them below `environment:` in {shown(file)}"
        text = f"this shell has {', '.join(lacks)}, which a service is not given"
        if after is None:
            yield Finding(text, good=False, fix=fix)
            return
        mend = Mend("Write this?", lambda: _written(file, after), diff=tuple(_diff(before, after, shown(file))))
        yield Finding(text, good=False, fix=fix, mend=mend)


def with_environment(text: str, more: Mapping[str, str]) -> str | None:
    """The config's text with `more` in `environment`; None where that would take more than adding lines."""
    lines = (text or _HEAD).splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    at = next((number for number, line in enumerate(lines) if line.startswith("environment:")), None)
    if at is None:
        lines.append("environment:\n")
        at = len(lines) - 1
    elif lines[at].removeprefix("environment:").partition("#")[0].strip():
        return None  # `environment: {…}`
    below = next((line for line in lines[at + 1 :] if line.strip() and not line.lstrip().startswith("#")), "")
    indent = below[: len(below) - len(below.lstrip())] or "  "
    lines[at + 1 : at + 1] = [f"{indent}{name}: {json.dumps(value)}\n" for name, value in more.items()]
    return "".join(lines)


def _diff(before: str, after: str, place: str) -> Iterator[str]:
    """The new lines, safe to show."""
    for line in unified_diff(before.splitlines(), after.splitlines(), place, place, n=0, lineterm=""):
        masked = _PASSWORD.sub("//***@", line)
        yield "".join(char if char.isprintable() else " " for char in masked)[:_LONGEST]


def untouched(text: str) -> bool:
    """Whether a config holds only what this step writes, so that it is nobody's but ours."""
    try:
        given = settings.load(paths.config_file()).settings.environment
    except settings.SettingsError:
        return False
    return text.startswith(_HEAD) and text == with_environment("", given)


def _text() -> str:
    try:
        return (files.read(paths.config_file()) or b"").decode()
    except (files.NotReadableError, UnicodeDecodeError):  # the config was read a moment ago
        return ""


def _written(file: str, text: str) -> list[str]:
    """Replace the config, unless what would be written cannot be read."""
    trial = f"{file}.trial"
    try:
        os.makedirs(os.path.dirname(file), mode=0o700, exist_ok=True)  # noqa: PTH103, PTH120
        files.replace(trial, text.encode())
        try:
            settings.load(trial)
            os.replace(trial, file)  # noqa: PTH105
        finally:
            if os.path.exists(trial):  # noqa: PTH110
                os.unlink(trial)  # noqa: PTH108
    except settings.SettingsError as error:
        raise NotMendedError(f"it would be no good config: {error.path}: {error}", "Write it by hand.") from None
    except OSError as error:
        raise NotMendedError(
            f"{shown(file)} cannot be written: {error.strerror}", "Make its folder writable."
        ) from None
    return [f"wrote {shown(file)}"]
