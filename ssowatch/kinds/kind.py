"""What a kind of credential is to the rest of ssowatch (rank 1, pure).

Rules of this file:
1. A kind knows its names, its files and who signs in. What is true of a sign-in and what is to be done is decided by the
   planner, from the facts that `parse` gives it: a token that we may renew, or one with a `session`, which its users renew.
2. Nothing that is not ours to renew is ever written.
"""

from __future__ import annotations

from typing import Protocol

from ssowatch.tokenfile import Contents


class CredentialKind(Protocol):
    """One kind."""

    word: str
    """`kind` in the published state, where the AWS config does not tell more; see `model.Kind`."""
    setting: str
    """The setting of a profile whose value is the sign-in's name; "" where `awsconfig` knows more than one."""
    not_renewed: str
    """Why ssowatch never renews it, as a sentence for a person; "" where it does."""

    needs: str
    """What its `program` takes to work, said where it fails."""

    def owns(self, name: str) -> bool:
        """Whether a sign-in called so is of this kind."""
        ...

    def flaw(self) -> str:
        """What is wrong with the value of a `setting` that it does not own."""
        ...

    def folder(self) -> str:
        """The directory of its token files."""
        ...

    def token_file(self, name: str) -> str:
        """The token file of one sign-in."""
        ...

    def parse(self, content: bytes) -> Contents:
        """What a token file says; its secrets only where ssowatch renews it.

        Raises:
            TokenFileError: half-written, or not a token.

        """
        ...

    def program(self, profile: str) -> tuple[str, ...]:
        """The program that signs a person in, as an argument list; () where ssowatch does that itself."""
        ...
