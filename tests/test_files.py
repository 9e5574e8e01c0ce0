"""Reading, replacing and locking, on a real file system with everything on it that is no plain file."""

import contextlib
import os
import resource
import shutil
import socket
import stat
import subprocess
import sys
import threading
import time

import pytest

from ssowatch import files

DEADLINE = 120.0
HOLDER = """
import sys
from ssowatch import files
with files.locked(sys.argv[1], 10):
    print("held", flush=True)
    sys.stdin.read()
"""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def within(act):
    """What `act` returns or raises; it must not hang."""
    came = []

    def run():
        try:
            came.append((act(), None))
        except Exception as error:  # noqa: BLE001 - handed on to the test
            came.append((None, error))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(DEADLINE)
    assert came, "it hangs"
    if came[0][1]:
        raise came[0][1]
    return came[0][0]


@contextlib.contextmanager
def limited(kind, soft):
    """A resource limit of this process, for the length of the block."""
    before = resource.getrlimit(kind)
    resource.setrlimit(kind, (soft, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(kind, before)


# Reading


def endless(path):
    path.symlink_to("/dev/zero")


def fifo(path):
    os.mkfifo(path)


def bound_socket(path):
    here = os.getcwd()  # noqa: PTH109 - a socket's path may have 108 bytes
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as own:
            own.bind(path.name)
    finally:
        os.chdir(here)


def dangling(path):
    path.symlink_to(path.parent / "nothing")


def loop(path):
    path.symlink_to(path.with_suffix(".back"))
    path.with_suffix(".back").symlink_to(path)


def linked(path):
    path.with_suffix(".target").write_bytes(b"content")
    path.symlink_to(path.with_suffix(".target").name)


def linked_twice(path):
    path.with_suffix(".target").write_bytes(b"content")
    path.with_suffix(".middle").symlink_to(path.with_suffix(".target"))
    path.symlink_to(path.with_suffix(".middle"))


def sparse(path):
    path.write_bytes(b"")
    os.truncate(path, 1 << 40)


def nothing(_):
    pass


def write(content):
    return lambda path: path.write_bytes(content)


@pytest.mark.parametrize(
    ("make", "content"),
    [
        pytest.param(nothing, None, id="missing"),
        pytest.param(dangling, None, id="dangling-symlink"),
        pytest.param(write(b""), b"", id="empty"),
        pytest.param(write(b"content"), b"content", id="plain"),
        pytest.param(write(b"\0" * 64), b"\0" * 64, id="exactly-the-limit"),
        pytest.param(linked, b"content", id="symlink"),
        pytest.param(linked_twice, b"content", id="symlink-to-a-symlink"),
    ],
)
def test_a_regular_file_is_read_and_a_missing_one_is_none(tmp_path, make, content):
    make(tmp_path / "file")
    assert files.read(str(tmp_path / "file"), 64) == content


@pytest.mark.parametrize("path", ["file/below", "file/below/deeper", "missing/below"])
def test_there_is_nothing_below_what_is_no_directory(tmp_path, path):
    (tmp_path / "file").write_bytes(b"")
    assert files.read(str(tmp_path / path)) is None


@pytest.mark.parametrize(
    ("make", "says"),
    [
        pytest.param(fifo, "is not a regular file", id="fifo"),
        pytest.param(bound_socket, "cannot be read: ", id="socket"),
        pytest.param(os.mkdir, "is not a regular file", id="directory"),
        pytest.param(endless, "is not a regular file", id="dev-zero"),
        pytest.param(loop, "is a loop of symbolic links", id="symlink-loop"),
        pytest.param(write(b"\0" * 65), "is larger than 64 bytes", id="one-byte-too-many"),
        pytest.param(
            sparse,
            "is larger than 64 bytes",
            id="sparse-terabyte",
        ),
    ],
)
def test_what_is_no_file_to_read_is_said_without_its_path(tmp_path, make, says):
    make(tmp_path / "file")
    with pytest.raises(files.NotReadableError, match=f"^{says}") as caught:
        within(lambda: files.read(str(tmp_path / "file"), 64))
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="/proc")
def test_a_file_larger_than_it_says_is_bounded_too():
    with pytest.raises(files.NotReadableError, match="is larger than 64 bytes"):
        files.read("/proc/self/maps", 64)


def test_a_name_too_long_for_the_file_system_is_said(tmp_path):
    with pytest.raises(files.NotReadableError, match="cannot be read: "):
        files.read(str(tmp_path / ("x" * 300)))


@pytest.mark.parametrize("make", [fifo, bound_socket, os.mkdir, endless, loop, write(b"\0" * 65), linked])
def test_reading_leaks_no_descriptor(tmp_path, make):
    make(tmp_path / "file")
    first = os.dup(0)
    os.close(first)
    for _ in range(3):
        with contextlib.suppress(files.NotReadableError):
            files.read(str(tmp_path / "file"), 64)
    second = os.dup(0)
    os.close(second)
    assert second <= first  # lower where something of another test was closed meanwhile


def rewrite(path):
    path.write_bytes(b"longer content")


def replace(path):
    files.replace(str(path), b"content")


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(rewrite, id="content"),
        pytest.param(replace, id="replaced-by-the-same"),
        pytest.param(lambda path: path.chmod(0o640), id="mode"),
        pytest.param(lambda path: os.utime(path, ns=(0, 1)), id="time"),
        pytest.param(lambda path: path.unlink(), id="removed"),
    ],
)
def test_the_signature_changes_whenever_the_file_does(tmp_path, change):
    path = tmp_path / "file"
    path.write_bytes(b"content")
    before = files.signature(str(path))
    assert before == files.signature(str(path)) is not None
    change(path)
    assert files.signature(str(path)) != before


