"""The token files where they lie: what may stand at their path instead, and what is seen while they are written."""

import json
import os
import resource
import socket
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from ssowatch import cache, files, paths, tokenfile
from ssowatch.cache import TokenCache, TokenFileUnreadableError
from ssowatch.model import TokenFile

NAME = "corp"
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def content(access="aoa", hours=1):
    return json.dumps(
        {
            "startUrl": "https://d-1234567890.awsapps.com/start",
            "region": "us-east-1",
            "accessToken": access,
            "expiresAt": tokenfile.stamp(NOW + timedelta(hours=hours)),
            "clientId": "client",
            "clientSecret": "secret",
            "refreshToken": f"aor-of-{access}",
        }
    ).encode()


def token(access="aoa", hours=1):
    return tokenfile.parse(content(access, hours)).token


@pytest.fixture
def path(home):
    """Where the token file goes; its directory exists."""
    place = home / ".aws/sso/cache"
    place.mkdir(parents=True)
    return place / f"{paths.key(NAME)}.json"


# What may stand there


def plain(path):
    path.write_bytes(content())


def linked(path):
    path.with_name("elsewhere").write_bytes(content())
    path.symlink_to("elsewhere")


def linked_twice(path):
    linked(path.with_name("middle"))
    path.symlink_to("middle")


def dangling(path):
    path.symlink_to("nothing")


def loop(path):
    path.symlink_to(path.name)


def endless(path):
    path.symlink_to("/dev/zero")


def fifo(path):
    os.mkfifo(path)


def directory(path):
    path.mkdir()


def bound_socket(path):
    here = os.getcwd()  # noqa: PTH109 - a socket's path may have 108 bytes
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as own:
            own.bind(path.name)
    finally:
        os.chdir(here)


def large(path):
    path.write_bytes(content() + b" " * cache.LARGEST)


def zeros(path):
    path.write_bytes(bytes(512))


def half(path):
    path.write_bytes(content()[:100])


def emptied(path):
    path.write_bytes(b"")


def foreign(path):
    path.write_bytes(b'{"clientId": "c", "clientSecret": "s", "expiresAt": "2026-01-05T09:00:00Z"}')


def missing(_):
    pass


def no_directory(path):
    path.parent.rmdir()


def file_for_directory(path):
    path.parent.rmdir()
    path.parent.write_bytes(content())


def file_for_dot_aws(path):
    path.parent.rmdir()
    path.parent.parent.rmdir()
    path.parent.parent.parent.rmdir()
    path.parent.parent.parent.write_bytes(b"")


def directory_loop(path):
    path.parent.rmdir()
    path.parent.symlink_to(path.parent.name)


TOKENS = [plain, linked, linked_twice]
ABSENT = [missing, dangling, no_directory, file_for_directory, file_for_dot_aws]
FAULTS = [
    pytest.param(fifo, "is not a regular file", id="fifo"),
    pytest.param(directory, "is not a regular file", id="directory"),
    pytest.param(endless, "is not a regular file", id="dev-zero"),
    pytest.param(bound_socket, "cannot be read: ", id="socket"),
    pytest.param(loop, "is a loop of symbolic links", id="symlink-loop"),
    pytest.param(directory_loop, "is a loop of symbolic links", id="directory-loop"),
    pytest.param(large, "is larger than 262144 bytes", id="large"),
    pytest.param(zeros, "is not complete JSON", id="zeros"),
    pytest.param(half, "is not complete JSON", id="half"),
    pytest.param(emptied, "is empty", id="empty"),
    pytest.param(foreign, "holds no accessToken", id="registration"),
]


@pytest.mark.parametrize("make", TOKENS)
def test_a_token_file_is_read(path, make):
    make(path)
    assert cache.load(NAME).token == token()
    assert TokenCache().look(NAME, NOW) == TokenFile(token())


@pytest.mark.parametrize("make", ABSENT)
def test_no_file_is_no_token_and_no_fault(path, make):
    make(path)
    assert cache.load(NAME) is None
    assert cache.load_patiently(NAME) is None
    assert TokenCache().look(NAME, NOW) == TokenFile()


@pytest.mark.parametrize(("make", "says"), FAULTS)
def test_what_is_no_token_file_is_a_fault_said_without_its_path(path, make, says):
    make(path)
    with pytest.raises(TokenFileUnreadableError, match=f"^{says}") as caught:
        cache.load(NAME)
    assert str(path.parent) not in str(caught.value)
    looks = TokenCache()
    for later in (0, 1, 60):
        seen = looks.look(NAME, NOW + later * SECOND)
        assert (seen.token, seen.fault, seen.fault_since) == (None, str(caught.value), NOW)


