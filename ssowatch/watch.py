"""Says that something changed in a directory that matters (an edge; owns watchdog).

It causes ticks and decides nothing: a lost event costs at most one heartbeat, and `hears_all` says where that must be quick.
Each rule stands for a trap of watchdog 7 that was measured:
1. Reads must not wake us: without an event filter, our own reading of a file that changed made 26 619 callbacks in 2 s.
   On Linux only finished writes count (closed, moved, created, deleted), so that nobody reads a half-written file.
2. A watched directory that is deleted ends its thread for good, also when it is made anew, and the new one often gets
   the same inode number; one that is renamed away goes on reporting under the old name; a symlink (0 events) and an
   unreadable directory (0 events, no error) are silent. Hence `sync` at every tick, by inode and by life.
3. One inode is watched once: inotify keeps one mask per inode, and a second watch with other events would replace the
   first one's; FSEvents raises "already scheduled".
4. An exception in a handler kills the observer's thread silently, so it raises none, and a dead observer is rebuilt.
5. inotify sees no change made elsewhere (NFS, SMB, 9p of WSL), and its limits run out on ordinary desktops (128 instances
   per user, EMFILE; watches, ENOSPC). There we poll every 5 s: 0.2 wake-ups a second for each such directory.
6. A burst is one tick at its start and one every 50 ms while it lasts: 200 rewrites made 843 events.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from watchdog.events import (
    DirCreatedEvent,
    DirDeletedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver, EventEmitter, ObservedWatch
from watchdog.observers.polling import PollingObserver

from ssowatch import paths as places

POLL = 5.0
"""Seconds between two looks at a directory that cannot tell of itself."""
_GAP = 0.05
_ARRIVED: list[type[FileSystemEvent]] = [FileCreatedEvent, FileMovedEvent, DirCreatedEvent, DirMovedEvent]
_CHANGED: list[type[FileSystemEvent]] = [*_ARRIVED, FileClosedEvent, FileDeletedEvent, DirDeletedEvent]
_REMOTE = ("9p", "drvfs", "nfs", "cifs", "smb", "virtiofs", "vboxsf", "afs", "ceph")  # nfs4, smb3, smbfs, …

Inode = tuple[int, int]
Wanted = dict[Inode, tuple[str, frozenset[str] | None]]
"""For each inode its path and, where it is only the parent of missing directories, their names."""


def is_remote(path: str, mountinfo: str) -> bool:
    """True if the deepest mount that holds `path` is one whose changes inotify may not see.

    `mountinfo` is the text of /proc/self/mountinfo (proc_pid_mountinfo(5)); a later mount on the same point hides the
    earlier one.
    """
    deepest, kind = "", ""
    for line in mountinfo.splitlines():
        left, _, right = line.partition(" - ")
        fields, source = left.split(" "), right.split(" ")
        if len(fields) < 6 or not source[0]:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        if len(point) >= len(deepest) and (path == point or path.startswith(point.rstrip("/") + "/")):
            deepest, kind = point, source[0]
    if kind == "fuse" or kind.startswith("fuse."):  # not fuseblk: a local NTFS disk
        return kind != "fuse.portal"  # the document portal: local files
    return kind.startswith(_REMOTE)


def far_away(path: str) -> bool:
    """Whether `path` lies where changes must be polled for."""
    return is_remote(os.path.realpath(path), _mountinfo())


class Folders:
    """Calls `changed` on `loop` when something changes in one of the directories last given to `sync`."""

    def __init__(self, changed: Callable[[], None], loop: asyncio.AbstractEventLoop, poll: float = POLL) -> None:
        self._changed = changed
        self._loop = loop
        self._poll = poll
        self._observers: dict[bool, BaseObserver] = {}  # by "does it poll?"
        self._watches: dict[Inode, _Watch] = {}
        self._poked = self._closed = False
        self.hears_all = False
        """At the last `sync`: what happens in any of the directories, or to it, is told."""
        self._quiet_until = 0.0
        self._later: asyncio.TimerHandle | None = None
        # It logs an error for a race that it handles, and an overflow, which the heartbeat mends.
        logging.getLogger("watchdog").setLevel(logging.CRITICAL)

    def sync(self, paths: Iterable[str]) -> None:
        """Make the watches right for these directories; call it before reading the world, at every tick.

        Costs one stat per directory while nothing changed. A missing directory is awaited in the nearest one that is
        there, unless that is the home directory or above: far too much happens there, and the heartbeat finds it.
        """
        if self._closed:
            return
        for polls in [polls for polls, observer in self._observers.items() if not observer.is_alive()]:
            self._drop_all(polls=polls)
        paths = list(paths)
        for _ in range(3):  # what was made between the look and the watch is found by a second look
            wanted, all_of_them = _wanted(paths)
            if not self._apply(wanted):
                break
        self.hears_all = all_of_them and wanted.keys() == self._watches.keys()

    def close(self) -> None:
        """End all threads. Harmless when called twice."""
        self._closed = True
        if self._later:
            self._later.cancel()
        for polls in list(self._observers):
            self._drop_all(polls=polls)

    def _apply(self, wanted: Wanted) -> bool:
        changed = False
        for inode, watch in list(self._watches.items()):
            path, names = wanted.get(inode, ("", None))
            if path == watch.path and (names is None) == (watch.ear.names is None) and watch.lives():
                watch.ear.names = names
            else:
                del self._watches[inode]
                with contextlib.suppress(KeyError):
                    watch.observer.unschedule(watch.token)
                changed = True
        for inode, (path, names) in wanted.items():
            if inode not in self._watches and (new := self._watch(path, names)):
                self._watches[inode] = new
                changed = True
        return changed

    def _watch(self, path: str, names: frozenset[str] | None) -> _Watch | None:
        if not os.access(path, os.R_OK):
            return None
        real = os.path.realpath(path)
        ear = _Ear(self._poke, real, names)
        for polls in (True,) if far_away(real) else (False, True):
            kinds = _ARRIVED if names is not None else _CHANGED
            if (polls or sys.platform != "linux") and names is None:
                kinds = [*kinds, FileModifiedEvent]  # only inotify tells when a writer is done
            try:
                observer = self._observer(polls=polls)
                token = observer.schedule(ear, real, event_filter=kinds)
            except (FileNotFoundError, NotADirectoryError):
                return None  # it went away just now; the second look sees that
            except (OSError, RuntimeError):
                continue  # a limit: poll; no thread left even for that: the heartbeat
            emitter = next(emitter for emitter in observer.emitters if emitter.watch == token)
            return _Watch(path, observer, token, emitter, ear)
        return None

    def _observer(self, *, polls: bool) -> BaseObserver:
        if polls not in self._observers:
            observer = PollingObserver(timeout=self._poll) if polls else Observer()
            try:
                observer.start()
            except RuntimeError:
                observer.stop()  # its inotify descriptor and reader are open already
                raise
            self._observers[polls] = observer
        return self._observers[polls]

    def _drop_all(self, *, polls: bool) -> None:
        observer = self._observers.pop(polls)
        self._watches = {inode: watch for inode, watch in self._watches.items() if watch.observer is not observer}
        observer.stop()
        observer.join()

    def _poke(self) -> None:
        """In a thread of watchdog: one hop to the loop for all events until `changed` begins."""
        if not self._poked and not self._closed:
            self._poked = True
            self._loop.call_soon_threadsafe(self._arrived)

    def _arrived(self) -> None:
        wait = self._quiet_until - self._loop.time()
        if wait <= 0:
            self._deliver()
        else:
            self._later = self._loop.call_later(wait, self._deliver)

    def _deliver(self) -> None:
        self._poked = False  # before the world is read: what comes from here on is another tick
        self._quiet_until = self._loop.time() + _GAP
        if not self._closed:
            self._changed()


class _Ear(FileSystemEventHandler):
    """Hears the events of one directory, in a thread of watchdog. `names`: only these entries matter."""

    def __init__(self, poke: Callable[[], None], path: str, names: frozenset[str] | None) -> None:
        self._poke = poke
        self._path = path
        self.names = names
        self.gone = False

    def dispatch(self, event: FileSystemEvent) -> None:
        """Poke, if this event matters. Raises nothing: that would end the observer's thread."""
        with contextlib.suppress(Exception):  # such as RuntimeError: the loop is closed
            touched = [os.fsdecode(path) for path in (event.src_path, event.dest_path) if path]
            if touched == [self._path]:
                self.gone = True
                self._poke()
            elif any(self._matters(os.path.basename(path)) for path in touched):  # noqa: PTH119
                self._poke()

    def _matters(self, name: str) -> bool:
        # Every careful writer (botocore, we) fills `*.tmp` first; its rename to the real name is the event.
        return not name.endswith(".tmp") and (self.names is None or name in self.names)


