"""A file is replaced on condition that it is still the one that was read (one edge with `files`; standard library).

Rules of this file:
1. AWS programs write token files without any lock, so one may come between our last look and our replacement. The two
   files change their names in one system call instead: what was displaced is then looked at, and goes back if it is not
   what was known.
2. Python has no name for the call: `renameat2` with RENAME_EXCHANGE (Linux 3.15, glibc 2.28), `renamex_np` with
   RENAME_SWAP (macOS 10.12). Where the C library, the kernel or the file system has none (NFS, old musl), the file is
   looked at and then replaced, and another program has the moment between the two.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2
_NOT_HERE = {errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EPERM}  # EPERM: a seccomp filter
_LARGEST = 1 << 20


def put(content: bytes, new: str, path: str, is_known: Callable[[bytes], bool]) -> bool:
    """Put the file `new`, which holds `content`, into the place of `path`, if what stands there at that moment `is_known`.

    What is left under the name `new` is of no more use. False: the file at `path` is gone, or it is not known, and stays.

    Raises:
        OSError: it cannot; the file at `path` is untouched.

    """
    swapped = swap(new, path)
    if swapped is None:
        found = _content(path)
        if found is None or not is_known(found):
            return False
        os.replace(new, path)  # noqa: PTH105
        return True
    if not swapped:
        return False
    placed, displaced = content, _content(new)
    if displaced is not None and is_known(displaced):
        return True
    # Newer than what was known, so it goes back; and so does whatever was written there in the meantime.
    while swap(new, path) and (came := _content(new)) not in {placed, None}:
        placed, displaced = displaced or b"", came
    return False


def swap(one: str, other: str) -> bool | None:
    """Let two files change their names. False: one of them is not there. None: that cannot be done here.

    Raises:
        OSError: it cannot for another reason; nothing has changed.

    """
    import ctypes  # only who replaces a token file pays for it

    library = ctypes.CDLL(None, use_errno=True)
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(_AT_FDCWD, first, _AT_FDCWD, second, _RENAME_EXCHANGE)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(first, second, _RENAME_SWAP)
    else:
        return None
    if not failed:
        return True
    code = ctypes.get_errno()
    if code == errno.ENOENT:
        return False
    if code in _NOT_HERE:
        return None
    raise OSError(code, os.strerror(code), other)


def _content(path: str) -> bytes | None:
    """Nothing of one that cannot be read; None where there is none."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError:
        return b""
    try:
        return os.read(fd, _LARGEST)
    except OSError:
        return b""
    finally:
        os.close(fd)
