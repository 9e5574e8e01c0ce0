"""The token files in `~/.aws/sso/cache`, and those of other kinds (an edge: the only code that reads or writes there).

Rules of this file:
1. Only names that follow from the AWS config are read or written. Other files there belong to other programs (IDE
   toolkits, Kiro): reading is waste, writing would break them.
2. A file that cannot be read is *being written* at first: AWS CLI v2 and the JS SDK truncate in place, and a reader
   in a tight loop saw 230 empty files during 12 writes. Look again, and only then call it a fault.
3. A good file is parsed again only when its stat changed; a fault is looked at anew each time, because what the
   system lacks for a moment (descriptors, an answer of the file server) leaves the stat alone. A directory we may not
   enter is a fault, not a missing token.
4. A file that vanished is never made again by a renewal: whoever removed it meant it. Only a person who signs in makes
   one, and only one who signs out removes it.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from ssowatch import files, kinds, paths, tokenfile
from ssowatch.model import Token, TokenFile
from ssowatch.tokenfile import Contents

LARGEST = 256 << 10
"""Bytes; real token files have 1 to 4 KiB."""
_ROOM = 64 << 10
_LOOK_AGAIN = (0.05, 0.2, 0.75)
_ABSENT = (errno.ENOENT, errno.ENOTDIR)


class TokenFileUnreadableError(Exception):
    """The token file stands there but cannot be read; the message says why, without the path."""


def load(name: str) -> Contents | None:
    """The token file of the sign-in `name` with its secrets, or None where there is none.

    Raises:
        TokenFileUnreadableError: see there.

    """
    try:
        content = files.read(kinds.token_file(name), LARGEST)
        return None if content is None else kinds.of(name).parse(content)
    except (files.NotReadableError, tokenfile.TokenFileError) as error:
        raise TokenFileUnreadableError(str(error)) from None


def load_patiently(name: str) -> Contents | None:
    """The same, but a file that cannot be read is looked at again for a second, in case it is being written.

    Raises:
        TokenFileUnreadableError: it still cannot be read.

    """
    for pause in _LOOK_AGAIN:
        try:
            return load(name)
        except TokenFileUnreadableError:
            time.sleep(pause)  # only ever in a command or a child, never in the watcher
    return load(name)


def reserve(name: str) -> files.Draft:
    """Room for the renewed file, taken before the call: an answer that cannot be written is a token lost.

    A link that leads to a token file stays (dotfiles are kept so); any other is replaced, since it could lead to any file.

    Raises:
        OSError: the directory is gone, not writable or full.

    """
    try:
        leads_to_one = load(name) is not None
    except TokenFileUnreadableError:
        leads_to_one = False
    return files.Draft(paths.token_file(name), _ROOM, follow=leads_to_one)


def put(draft: files.Draft, content: bytes, instead_of: Token, *, or_torn: bool) -> bool:
    """Replace the token file by `content`, if it still holds `instead_of`, or (`or_torn`) is no token file.

    False: another program has written it, or removed it; so it stays.

    Raises:
        OSError: it cannot be replaced.

    """

    def is_known(found: bytes) -> bool:
        try:
            return tokenfile.parse(found).token.fingerprint == instead_of.fingerprint
        except tokenfile.TokenFileError:
            return or_torn

    return draft.publish_over(content, is_known)


def make_folder() -> None:
    """Make the directory of the token files, for the first sign-in in this home.

    Raises:
        OSError: it cannot be made.

    """
    os.makedirs(paths.token_cache(), mode=0o700, exist_ok=True)  # noqa: PTH103


def remove(name: str) -> None:
    """Remove the token file of the sign-in `name`, as a person wants who signs out; nothing where there is none.

    Raises:
        OSError: it cannot be removed.

    """
    with suppress(FileNotFoundError, NotADirectoryError):
        os.unlink(kinds.token_file(name))  # noqa: PTH108


@dataclass(slots=True)
class _Seen:
    stat: tuple[int, ...] | int
    file: TokenFile


class TokenCache:
    """Looks at token files again and again, cheaply."""

    def __init__(self) -> None:
        self._seen: dict[str, _Seen] = {}

    def look(self, name: str, now: datetime) -> TokenFile:
        """What stands at the sign-in's path now. A fault keeps the last good token and the moment it began."""
        stat = _stat(kinds.token_file(name))
        seen = self._seen.get(name)
        if seen and seen.stat == stat and not seen.file.fault:
            return seen.file
        file = _read(name, seen.file if seen else TokenFile(), now) if stat not in _ABSENT else TokenFile()
        self._seen[name] = _Seen(stat, file)
        return file

    def keep_only(self, names: set[str]) -> None:
        """Forget the sign-ins that are configured no longer."""
        self._seen = {name: seen for name, seen in self._seen.items() if name in names}


def _stat(path: str) -> tuple[int, ...] | int:
    """What changes whenever the file does; the error number where there is no looking at it."""
    try:
        info = os.stat(path)  # noqa: PTH116 - the watcher's hot path
    except OSError as error:
        return error.errno or errno.EIO
    return (info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino)


def _read(name: str, before: TokenFile, now: datetime) -> TokenFile:
    try:
        contents = load(name)
    except TokenFileUnreadableError as error:
        ours = os.access(kinds.of(name).folder(), os.R_OK | os.W_OK | os.X_OK)
        return TokenFile(before.token, str(error), before.fault_since or now, closed=not ours)
    return TokenFile(contents.token if contents else None)
