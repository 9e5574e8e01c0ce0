"""Real directories, real writers in other processes; every wait has a deadline and none is a sleep."""

import asyncio
import errno
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

import pytest
import watchdog.observers.polling
from watchdog.events import FileClosedEvent

from ssowatch import watch
from ssowatch.watch import Folders, is_remote

DEADLINE = 120.0
linux = pytest.mark.skipif(sys.platform != "linux", reason="inotify and /proc")

MOUNTS = r"""22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
23 22 0:21 / /home/nfs rw shared:2 master:1 - nfs4 server:/home rw,vers=4.2
24 23 8:2 / /home/nfs/local rw - xfs /dev/sdb1 rw
25 22 0:22 / /mnt/c rw - 9p C:\134 rw,aname=drvfs
26 22 0:23 / /home/my\040files rw - cifs //server/my\040files rw
27 22 0:24 / /sshfs rw - fuse.sshfs host: rw
28 22 0:25 / /run/user/1000/doc rw - fuse.portal portal rw
29 22 0:26 / /over rw - ext4 /dev/sdc1 rw
30 22 0:27 / /over rw - virtiofs share rw
31 22 0:28 / /shared rw - vboxsf shared rw
32 22 0:29 / /ntfs rw - fuseblk /dev/sdd1 rw
33 22 0:30 / /auto rw - autofs systemd-1 rw
garbage
34 22 0:31 / /half
35 22 0:32 / /half2 rw -"""


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("/home/me/.aws", False),
        ("/", False),
        ("/home/nfs", True),
        ("/home/nfs/me/.aws/sso/cache", True),
        ("/home/nfs/local/me", False),
        ("/home/nfs-is-only-a-prefix", False),
        ("/mnt/c/Users/me/.aws", True),
        ("/home/my files/.aws", True),
        ("/sshfs/me", True),
        ("/run/user/1000/doc/x", False),
        ("/over/me", True),
        ("/shared/me", True),
        ("/ntfs/me", False),
        ("/auto/me", False),
        ("/half", False),
    ],
)
def test_deepest_mount_decides_whether_inotify_can_be_trusted(path, remote):
    assert is_remote(path, MOUNTS) is remote


@pytest.mark.parametrize("text", ["", "\n", " - ", "x - nfs y", "a b c d e f - "])
def test_unknown_mounts_are_local(text):
    assert not is_remote("/home/me", text)


class World:
    """Folders over some directories, and what the callback saw of them each time."""

    def __init__(self, *paths: Path, poll: float = 0.05) -> None:
        self.paths = [str(path) for path in paths]
        self.ticks = 0
        self.look = lambda: None
        self.seen = []
        self._news = asyncio.Event()
        self.folders = Folders(self._changed, asyncio.get_running_loop(), poll)
        self.folders.sync(self.paths)

    def _changed(self) -> None:
        self.ticks += 1
        self.folders.sync(self.paths)
        self.seen.append(self.look())
        self._news.set()

    def heartbeat(self) -> None:
        self.folders.sync(self.paths)

    async def until_seen(self, wanted) -> None:
        async with asyncio.timeout(DEADLINE):
            while wanted not in self.seen:
                self._news.clear()
                await self._news.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.folders.close()


def elsewhere(program: str, *args: object) -> None:
    """Run a writer in another process."""
    subprocess.run([sys.executable, "-IS", "-c", "import os, sys\n" + program, *map(str, args)], check=True, timeout=60)


def text(path: Path) -> str | None:
    try:
        return path.read_text()
    except OSError:
        return None


REPLACE = "open(sys.argv[1] + '.tmp', 'w').write('new'); os.replace(sys.argv[1] + '.tmp', sys.argv[1])"
REWRITE = "open(sys.argv[1], 'w').write('new')"
REWRITE_SAME_SIZE = "f = open(sys.argv[1], 'r+'); f.write('new'); f.truncate(); f.close()"
MOVE_IN = (
    "p = sys.argv[1]; q = os.path.dirname(p) + '-outside'; os.mkdir(q)\n"
    "open(q + '/x', 'w').write('new'); os.replace(q + '/x', p)"
)
LINK = "p = sys.argv[1]; os.unlink(p); open(p + '.tmp', 'w').write('new'); os.link(p + '.tmp', p)"
DELETE = "os.unlink(sys.argv[1])"
MOVE_OUT = "p = sys.argv[1]; os.rename(p, os.path.dirname(p) + '-outside')"
REMOVE_ALL = "p = sys.argv[1]; os.unlink(p); os.rmdir(os.path.dirname(p))"

