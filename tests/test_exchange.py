"""A file is replaced only while it is what was read; on a real file system, and where two files cannot be exchanged."""

from __future__ import annotations

import errno
import os

import pytest

from ssowatch import cache, exchange, files, tokenfile

OLD, OURS, THEIRS = b'{"old": 1}', b'{"ours": 1}', b'{"theirs": 1}'


@pytest.fixture(params=["exchanged", "replaced"])
def way(request, monkeypatch):
    """How: as here, or as on NFS."""
    if request.param == "replaced":
        monkeypatch.setattr(exchange, "swap", lambda one, other: None)
    return request.param


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "token.json"
    made.write_bytes(OLD)
    return made


def is_old(found: bytes) -> bool:
    return found == OLD


def alone(path) -> bool:
    return [one.name for one in path.parent.iterdir()] == [path.name]


def test_two_files_change_their_names(path, tmp_path):
    other = tmp_path / "other"
    other.write_bytes(OURS)
    assert exchange.swap(str(path), str(other)), "the machine that runs this has an own file system"
    assert (path.read_bytes(), other.read_bytes()) == (OURS, OLD)
    assert exchange.swap(str(path), str(tmp_path / "missing")) is False
    assert exchange.swap(str(tmp_path / "missing"), str(path)) is False
    assert path.read_bytes() == OURS


@pytest.mark.parametrize(
    ("code", "answer"), [(errno.EINVAL, None), (errno.ENOSYS, None), (errno.EPERM, None), (errno.ENOENT, False)]
)
def test_what_the_system_says(monkeypatch, code, answer):
    import ctypes

    class Library:
        def renameat2(self, *_):
            ctypes.set_errno(code)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Library())
    assert exchange.swap("a", "b") is answer


def test_another_error_is_said_and_an_old_c_library_is_no_error(monkeypatch):
    import ctypes

    class Full:
        def renamex_np(self, *_):
            ctypes.set_errno(errno.ENOSPC)
            return -1

    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: Full())
    with pytest.raises(OSError, match="No space left"):
        exchange.swap("a", "b")
    monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    assert exchange.swap("a", "b") is None


def test_a_known_file_is_replaced(path, way):
    draft = files.Draft(str(path), 4096)
    assert draft.publish_over(OURS, is_old)
    assert path.read_bytes() == OURS
    assert path.stat().st_mode & 0o777 == 0o600
    assert alone(path)
    draft.drop()


def test_one_that_is_gone_stays_away(path, way):
    draft = files.Draft(str(path))
    path.unlink()
    assert not draft.publish_over(OURS, is_old)
    assert list(path.parent.iterdir()) == []


def test_one_that_was_written_stays(path, way):
    draft = files.Draft(str(path))
    path.write_bytes(THEIRS)
    assert not draft.publish_over(OURS, is_old)
    assert path.read_bytes() == THEIRS
    assert alone(path)


def test_a_link_in_its_place_is_nothing_that_is_known(path, tmp_path, way, monkeypatch):
    draft = files.Draft(str(path))
    path.unlink()
    (tmp_path / "elsewhere").write_bytes(OLD)
    path.symlink_to(tmp_path / "elsewhere")
    assert not draft.publish_over(OURS, is_old)
    assert path.is_symlink()


def between(monkeypatch, *acts):
    """Each of them right before one exchange; what really happens is real."""
    swap, waiting = exchange.swap, list(acts)

    def late(one, other):
        if waiting:
            waiting.pop(0)()
        return swap(one, other)

    monkeypatch.setattr(exchange, "swap", late)
    return waiting


def replaced(path, content):
    """As botocore does."""
    beside = path.with_name("tmp1.tmp")
    beside.write_bytes(content)
    beside.replace(path)


EARLIER = b'{"theirs": 0}'


@pytest.mark.parametrize("write", [replaced, lambda path, content: path.write_bytes(content)], ids=["boto3", "AWS CLI"])
def test_what_is_written_at_the_last_moment_stays(path, monkeypatch, write):
    left = between(monkeypatch, lambda: write(path, THEIRS))
    assert not files.Draft(str(path)).publish_over(OURS, is_old)
    assert path.read_bytes() == THEIRS
    assert alone(path)
    assert not left


@pytest.mark.parametrize("write", [replaced, lambda path, content: path.write_bytes(content)], ids=["boto3", "AWS CLI"])
def test_and_what_is_written_while_that_is_put_back(path, monkeypatch, write):
    left = between(monkeypatch, lambda: replaced(path, EARLIER), lambda: write(path, THEIRS))
    assert not files.Draft(str(path)).publish_over(OURS, is_old)
    assert path.read_bytes() == THEIRS
    assert alone(path)
    assert not left


def test_a_removal_at_the_last_moment_holds(path, monkeypatch):
    between(monkeypatch, path.unlink)
    assert not files.Draft(str(path)).publish_over(OURS, is_old)
    assert list(path.parent.iterdir()) == []


def test_a_removal_while_something_is_put_back_holds(path, monkeypatch):
    between(monkeypatch, lambda: replaced(path, THEIRS), path.unlink)
    assert not files.Draft(str(path)).publish_over(OURS, is_old)
    assert list(path.parent.iterdir()) == []


def test_who_cut_the_file_off_writes_into_the_one_that_stands_there(path, monkeypatch):
    """AWS CLI v2: open, ftruncate, and only then write."""
    fd = os.open(path, os.O_WRONLY)
    between(monkeypatch, lambda: os.ftruncate(fd, 0))
    assert not files.Draft(str(path)).publish_over(OURS, is_old)
    os.write(fd, THEIRS)
    os.close(fd)
    assert path.read_bytes() == THEIRS


def test_a_directory_that_was_replaced_takes_the_file(path, way):
    draft = files.Draft(str(path))
    path.parent.rename(path.parent.with_name(f"{path.parent.name}-away"))
    path.parent.mkdir()
    path.write_bytes(OLD)
    assert draft.publish_over(OURS, is_old)
    assert path.read_bytes() == OURS


# Token files

TOKEN = b'{"accessToken": "a", "expiresAt": "2026-01-05T09:00:00Z", "clientId": "c"}'
KNOWN = tokenfile.parse(TOKEN).token


@pytest.mark.parametrize(
    ("found", "or_torn", "put"),
    [
        pytest.param(TOKEN, False, True, id="the token that was read"),
        pytest.param(TOKEN.replace(b"}", b', "x": 1}'), False, True, id="the same with something more"),
        pytest.param(TOKEN.replace(b'"a"', b'"b"'), False, False, id="another"),
        pytest.param(TOKEN[:-2], False, False, id="a torn one, which is being written"),
        pytest.param(TOKEN[:-2], True, True, id="a torn one that was read as such"),
    ],
)
def test_which_token_file_is_replaced(home, way, found, or_torn, put):
    cache.make_folder()
    path = home / ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json"
    path.write_bytes(found)
    assert cache.put(cache.reserve("corp"), OURS, KNOWN, or_torn=or_torn) is put
    assert path.read_bytes() == (OURS if put else found)
