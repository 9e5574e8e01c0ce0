"""What CI installs is what `locks/` says: complete, with a hash for every file, and naming no host."""

from __future__ import annotations

import json
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from homes import REQUIRED
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[1]
PROJECT = tomllib.loads((TOP / "pyproject.toml").read_text())
RUN = PROJECT["project"]["dependencies"]
DEV = [*RUN, *PROJECT["project"]["optional-dependencies"]["apprise"], *PROJECT["dependency-groups"]["dev"]]
SERVERS = TOP / "tests/real/mcp"
LOCKS = {
    "pip.txt": ["pip"],
    "uv.txt": ["uv"],
    "dev.txt": [*DEV, *PROJECT["build-system"]["requires"]],
    "run.txt": RUN,
    **{f"mcp/{path.name}": path.read_text().split() for path in SERVERS.glob("*.txt")},
}
JAVASCRIPT = TOP / "tests/real/js"


def locked(name: str) -> dict[str, tuple[str, Marker | None, str]]:
    """Version, where it is needed, and the hashes."""
    _, text = (TOP / "locks" / name).read_text().split("--only-binary :all:\n")
    found = {}
    for line in text.replace("\\\n", " ").split("\n"):
        if line.strip():
            asked, _, hashes = line.partition(" --hash=")
            one = Requirement(asked)
            (version,) = one.specifier
            assert version.operator == "==", line
            found[canonicalize_name(one.name)] = (version.version, one.marker, hashes)
    return found


def asked_for(name: str, extras: set[str]) -> list[Requirement]:
    """What an installed package needs on this machine."""
    needs = [Requirement(line) for line in metadata.requires(name) or []]
    return [
        one
        for one in needs
        if not one.marker or any(one.marker.evaluate({"extra": extra}) for extra in (extras or {""}))
    ]


@pytest.mark.parametrize("name", LOCKS)
def test_what_is_asked_for_is_locked_in_a_version_that_was_asked_for(name):
    has = locked(name)
    for line in LOCKS[name]:
        one = Requirement(line)
        assert canonicalize_name(one.name) in has, f"{one.name} is not in locks/{name}; run: scripts/lock"
        version, marker, _ = has[canonicalize_name(one.name)]
        assert one.specifier.contains(version, prereleases=True), f"run: scripts/lock ({one} and {version})"
        assert marker is None, f"{one.name} is wanted everywhere"


def test_there_is_no_lock_that_nobody_asked_for():
    assert {str(path.relative_to(TOP / "locks")) for path in (TOP / "locks").rglob("*.txt")} == set(LOCKS)


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_has_a_hash(name):
    for package, (_, _, hashes) in locked(name).items():
        assert re.fullmatch(r"(sha256:[0-9a-f]{64}( +--hash=)?)+ *", hashes), package


@pytest.mark.parametrize("name", ["dev.txt", "run.txt"])
def test_what_they_need_in_turn_is_locked_too(name):
    has = locked(name)
    todo = [Requirement(line) for line in LOCKS[name]]
    seen = set()
    while todo:
        one = todo.pop()
        package = canonicalize_name(one.name)
        if package in seen:
            continue
        seen.add(package)
        assert package in has, f"{package} is not in locks/{name}; run: scripts/lock"
        try:
            todo += asked_for(package, one.extras)
        except metadata.PackageNotFoundError:
            assert not REQUIRED
            pytest.skip(f"{package} is not installed here; scripts/test installs it")
    elsewhere = {package for package, (_, marker, _) in has.items() if marker and not marker.evaluate()}
    assert set(has) - elsewhere == seen, "nothing is locked without need"


def test_the_program_is_tested_with_the_versions_of_its_own_lock():
    dev = locked("dev.txt")
    for package, (version, _, hashes) in locked("run.txt").items():
        assert dev[package][0] == version
        assert dev[package][2] == hashes


@pytest.mark.skipif(not REQUIRED, reason="a developer may try other versions")
def test_what_is_installed_is_what_is_locked():
    for name in ("pip.txt", "dev.txt"):
        for package, (version, marker, _) in locked(name).items():
            assert (marker and not marker.evaluate()) or metadata.version(package) == version


def test_the_javascript_lock_is_that_of_its_package_file():
    package, lock = (json.loads((JAVASCRIPT / name).read_text()) for name in ("package.json", "package-lock.json"))
    entries = lock["packages"]
    assert entries.pop("")["dependencies"] == package["dependencies"]
    for name, version in package["dependencies"].items():
        assert entries[f"node_modules/{name}"]["version"] == version
    for name, entry in entries.items():
        assert entry["integrity"].startswith("sha512-"), name


@pytest.mark.parametrize("path", [*(TOP / "locks").rglob("*.txt"), *JAVASCRIPT.glob("*.json")], ids=str)
def test_no_lock_names_a_host(path):
    assert not re.search(r"://|@ *(file|https?)|index-url|find-links|\"resolved\"", path.read_text())
