"""ssowatch's own config and state (composition)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable

from ssowatch import paths
from ssowatch.doctor.check import Finding, good, typed
from ssowatch.doctor.scene import Scene


class OwnConfig:
    """Our config is right."""

    name = "config"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """File, line, key and mend of what is wrong."""
        if error := scene.world.settings_error:
            key = f"{error.path}: " if error.path else ""
            place = f"{error.file} line {error.line}" if error.line else error.file
            yield Finding(f"{place}: {key}{error.message}; the last good config or the defaults hold", error.fix)
        else:
            yield good("the ssowatch config is right")


class State:
    """Our own directory is ours alone, and can be written."""

    name = "state"

    def look(self, scene: Scene) -> Iterable[Finding]:  # noqa: ARG002 - of the Protocol
        """Owner and mode."""
        folder = paths.state_dir()
        try:
            info = os.lstat(folder)
        except OSError:
            yield good("nothing is kept yet")
            return
        mode = stat.S_IMODE(info.st_mode)
        if not stat.S_ISDIR(info.st_mode):
            yield Finding(
                f"{folder} is no directory: nothing can be remembered, no watcher runs", f"rm {typed(folder)}"
            )
        elif info.st_uid != os.getuid():
            message = f"{folder} belongs to another user (made by sudo?): nothing can be remembered, no watcher runs"
            yield Finding(message, f"sudo chown -R $(id -u):$(id -g) {typed(folder)}")
        elif mode != 0o700:
            what = "other users of this machine may look into it" if mode & 0o077 else "nothing can be kept in it"
            yield Finding(
                f"{folder} has mode {mode:o}: {what}",
                f"chmod 700 {typed(folder)}",
                lambda: os.chmod(folder, 0o700),  # noqa: PTH101
            )
        else:
            yield good("what ssowatch keeps is yours alone")
