"""The three things done to files: read with a bound, replace as a whole, lock (below every edge; standard library).

Rules of this file:
1. A file is read only if it is a regular file of at most the given size; never a FIFO, a device or an endless one.
2. A file is replaced by writing a temporary file in the same directory, fsync, rename: a reader sees the old file or
   the new one, never neither (botocore PR 3597 does the same; AWS CLI v2 and the JS SDK truncate in place). One that
   other programs write without a lock is *exchanged*, so that what was really displaced is seen (`exchange.py`).
3. Locks are `flock`: the kernel drops them with the process, so none can be stale. They are held by HOME, by nobody
   but ssowatch: no AWS SDK takes any lock.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import stat
import time
from collections.abc import Callable, Iterator

from ssowatch import exchange, paths

MAX_SIZE = 1 << 20


class NotReadableError(Exception):
    """A file that stands there but cannot or must not be read; the message says why, without the path."""


def read(path: str, limit: int = MAX_SIZE) -> bytes | None:
    """The content of a regular file, or None where there is none.

    Raises:
        NotReadableError: no permission, not a regular file, larger than `limit`, a symlink loop.

    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENOTDIR:
            return None
        raise NotReadableError(_reason(error)) from error
    try:
        info = os.fstat(fd)
        if not stat.S_ISREG(info.st_mode):
            raise NotReadableError("is not a regular file")
        if info.st_size > limit:
            raise NotReadableError(f"is larger than {limit} bytes")
        parts = []
        left = limit + 1
        while left > 0 and (part := os.read(fd, left)):
            parts.append(part)
            left -= len(part)
        if left <= 0:
            raise NotReadableError(f"is larger than {limit} bytes")
        return b"".join(parts)
    except OSError as error:
        raise NotReadableError(_reason(error)) from error
    finally:
        os.close(fd)


def _reason(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "is a loop of symbolic links"
    return f"cannot be read: {os.strerror(error.errno or 0)}"


def signature(path: str) -> tuple[int, int, int, int] | None:
    """What changes whenever a file does: mtime, size, inode, mode and owner. None where there is none."""
    try:
        info = os.stat(path)  # noqa: PTH116 - a plain path on the watcher's hot path
    except OSError:
        return None
    return (info.st_mtime_ns, info.st_size, info.st_ino, info.st_mode ^ info.st_uid << 32)


def private_dir(path: str) -> None:
    """Make a directory of ours, 0700, with its parents.

    Raises:
        OSError: it cannot be made, is not a directory or belongs to someone else.

    """
    parent = os.path.dirname(path)  # noqa: PTH120
    # A missing parent is made by us, so it is 0700 like the rest; a state directory that is not ours is not used.
    if parent and (not os.path.isdir(parent) or parent == paths.state_dir()):  # noqa: PTH112
        private_dir(parent)
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)  # noqa: PTH102
    info = os.lstat(path)
    if not stat.S_ISDIR(info.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)
    if info.st_uid != os.getuid():
        raise PermissionError(errno.EPERM, "belongs to another user", path)
    if stat.S_IMODE(info.st_mode) & 0o777 != 0o700:
        os.chmod(path, 0o700)  # noqa: PTH101


