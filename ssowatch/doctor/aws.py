"""The AWS config: can AWS read it, can its sign-ins be renewed, and what else is there (composition)."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Iterator
from itertools import combinations

from ssowatch import aws_rewrite, paths
from ssowatch.awsfile import AwsFile
from ssowatch.awsprofiles import Profiles
from ssowatch.doctor.check import Finding, good, named
from ssowatch.doctor.scene import Scene
from ssowatch.model import Kind, SignIn
from ssowatch.plain import plain
from ssowatch.start_urls import portal

_MARK = b"\xef\xbb\xbf"
_STORES = ("granted", "assume", "aws-sso", "aws-vault", "leapp", "mairu", "saml2aws")
"""Programs that keep SSO tokens in a store of their own, as a `credential_process` names them."""


class AwsConfigFile:
    """AWS CLI and boto3 can read the files."""

    name = "aws_config"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """The flaws of the files, then those of single sign-ins."""
        if _begins_with_mark():
            place = aws_rewrite.shown(paths.aws_config())
            yield Finding(
                f"{place} starts with a byte order mark: AWS CLI and boto3 refuse to read it",
                rf"sed -i '1s/^\xEF\xBB\xBF//' {place}",
                _without_mark,
            )
        elif problem := scene.world.aws_config().problem:
            yield Finding(problem.message, problem.fix)
        else:
            yield good("AWS CLI and boto3 can read it")
        for one in scene.world.sign_ins():
            if one.problem:
                yield Finding(f"the sign-in {named(one)} cannot work: {one.problem.message}", one.problem.fix)


def _begins_with_mark() -> bool:
    try:
        return (aws_rewrite.read(paths.aws_config()).content or b"").startswith(_MARK)
    except aws_rewrite.NotRewritableError:
        return False


def _without_mark() -> None:
    original = aws_rewrite.read(paths.aws_config())
    aws_rewrite.write([(original, (original.content or b"").removeprefix(_MARK))])


class Renewable:
    """Whoever signs in, with whatever program, gets a refresh token."""

    name = "renewable"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Legacy profiles, and sso-sessions without a scope."""
        for one in scene.sign_ins:
            found = scene.upgrades.get(one.name)
            if found is None:
                continue
            if one.kind is Kind.LEGACY:
                message = (
                    f"{', '.join(map(plain, one.profiles))}: a legacy profile; `aws sso login` brings it no refresh token, "
                    "so nobody can renew it, and it ends in the middle of the work"
                )
            else:
                message = (
                    f"[sso-session {plain(one.name)}] names no scope sso:account:access: a sign-in by a code, or by an "
                    "older AWS CLI, brings no refresh token, and nobody can renew it"
                )
            if isinstance(found, Exception):
                yield Finding(f"{message}. It cannot be upgraded as it stands: {found}", found.fix)
            else:
                yield Finding(message, f"ssowatch upgrade-profile {shlex.quote(named(one))}")
        if not scene.upgrades:
            yield good("every sign-in brings a refresh token")


class StartUrls:
    """One portal is one sign-in."""

    name = "start_urls"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Sign-ins of one portal that its users must do twice."""
        accounts = _accounts()
        found = list(_pairs(scene.sign_ins, accounts))
        yield from found or [good("no portal is named in two ways")]


def _pairs(sign_ins: tuple[SignIn, ...], accounts: dict[str, set[str]]) -> Iterator[Finding]:
    for one, other in combinations(sign_ins, 2):
        if one.region != other.region:
            continue
        if portal(one.start_url) != portal(other.start_url):
            shared = set.intersection(
                *(set().union(*(accounts.get(p, set()) for p in s.profiles)) for s in (one, other))
            )
            if not shared:
                continue
            why = "lead to the same AWS account, so they are two addresses of one portal"
        elif one.start_url != other.start_url:
            why = "spell the start URL of one portal differently"
        else:
            continue  # two sso-sessions on purpose, such as with different scopes
        message = (
            f"{named(one)} and {named(other)} {why} ({plain(one.start_url)}, {plain(other.start_url)}): "
            "each needs a sign-in of its own"
        )
        legacy = next((each for each in (one, other) if each.kind is Kind.LEGACY), None)
        same = portal(one.start_url) == portal(other.start_url)
        if legacy and same:
            yield Finding(message, f"ssowatch upgrade-profile {shlex.quote(named(legacy))}")
        else:
            yield Finding(message, f"in {aws_rewrite.shown(paths.aws_config())}, let the profiles of one use the other")


def _accounts() -> dict[str, set[str]]:
    """Of each profile the account that it leads to. An account belongs to one organization, and that to one portal."""
    try:
        texts = [aws_rewrite.read(path).text for path in (paths.aws_config(), paths.aws_credentials())]
    except aws_rewrite.NotRewritableError:
        return {}
    profiles = Profiles(AwsFile("config", texts[0]), AwsFile("credentials", texts[1])).profiles
    return {name: {account} for name, keys in profiles.items() if (account := keys.get("sso_account_id"))}


class ForeignStores:
    """Which profiles are somebody else's to renew."""

    name = "foreign_stores"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Profiles whose credentials another program makes from an SSO token of its own."""
        found = []
        for one in scene.sight.unwatched:
            program = re.search(r"credential_process: ([\w.+-]+)", one.reason)
            if program and os.path.splitext(program[1])[0] in _STORES:  # noqa: PTH122 - a name such as aws-vault.exe
                found.append((one.profile, program[1]))
        for profile, program_name in found:
            yield Finding(
                f"{plain(profile)} has its keys from {program_name}, whose sign-in lies in a store of its own: "
                "ssowatch neither renews it nor sees it end",
                f"in [profile {plain(profile)}], write sso_session, sso_account_id and sso_role_name "
                "in place of credential_process",
            )
        if not found:
            yield good("no profile hangs on another program's sign-in")