ACTS = {
    "replaced": (REPLACE, "new"),
    "rewritten in place": (REWRITE, "new"),
    "rewritten, same size": (REWRITE_SAME_SIZE, "new"),
    "moved in": (MOVE_IN, "new"),
    "linked": (LINK, "new"),
    "deleted": (DELETE, None),
    "moved out": (MOVE_OUT, None),
    "directory removed": (REMOVE_ALL, None),
}


@pytest.mark.parametrize("remote", [False, True], ids=["inotify", "polling"])
@pytest.mark.parametrize("act", ACTS)
def test_each_way_to_change_a_file_is_heard(tmp_path, monkeypatch, act, remote):
    program, result = ACTS[act]
    if remote:
        monkeypatch.setattr(watch, "_mountinfo", lambda: "1 1 0:1 / / rw - nfs4 server:/ rw")
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "a.json").write_text("old")

    async def story():
        async with World(cache) as world:
            assert set(world.folders._observers) == {remote}
            world.look = lambda: text(cache / "a.json")
            elsewhere(program, cache / "a.json")
            await world.until_seen(result)

    asyncio.run(story())


def test_a_new_file_is_heard(tmp_path):
    async def story():
        async with World(tmp_path) as world:
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REWRITE, tmp_path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_directory_removed_and_made_anew_is_heard_again(tmp_path):
    cache = tmp_path / "sso" / "cache"
    cache.mkdir(parents=True)

    async def story():
        async with World(cache) as world:
            world.look = cache.is_dir
            for _ in range(3):
                shutil.rmtree(cache)
                await world.until_seen(wanted=False)  # from here on it is awaited in its parent
                world.seen.clear()
                elsewhere("os.mkdir(sys.argv[1])", cache)
                await world.until_seen(wanted=True)
                world.look = lambda: text(cache / "a.json")
                elsewhere(REPLACE, cache / "a.json")
                await world.until_seen("new")
                world.look = cache.is_dir
                world.seen.clear()

    asyncio.run(story())


def test_directory_made_anew_before_we_look_is_heard_again_although_its_inode_number_is_the_same(tmp_path):
    cache = tmp_path / "cache"
    cache.mkdir()

    async def story():
        async with World(cache) as world:
            for turn in range(5):
                (old,) = world.folders._watches.values()
                world.look = lambda old=old: old not in world.folders._watches.values()
                shutil.rmtree(cache)
                cache.mkdir()  # the loop has not run in between
                await world.until_seen(wanted=True)
                world.seen.clear()
                world.look = lambda turn=turn: text(cache / f"{turn}.json")
                elsewhere(REPLACE, cache / f"{turn}.json")
                await world.until_seen("new")
                world.seen.clear()

    asyncio.run(story())


def until(true, deadline: float = DEADLINE) -> None:
    """Wait for something in another thread that tells nobody."""
    for _ in range(int(deadline / 0.005)):
        if true():
            return
        threading.Event().wait(0.005)
    raise AssertionError("not within the deadline")


def test_directory_renamed_away_and_made_anew_is_heard_and_the_old_one_is_not(tmp_path):
    cache, old = tmp_path / "cache", tmp_path / "old"
    cache.mkdir()

    async def story():
        async with World(cache) as world:
            cache.rename(old)
            cache.mkdir()
            world.heartbeat()
            assert list(world.folders._watches) == [inode(cache)]
            world.look = lambda: (text(cache / "a.json"), world.ticks)
            elsewhere(REPLACE, old / "a.json")
            elsewhere(REPLACE, cache / "a.json")
            await world.until_seen(("new", 1))

    asyncio.run(story())


def inode(path: Path) -> tuple[int, int]:
    return path.stat().st_dev, path.stat().st_ino


