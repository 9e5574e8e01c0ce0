"""What the error texts of the AWS SDKs, and of the MCP servers on top of them, mean (rank 1, pure). The one table.

Rules of this file:
1. A text alone opens nothing, renews nothing and restarts nothing. Web pages, logs and good results quote these
   sentences, and anybody can write one. Who acts looks at the sign-in first: the state decides, the text tells where to
   look.
2. A row's texts stand as the SDK's source has them, `<name>` where it puts a name; they are compared without layout
   (`squeezed.py`). The shortest part that no other program says is enough, because results get cut.
3. The first row that matches tells most: the order goes from what is known exactly to what only hints.
4. Names in a text are compared with names that are known from the AWS config, never taken from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice

from ssowatch.squeezed import flat, squeeze


class Meaning(StrEnum):
    """What follows from a text, if the state agrees."""

    LOGIN = "login"
    """The sign-in's token: renew it, else sign in."""
    DEAD_KEYS = "dead_keys"
    """AWS rejects the role's keys. With a good token the program keeps dead keys in its memory: restart it."""
    CONFIG = "config"
    """Nothing that a sign-in mends."""
    MASKED = "masked"
    """Says nothing of its cause, or too little: look at the state."""
    AWS_LOGIN = "aws_login"
    """A session of `aws login`, which is another kind than `aws sso login`."""
    CLOCK = "clock"
    """This machine's clock is wrong."""


@dataclass(frozen=True, slots=True)
class AwsError:
    """One row. `sdk` is who says it, `means` why, `next_step` what helps; `NAME` in it is the sign-in or profile."""

    code: str
    sdk: str
    meaning: Meaning
    means: str
    next_step: str
    texts: tuple[str, ...]
    alone: bool = False
    """It counts only where the whole text is nothing else."""
    patterns: tuple[tuple[str, re.Pattern[str]], ...] = field(init=False)
    """Of each text: its longest part without a name, whose absence is quickly known, and the expression."""

    def __post_init__(self) -> None:
        """Squeeze the texts once."""
        object.__setattr__(self, "patterns", tuple(_pattern(text, alone=self.alone) for text in self.texts))


_NAME = re.compile(r"<(?:name|name_in_quotes|name_in_parentheses|tool)>")
_NAMES = {  # a name ends where its quotes do, so that no text makes the search go back and forth
    "<name>": "(.{1,200}?)",
    "<name_in_quotes>": "[\"']([^\"']{1,200})[\"']",
    "<name_in_parentheses>": r"\(([^()]{1,200})\)",
    "<tool>": r"([\w./:-]{0,200}[\w-])",
}


def _pattern(text: str, *, alone: bool) -> tuple[str, re.Pattern[str]]:
    fixed = [flat(part) + " " * part.endswith(" ") if alone else squeeze(part) for part in _NAME.split(text)]
    names = [_NAMES[name] for name in _NAME.findall(text)]
    source = "".join(re.escape(part) + name for part, name in zip(fixed, [*names, ""], strict=True))
    return max(fixed, key=len), re.compile(rf"\A{source}\Z" if alone else source)


_ENSURE = "ssowatch ensure NAME renews it, or asks for a sign-in; then try again"
_LOGIN = "ssowatch login NAME"
_RESTART = (
    "ssowatch ensure NAME; if the token is good already, restart the program, which keeps dead keys in its memory"
)
_LOOK = "ssowatch status tells whether a sign-in is the reason"
_CONFIGURE = "correct the profile in ~/.aws/config; a sign-in does not help"

_BOTOCORE, _JS, _GO, _RUST, _JAVA, _ANY = "boto3 and the AWS CLI", "JavaScript", "Go", "Rust", "Java", "AWS itself"
_PROXY, _MCP = "mcp-proxy-for-aws", "the Python MCP SDK"

