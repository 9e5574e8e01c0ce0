"""`aws login`: the person's session at the AWS console, and 15-minute credentials from it (rank 1, pure).

Rules of this file:
1. The file tells when its credentials end (`accessToken.expiresAt`), not when the session does. AWS CLI and SDKs renew the
   credentials whenever they are asked for some, also long after those have run out (botocore `credentials.LoginProvider`
   loads them "regardless if they're expired"), for up to 12 hours (AWS SDKs reference guide, "Login credentials provider").
   So credentials that have run out tell only that nobody used them.
2. ssowatch never renews them. Each renewal gives a new refresh token, programs that renew at the same moment have lost
   sessions over that (aws-cli issue 10628), and with credentials of 15 minutes every program renews at nearly every call.
   There is nothing to be early for, and a fourth writer is one more that can lose the session.
3. A session keeps its DPoP key through all its renewals, and each `aws login` draws a new one: that tells a new session.
4. None of the secrets leave `parse`: they are hashed together, which tells one state of the file from the next.
"""

from __future__ import annotations

import os
import re

from ssowatch import paths
from ssowatch.model import HOUR, MINUTE, Token
from ssowatch.tokenfile import Contents, TokenFileError, digest, loaded, moment

_ARN = re.compile(r"arn:[a-z0-9-]+:[a-z]+:[a-z0-9-]*:\d{12}:[^\s\x00-\x1f]{1,1000}", re.ASCII)
"""As `aws login` takes it from the ID token: `arn:aws:iam::111111111111:user/me`, `arn:aws:sts::…:assumed-role/Role/me`."""
_LIFE = 15 * MINUTE
"""No credentials live longer (botocore's model of `signin`, `ExpiresIn`)."""
_LONGEST = 12 * HOUR
_KEYS = ("accessKeyId", "secretAccessKey", "sessionToken")
_REFRESHED_WITH = ("clientId", "refreshToken", "dpopKey")


class Login:
    """Its sign-ins are called as the profile's `login_session` says."""

    word = "login"
    setting = "login_session"
    not_renewed = "the credentials of aws login live 15 minutes, and the programs that use them renew them themselves"
    needs = "it takes AWS CLI 2.32 or newer, and a region in the profile (else it asks for one)"

    def owns(self, name: str) -> bool:
        """ARNs, which no sso-session and no start URL is."""
        return _ARN.fullmatch(name) is not None

    def flaw(self) -> str:
        """What AWS takes, and we do not: it could be any sign-in's name."""
        return "login_session is not the ARN that aws login writes"

    def folder(self) -> str:
        """As botocore finds it (`utils.get_login_token_cache_directory`)."""
        given = os.environ.get("AWS_LOGIN_CACHE_DIRECTORY")
        return os.path.expanduser(os.path.expandvars(given)) if given else f"{paths.home()}/.aws/login/cache"  # noqa: PTH111

    def token_file(self, name: str) -> str:
        """By the SHA-256 of the ARN (botocore `utils.generate_login_cache_key`)."""
        from hashlib import sha256

        return f"{self.folder()}/{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()}.json"

    def parse(self, content: bytes) -> Contents:
        """Without any secret.

        Raises:
            TokenFileError: half-written, or something that botocore would not take.

        """
        document = loaded(content)
        keys = document.get("accessToken")
        if not isinstance(keys, dict):
            raise TokenFileError("holds no accessToken")
        secrets = [keys.get(name) for name in _KEYS] + [document.get(name) for name in _REFRESHED_WITH]
        for name, value in zip((*_KEYS, *_REFRESHED_WITH), secrets, strict=True):
            if not isinstance(value, str) or not value:
                raise TokenFileError(f"holds no {name}")
        expires_at, flaw = moment(keys.get("expiresAt"))
        if expires_at is None:
            raise TokenFileError(f"expiresAt {flaw}")
        token = Token(
            fingerprint=digest(*secrets),
            client=digest(document["dpopKey"]),
            expires_at=expires_at,
            refreshable=False,
            session=_LONGEST,
            used_at=expires_at - _LIFE,
        )
        return Contents(token, {})

    def program(self, profile: str) -> tuple[str, ...]:
        """It opens the browser itself."""
        return ("aws", "login", "--profile", profile)