# Replacing


def leftover(path):
    path.with_name(f".{path.name}.ssowatch.tmp").write_bytes(b"of a crash" * 1000)


def frozen_leftover(path):
    leftover(path)
    path.with_name(f".{path.name}.ssowatch.tmp").chmod(0o400)


def planted_link(path):
    path.with_name("foreign").write_bytes(b"foreign")
    path.with_name(f".{path.name}.ssowatch.tmp").symlink_to("foreign")


def shared(path):
    path.write_bytes(b"old")
    path.chmod(0o666)


def read_only(path):
    path.write_bytes(b"old")
    path.chmod(0o400)


@pytest.mark.parametrize(
    "make",
    [nothing, write(b"old"), write(b"old" * 1000), shared, read_only, leftover, frozen_leftover, planted_link],
)
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077, 0o777])
def test_a_replaced_file_is_whole_and_private_whatever_was_there(tmp_path, make, umask):
    path = tmp_path / "file"
    make(path)
    before = os.umask(umask)
    try:
        files.replace(str(path), b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o600
    assert sorted(item.name for item in tmp_path.iterdir() if item.name != "foreign") == ["file"]
    assert make is not planted_link or (tmp_path / "foreign").read_bytes() == b"foreign"


@pytest.mark.parametrize(
    ("make", "target"), [(linked, "file.target"), (linked_twice, "file.target"), (dangling, "nothing")]
)
def test_a_symlink_stays_and_its_target_is_replaced(tmp_path, make, target):
    path = tmp_path / "file"
    make(path)
    files.replace(str(path), b"new", follow=True)
    assert path.is_symlink()
    assert path.read_bytes() == (tmp_path / target).read_bytes() == b"new"
    assert mode(tmp_path / target) == 0o600


@pytest.mark.parametrize("make", [linked, linked_twice, dangling, loop])
def test_a_planted_symlink_leads_nowhere(tmp_path, make):
    path = tmp_path / "file"
    make(path)
    before = {item.name: item.read_bytes() for item in tmp_path.iterdir() if item.exists() and not item.is_symlink()}
    files.replace(str(path), b"new")
    assert not path.is_symlink()
    assert path.read_bytes() == b"new"
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert not (tmp_path / "nothing").exists()


def test_another_name_of_the_old_file_keeps_the_old_content(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    (tmp_path / "backup").hardlink_to(path)
    files.replace(str(path), b"new")
    assert (path.read_bytes(), (tmp_path / "backup").read_bytes()) == (b"new", b"old")


@pytest.mark.parametrize(
    ("path", "error"),
    [
        pytest.param("missing/file", FileNotFoundError, id="no-directory"),
        pytest.param("plain/file", NotADirectoryError, id="below-a-file"),
        pytest.param("directory", OSError, id="a-directory"),
    ],
)
def test_what_cannot_be_replaced_is_an_os_error(tmp_path, path, error):
    (tmp_path / "plain").write_bytes(b"")
    (tmp_path / "directory").mkdir()
    with pytest.raises(error):
        files.replace(str(tmp_path / path), b"new")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["directory", "plain"]


@pytest.mark.parametrize("room", [4097, 65536])
def test_room_that_is_not_there_is_said_before_it_is_needed(tmp_path, room):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with limited(resource.RLIMIT_FSIZE, 4096), pytest.raises(OSError, match="File too large"):
        files.Draft(str(path), room)  # the kernel takes the first 4096 bytes without a word
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"old")]


