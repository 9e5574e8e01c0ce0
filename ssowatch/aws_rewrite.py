"""The user's own AWS files, changed with their leave: read, backed up, replaced as a whole, put back (an edge: files).

Rules of this file:
1. A file is replaced only if it still holds what was read; its mode and its symbolic link stay.
2. Before that, a backup (0600) is made beside it, named by a hash of what is written. So a backup says by its name which
   content it is the way back from, and nothing that was written since can be lost by it.
3. What is not plainly the user's own file is left alone: another owner, write-protected, more than one hard link (a
   replacement would cut them apart).
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from ssowatch import files, paths
from ssowatch.plain import plain

_WAIT = 10.0  # seconds for the lock; who holds it writes two small files


class NotRewritableError(Exception):
    """The file must stay as it is. The message names it; `fix` is what to do first."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.fix = fix


@dataclass(frozen=True, slots=True)
class Original:
    """A file as it was read."""

    path: str
    content: bytes | None
    """None: there is no such file."""

    @property
    def text(self) -> str | None:
        """Its text.

        Raises:
            NotRewritableError: it is not UTF-8.

        """
        try:
            return None if self.content is None else self.content.decode()
        except UnicodeDecodeError:
            raise NotRewritableError(f"{shown(self.path)} is not UTF-8 text", "save it as UTF-8") from None

    @property
    def link(self) -> str | None:
        """Where the file really lies, if `path` is a symbolic link."""
        real = os.path.realpath(self.path)
        return real if os.path.islink(self.path) else None  # noqa: PTH114 - plain strings as in `paths`


def shown(path: str) -> str:
    """A path as a person writes it, whatever is in it."""
    return plain(paths.shown(path))


def read(path: str) -> Original:
    """Read a file that may be changed.

    Raises:
        NotRewritableError: it is unreadable.

    """
    try:
        return Original(path, files.read(path))
    except files.NotReadableError as error:
        raise NotRewritableError(f"{shown(path)} {error}", "make it a readable file of your own") from None


def write(changes: list[tuple[Original, bytes]]) -> list[str]:
    """Back up and replace each file, all or none; the paths of the backups.

    Raises:
        NotRewritableError: one of them changed meanwhile, or must not be replaced. All are as they were.

    """
    mark = _mark([content for _, content in changes])
    backups: list[str] = []
    with _alone():
        for original, _ in changes:
            _check(original)
        try:
            for original, _ in changes:
                backups.append(_backup(original.path, mark))
                files.replace(backups[-1], original.content or b"")
            _replace(changes)
        except BaseException:
            for backup in backups:
                with contextlib.suppress(OSError):
                    os.unlink(backup)  # noqa: PTH108
            raise
    return backups


def undo() -> list[str]:
    """Put back what the last `write` replaced, if what it wrote still stands there; the paths of the files put back.

    Raises:
        NotRewritableError: no backup belongs to the present content.

    """
    with _alone():
        present = [one for one in (read(paths.aws_config()), read(paths.aws_credentials())) if one.content is not None]
        for candidates in (present, present[:1], present[1:]):
            mark = _mark([one.content or b"" for one in candidates])
            backups = [read(_backup(one.path, mark)) for one in candidates]
            if candidates and all(one.content is not None for one in backups):
                for one in candidates:
                    _check(one)
                _replace([(one, old.content or b"") for one, old in zip(candidates, backups, strict=True)])
                for old in backups:
                    os.unlink(old.path)  # noqa: PTH108
                return [one.path for one in candidates]
    place = shown(paths.aws_config())
    raise NotRewritableError(
        f"{place} does not stand as upgrade-profile left it, or nothing was upgraded",
        f"put back by hand what you want of {place}.before-upgrade-*",
    )


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    try:
        with files.locked(paths.aws_config_lock(), _WAIT):
            yield
    except files.BusyError:
        raise NotRewritableError("another ssowatch process changes the AWS config", "try again") from None
    except OSError as error:
        place = shown(str(error.filename2 or error.filename or "our state"))
        raise NotRewritableError(
            f"{place}: {error.strerror}; nothing was changed", "mend that, then try again"
        ) from error


def _check(original: Original) -> None:
    place = shown(original.path)
    if read(original.path).content != original.content:
        raise NotRewritableError(f"{place} was changed by somebody else meanwhile", "look at it, then try again")
    info = os.stat(original.path)  # noqa: PTH116
    if info.st_uid != os.getuid():
        raise NotRewritableError(f"{place} belongs to another user", "let its owner change it")
    if not info.st_mode & stat.S_IWUSR:
        fix = f"if it is yours to change: chmod u+w {place}"
        raise NotRewritableError(f"{place} is write-protected; the program that made it so may own it", fix)
    if info.st_nlink > 1:
        raise NotRewritableError(f"{place} has {info.st_nlink} hard links", "change it by hand, or make it one file")


def _replace(changes: list[tuple[Original, bytes]]) -> None:
    done: list[Original] = []
    try:
        for original, content in changes:
            mode = stat.S_IMODE(os.stat(original.path).st_mode)  # noqa: PTH116
            files.Draft(original.path, mode=mode, follow=True).publish(content)
            done.append(original)
    except OSError:
        for original in done:
            mode = stat.S_IMODE(os.stat(original.path).st_mode)  # noqa: PTH116
            files.Draft(original.path, mode=mode, follow=True).publish(original.content or b"")
        raise


def _mark(contents: list[bytes]) -> str:
    return sha256(b"\0".join(contents)).hexdigest()[:12]


def _backup(path: str, mark: str) -> str:
    return f"{path}.before-upgrade-{mark}"
