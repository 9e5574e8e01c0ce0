"""Where things are, by HOME alone."""

from __future__ import annotations

import os

import pytest

from ssowatch import paths

KEY = "ee0bfd2552fbd840c02cc48b6e823320543c450f"  # sha1("corp"), as botocore names the token file
STATE = "/home/me/.local/state/ssowatch"


@pytest.fixture(autouse=True)
def home(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("XDG_STATE_HOME", "/elsewhere")
    monkeypatch.setenv("XDG_CONFIG_HOME", "/elsewhere")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "SSOWATCH_CONFIG"):
        monkeypatch.delenv(name, raising=False)


ROWS = [
    # what, path
    (lambda: paths.token_file("corp"), f"/home/me/.aws/sso/cache/{KEY}.json"),
    (paths.state_dir, STATE),
    (paths.config_file, "/home/me/.config/ssowatch/config.yaml"),
    (paths.status_file, f"{STATE}/status.json"),
    (paths.watcher_lock, f"{STATE}/watcher.lock"),
    (lambda: paths.write_lock("corp"), f"{STATE}/locks/{KEY}.write"),
    (lambda: paths.memory_lock("corp"), f"{STATE}/locks/{KEY}.memory"),
    (lambda: paths.memory_file("corp"), f"{STATE}/memory/{KEY}.json"),
    (lambda: paths.flow_lock("corp"), f"{STATE}/locks/{KEY}.flow"),
    (lambda: paths.start_lock("corp"), f"{STATE}/locks/{KEY}.start"),
    (lambda: paths.flow_record("corp"), f"{STATE}/flows/{KEY}.json"),
    (paths.turn_lock, f"{STATE}/locks/turn"),
    (lambda: paths.use_lock("corp"), f"{STATE}/locks/{KEY}.use"),
    (paths.socket_path, f"{STATE}/socket"),
    (paths.pauses_file, f"{STATE}/pauses.json"),
    (paths.pauses_lock, f"{STATE}/locks/pauses"),
    (paths.aws_config_lock, f"{STATE}/locks/aws-config"),
    (lambda: paths.registration_file("corp"), f"{STATE}/registrations/{KEY}.json"),
    (paths.mcp_servers_file, f"{STATE}/mcp_servers.json"),
    (paths.discovery_lock, f"{STATE}/locks/discovery"),
    (paths.act_log, f"{STATE}/acts.jsonl"),
    (paths.old_act_log, f"{STATE}/acts.old.jsonl"),
]


@pytest.mark.parametrize(("what", "path"), ROWS, ids=[row[1].rpartition("/")[2] for row in ROWS])
def test_a_path(what, path):
    assert what() == path


def test_everything_of_ours_has_a_place_of_its_own():
    assert len({path for _, path in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/home/me/.aws/config", "~/.aws/config"),
        ("/home/melanie/.aws/config", "/home/melanie/.aws/config"),
        ("/etc/xdg/home/me/x", "/etc/xdg/home/me/x"),
    ],
)
def test_a_path_as_a_person_writes_it(path, shown):
    assert paths.shown(path) == shown


@pytest.mark.parametrize(
    ("value", "there"),
    [
        pytest.param("{}/me", True, id="a directory"),
        pytest.param("{}/nobody", False, id="none by that name"),
        pytest.param("me", False, id="relative, so another one elsewhere"),
        pytest.param("", False, id="empty, which leads to the root"),
    ],
)
def test_whether_there_is_a_home(tmp_path, monkeypatch, value, there):
    (tmp_path / "me").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", value.format(tmp_path))
    assert paths.has_home() is there


def test_files_that_the_environment_names(monkeypatch):
    assert (paths.aws_config(), paths.aws_credentials()) == ("/home/me/.aws/config", "/home/me/.aws/credentials")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "SSOWATCH_CONFIG"):
        monkeypatch.setenv(name, f"~/{name}")
    found = [paths.aws_config(), paths.aws_credentials(), paths.config_file()]
    assert found == [
        "/home/me/AWS_CONFIG_FILE",
        "/home/me/AWS_SHARED_CREDENTIALS_FILE",
        "/home/me/SSOWATCH_CONFIG",
    ]


def test_a_home_too_deep_for_a_socket(monkeypatch):
    most = 100  # bytes: macOS takes 103
    tail = "/.local/state/ssowatch/socket"
    deep = "/" + "d" * (most - len(tail) - 1)
    monkeypatch.setenv("HOME", deep)
    assert paths.socket_path() == f"{deep}{tail}"
    monkeypatch.setenv("HOME", f"{deep}d")
    assert paths.socket_path() == f"/tmp/ssowatch-{os.getuid()}-{paths.key(f'{deep}d')[:12]}/socket"


def test_the_session_bus_is_found_where_a_client_stripped_it(monkeypatch):
    seen = []
    monkeypatch.setattr("os.access", lambda path, mode: seen.append((path, mode)) or True)
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert paths.session_bus() == {}
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    assert paths.session_bus() == {"XDG_RUNTIME_DIR": f"/run/user/{os.getuid()}"}
    assert seen == [(f"/run/user/{os.getuid()}", os.X_OK)]
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert paths.session_bus() == {}
