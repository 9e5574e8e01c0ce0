"""The licences of what the program is installed with, on every platform, as the packages themselves state them.

    python tests/licences.py        asks the package index about each entry of locks/run.txt and prints docs/licences.md

`scripts/lock` runs it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[1] / "locks/run.txt"
HEAD = """# Licences

What `pip install ssowatch` (Apache-2.0) brings, on each platform, by its own word (SPDX). Written by `scripts/lock`;
`tests/test_licences.py` holds that it is complete and that nothing else than the licences of its list comes in.

| package | licence | where |
|---|---|---|
"""
SPDX = {
    # what a package says without SPDX: what it means
    "MIT License": "MIT",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "Dual License": "Apache-2.0 OR BSD-3-Clause",  # python-dateutil: its LICENSE file
}
PLACES = {None: "everywhere", "linux": "Linux", "darwin": "macOS", "win32": "Windows"}
FILES = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64")


def locked() -> dict[str, str]:
    """Package: where it is needed."""
    found = {}
    for line in LOCK.read_text().splitlines():
        if one := re.match(r"([\w-]+)==\S+(?: ; sys_platform == '(\w+)')? \\", line):
            found[one[1]] = PLACES[one[2]]
    return found


def licence(expression: str | None, free: str | None, classifiers: list[str]) -> str:
    """The SPDX expression: the stated one, else what the older fields mean."""
    if expression:
        return expression
    kinds = [one.rpartition(" :: ")[2] for one in classifiers if one.startswith("License :: ")]
    said = free if free and len(free) < 60 else " OR ".join(sorted(kinds))  # some put the whole text there
    return SPDX.get(said, said)


def stated() -> dict[str, str]:
    """What the wheels of this lock say, those of other platforms too. Nothing is installed."""
    bare = re.sub(r" ; sys_platform == '\w+'", "", LOCK.read_text())
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed", "--no-deps"]
    places = [word for file in FILES for word in ("--platform", file)]
    said = subprocess.run(
        [*command, *places, "--target", "nowhere", "--report", "-", "-r", "/dev/stdin"],
        input=bare,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    packages = [one["metadata"] for one in json.loads(said.stdout)["install"]]
    return {
        canonicalize_name(one["name"]): licence(
            one.get("license_expression"), one.get("license"), one.get("classifier", [])
        )
        for one in packages
    }


def table() -> str:
    """The whole page."""
    says = stated()
    return HEAD + "".join(f"| {name} | {says[name]} | {where} |\n" for name, where in locked().items())


if __name__ == "__main__":
    print(table(), end="")