def test_content_that_does_not_fit_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with limited(resource.RLIMIT_FSIZE, 4096), pytest.raises(OSError, match="File too large"):
        files.replace(str(path), b"n" * 5000)
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"old")]


def test_room_is_given_to_the_content_and_the_rest_is_given_back(tmp_path):
    path = tmp_path / "file"
    draft = files.Draft(str(path), 65536)
    assert not path.exists()
    (held,) = tmp_path.iterdir()
    assert (held.stat().st_size, mode(held)) == (65536, 0o600)
    with limited(resource.RLIMIT_FSIZE, 4096):
        draft.publish(b"new")
    assert [(item.name, item.read_bytes()) for item in tmp_path.iterdir()] == [("file", b"new")]
    draft.drop()
    assert path.read_bytes() == b"new"


def test_a_dropped_draft_leaves_nothing_however_often_it_is_dropped(tmp_path):
    draft = files.Draft(str(tmp_path / "file"), 100)
    draft.drop()
    draft.drop()
    assert not list(tmp_path.iterdir())


def test_what_is_prepared_is_dropped_at_an_end_and_nothing_else(tmp_path):
    published, kept, prepared = (files.Draft(str(tmp_path / name), 100) for name in ("published", "kept", "prepared"))
    published.publish(b"new")
    kept.drop()
    (tmp_path / ".kept.ssowatch.tmp").write_bytes(b"another process's")
    files.drop_drafts()
    assert sorted(item.name for item in tmp_path.iterdir()) == [".kept.ssowatch.tmp", "published"]
    with pytest.raises(OSError, match="Bad file descriptor"):
        prepared.publish(b"too late")
    assert (tmp_path / "published").read_bytes() == b"new"


def test_a_draft_whose_directory_went_away_says_so(tmp_path):
    place = tmp_path / "place"
    place.mkdir()
    draft = files.Draft(str(place / "file"), 100)
    for item in place.iterdir():
        item.unlink()
    place.rmdir()
    with pytest.raises(FileNotFoundError):
        draft.publish(b"new")
    draft.drop()


@pytest.mark.parametrize("with_the_draft", [True, False], ids=["with a copy of the draft", "without it"])
def test_a_draft_whose_directory_was_replaced_is_published_in_the_new_one(tmp_path, with_the_draft):
    place = tmp_path / "place"
    place.mkdir()
    (place / "file").write_bytes(b"old")
    draft = files.Draft(str(place / "file"), 65536)
    shutil.copytree(place, tmp_path / "copy", ignore=None if with_the_draft else shutil.ignore_patterns("*.tmp"))
    place.rename(tmp_path / "elsewhere")
    (tmp_path / "copy").rename(place)
    draft.publish(b"new")
    assert [(item.name, item.read_bytes(), mode(item)) for item in place.iterdir()] == [("file", b"new", 0o600)]
    assert not any(b"new" in item.read_bytes() for item in (tmp_path / "elsewhere").iterdir()), "no secret stays there"


def test_a_reader_beside_a_writer_never_sees_a_torn_file(tmp_path):
    path = tmp_path / "file"
    files.replace(str(path), b"0" * 5000)
    writing = threading.Thread(
        target=lambda: [files.replace(str(path), b"%d" % (turn % 10) * (5000 + turn)) for turn in range(500)]
    )
    writing.start()
    looks, seen = 0, set()
    while writing.is_alive():
        content = files.read(str(path))
        assert len(content) >= 5000
        assert len(set(content)) == 1
        seen.add(len(content))
        looks += 1
    writing.join()
    assert files.read(str(path)) == b"9" * 5499
    assert len(seen) > 1, f"{looks} looks saw too little to tell"


# Directories


def test_a_private_directory_is_made_with_its_parents(tmp_path):
    before = os.umask(0o000)
    try:
        files.private_dir(str(tmp_path / "a/b/c"))
    finally:
        os.umask(before)
    assert [mode(tmp_path / place) for place in ("a", "a/b", "a/b/c")] == [0o700] * 3


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o777])
def test_a_private_directory_is_usable_whatever_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        files.private_dir(str(tmp_path / "own"))
    finally:
        os.umask(before)
    assert mode(tmp_path / "own") == 0o700


