"""Which sign-in an MCP server hangs on, by the AWS config as it is now (rank 1, pure).

Apart from `profiles.py`, which finds the profile: that is the work of a child, and this is part of every look.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ssowatch.mcp.model import McpServer
from ssowatch.mcp.names import called
from ssowatch.model import AwsConfig, Problem, SignIn
from ssowatch.plain import plain

RESTART = "frozen_keys"
"""The problem of a server that must be restarted after a sign-in."""
_STILL_USES = {RESTART, "read_only"}
"""Problems of servers that hang on a sign-in all the same."""


def hang(servers: tuple[McpServer, ...], aws: AwsConfig) -> tuple[McpServer, ...]:
    """The same servers with the sign-in that each hangs on, by this AWS config."""
    owners = {profile: one for one in aws.sign_ins for profile in one.profiles}
    names = {one.name: one for one in aws.sign_ins if len(one.profiles) == 1}
    reasons = {one.profile: one.reason for one in aws.unwatched}
    return tuple(_hung(one, owners, names, reasons) for one in servers)


def _hung(
    one: McpServer, owners: Mapping[str, SignIn], names: Mapping[str, SignIn], reasons: Mapping[str, str]
) -> McpServer:
    if one.problem and one.problem.code not in _STILL_USES:
        return one
    profile = one.profile or "default"
    owner = owners.get(profile) or names.get(profile)
    if owner:
        return replace(one, profile=profile, sign_in=owner.name)
    if one.problem:
        return one
    if profile in reasons:
        return replace(one, profile=profile, problem=Problem("not_watched", reasons[profile]))
    if one.profile is None:
        return replace(
            one,
            problem=Problem(
                "no_profile",
                "it names no profile, and the AWS config has none called default",
                "name it: AWS_PROFILE in its env",
            ),
        )
    from difflib import get_close_matches

    near = get_close_matches(profile, owners)
    fix = f'did you mean "{plain(near[0])}"?' if near else "name one that is there: AWS_PROFILE in its env"
    return replace(one, problem=Problem("unknown_profile", f'the AWS config has no profile "{plain(profile)}"', fix))


def stopping(servers: tuple[McpServer, ...]) -> list[tuple[str, str]]:
    """The servers that stop with their sign-in, as (server, client as a person calls it), each once."""
    return list(dict.fromkeys((one.server, called(one.client)) for one in servers if not restarts(one)))


def restarts(one: McpServer) -> bool:
    """Whether it must be restarted after a sign-in."""
    return one.problem is not None and one.problem.code == RESTART