class Draft:
    """Room for a file's new content, taken before it is needed, in the directory of the file it will replace."""

    def __init__(self, path: str, room: int = 0, mode: int = 0o600, *, follow: bool = False) -> None:
        """Take `room` bytes on disk now. `mode` is that of the new file.

        `follow`: a symbolic link stays, and what it leads to is replaced. Else the link itself is replaced, so that a
        planted one leads nowhere.

        Raises:
            OSError: the directory is missing, not writable or full.

        """
        self.path = os.path.realpath(path) if follow else path
        self._mode = mode
        folder, name = os.path.split(self.path)
        # One name per file: writers of one file exclude each other by a lock, so what a crash left is simply reused.
        self._temp = f"{folder}/.{name}.ssowatch.tmp"
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._temp)  # noqa: PTH108
        self._fd = os.open(self._temp, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        try:
            os.fchmod(self._fd, mode)  # whatever the umask
            if room:
                _write(self._fd, bytes(room))
                os.fsync(self._fd)
        except OSError:
            self.drop()
            raise
        _PREPARED.add(self)

    def publish(self, content: bytes, *, durable: bool = True) -> None:
        """Replace the file by `content`. `durable`: it lasts through a power cut, at the price of a sync.

        Raises:
            OSError: it cannot; the old file is untouched.

        """
        try:
            if not self._filled(content, durable=durable):
                Draft(self.path, mode=self._mode).publish(content, durable=durable)
                return
            os.replace(self._temp, self.path)  # noqa: PTH105
            self._temp = ""
            if durable:
                _sync_folder(self.path)
        finally:
            self.drop()

    def publish_over(self, content: bytes, is_known: Callable[[bytes], bool]) -> bool:
        """Replace the file by `content`, durably, if what it holds at that very moment `is_known`.

        False: it is gone, or another program has written it; so it stays.

        Raises:
            OSError: it cannot; the old file is untouched.

        """
        try:
            if not self._filled(content, durable=True):
                return Draft(self.path, mode=self._mode).publish_over(content, is_known)
            put = exchange.put(content, self._temp, self.path, is_known)
            _sync_folder(self.path)
            return put
        finally:
            self.drop()

    def _filled(self, content: bytes, *, durable: bool) -> bool:
        """Whether the content is under the temporary name now; else there is nothing of it anywhere."""
        _PREPARED.discard(self)
        os.lseek(self._fd, 0, os.SEEK_SET)
        _write(self._fd, content)
        os.ftruncate(self._fd, len(content))
        if durable:
            os.fsync(self._fd)
        if not self._stands():  # the directory was replaced meanwhile, by a backup that is played back, say
            os.ftruncate(self._fd, 0)  # nobody will tidy up there
            return False
        return True

    def _stands(self) -> bool:
        """Whether the temporary name is still that of our file, and not gone, or that of a copy full of zeros."""
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(self._fd), os.lstat(self._temp))
        return False

    def drop(self) -> None:
        """Give the room back. Harmless when it was given back before."""
        _PREPARED.discard(self)
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1
        if self._temp:
            with contextlib.suppress(OSError):
                os.unlink(self._temp)  # noqa: PTH108
            self._temp = ""


_PREPARED: set[Draft] = set()


def drop_drafts() -> None:
    """Before `os._exit`: give back what threads that hang have prepared. One that is being published is left to the kernel."""
    while _PREPARED:
        _PREPARED.pop().drop()


def _write(fd: int, content: bytes) -> None:
    """All of it: a disk that is nearly full takes a part without an error, and says so only at the next write."""
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]


def _sync_folder(path: str) -> None:
    """Make the rename last through a power cut: the old file may hold a refresh token that is spent."""
    with contextlib.suppress(OSError):  # some file systems cannot
        fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH120
        try:
            os.fsync(fd)
        finally:
            os.close(fd)


def replace(path: str, content: bytes, *, durable: bool = True, follow: bool = False) -> None:
    """Replace a file as a whole, mode 0600. `durable`, `follow`: as `Draft` says.

    Raises:
        OSError: it cannot; the old file is untouched.

    """
    Draft(path, follow=follow).publish(content, durable=durable)


class BusyError(Exception):
    """Somebody else holds the lock; the argument is its pid, as far as it is known, else ""."""


@contextlib.contextmanager
def locked(path: str, wait: float) -> Iterator[int]:
    """Hold the lock at `path`; yields its descriptor. Waits at most `wait` seconds.

    Raises:
        BusyError: it is still held by somebody else.
        OSError: the lock file cannot be made.

    """
    private_dir(os.path.dirname(path))  # noqa: PTH120
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + wait
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise BusyError(os.pread(fd, 20, 0).decode(errors="replace").strip()) from None
                time.sleep(0.02)  # flock has no time-out of its own; a signal would interrupt the whole program
        os.ftruncate(fd, 0)
        os.pwrite(fd, str(os.getpid()).encode(), 0)
        yield fd
    finally:
        os.close(fd)


def taken(path: str, *, shared: bool = False) -> bool:
    """Whether somebody holds the lock at `path`, or (`shared`) holds it together with others.

    Looking takes it for a moment, so who locks must try twice.
    """
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, (fcntl.LOCK_EX if shared else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(fd)
    return False


def shared(path: str) -> int:
    """Take the lock at `path` together with everybody else who does so; its descriptor, open over an `exec`.

    Raises:
        OSError: the lock file cannot be made.

    """
    private_dir(os.path.dirname(path))  # noqa: PTH120
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    fcntl.flock(fd, fcntl.LOCK_SH)
    os.set_inheritable(fd, True)  # noqa: FBT003 - its only form
    return fd