@pytest.mark.parametrize("was", [0o755, 0o777, 0o1777, 0o750, 0o500])
def test_a_private_directory_of_ours_is_closed_to_others_and_its_parent_is_not(tmp_path, was):
    (tmp_path / "parent/own").mkdir(parents=True)
    (tmp_path / "parent").chmod(0o755)
    (tmp_path / "parent/own").chmod(was)
    files.private_dir(str(tmp_path / "parent/own"))
    files.private_dir(str(tmp_path / "parent/own"))
    assert mode(tmp_path / "parent/own") == 0o700
    assert mode(tmp_path / "parent") == 0o755


def link_to_a_directory(path):
    path.symlink_to(path.parent)


@pytest.mark.parametrize(
    ("make", "below"),
    [
        *((make, below) for make in (write(b""), linked, dangling, loop) for below in ("", "/deeper")),
        (link_to_a_directory, ""),
    ],
)
def test_what_stands_in_its_place_is_neither_used_nor_removed(tmp_path, make, below):
    make(tmp_path / "own")
    before = os.lstat(tmp_path / "own")
    with pytest.raises(NotADirectoryError):
        files.private_dir(str(tmp_path / "own") + below)
    assert os.lstat(tmp_path / "own")[:7] == before[:7]


def test_a_parent_may_be_a_link_because_people_move_their_dot_directories(tmp_path):
    link_to_a_directory(tmp_path / "moved")
    files.private_dir(str(tmp_path / "moved/own"))
    assert mode(tmp_path / "own") == 0o700


def test_a_relative_place_is_made_here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files.private_dir("a/b")
    assert mode(tmp_path / "a/b") == 0o700


def test_a_directory_made_by_many_at_once_is_made(tmp_path):
    start, faults = threading.Barrier(8), []

    def make():
        start.wait(DEADLINE)
        try:
            files.private_dir(str(tmp_path / "a/b/c"))
        except OSError as error:
            faults.append(error)

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert mode(tmp_path / "a/b/c") == 0o700


# Locks


@contextlib.contextmanager
def held_elsewhere(path):
    """The lock at `path` in another process."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "held\n"
            yield holder
        finally:
            holder.kill()


def test_a_lock_excludes_other_processes_and_is_free_after_kill_9(tmp_path):
    path = str(tmp_path / "locks/one")
    with held_elsewhere(path) as holder:
        with pytest.raises(files.BusyError, match=r"^\d+$"), files.locked(path, 0):
            pass
        with files.locked(str(tmp_path / "locks/other"), 0):
            pass  # it is one lock, not all of them
        holder.kill()
        with files.locked(path, DEADLINE):
            assert mode(tmp_path / "locks/one") == 0o600
            assert mode(tmp_path / "locks") == 0o700


def test_a_lock_is_waited_for_and_taken_when_it_is_given_back(tmp_path):
    path = str(tmp_path / "one")
    with held_elsewhere(path) as holder:
        given_back = threading.Timer(0.05, holder.stdin.close)
        given_back.start()
        with files.locked(path, DEADLINE):
            given_back.join()


def test_waiting_ends_in_time(tmp_path):
    path = str(tmp_path / "one")
    with files.locked(path, 0):
        began = time.monotonic()
        with pytest.raises(files.BusyError), files.locked(path, 0.1):
            pass
        assert 0.1 <= time.monotonic() - began < DEADLINE


def test_a_lock_excludes_the_threads_of_one_process(tmp_path):
    path, inside, most, turns = str(tmp_path / "one"), [], [], []

    def take():
        for _ in range(5):
            with files.locked(path, DEADLINE):
                inside.append(1)
                most.append(len(inside))
                turns.append(1)
                inside.pop()

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (max(most), len(turns)) == (1, 20)


class StopError(Exception):
    pass


def test_a_lock_is_given_back_when_its_holder_fails(tmp_path):
    with pytest.raises(StopError), files.locked(str(tmp_path / "one"), 0):
        raise StopError
    with files.locked(str(tmp_path / "one"), 0):
        pass


def test_a_lock_is_not_inherited_by_children(tmp_path):
    path = str(tmp_path / "one")
    with files.locked(path, 0):
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, close_fds=False)
    try:
        with files.locked(path, 0):
            pass
    finally:
        child.stdin.close()
        child.wait()


@pytest.mark.parametrize("make", [os.mkdir, bound_socket, loop])
def test_a_lock_that_cannot_be_made_is_an_os_error(tmp_path, make):
    make(tmp_path / "one")
    with pytest.raises(OSError), files.locked(str(tmp_path / "one"), 0):
        pass
