"""ssowatch as a user installs it: the wheel, in an environment of its own that every user of this machine may read."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import homes
import pytest

TOP = Path(__file__).parents[2]
HERE = Path(__file__).parent
DATA = {
    "ssowatch/data/config.example.yaml": "config.example.yaml",
    "ssowatch/data/systemd/ssowatch.service": "systemd/ssowatch.service",
    **{
        path: path
        for path in (
            *(f"ssowatch/data/completion/ssowatch.{shell}" for shell in ("bash", "zsh", "fish")),
            "ssowatch/data/skills/ssowatch/SKILL.md",
            "ssowatch/notify/icon.png",
        )
    },
    "ssowatch/data/launchd/io.github.ssowatch.plist": "launchd/io.github.ssowatch.plist",
}
"""In the wheel: where it comes from."""
_SYSTEMS = "/usr/bin/python3"
_OLDEST = (3, 11)


def with_network(*command: str | Path) -> None:
    """Run a command that downloads; a network has bad moments."""
    for attempt in range(3):
        done = subprocess.run(command, cwd=TOP, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode == 0:
            return
        time.sleep(2 * attempt)
    pytest.fail(f"{command} failed three times:\n{done.stdout}\n{done.stderr}")


def built(place: Path) -> Path:
    """The wheel of this source tree."""
    isolation = ["--no-isolation"] if find_spec("hatchling") else []
    with_network(sys.executable, "-m", "build", "--wheel", *isolation, "--outdir", place, TOP)
    (wheel,) = place.glob("*.whl")
    return wheel


@contextmanager
def for_everybody(wheel: Path) -> Iterator[Path]:
    """The installed console script, in a folder that another user may read."""
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    try:
        subprocess.run([_python(), "-m", "venv", folder / "venv"], check=True, timeout=300)
        install = (folder / "venv/bin/python", "-m", "pip", "install", "--disable-pip-version-check")
        with_network(*install, "--require-hashes", "-r", TOP / "locks/run.txt")
        with_network(*install, "--no-index", wheel)  # what the wheel asks for is there by now
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        yield folder / "venv/bin/ssowatch"
    finally:
        shutil.rmtree(folder)


def _python() -> str:
    """Ours, or the system's where ours lies in a home that another user may not enter."""
    own = Path(sys.executable).resolve()
    if all(parent.stat().st_mode & stat.S_IXOTH for parent in own.parents):
        return sys.executable
    said = subprocess.run(
        [_SYSTEMS, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
    )
    if said.returncode or tuple(map(int, said.stdout.split())) < _OLDEST:
        assert not homes.REQUIRED
        pytest.skip("no Python that another user may run")
    return _SYSTEMS


def lacks() -> str | None:
    """What this machine lacks for a user manager of our own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "a user manager of our own needs root"
    programs = ("/lib/systemd/systemd", "systemctl", "systemd-run", "dbus-daemon", "unshare", "setpriv", _SYSTEMS)
    return next((f"no {one}" for one in programs if not shutil.which(one)), None)


def under_a_user_manager(*command: str | Path, timeout: float) -> str:
    """What the command prints, run as another user under a real `systemd --user`; skips where that cannot be."""
    missing = lacks()
    if missing and not homes.REQUIRED:
        pytest.skip(missing)
    assert not missing
    ended = subprocess.run(
        ["bash", HERE / "user_manager.sh", *command],
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        cwd="/",
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
