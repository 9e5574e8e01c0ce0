"""A link opened from a service, under a real `systemd --user`: the browser lives in a unit of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import homes
import pytest

import ssowatch

pytestmark = [pytest.mark.real, pytest.mark.sign_in]
HERE = Path(__file__).parent
PYTHON = "/usr/bin/python3"
"""Ours may lie where the other user may not read."""


@pytest.fixture
def source():
    """A few files of ours where everybody may read them."""
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    (folder / "ssowatch").mkdir()
    for name in ("__init__.py", "browser.py", "links.py", "paths.py"):
        shutil.copy(Path(ssowatch.__file__).parent / name, folder / "ssowatch" / name)
    shutil.copy(HERE / "opened_by_a_service.py", folder)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    yield folder
    shutil.rmtree(folder)


def lacks() -> str | None:
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a user manager of our own needs root"
    programs = ("/lib/systemd/systemd", "systemd-run", "dbus-daemon", "unshare", "setpriv", PYTHON)
    return next((f"no {one}" for one in programs if not shutil.which(one)), None)


def happened(source: Path, mode: str) -> dict:
    missing = lacks()
    if missing and not homes.REQUIRED:
        pytest.skip(missing)
    assert not missing
    story = [PYTHON, str(source / "opened_by_a_service.py"), str(source), mode]
    ended = subprocess.run(
        ["bash", str(HERE / "user_manager.sh"), *story],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
        cwd="/",
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


@pytest.mark.parametrize("mode", ["leaves", "stays"], ids=["the opener leaves", "the opener becomes the browser"])
def test_the_browser_has_a_unit_of_its_own(source, mode):
    said = happened(source, mode)
    browser = said["browser"]
    assert said["said"] == "(True, None)"
    assert browser["argv"] == ["http://127.0.0.1:43210/go/x7f9"]
    assert "flow.service" not in browser["unit"]
    assert "/run-" in browser["unit"]
    assert browser["environ"]["DISPLAY"] == ":7"
    assert browser["environ"]["DESKTOP_SAYS"] == "now", "the desktop's environment, not the service's"
    assert "MINE" not in browser["environ"]
    assert "canary" not in browser["environ"].values()
    assert "NOTIFY_SOCKET" not in browser["environ"]
    assert browser["umask"] == 0o022
    assert browser["fds"] == [0, 1, 2]
    assert said["service"] == "ActiveState=inactive"
    assert said["lives"], "the stop of the service is not the browser's end"


def test_a_failure_comes_back_through_the_unit(source):
    assert happened(source, "none")["said"] == "(True, 'xdg-open: no browser is installed (exit code 3)')"
