"""What the system tells of changed files (composition)."""

from __future__ import annotations

import ctypes
import errno
import os
import sys
from collections.abc import Iterable

from ssowatch import paths, watch
from ssowatch.doctor.check import Finding, good
from ssowatch.doctor.scene import Scene

_MORE = "echo fs.inotify.max_user_instances=1024 | sudo tee /etc/sysctl.d/60-inotify.conf && sudo sysctl --system"
_IN_NONBLOCK_CLOEXEC = os.O_NONBLOCK | os.O_CLOEXEC  # the flags of inotify_init1(2) are those of open(2)


class FileEvents:
    """A new token is seen at once."""

    name = "file_events"

    def look(self, scene: Scene) -> Iterable[Finding]:  # noqa: ARG002 - of the Protocol
        """By trying: the limit is per user, and every editor and desktop program takes of it."""
        if sys.platform == "linux" and _used_up():
            yield Finding(
                "this user's inotify instances are used up (fs.inotify.max_user_instances): "
                "changes of files are seen only every 5 s",
                _MORE,
            )
        elif watch.far_away(paths.token_cache()):
            yield good("~/.aws/sso/cache lies on a file system that tells of no changes: they are seen every 5 s")
        else:
            yield good("changes of files are seen at once")


def _used_up() -> bool:
    """Whether one more inotify instance is refused. It is given back at once."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(_IN_NONBLOCK_CLOEXEC)
    if fd >= 0:
        os.close(fd)
        return False
    return ctypes.get_errno() == errno.EMFILE
