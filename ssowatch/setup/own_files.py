"""Can ssowatch keep its state here, and read its config? (composition; a step of `setup`)."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ssowatch import files, paths
from ssowatch.paths import shown
from ssowatch.setup.step import Finding
from ssowatch.world import World


class OwnFiles:
    """Our own files, and the folder of the token files."""

    title = "Own files"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """The first thing that is wrong ends setup."""
        try:
            files.private_dir(paths.state_dir())
            _try_to_write(paths.state_dir())
            _try_to_write(_nearest(paths.token_cache()))
        except OSError as error:
            place = shown(str(error.filename or paths.home()))
            yield Finding(
                f"{place} cannot be written ({error.strerror}), so no token there could be renewed",
                good=False,
                fix="Make your home writable for you, then run: ssowatch setup",
                final=True,
            )
            return
        if wrong := World(recording=False).settings_error:
            yield Finding(str(wrong), good=False, fix="Mend the config, then run: ssowatch setup", final=True)
            return
        yield Finding(f"state goes to {shown(paths.state_dir())}")


def _nearest(folder: str) -> str:
    """The folder, or the one in which it would be made."""
    while not os.path.isdir(folder):  # noqa: PTH112
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


def _try_to_write(folder: str) -> None:
    """Raise OSError where no file could be made."""
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(13, os.strerror(13), folder)
