"""A sign-in made renewable, step by step: propose, show, write (composition; `upgrade-profile`, `setup` and `doctor`)."""

from __future__ import annotations

from dataclasses import dataclass

from ssowatch import aws_rewrite, paths, profile_upgrade
from ssowatch.aws_rewrite import NotRewritableError, Original
from ssowatch.config_diff import diff
from ssowatch.profile_upgrade import NotUpgradableError, Texts, Upgrade

__all__ = ["NotRewritableError", "NotUpgradableError", "Proposal", "propose"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be written; nothing was yet."""

    upgrade: Upgrade
    changes: tuple[tuple[Original, bytes], ...]
    """Each file that changes, with its new content. None: there is nothing to do."""

    @property
    def lines(self) -> list[str]:
        """The diff, safe to show."""
        return [
            line
            for original, content in self.changes
            for line in diff(original.text or "", content.decode(), aws_rewrite.shown(original.path))
        ]

    @property
    def links(self) -> list[str]:
        """What is really changed where a file is a symbolic link, in words."""
        return [
            f"{aws_rewrite.shown(original.path)} is a link to {aws_rewrite.shown(original.link)}, which is changed"
            for original, _ in self.changes
            if original.link
        ]

    def write(self) -> list[str]:
        """Do it; the paths of the backups.

        Raises:
            NotRewritableError: a file changed meanwhile or must not be replaced; nothing was written.

        """
        return aws_rewrite.write(list(self.changes))


def propose(name: str, session: str | None = None) -> Proposal:
    """How the sign-in or profile `name` becomes renewable; `session`: how its sso-session shall be called.

    Raises:
        NotUpgradableError: it cannot be done.
        NotRewritableError: a file cannot be read.

    """
    originals = [aws_rewrite.read(path) for path in (paths.aws_config(), paths.aws_credentials())]
    places = [aws_rewrite.shown(one.path) for one in originals]
    upgrade = profile_upgrade.upgrade(Texts(originals[0].text, originals[1].text, *places), name, session)
    new = (upgrade.texts.config, upgrade.texts.credentials)
    changes = [
        (original, text.encode())
        for original, text in zip(originals, new, strict=True)
        if text is not None and text != original.text
    ]
    return Proposal(upgrade, tuple(changes))
