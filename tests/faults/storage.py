"""Disks that are full, closed, or gone from under the files."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from faults.fault import Fault, When
from faults.scene import POWERLESS, Scene, mount


@contextlib.contextmanager
def disk_full(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Not a byte is left in the home."""
    filler = scene.home / "filler"
    with contextlib.suppress(OSError), filler.open("wb") as file:
        while True:
            os.write(file.fileno(), bytes(4096))
    try:
        yield
    finally:
        filler.unlink()


@contextlib.contextmanager
def read_only(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The home is mounted once more over itself, read-only."""
    mount("--bind", str(scene.home), str(scene.home))
    mount("-o", "remount,bind,ro", str(scene.home))
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", scene.home], check=True)


@contextlib.contextmanager
def limited(scene: Scene, chance: random.Random, limit: int, value: Callable[[int], int]) -> Iterator[None]:
    """A resource limit of the watcher, which its children inherit, is lowered and raised again."""
    assert scene.watcher
    pid = scene.watcher.pid
    soft, hard = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (value(pid), hard))
    try:
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, limit, (soft, hard))


@contextlib.contextmanager
def no_inotify(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Every inotify instance of this user is taken by others: the service is started without one."""
    none_left = 'echo 0 > /proc/sys/user/max_inotify_instances && exec "$@"'
    scene.restart_watcher(("unshare", "--user", "--map-root-user", "sh", "-c", none_left, "-", *POWERLESS))
    scene.until_fresh()
    yield
    scene.restart_watcher()


def _open(pid: int) -> int:
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _one_more(pid: int) -> int:
    return _open(pid) + 1


# The directory of the token files


@contextlib.contextmanager
def cache_removed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """`rm -r`, and a backup that is played back."""
    cache, backup = scene.token_file.parent, scene.folder / "backup"
    shutil.copytree(cache, backup)
    shutil.rmtree(cache)
    try:
        yield
    finally:
        fresh = cache.with_name("fresh")
        shutil.copytree(backup, fresh)
        fresh.rename(cache)


@contextlib.contextmanager
def cache_replaced(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Renamed away, and a copy put into its place: the old inode lives on under another name."""
    cache = scene.token_file.parent
    shutil.copytree(cache, cache.with_name("copy"))
    cache.rename(cache.with_name("old"))
    cache.with_name("copy").rename(cache)
    yield


@contextlib.contextmanager
def cache_symlinked(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Moved elsewhere, as people do with dotfiles, and a link put into its place. It stays so."""
    cache, elsewhere = scene.token_file.parent, scene.home / "dotfiles"
    link = cache.with_name("link")
    link.symlink_to(elsewhere)
    cache.rename(elsewhere)
    link.rename(cache)
    yield


@contextlib.contextmanager
def closed(scene: Scene, chance: random.Random, path: Callable[[Scene], Path]) -> Iterator[None]:
    """`chmod 000`."""
    place = path(scene)
    mode = place.stat().st_mode
    place.chmod(0)
    try:
        yield
    finally:
        place.chmod(mode)


@contextlib.contextmanager
def foreign(scene: Scene, chance: random.Random, path: Callable[[Scene], Path]) -> Iterator[None]:
    """It belongs to somebody else, who closed it, as after a `sudo aws sso login`."""
    place = path(scene)
    mode = place.stat().st_mode
    place.chmod(0o700)
    os.chown(place, 65534, 65534)
    try:
        yield
    finally:
        os.chown(place, os.getuid(), os.getgid())
        place.chmod(mode)


def _token(scene: Scene) -> Path:
    return scene.token_file


def _cache(scene: Scene) -> Path:
    return scene.token_file.parent


def _state(scene: Scene) -> Path:
    return scene.home / ".local/state/ssowatch"


@contextlib.contextmanager
def state_removed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """All that ssowatch knows is deleted under it."""
    shutil.rmtree(_state(scene), ignore_errors=True)
    yield


@contextlib.contextmanager
def state_torn(scene: Scene, chance: random.Random) -> Iterator[None]:
    """A power cut left every file of ours cut off."""
    for path in _state(scene).rglob("*.json*"):
        os.truncate(path, chance.randint(0, path.stat().st_size))
    yield


@contextlib.contextmanager
def token_torn(scene: Scene, chance: random.Random) -> Iterator[None]:
    """A program that truncates in place dies before it has written, and is run once more."""
    content = scene.token_file.read_bytes()
    os.truncate(scene.token_file, chance.randint(0, len(content) - 1))
    try:
        yield
    finally:
        scene.token_file.write_bytes(content)


_WHEN = (When.AT_REST, When.DUE)
FAULTS = (
    Fault("disk full", disk_full, root=True),
    Fault("disk read-only", read_only, root=True),
    Fault("files may not grow", partial(limited, limit=resource.RLIMIT_FSIZE, value=lambda _: 0)),
    Fault("no descriptor left", partial(limited, limit=resource.RLIMIT_NOFILE, value=_open)),
    Fault("one descriptor left", partial(limited, limit=resource.RLIMIT_NOFILE, value=_one_more)),
    Fault("no inotify instance left", no_inotify, _WHEN),
    Fault("cache directory removed", cache_removed, _WHEN, calls_work=False, damages_token=True),
    Fault("cache directory replaced", cache_replaced),
    Fault("cache directory a symlink", cache_symlinked),
    Fault("cache directory chmod 000", partial(closed, path=_cache), calls_work=False, root=True),
    Fault("cache directory foreign", partial(foreign, path=_cache), calls_work=False, root=True),
    Fault("token file chmod 000", partial(closed, path=_token), calls_work=False, damages_token=True, root=True),
    Fault("token file foreign", partial(foreign, path=_token), calls_work=False, damages_token=True, root=True),
    Fault("token file torn", token_torn, _WHEN, calls_work=False, damages_token=True),
    Fault("state directory removed", state_removed),
    Fault("state directory chmod 000", partial(closed, path=_state), root=True),
    Fault("state directory foreign", partial(foreign, path=_state), root=True),
    Fault("state files torn", state_torn),
)