TABLE = (
    AwsError("M2b", _PROXY, Meaning.LOGIN, "the token has run out and could not be renewed", _ENSURE, (
        "Tool call <name_in_quotes> failed: Error calling tool <name_in_quotes>: Error when retrieving token from sso: Token has expired and refresh failed",
    )),
    AwsError("P1", _BOTOCORE, Meaning.LOGIN, "the token has run out and could not be renewed", _ENSURE, (
        "Error when retrieving token from sso: Token has expired and refresh failed",
        "Token has expired and refresh failed",
    )),
    AwsError("P2", _BOTOCORE, Meaning.LOGIN, "there is no token file: nobody has signed in, or not in this home", _LOGIN, (
        "Error loading SSO Token: Token for <name> does not exist",
    )),
    AwsError("P3", _BOTOCORE, Meaning.LOGIN, "the token file is damaged", _LOGIN, (
        "Error loading SSO Token: Token for <name> is invalid",
    )),
    AwsError("P4", _BOTOCORE, Meaning.LOGIN, "AWS no longer takes the token: signed out or revoked, or a legacy profile's token has run out", _ENSURE, (
        "The SSO session associated with this profile has expired or is otherwise invalid",
    )),
    AwsError("J1", _JS, Meaning.LOGIN, "the token has run out", _ENSURE, (
        "The SSO session associated with this profile has expired. To refresh this SSO session run",
    )),
    AwsError("J2", _JS, Meaning.LOGIN, "there is no token file, or it cannot be read", _LOGIN, (
        "The SSO session associated with this profile is invalid. To refresh this SSO session run",
    )),
    AwsError("J3", _JS, Meaning.LOGIN, "the token has run out, and no renewal helped, or none was tried within 30 s of the last", _ENSURE, (
        "Token is expired. To refresh this SSO session run",
    )),
    AwsError("J4", _JS, Meaning.LOGIN, "there is no token file: nobody has signed in, or not in this home", _LOGIN, (
        "The SSO session token associated with profile=<name> was not found or is invalid",
    )),
    AwsError("J7", _JS, Meaning.LOGIN, "the token has run out and the token file has nothing to renew it with", _LOGIN, (
        "Value not present for <name_in_quotes> in SSO Token. Cannot refresh",
    )),
    AwsError("G1", _GO, Meaning.LOGIN, "the token has run out and AWS refused to renew it", _ENSURE, (
        "refresh cached SSO token failed, unable to refresh SSO token",
    )),
    AwsError("G2", _GO, Meaning.LOGIN, "the token has run out and the token file has nothing to renew it with", _LOGIN, (
        "cached SSO token is expired, or not present, and cannot be refreshed",
    )),
    AwsError("G3", _GO, Meaning.LOGIN, "the token has run out, or there is none", _ENSURE, (
        "the SSO session has expired or is invalid",
    )),
    AwsError("G4", _GO, Meaning.LOGIN, "there is no token file, or it is damaged", _LOGIN, (
        "failed to read cached SSO token file",
        "failed to parse cached SSO token file",
        "cached SSO token must contain accessToken and expiresAt fields",
    )),
    AwsError("R1", _RUST, Meaning.LOGIN, "the token has run out", _ENSURE, (
        "the SSO token has expired and cannot be refreshed",
    )),
    AwsError("R2", _RUST, Meaning.LOGIN, "there is no token file, or it cannot be read", _LOGIN, (
        "failed to load the cached SSO token",
    )),
    AwsError("P13", _ANY, Meaning.LOGIN, "AWS does not know the token: it ended, was signed out, or belongs to another region", _ENSURE, (
        "UnauthorizedException: Session token not found or invalid",
        "(UnauthorizedException) when calling the GetRoleCredentials operation",
        "Session token not found or invalid",
    )),
    AwsError("M5", _BOTOCORE, Meaning.LOGIN, "a renewal was tried and failed; the error itself comes when the token runs out", _ENSURE, (
        "SSO token refresh attempt failed",
        "Refreshing token failed during the mandatory refresh period",
        "InvalidGrantException",
    )),
    AwsError("V1", _JAVA, Meaning.MASKED, "there is no token file, or the token has run out", _ENSURE, (
        "software.amazon.awssdk.services.sso.auth.ExpiredTokenException",
    )),
    AwsError("M4", "awslabs servers", Meaning.DEAD_KEYS, "AWS rejects the role's keys: they have run out or were revoked", _RESTART, (
        "Your AWS credentials have expired. Please refresh them",
    )),
    AwsError("P5", _ANY, Meaning.DEAD_KEYS, "AWS rejects the role's keys: they have run out or were revoked", _RESTART, (
        "The security token included in the request is expired",
        "(ExpiredToken)",
        "(ExpiredTokenException)",
        "api error ExpiredToken",
        "ExpiredToken: The provided token has expired",
    )),
    AwsError("P14", _ANY, Meaning.CLOCK, "the request's time does not agree with AWS's clock, or its keys had run out", "check that this machine's clock is right (timedatectl), then try again", (
        "(RequestExpired)",
        "RequestExpired: Request has expired",
        "(RequestTimeTooSkewed)",
        "The difference between the request time and the current time is too large",
        "Signature expired: ",
    )),
    AwsError("P12", _BOTOCORE, Meaning.CLOCK, "fresh keys look expired: this machine's clock is ahead", "set this machine's clock (timedatectl set-ntp true), then restart the program", (
        "Credentials were refreshed, but the refreshed credentials are still expired",
    )),
    AwsError("P6", _ANY, Meaning.CONFIG, "AWS does not know the keys: most often static keys or keys of another account", "look for AWS_ACCESS_KEY_ID in the program's environment and in ~/.aws/credentials; a sign-in does not help", (
        "InvalidClientTokenId",
        "UnrecognizedClientException",
        "The security token included in the request is invalid",
        "InvalidAccessKeyId",
    )),
    AwsError("P7", _ANY, Meaning.CONFIG, "the sign-in works, but this account or role is not yours", "check sso_account_id and sso_role_name of the profile, or ask your administrator; a sign-in does not help", (
        "ForbiddenException: No access",
        "(ForbiddenException): No access",
        "(ForbiddenException) when calling the GetRoleCredentials operation",
        '"No access", "code": "ForbiddenException"',
    )),
    AwsError("P8", _BOTOCORE, Meaning.CONFIG, "the AWS config has no profile of this name", "correct the profile's name where the program gets it, or add it to ~/.aws/config", (
        "The config profile <name_in_parentheses> could not be found",
    )),
    AwsError("P9", _BOTOCORE, Meaning.CONFIG, "the profile's SSO settings cannot work", _CONFIGURE, (
        "The specified sso-session does not exist: <name_in_quotes>",
        "The profile <name_in_quotes> is configured to use SSO but is missing required configuration",
        "The profile <name_in_quotes> is configured to use the SSO token provider but",
        "is inconsistent between profile <name_in_parentheses> and sso-session",
    )),
    AwsError("P10", _BOTOCORE, Meaning.CONFIG, "no profile reached the program", "give it AWS_PROFILE in its own configuration; MCP clients pass few variables on", (
        "Unable to locate credentials",
    )),
    AwsError("P11", _BOTOCORE, Meaning.AWS_LOGIN, "a session of aws login has ended, which is no Identity Center sign-in", "run aws login", (
        "Please reauthenticate using 'aws login'",
        "Please reauthenticate with 'aws login'",
        "Your session has expired or credentials have changed",
    )),
    AwsError("J8", _JS, Meaning.AWS_LOGIN, "nobody has signed in by aws login", "run aws login", (
        "please re-authenticate using aws login",
    )),
    AwsError("J5", _JS, Meaning.CONFIG, "the AWS config has no such profile or sso-session, or it is incomplete", _CONFIGURE, (
        "Profile <name_in_quotes> could not be found in shared credentials file",
        "Profile <name> could not be found in shared credentials file",
        "Sso session <name_in_quotes> could not be found in shared credentials file",
        "Profile <name_in_quotes> is missing required property",
        "Sso session <name_in_quotes> is missing required property",
    )),
    AwsError("J6", _JS, Meaning.CONFIG, "no profile reached the program, or none that works", "give it AWS_PROFILE in its own configuration; ssowatch status tells whether that profile works", (
        "Could not load credentials from any providers",
    )),
    AwsError("R3", _RUST, Meaning.CONFIG, "AWS answered a renewal with a life below zero", "try again; if it stays, it is a fault of AWS's answer and no sign-in helps", (
        "SSO OIDC responded with a negative expiration duration",
    )),
    AwsError("M2", _PROXY, Meaning.MASKED, "AWS answered 401 or 403: the credentials, or simply no permission", _LOOK, (
        "Tool call <name_in_quotes> failed due to expired or invalid AWS credentials",
    )),
    AwsError("G5", _GO, Meaning.MASKED, "new credentials could not be had; the cause is in what follows", _LOOK, (
        "failed to refresh cached credentials",
    )),
    AwsError("M3", _PROXY, Meaning.MASKED, "it may have been started while the token had run out", _LOOK, (
        "Invalid request parameters",
        '{"code":-32602,"message":"Invalid request parameters","data":""}',
        '{"code": -32602, "message": "Invalid request parameters", "data": ""}',
    ), alone=True),
    AwsError("M1", _MCP, Meaning.MASKED, "the server does not say what failed; its stderr does", _LOOK, (
        "Error executing tool <tool>",
    ), alone=True),
)  # fmt: skip
"""P: boto3, the AWS CLI and AWS itself; J, G, R, V: the other SDKs; M: MCP servers."""


_MENTIONS = 8


def found(text: str) -> tuple[AwsError, ...]:
    """The rows that `text` matches, the most telling first. Bounded work for any text."""
    one_line = flat(text)
    squeezed = one_line.replace(" ", "")
    return tuple(row for row in TABLE if _is_in(one_line if row.alone else squeezed, row))


def mentioned(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Which of the `known` profiles, sso-sessions and start URLs the text names where an SDK puts such a name."""
    squeezed = squeeze(text)
    given = {
        _bare(name)
        for row in TABLE
        for part, pattern in row.patterns
        if part in squeezed
        for match in islice(pattern.finditer(squeezed), _MENTIONS)
        for name in match.groups()
    }
    return tuple(name for name in known if (own := _bare(squeeze(name))) in given or ("://" in own and own in squeezed))


def _is_in(text: str, row: AwsError) -> bool:
    return any(part in text and pattern.search(text) for part, pattern in row.patterns)


def _bare(name: str) -> str:
    """Start URLs are written with and without what ends them."""
    return name.rstrip("/#")
