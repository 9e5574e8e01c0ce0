"""What file permissions forbid, which is nothing to root: there, each test runs in a child of another user.

Rules of this file:
1. The child is forked after every import, because the interpreter may lie where that user may not read.
2. Nothing is skipped in CI: a root that may not change its user is an error there.
"""

import contextlib
import os
import shutil
import tempfile
import traceback
import warnings
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from homes import REQUIRED

from ssowatch import cache, files, memories, memory, paths, renewal, tokenfile
from ssowatch.answers import Granted
from ssowatch.cache import TokenCache, TokenFileUnreadableError
from ssowatch.memories import Memories
from ssowatch.model import Kind, Memory, Policy, SignIn, TokenFile
from ssowatch.renewal import Result

NOBODY = 65534
NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
opened = partial(memory.tab_opened, now=NOW)
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
NAME = "corp"
CORP = SignIn(NAME, Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")


def content(access="aoa"):
    return (
        f'{{"accessToken": "{access}", "expiresAt": "2026-01-05T08:20:00Z", "clientId": "c", "clientSecret": "s",'
        f' "refreshToken": "aor-of-{access}"}}'
    ).encode()


def token(access="aoa"):
    return tokenfile.parse(content(access)).token


@pytest.fixture
def place(home, monkeypatch):
    """A home that the other user owns: below pytest's own directories, which are closed, it could not be reached."""
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    monkeypatch.setenv("HOME", str(folder))
    yield folder
    shutil.rmtree(folder)  # what a test closes it opens itself (`closed`): nothing here changes modes as root


@pytest.fixture
def foreign():
    """A directory of another user, readable by all: as root one of our own making, else the root directory."""
    if os.geteuid() != 0:
        yield Path("/")
        return
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-foreign-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def as_nobody(act, folder):
    """Run `act(folder)` as a user to whom permissions mean something."""
    if os.geteuid() != 0:
        act(folder)
        return
    os.chown(folder, NOBODY, NOBODY)
    came, say = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads that other tests left have no part in the child
        child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            os.write(say, _outcome(act, folder).encode())
        os._exit(0)
    os.close(say)
    with os.fdopen(came) as pipe:
        said = pipe.read()
    os.waitpid(child, 0)
    if said == "no other user" and not REQUIRED:
        pytest.skip("root may not change its user here")
    assert said == "good", said


def _outcome(act, folder):
    try:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    except OSError:
        return "no other user"
    try:
        act(folder)
    except BaseException:  # noqa: BLE001 - handed on to the test
        return traceback.format_exc()[-4000:]
    return "good"


def token_path(folder):
    """Where the token file goes; its directory is made."""
    path = folder / f".aws/sso/cache/{paths.key(NAME)}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def written(folder):
    path = token_path(folder)
    path.write_bytes(content())
    return path


@contextlib.contextmanager
def closed(path, mode=0):
    """Nobody may enter or read `path` (by `mode`) for the length of the block."""
    before = path.stat().st_mode & 0o7777
    path.chmod(mode)
    try:
        yield
    finally:
        path.chmod(before)


# The token file


def a_file_closed_to_us(folder):
    path = written(folder)
    looks = TokenCache()
    assert looks.look(NAME, NOW) == TokenFile(token())
    with closed(path):
        with pytest.raises(TokenFileUnreadableError, match=r"^cannot be read: Permission denied$"):
            cache.load(NAME)
        for later in (1, 2):
            seen = looks.look(NAME, NOW + later * SECOND)
            assert seen == TokenFile(token(), "cannot be read: Permission denied", NOW + SECOND)
    assert looks.look(NAME, NOW + 3 * SECOND) == TokenFile(token())


def a_directory_closed_to_us_is_a_fault_and_not_a_missing_token(folder):
    path = written(folder)
    looks = TokenCache()
    looks.look(NAME, NOW)
    for closing in (path.parent, path.parent.parent, path.parent.parent.parent):
        with closed(closing):
            with pytest.raises(TokenFileUnreadableError, match="Permission denied"):
                cache.load(NAME)
            seen = looks.look(NAME, NOW + SECOND)
            assert (seen.token, seen.fault_since) == (token(), NOW + SECOND)
            assert TokenCache().look(NAME, NOW).fault == "cannot be read: Permission denied"
        assert looks.look(NAME, NOW + 2 * SECOND) == TokenFile(token())


def a_directory_that_may_only_be_entered_is_enough(folder):
    path = written(folder)
    with closed(path.parent, 0o100):
        assert TokenCache().look(NAME, NOW) == TokenFile(token())


def a_link_to_what_is_closed_to_us(folder):
    path = token_path(folder)
    vault = folder / "vault"
    vault.mkdir()
    (vault / "token.json").write_bytes(content())
    path.symlink_to(vault / "token.json")
    assert cache.load(NAME).token == token()
    with closed(vault), pytest.raises(TokenFileUnreadableError, match="Permission denied"):
        cache.load(NAME)


def a_file_that_may_only_be_read_is_replaced(folder):
    path = written(folder)
    path.chmod(0o400)
    cache.reserve(NAME).publish(content("new"))
    assert cache.load(NAME).token == token("new")
    assert path.stat().st_mode & 0o777 == 0o600


def no_room_in_a_directory_that_may_only_be_read(folder):
    path = written(folder)
    with closed(path.parent, 0o500):
        with pytest.raises(PermissionError):
            cache.reserve(NAME)
        with pytest.raises(PermissionError):
            files.replace(str(path), b"new")
        assert path.read_bytes() == content()
    assert [item.name for item in path.parent.iterdir()] == [path.name]


def a_directory_closed_between_room_and_answer(folder):
    path = written(folder)
    draft = cache.reserve(NAME)
    with closed(path.parent, 0o500):
        with pytest.raises(PermissionError):
            draft.publish(content("new"))
        draft.drop()
    assert path.read_bytes() == content()


@pytest.mark.parametrize(
    "act",
    [
        a_file_closed_to_us,
        a_directory_closed_to_us_is_a_fault_and_not_a_missing_token,
        a_directory_that_may_only_be_entered_is_enough,
        a_link_to_what_is_closed_to_us,
        a_file_that_may_only_be_read_is_replaced,
        no_room_in_a_directory_that_may_only_be_read,
        a_directory_closed_between_room_and_answer,
    ],
)
def test_the_token_file(place, act):
    as_nobody(act, place)


# A renewal


class Counting:
    """A portal that grants everything and counts."""

    calls = 0

    def __init__(self, _):
        pass

    def renew(self, *_):
        Counting.calls += 1
        return Granted("aoa-new", "aor-new", HOUR, timedelta())

    def lives(self, _):
        raise AssertionError


def renew():
    return renewal.renew(CORP, Policy(), only_due=False, portal=Counting, now=lambda: NOW, pause=print)


def the_rest_of_it_works(folder):
    written(folder)
    assert renew().result is Result.RENEWED
    assert Counting.calls == 1


def no_call_where_the_token_could_not_be_written(folder):
    path = written(folder)
    with closed(path.parent, 0o500):
        outcome = renew()
    assert outcome.result is Result.UNREACHABLE
    assert "cannot write" in outcome.message
    assert "Permission denied" in outcome.message
    assert Counting.calls == 0
    assert memories.load(NAME).token.attempts == 1  # the next try waits, and `status` says why
    assert "cannot write" in memories.load(NAME).token.failure
    assert renew().result is Result.RENEWED


def no_call_where_the_attempt_could_not_be_recorded(folder):
    written(folder)
    state = Path(paths.state_dir())
    files.private_dir(str(state))
    with closed(state.parent):
        outcome = renew()
    assert outcome.result is Result.UNREACHABLE
    assert "cannot write" in outcome.message
    (state / "memory").touch()  # where the directory should be
    outcome = renew()
    assert outcome.result is Result.UNREACHABLE
    assert "cannot write" in outcome.message
    assert Counting.calls == 0
    (state / "memory").unlink()
    with closed(state, 0o500):
        assert renew().result is Result.RENEWED  # a directory of ours is opened for us again


def no_call_for_a_token_that_could_not_be_read(folder):
    path = written(folder)
    with closed(path):
        outcome = renew()
    assert (outcome.result, outcome.message) == (
        Result.REFUSED,
        "the token file cannot be read: Permission denied",
    )
    assert Counting.calls == 0


def no_call_where_a_lock_is_someone_elses(folder):
    written(folder)
    lock = Path(paths.write_lock(NAME))
    files.private_dir(str(lock.parent))
    lock.touch()
    with closed(lock):
        assert renew().result is Result.UNREACHABLE
    assert Counting.calls == 0


@pytest.mark.parametrize(
    "act",
    [
        the_rest_of_it_works,
        no_call_where_the_token_could_not_be_written,
        no_call_where_the_attempt_could_not_be_recorded,
        no_call_for_a_token_that_could_not_be_read,
        no_call_where_a_lock_is_someone_elses,
    ],
)
def test_a_renewal(place, act, monkeypatch):
    monkeypatch.setattr(Counting, "calls", 0)
    monkeypatch.setattr(cache, "_LOOK_AGAIN", (0, 0, 0))
    as_nobody(act, place)


# Our own directories and memories


def test_a_directory_of_another_user_is_not_ours(place, foreign):
    def act(_):
        before = foreign.stat()
        with pytest.raises(PermissionError, match="belongs to another user") as caught:
            files.private_dir(str(foreign))
        assert caught.value.filename == str(foreign)
        assert foreign.stat().st_mode == before.st_mode
        with pytest.raises(PermissionError):
            files.private_dir(str(foreign / "ssowatch-test/below"))
        with pytest.raises(PermissionError), files.locked(str(foreign / "lock"), 0):
            pass
        assert not (foreign / "ssowatch-test").exists()
        assert not (foreign / "lock").exists()

    as_nobody(act, place)


def test_a_link_to_a_directory_of_another_user_is_not_ours(place, foreign):
    def act(folder):
        (folder / "own").symlink_to(foreign)
        with pytest.raises(NotADirectoryError):
            files.private_dir(str(folder / "own"))

    as_nobody(act, place)


def a_memory_that_is_closed_to_us_is_the_last_one_and_else_an_empty_one(_):
    memories.update(NAME, opened)
    looks = Memories()
    assert looks.look(NAME).lineage.tabs == 1
    path = Path(paths.memory_file(NAME))
    with closed(path):
        assert memories.load(NAME) == Memories().look(NAME) == Memory()
        assert looks.look(NAME).lineage.tabs == 1
    assert looks.look(NAME).lineage.tabs == 1
    with closed(path.parent):
        assert memories.load(NAME) == Memory()


def a_memory_that_cannot_be_written_says_so(_):
    memories.update(NAME, opened)
    path = Path(paths.memory_file(NAME))
    path.parent.chmod(0o500)
    memories.update(NAME, opened)  # a directory of ours is opened for us again
    assert memories.load(NAME).lineage.tabs == 2
    locks = Path(paths.memory_lock(NAME))
    with closed(locks), pytest.raises(PermissionError):
        memories.update(NAME, opened)
    assert memories.load(NAME).lineage.tabs == 2


def what_may_not_be_looked_at_has_no_signature(folder):
    (folder / "closed").mkdir()
    (folder / "closed/file").write_bytes(b"")
    assert files.signature(str(folder / "closed/file"))
    with closed(folder / "closed"):
        assert files.signature(str(folder / "closed/file")) is None
        with pytest.raises(files.NotReadableError, match="Permission denied"):
            files.read(str(folder / "closed/file"))


@pytest.mark.parametrize(
    "act",
    [
        a_memory_that_is_closed_to_us_is_the_last_one_and_else_an_empty_one,
        a_memory_that_cannot_be_written_says_so,
        what_may_not_be_looked_at_has_no_signature,
    ],
)
def test_our_own_directories(place, act):
    as_nobody(act, place)