def test_symlinked_directory_is_heard_also_after_it_points_elsewhere(tmp_path):
    first, second, link = tmp_path / "first", tmp_path / "second", tmp_path / "link"
    first.mkdir()
    second.mkdir()
    link.symlink_to(first)

    async def story():
        async with World(link) as world:
            world.look = lambda: text(link / "a.json")
            elsewhere(REPLACE, first / "a.json")
            await world.until_seen("new")
            world.seen.clear()
            (tmp_path / "l").symlink_to(second)
            (tmp_path / "l").replace(link)
            world.heartbeat()
            assert list(world.folders._watches) == [inode(second)]
            elsewhere(REPLACE, second / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_missing_directory_is_awaited_in_its_parent_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    config = tmp_path / ".config"
    config.mkdir()

    async def story():
        async with World(config / "ssowatch") as world:
            world.look = lambda: sorted(path.name for path in config.iterdir())
            (config / "of-another-program").mkdir()
            elsewhere(REPLACE, config / "another")
            (config / "ssowatch").mkdir()
            await world.until_seen(["another", "of-another-program", "ssowatch"])
            assert world.ticks == 1  # the others' own did not wake it
            assert list(world.folders._watches) == [inode(config / "ssowatch")]
            world.look = lambda: text(config / "ssowatch" / "config.yaml")
            elsewhere(REWRITE, config / "ssowatch" / "config.yaml")
            await world.until_seen("new")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("paths", "heard"),
    [
        (["there"], True),
        (["there/missing"], True),
        (["there/missing/below"], True),
        (["there", "there/missing/below"], True),
        (["missing"], False),
        (["missing/below"], False),
        (["there", "missing"], False),
        ([], True),
    ],
)
def test_it_says_whether_all_is_heard(tmp_path, monkeypatch, paths, heard):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "there").mkdir()

    async def story():
        async with World(*(tmp_path / path for path in paths)) as world:
            assert world.folders.hears_all is heard
            for path in paths:
                (tmp_path / path).mkdir(parents=True, exist_ok=True)
            world.heartbeat()
            assert world.folders.hears_all

    asyncio.run(story())


def test_it_does_not_hear_what_it_cannot_watch(tmp_path, monkeypatch):
    monkeypatch.setattr(watch.Folders, "_watch", lambda *_: None)

    async def story():
        async with World(tmp_path) as world:
            assert not world.folders.hears_all

    asyncio.run(story())


@pytest.mark.parametrize("missing", [".aws", "../other/.aws", "a/b"])
def test_home_and_above_are_never_watched_but_the_heartbeat_finds_what_is_made_there(tmp_path, monkeypatch, missing):
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "other").symlink_to(home)
    monkeypatch.setenv("HOME", str(home))
    path = Path(os.path.normpath(home / missing))
    if missing.startswith(".."):
        path = tmp_path / "aws"  # beside the home: its parent is above the home

    async def story():
        async with World(path) as world:
            assert not world.folders._watches
            assert not world.folders._observers  # no thread either
            path.mkdir(parents=True)
            world.heartbeat()
            world.look = lambda: text(path / "a.json")
            elsewhere(REPLACE, path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_whole_chain_of_directories_made_at_once_is_heard(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    aws = tmp_path / ".aws"
    aws.mkdir()
    cache = aws / "sso" / "cache"

    async def story():
        async with World(aws, cache) as world:
            world.look = lambda: text(cache / "a.json")
            elsewhere("os.makedirs(os.path.dirname(sys.argv[1]))\n" + REWRITE, cache / "a.json")
            await world.until_seen("new")
            assert set(world.folders._watches) == {inode(aws), inode(cache)}

    asyncio.run(story())


def test_file_where_a_directory_should_be(tmp_path):
    path = tmp_path / "cache"
    path.write_text("a file")

    async def story():
        async with World(path) as world:
            world.look = path.is_dir
            path.unlink()
            path.mkdir()
            await world.until_seen(wanted=True)
            world.look = lambda: text(path / "a.json")
            elsewhere(REPLACE, path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_one_directory_under_two_names_and_as_a_parent_is_watched_once(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path)

    async def story():
        async with World(tmp_path, tmp_path / "link", tmp_path / "missing") as world:
            assert list(world.folders._watches) == [inode(tmp_path)]
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REWRITE, tmp_path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_parent_becomes_a_directory_of_its_own_and_back(tmp_path):
    async def story():
        async with World(tmp_path / "missing") as world:
            world.look = lambda: text(tmp_path / "a.json")
            world.paths.append(str(tmp_path))
            world.heartbeat()
            elsewhere(REWRITE, tmp_path / "a.json")
            await world.until_seen("new")
            world.paths.pop()
            world.heartbeat()
            (before,) = world.folders._watches.values()
            assert before.ear.names == {"missing"}
            world.paths.append(str(tmp_path / "second"))
            world.heartbeat()
            (after,) = world.folders._watches.values()
            assert after is before
            assert after.ear.names == {"missing", "second"}

    asyncio.run(story())


def test_paths_given_no_longer_are_forgotten(tmp_path):
    async def story():
        async with World(tmp_path) as world:
            world.folders.sync([])
            assert not world.folders._watches

    asyncio.run(story())


@linux
def test_a_thousand_reads_wake_nobody(tmp_path):
    (tmp_path / "a.json").write_text("old")

    async def story():
        before = set(threading.enumerate())
        async with World(tmp_path) as world:
            threads = [thread.native_id for thread in set(threading.enumerate()) - before]
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REWRITE, tmp_path / "a.json")
            await world.until_seen("new")  # so they all run by now, however busy the machine is
            start = settled(threads)
            for _ in range(1000):
                (tmp_path / "a.json").read_text()
                list(tmp_path.iterdir())
            assert settled(threads) < start + 5, "one a read would be two thousand"
            ticks = world.ticks
            world.look = lambda: (text(tmp_path / "a.json"), world.ticks)
            elsewhere(REPLACE.replace("new", "newer"), tmp_path / "a.json")
            await world.until_seen(("newer", ticks + 1))

    asyncio.run(story())


def settled(threads: list[int]) -> int:
    """`switches`, once it has not moved for a quarter of a second."""
    last, still = -1, 0

    def quiet() -> bool:
        nonlocal last, still
        now = switches(threads)
        last, still = now, still + 1 if now == last else 0
        return still == 50

    until(quiet)
    return last


def switches(threads: list[int]) -> int:
    """How often these threads have gone to sleep."""
    total = 0
    for thread in threads:
        status = Path(f"/proc/self/task/{thread}/status").read_text()
        total += int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])
    return total


