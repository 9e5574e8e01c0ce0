"""IAM Identity Center: what `aws sso login` gives; ssowatch signs in and renews (rank 1, pure)."""

from __future__ import annotations

from ssowatch import paths, tokenfile
from ssowatch.model import Kind
from ssowatch.tokenfile import Contents


class IdentityCenter:
    """Both forms of it, which share the directory and the form of the file: sso-sessions and legacy profiles."""

    word = Kind.SSO_SESSION.value
    setting = ""
    not_renewed = ""
    needs = ""

    def owns(self, name: str) -> bool:  # noqa: ARG002 - of the Protocol
        """Every name that is of no other kind."""
        return True

    def flaw(self) -> str:
        """Nothing: see `owns`."""
        return ""

    def folder(self) -> str:
        """The same for every SDK."""
        return paths.token_cache()

    def token_file(self, name: str) -> str:
        """By the SHA-1 of the name."""
        return paths.token_file(name)

    def parse(self, content: bytes) -> Contents:
        """With its secrets. Raises `TokenFileError`."""
        return tokenfile.parse(content)

    def program(self, profile: str) -> tuple[str, ...]:  # noqa: ARG002 - of the Protocol
        """None: ssowatch itself."""
        return ()