@dataclass(slots=True)
class _Watch:
    path: str
    observer: BaseObserver
    token: ObservedWatch
    emitter: EventEmitter
    ear: _Ear

    def lives(self) -> bool:
        return not self.ear.gone and self.emitter.is_alive()


def _wanted(paths: list[str]) -> tuple[Wanted, bool]:
    """What to watch, and whether every path is heard of by that."""
    all_of_them = True
    wanted: Wanted = {}
    missing = []
    for path in paths:
        if inode := _inode(path):
            wanted.setdefault(inode, (path, None))
        else:
            missing.append(path)
    for path in missing:
        parent, name = os.path.split(os.path.normpath(path))
        while not (inode := _inode(parent)) and os.path.basename(parent):  # noqa: PTH119
            parent, name = os.path.split(parent)
        if f"{places.home()}/".startswith(parent.rstrip("/") + "/") or not inode:
            all_of_them = False
            continue
        first, names = wanted.get(inode, (parent, frozenset()))
        wanted[inode] = (first, None if names is None else names | {name})
    return wanted, all_of_them


def _inode(path: str) -> Inode | None:
    try:
        info = os.stat(path)  # noqa: PTH116 - at every tick
    except OSError:
        return None
    return (info.st_dev, info.st_ino) if stat.S_ISDIR(info.st_mode) else None


def _mountinfo() -> str:
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:  # noqa: PTH123
            return file.read()
    except OSError:  # not Linux
        return ""