def test_burst_of_rewrites_makes_few_ticks_and_the_last_one_is_seen(tmp_path):
    (tmp_path / "a.json").write_text("old")
    program = "for i in range(200):\n open(sys.argv[1] + '.tmp', 'w').write(str(i)); os.replace(sys.argv[1] + '.tmp', sys.argv[1])"

    async def story():
        loop = asyncio.get_running_loop()
        async with World(tmp_path) as world:
            world.look = lambda: text(tmp_path / "a.json")
            start = loop.time()
            await asyncio.to_thread(elsewhere, program, tmp_path / "a.json")
            await world.until_seen("199")
            assert world.ticks <= 2 + (loop.time() - start) / 0.05

    asyncio.run(story())


def test_temporary_files_wake_nobody(tmp_path):
    program = "for i in range(20):\n open(sys.argv[1] + str(i) + '.tmp', 'w').write('x'); os.unlink(sys.argv[1] + str(i) + '.tmp')\n"

    async def story():
        async with World(tmp_path) as world:
            world.look = lambda: (text(tmp_path / "a.json"), world.ticks)
            elsewhere(program + REPLACE, tmp_path / "a.json")
            await world.until_seen(("new", 1))

    asyncio.run(story())


UNREADABLE = """
import asyncio, os, sys, tempfile
sys.path[:0] = sys.argv[1:]
from ssowatch.watch import Folders
import encodings.idna, watchdog.observers.inotify
async def story():
    if os.getuid() == 0:
        os.setresgid(65534, 65534, 65534)
        os.setresuid(65534, 65534, 65534)
    path = tempfile.mkdtemp()
    os.environ['HOME'] = os.path.dirname(path)
    os.chmod(path, 0)
    heard = asyncio.Event()
    folders = Folders(heard.set, asyncio.get_running_loop())
    folders.sync([path])
    assert not folders._watches, folders._watches
    os.chmod(path, 0o700)
    folders.sync([path])
    open(path + '/a.json', 'w').close()
    await asyncio.wait_for(heard.wait(), 60)
    folders.close()
    os.unlink(path + '/a.json')
    os.rmdir(path)
asyncio.run(story())
print('good')
"""

LIMITS = """
import asyncio, os, sys, tempfile
sys.path[:0] = sys.argv[1:]
from ssowatch.watch import Folders
from watchdog.observers.polling import PollingObserver
async def story():
    with open(f'/proc/sys/user/{LIMIT}', 'w') as file:
        file.write(VALUE)
    with tempfile.TemporaryDirectory() as path:
        paths = [f'{path}/{n}' for n in range(3)]
        for p in paths:
            os.mkdir(p)
        heard = asyncio.Event()
        folders = Folders(heard.set, asyncio.get_running_loop(), 0.05)
        folders.sync(paths)
        assert len(folders._watches) == 3
        polled = [w for w in folders._watches.values() if isinstance(w.observer, PollingObserver)]
        assert len(polled) == POLLED, polled
        open(paths[2] + '/a.json', 'w').close()
        await asyncio.wait_for(heard.wait(), 60)
        folders.close()
asyncio.run(story())
print('good')
"""


def own_process(program: str, *prefix: str) -> subprocess.CompletedProcess[str]:
    """Run a program that imports ssowatch, in a process of its own."""
    places = [place for place in sys.path if place] + [str(Path(__file__).parent.parent)]
    command = [*prefix, sys.executable, "-c", program, *places]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_unreadable_directory_is_left_to_the_heartbeat():
    done = own_process(UNREADABLE)
    assert done.stdout == "good\n", done.stderr


