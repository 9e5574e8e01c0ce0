"""What is given away: exactly what is in the wheel and the source archive, the same from every machine, and typed.

Rules of this file:
1. Everything is built twice, once from this tree and once from a copy in another place, at another time, by somebody with
   another umask, and there the wheel is built from the source archive. What is in the archives is looked at in one of them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
from real.installed import DATA, TOP, with_network

pytestmark = [pytest.mark.real, pytest.mark.setup]

MOMENT = "1767600000"
"""Of the release's commit; the files' own times are their checkout's."""
SOURCES = ("ssowatch", "tests", "systemd", "launchd", "docs", "scripts", "locks", "bench")
FILES = {
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"),
    *("pyproject.toml", "config.example.yaml", ".gitignore", "PKG-INFO"),
}
FOREIGN = """
from datetime import UTC, datetime

from ssowatch import __version__, tokenfile
from ssowatch.model import Kind, SignIn, Token

corp = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1", ("dev",))
token: Token | None = tokenfile.parse(b"{}").token
left = token.expires_at - datetime.now(UTC) if token else None
names: tuple[str, ...] = corp.profiles
version: str = __version__
"""
MISTAKES = """
from ssowatch.model import SignIn

SignIn("corp").profiles.append(1)
"""


def sources() -> set[str]:
    """The files of this tree that are somebody's work."""
    found = (path for name in SOURCES for path in (TOP / name).rglob("*") if path.is_file())
    return {str(path.relative_to(TOP)) for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def archives(tmp_path_factory) -> list[dict[str, Path]]:
    """Wheel and source archive, of both builds."""
    copy = tmp_path_factory.mktemp("elsewhere") / "a checkout"
    copy.mkdir()
    for name in sources() | FILES - {"PKG-INFO"}:
        there = copy / name
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, there)
        there.chmod(0o700 if os.access(TOP / name, os.X_OK) else 0o600)
        os.utime(there, (1.7e9, 1.7e9))
    built = []
    for tree, umask, kinds in ((TOP, "022", ["--sdist", "--wheel"]), (copy, "077", [])):  # the second from the archive
        place = tmp_path_factory.mktemp("built")
        with_network(
            *("/usr/bin/env", f"SOURCE_DATE_EPOCH={MOMENT}", "/bin/sh", "-c", f'umask {umask}; exec "$@"', "sh"),
            *(sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", place, tree),
        )
        built.append({path.suffix: path for path in place.iterdir()})
    return built


def test_who_builds_it_where_and_when_makes_no_difference(archives):
    here, elsewhere = archives
    assert set(here) == {".whl", ".gz"}
    for kind, path in here.items():
        assert path.name == elsewhere[kind].name
        assert path.read_bytes() == elsewhere[kind].read_bytes(), f"{path.name} differs; diffoscope shows where"


def test_the_wheel_holds_the_program_and_its_data_and_nothing_else(archives):
    program = {name for name in sources() if name.startswith("ssowatch/") and name.endswith((".py", "/py.typed"))}
    with zipfile.ZipFile(archives[0][".whl"]) as wheel:
        names = [one.filename for one in wheel.infolist()]
        for packed, source in DATA.items():
            assert wheel.read(packed) == (TOP / source).read_bytes()
        assert {one.external_attr >> 16 & 0o777 for one in wheel.infolist()} == {0o644}
    assert len(names) == len(set(names))
    information = {name for name in names if ".dist-info/" in name}
    assert {name.split("/", 1)[1] for name in information} == {
        *("METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE")
    }
    assert set(names) - information == program | set(DATA)
    assert "ssowatch/py.typed" in names


def test_the_source_archive_holds_the_sources_and_nothing_else(archives):
    with tarfile.open(archives[0][".gz"]) as archive:
        members = [one for one in archive.getmembers() if one.isfile()]
        names = {one.name.split("/", 1)[1] for one in members}
        assert {one.mode for one in members} == {0o644, 0o755}
        assert {(one.uid, one.uname) for one in members} == {(0, "")}
    assert names == sources() | FILES


@pytest.mark.parametrize(("text", "said"), [(FOREIGN, "Success"), (MISTAKES, "error")], ids=["used well", "used badly"])
def test_a_foreign_program_is_checked_against_the_types_of_the_installed_one(program, tmp_path, text, said):
    (tmp_path / "foreign.py").write_text(text)
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--python-executable", program.with_name("python"), "foreign.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert said in checked.stdout, checked.stdout + checked.stderr
    if text is MISTAKES:
        assert "Missing positional arguments" in checked.stdout
        assert '"append"' in checked.stdout
