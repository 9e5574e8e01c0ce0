"""Profiles whose sign-ins lie in another tool's store (composition; a step of `setup`).

They are not ours to touch: it is said that they are not protected, and how they would be.
"""

from __future__ import annotations

from collections.abc import Iterator

from ssowatch.plain import plain
from ssowatch.setup.step import Finding
from ssowatch.world import World

_STORES = {
    "granted": "Granted",
    "aws-vault": "aws-vault",
    "aws-sso": "aws-sso-cli",
    "aws-sso-util": "aws-sso-util",
    "aws2-wrap": "aws2-wrap",
    "saml2aws": "saml2aws",
    "leapp": "Leapp",
}
"""The program in `credential_process`, and who that is."""
_WORD = "credential_process: "
_FIX = """\
To have them kept alive, let the profile name an sso-session, and take its credential_process out:
  [profile NAME]
  sso_session = …
  sso_account_id = …
  sso_role_name = …"""


class ForeignStores:
    """Granted, aws-vault and the like."""

    title = "Other tools"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """One finding per tool; the mend is the same for all."""
        found: dict[str, list[str]] = {}
        for one in World(recording=False).aws_config().unwatched:
            if one.reason.startswith(_WORD):
                program = one.reason.removeprefix(_WORD).split()[0]
                found.setdefault(_STORES.get(program, program), []).append(plain(one.profile, 60))
        last = len(found) - 1
        for number, (tool, profiles) in enumerate(found.items()):
            yield Finding(
                f"{', '.join(profiles)}: {plain(tool, 60)} keeps the sign-in in a store of its own, "
                "which ssowatch neither sees nor renews",
                good=False,
                fix=_FIX if number == last else "",
            )