@linux
@pytest.mark.parametrize(
    ("limit", "value", "polled"),
    [("max_inotify_instances", "0", 3), ("max_inotify_watches", "2", 1)],
    ids=["EMFILE", "ENOSPC"],
)
def test_real_limits_of_inotify_lead_to_polling(limit, value, polled):
    namespace = ("unshare", "--user", "--map-root-user")
    if not shutil.which("unshare") or subprocess.run([*namespace, "true"], check=False, capture_output=True).returncode:
        pytest.skip("user namespaces are not allowed here; the next test fakes the limit")
    head = f"LIMIT, VALUE, POLLED = {limit!r}, {value!r}, {polled}\n"
    done = own_process(head + LIMITS, *namespace)
    assert done.stdout == "good\n", done.stderr


@pytest.mark.parametrize("code", [errno.EMFILE, errno.ENOSPC])
def test_refused_observer_leads_to_polling(tmp_path, monkeypatch, code):
    def refuse(**_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(watch, "Observer", refuse)

    async def story():
        async with World(tmp_path) as world:
            assert set(world.folders._observers) == {True}
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REPLACE, tmp_path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_no_observer_at_all_is_left_to_the_heartbeat(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise RuntimeError("can't start new thread")

    before = threading.active_count()

    async def story():
        with monkeypatch.context() as patch:
            patch.setattr(watchdog.observers.api.BaseObserver, "start", refuse)
            world = World(tmp_path)
            assert not world.folders._watches
            assert threading.active_count() == before  # what had begun is ended
        async with world:
            world.heartbeat()
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REPLACE, tmp_path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_dead_observer_is_rebuilt(tmp_path):
    async def story():
        async with World(tmp_path) as world:
            (dead,) = world.folders._observers.values()
            dead.stop()
            dead.join(DEADLINE)
            world.heartbeat()
            assert world.folders._observers[False] is not dead
            world.look = lambda: text(tmp_path / "a.json")
            elsewhere(REPLACE, tmp_path / "a.json")
            await world.until_seen("new")

    asyncio.run(story())


def test_sync_costs_one_stat_per_directory_while_nothing_changed(tmp_path, monkeypatch):
    directories = [tmp_path / name for name in "abc"]
    for directory in directories:
        directory.mkdir()
    stats = []
    real = os.stat

    async def story():
        async with World(*directories) as world:
            with monkeypatch.context() as patch:
                patch.setattr(os, "stat", lambda path: stats.append(path) or real(path))
                patch.setattr(os.path, "realpath", None)
                patch.setattr(os, "access", None)
                world.heartbeat()

    asyncio.run(story())
    assert stats == [str(directory) for directory in directories]


def test_close_ends_every_thread_and_silences_everything(tmp_path):
    before = set(threading.enumerate())

    async def story():
        world = World(tmp_path)
        assert set(threading.enumerate()) > before
        (seen,) = world.folders._watches.values()
        seen.ear.dispatch(FileClosedEvent(str(tmp_path / "a.json")))  # on its way when close() comes
        world.folders.close()
        world.folders.close()
        world.heartbeat()
        assert set(threading.enumerate()) <= before
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert world.ticks == 0

    asyncio.run(story())


def test_loop_closed_meanwhile_does_not_kill_the_thread(tmp_path):
    async def begin():
        return World(tmp_path)

    world = asyncio.run(begin())
    (observer,) = world.folders._observers.values()
    elsewhere(REPLACE, tmp_path / "a.json")
    until(lambda: world.folders._poked)
    observer.event_queue.join()
    assert observer.is_alive()
    world.folders.close()


def test_tick_that_fails_is_reported_by_the_loop_and_the_next_one_comes(tmp_path):
    async def story():
        failures, failed = [], asyncio.Event()

        def report(_: object, context: dict) -> None:
            failures.append(context["exception"])
            failed.set()

        asyncio.get_running_loop().set_exception_handler(report)
        async with World(tmp_path) as world:
            world.look = lambda: 1 / 0
            elsewhere(REPLACE, tmp_path / "a.json")
            await asyncio.wait_for(failed.wait(), DEADLINE)
            world.look = lambda: text(tmp_path / "b.json")
            elsewhere(REPLACE, tmp_path / "b.json")
            await world.until_seen("new")
        assert {type(failure) for failure in failures} == {ZeroDivisionError}

    asyncio.run(story())
