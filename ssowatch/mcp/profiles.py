"""Which profile an MCP server uses, and why a renewed token may not help it (rank 1, pure).

Rules of this file:
1. First match wins: the proxy's own variable, an option of the server, a variable; else `default`, which is a guess,
   because most clients hand on what their own environment has.
2. A name is `certain` if it is written literally in the server's own file.
3. Nothing is quoted but the profile's name and paths of the AWS files; it all passes through `plain`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from ssowatch.mcp import command_line, expansion
from ssowatch.mcp.command_line import CONFIG_FILE, HOME, KEY, SESSION_TOKEN, EnvFile, Flaw, Launch
from ssowatch.mcp.hanging import RESTART
from ssowatch.mcp.model import McpServer
from ssowatch.mcp.shapes import Entry
from ssowatch.model import Problem
from ssowatch.plain import plain

_AWS = re.compile(r"(?<![a-z0-9])(aws|awslabs|boto3|bedrock|amazonaws)(?![a-z0-9])", re.IGNORECASE)
_PROXY = "mcp-proxy-for-aws"
_OPTIONS = ("--profile", "--aws-profile")
_NAME = 100


def resolve(
    entry: Entry,
    client: str,
    file: str,
    *,
    known: Mapping[str, str],
    profiles: frozenset[str],
    home: str,
    aws_config: str,
    env_file: EnvFile,
    elsewhere: str = "",
) -> Iterator[McpServer]:
    """A row for each profile that the server is given; none if it shows no sign of AWS.

    `known`: the client's own variables. `profiles`: the names in the AWS config at `aws_config`.
    """
    found = command_line.launch(entry, client, known, env_file)
    names, chosen = _named(found)
    if not (found.wrapped or _shows_aws(entry) or any(expansion.plain_text(name) in profiles for name in names)):
        return
    problem = _problem(found, chosen=chosen, home=home, aws_config=aws_config, elsewhere=elsewhere)
    for name in dict.fromkeys(names) or [""]:
        text = expansion.plain_text(name)
        unknown = Problem(
            "unknown_profile",
            "the name of its profile is put in when it starts, and cannot be known before",
            "write the profile's name itself into the file",
        )
        yield McpServer(
            client=client,
            server=entry.server,
            file=file,
            profile=text[:_NAME] if text else None,
            certain=bool(text) and expansion.is_literal(name),
            problem=problem or (unknown if text is None else None),
        )


def _shows_aws(entry: Entry) -> bool:
    names = (*entry.env, *entry.inherits, *entry.from_keyring)
    return any(name.startswith("AWS_") for name in names) or any(
        _AWS.search(word) for word in (entry.server, *entry.words)
    )


def _named(found: Launch) -> tuple[list[str], bool]:
    """The names, as marked by `expansion`; and whether the server itself chooses them, so that keys in its env lose."""
    proxy = any(_PROXY in word for word in found.words)
    if proxy and (listed := found.env.get(command_line.PROXY_PROFILES)):
        return list(_listed(listed.split())), True
    if options := list(_options(found.words, several=proxy)):
        return options, True
    for variable in command_line.PROFILE_NAMES:
        if value := found.env.get(variable):
            return [value], variable == command_line.PROFILE_NAMES[0]
    return [], False


def _listed(names: list[str]) -> Iterator[str]:
    """Several names in one variable; where a part was put in, nobody can tell at which name it ended."""
    literal = True
    for name in names:
        literal = literal and expansion.is_literal(name)
        yield name if literal else expansion.marked(name)


def _options(words: list[str], *, several: bool) -> Iterator[str]:
    """`--profile x`, `--profile=x`; mcp-proxy-for-aws takes several words."""
    taking = False
    for word in words:
        if taking and word and not word.startswith("-"):
            yield word
            taking = several
            continue
        taking = word in _OPTIONS
        name, _, value = word.partition("=")
        if name in _OPTIONS and value:
            yield value


def _problem(found: Launch, *, chosen: bool, home: str, aws_config: str, elsewhere: str) -> Problem | None:
    if elsewhere:
        return Problem("elsewhere", f"it runs in {elsewhere}, which has a home of its own")
    if found.flaw is Flaw.OTHER_STORE:
        return Problem(
            "other_store",
            f"{found.store} keeps the credentials that it uses, outside ~/.aws/sso/cache",
            "start the server itself, with AWS_PROFILE in its env",
        )
    if KEY in found.env and not chosen:
        if SESSION_TOKEN in found.env:
            return _frozen("temporary AWS keys stand in its env")
        return Problem(
            "static_keys",
            "AWS_ACCESS_KEY_ID in its env wins over every profile, so it uses no sign-in",
            "take the AWS keys out of its env, and name the profile there: AWS_PROFILE",
        )
    if not found.contained and (place := _elsewhere(found, home, aws_config)):
        return place
    match found.flaw:
        case Flaw.FROZEN_KEYS:
            return _frozen("it takes its AWS keys once, when it starts")
        case Flaw.NOT_MOUNTED:
            return Problem(
                "not_mounted",
                "its container does not see ~/.aws, so no sign-in reaches it",
                f"mount it: -v {plain(home)}/.aws:/root/.aws",
            )
        case Flaw.READ_ONLY:
            return Problem(
                "read_only",
                "its container mounts ~/.aws read-only, so it cannot renew a token itself; ssowatch does",
                "nothing to do while ssowatch runs; without it, take :ro away",
            )
    return None


def _frozen(how: str) -> Problem:
    return Problem(
        RESTART,
        f"{how}: they run out, and a new sign-in reaches it only after a restart",
        "let it read the profile itself: only AWS_PROFILE in its env",
    )


def _elsewhere(found: Launch, home: str, aws_config: str) -> Problem | None:
    """Another home or another AWS config than ours."""
    moved = expansion.plain_text(found.env.get(HOME, home))
    if moved is None or moved.rstrip("/") != home.rstrip("/"):
        where = "another home" if moved is None else plain(moved, _NAME)
        return Problem(
            "other_home",
            f"HOME in its env is {where}, and ssowatch looks after {plain(home, _NAME)} alone",
            "take HOME out of its env",
        )
    config = expansion.plain_text(found.env.get(CONFIG_FILE, aws_config))
    if config is not None and config.startswith("~/"):
        config = home + config[1:]
    if config != aws_config:
        where = "another file" if config is None else plain(config, _NAME)
        return Problem(
            "other_config",
            f"AWS_CONFIG_FILE in its env is {where}, and ssowatch reads {plain(aws_config, _NAME)}",
            "take AWS_CONFIG_FILE out of its env, or start ssowatch with the same one",
        )
    return None
