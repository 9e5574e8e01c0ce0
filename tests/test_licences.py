"""Every package that comes with ssowatch is named with its licence in docs/licences.md (`licences.py`), and each is welcome."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

import licences
import pytest

PAGE = (Path(__file__).parents[1] / "docs/licences.md").read_text()
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|")) for line in PAGE.removeprefix(licences.HEAD).splitlines()
]
HERE = {licences.PLACES[None], licences.PLACES.get(sys.platform)}
WELCOME = {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "PSF-2.0", "ISC"}
"""What an Apache-2.0 program may be combined with and given away, with the notices that the packages carry themselves."""
UNCHANGED = {"bidict": "MPL-2.0"}
"""The same as long as its own files stay as they are, and we change none. Below desktop-notifier's backends."""


def test_every_package_of_the_lock_has_its_row():
    assert PAGE.startswith(licences.HEAD), "run: scripts/lock"
    assert [(name, where) for name, _, where in ROWS] == list(licences.locked().items()), "run: scripts/lock"


@pytest.mark.parametrize(("name", "licence"), [row[:2] for row in ROWS], ids=[row[0] for row in ROWS])
def test_its_licence_is_welcome(name, licence):
    assert licence == UNCHANGED.get(name) or set(licence.split(" OR ")) & WELCOME


@pytest.mark.parametrize(("name", "licence"), [row[:2] for row in ROWS if row[2] in HERE])
def test_it_says_so_itself(name, licence):
    said = metadata.metadata(name)
    kinds = said.get_all("Classifier") or []
    assert licences.licence(said["License-Expression"], said["License"], kinds) == licence, "run: scripts/lock"