@pytest.mark.parametrize(("make", "says"), FAULTS)
def test_a_fault_keeps_the_last_good_token_and_heals(path, make, says):
    plain(path)
    looks = TokenCache()
    assert looks.look(NAME, NOW) == TokenFile(token())
    path.unlink()
    make(path)
    seen = looks.look(NAME, NOW + SECOND)
    assert (seen.token, seen.fault_since) == (token(), NOW + SECOND)
    assert seen.fault.startswith(says)
    if path.parent.is_symlink():
        path.parent.unlink()
        path.parent.mkdir()
    if path.is_dir():
        path.rmdir()
    else:
        path.unlink(missing_ok=True)
    path.write_bytes(content("next"))
    assert looks.look(NAME, NOW + 2 * SECOND) == TokenFile(token("next"))


def test_fault_since_is_when_the_first_of_several_torn_states_was_seen(path):
    plain(path)
    looks = TokenCache()
    looks.look(NAME, NOW)
    whole = content("next")
    for later, torn in enumerate([b"", whole[:1], whole[:80], b"\0" * 80, whole[:-1]], start=1):
        path.write_bytes(torn)
        seen = looks.look(NAME, NOW + later * SECOND)
        assert (seen.token, seen.fault_since) == (token(), NOW + SECOND)
        assert seen.fault in {"is empty", "is not complete JSON"}
    path.write_bytes(whole)
    assert looks.look(NAME, NOW + 9 * SECOND) == TokenFile(token("next"))
    path.write_bytes(b"")
    assert looks.look(NAME, NOW + 10 * SECOND).fault_since == NOW + 10 * SECOND


def test_a_file_that_went_away_is_no_fault_and_takes_the_last_token_along(path):
    plain(path)
    looks = TokenCache()
    looks.look(NAME, NOW)
    emptied(path)
    looks.look(NAME, NOW + SECOND)
    path.unlink()
    assert looks.look(NAME, NOW + 2 * SECOND) == TokenFile()
    emptied(path)
    seen = looks.look(NAME, NOW + 3 * SECOND)
    assert (seen.token, seen.fault_since) == (None, NOW + 3 * SECOND)


# Looking cheaply


def in_place(path, new):
    path.write_bytes(new)


def by_rename(path, new):
    files.replace(str(path), new)


def same_time(path, new):
    info = path.stat()
    files.replace(str(path), new)
    os.utime(path, ns=(info.st_atime_ns, info.st_mtime_ns))


def behind_a_link(path, new):
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")
    path.write_bytes(new)


@pytest.mark.parametrize("change", [in_place, by_rename, same_time, behind_a_link])
def test_a_file_is_parsed_again_only_when_it_changed(path, change):
    plain(path)
    looks = TokenCache()
    first = looks.look(NAME, NOW)
    assert looks.look(NAME, NOW + SECOND) is first
    assert looks.look(NAME, NOW + 2 * SECOND) is first
    change(path, content("new", 2))
    second = looks.look(NAME, NOW + 3 * SECOND)
    assert second == TokenFile(token("new", 2))
    assert looks.look(NAME, NOW + 4 * SECOND) is second


def test_an_unchanged_file_is_not_even_opened(path):
    plain(path)
    looks = TokenCache()
    first = looks.look(NAME, NOW)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))  # nothing can be opened now
    try:
        assert looks.look(NAME, NOW + SECOND) is first
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_fault_of_the_moment_is_looked_at_again_though_the_file_is_the_same(path):
    plain(path)
    looks = TokenCache()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))
    try:
        seen = looks.look(NAME, NOW)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert (seen.token, seen.fault, seen.fault_since) == (None, "cannot be read: Too many open files", NOW)
    assert looks.look(NAME, NOW + SECOND) == TokenFile(token())


def test_names_that_are_configured_no_longer_are_forgotten(path):
    plain(path)
    looks = TokenCache()
    first = looks.look(NAME, NOW)
    looks.keep_only({NAME, "other"})
    assert looks.look(NAME, NOW) is first
    looks.keep_only({"other"})
    again = looks.look(NAME, NOW)
    assert again == first
    assert again is not first


def test_each_name_has_its_own_file(path):
    other = "https://d-1234567890.awsapps.com/start"
    plain(path)
    path.with_name(f"{paths.key(other)}.json").write_bytes(content("legacy"))
    looks = TokenCache()
    assert looks.look(NAME, NOW).token == token()
    assert looks.look(other, NOW).token == token("legacy")
    assert looks.look("third", NOW) == TokenFile()


def test_a_look_changes_nothing(path):
    plain(path)
    path.chmod(0o644)
    before = path.stat()
    TokenCache().look(NAME, NOW)
    cache.load_patiently(NAME)
    after = path.stat()
    assert (after.st_mtime_ns, after.st_ctime_ns, after.st_ino) == (
        before.st_mtime_ns,
        before.st_ctime_ns,
        before.st_ino,
    )
    assert [item.name for item in path.parent.iterdir()] == [path.name]


# While it is written


class Pauses:
    """The pauses that were made, none of them waited; `during[n]` is done in the n-th."""

    def __init__(self):
        self.made = []
        self.during = {}

    def __call__(self, seconds):
        self.made.append(seconds)
        self.during.get(len(self.made), lambda: None)()


@pytest.fixture
def pauses(monkeypatch):
    own = Pauses()
    monkeypatch.setattr(cache.time, "sleep", own)
    return own


def test_a_good_or_missing_file_is_not_waited_for(path, pauses):
    assert cache.load_patiently(NAME) is None
    plain(path)
    assert cache.load_patiently(NAME).token == token()
    assert not pauses.made


@pytest.mark.parametrize("turn", [1, 2, 3])
@pytest.mark.parametrize("make", [half, emptied, zeros])
def test_a_file_made_whole_within_a_second_is_read(path, pauses, turn, make):
    make(path)
    pauses.during[turn] = lambda: plain(path)
    assert cache.load_patiently(NAME).token == token()
    assert len(pauses.made) == turn
    assert sum(pauses.made) <= 1


def test_a_file_that_stays_torn_is_a_fault_after_a_second(path, pauses):
    half(path)
    with pytest.raises(TokenFileUnreadableError, match="is not complete JSON"):
        cache.load_patiently(NAME)
    assert sum(pauses.made) == pytest.approx(1)


def test_a_torn_file_that_went_away_is_none(path, pauses):
    half(path)
    pauses.during[2] = path.unlink
    assert cache.load_patiently(NAME) is None


def test_a_reader_beside_a_writer_that_truncates_in_place_always_gets_a_token(path):
    plain(path)
    both = threading.Barrier(2, timeout=120)
    turns = 200

    def like_the_aws_cli():
        for turn in range(turns):
            both.wait()
            new = content(f"aoa-{turn}")
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.write(fd, new[:50])
            os.write(fd, new[50:])
            os.close(fd)

    writing = threading.Thread(target=like_the_aws_cli)
    writing.start()
    for _ in range(turns):
        both.wait()
        assert cache.load_patiently(NAME).token.refreshable
    writing.join()
    assert cache.load_patiently(NAME).token == token(f"aoa-{turns - 1}")


# Writing


def test_room_is_taken_beside_the_file_and_the_file_stays_until_it_is_replaced(path):
    plain(path)
    path.chmod(0o644)
    draft = cache.reserve(NAME)
    assert path.read_bytes() == content()
    (temp,) = (item for item in path.parent.iterdir() if item != path)
    assert temp.stat().st_size >= 16 << 10  # no token file is larger
    assert temp.suffix == ".tmp"  # what other programs ignore
    draft.publish(content("new"))
    assert cache.load(NAME).token == token("new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [item.name for item in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("make", [linked, linked_twice])
def test_a_symlinked_token_file_stays_a_symlink(path, make):
    make(path)
    names = {item.name for item in path.parent.iterdir()}
    cache.reserve(NAME).publish(content("new"))
    assert path.is_symlink()
    assert cache.load(NAME).token == token("new")
    assert path.with_name("elsewhere").read_bytes() == content("new")
    assert {item.name for item in path.parent.iterdir()} == names


@pytest.mark.parametrize("content_there", [b"export PATH=~/bin:$PATH\n", b'{"accessToken": "aoa', None])
def test_a_link_that_leads_to_no_token_file_is_replaced(path, content_there):
    """Else whoever can put a link there has any file of the user overwritten by the next sign-in."""
    victim = path.with_name("elsewhere")
    if content_there is not None:
        victim.write_bytes(content_there)
    path.symlink_to(victim)
    cache.reserve(NAME).publish(content("new"))
    assert not path.is_symlink()
    assert cache.load(NAME).token == token("new")
    assert (victim.read_bytes() if victim.exists() else None) == content_there


@pytest.mark.parametrize("make", [no_directory, file_for_directory, directory_loop])
def test_no_room_is_an_os_error_and_no_directory_is_made(path, make):
    make(path)
    with pytest.raises(OSError):
        cache.reserve(NAME)
    assert not path.parent.is_dir()
