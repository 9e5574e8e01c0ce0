"""The essential rows of the attack campaign, against one running service; `scripts/attacks` runs all of them."""

from __future__ import annotations

import os

import pytest
from attacks import campaign
from attacks.scene import standing
from homes import REQUIRED

pytestmark = pytest.mark.real
ROWS = [pytest.param(one, id=f"{one.part}: {one.name}") for one in campaign.ATTACKS if one.essential]


@pytest.fixture(scope="module")
def scene():
    with standing() as scene:
        yield scene


@pytest.mark.xdist_group("attacks")
@pytest.mark.parametrize("attack", ROWS)
def test_it_stands(scene, attack):
    if attack.root and os.getuid() != 0:
        assert not REQUIRED, "CI runs as root"
        pytest.skip("needs another user, whom only root can become")
    said, breach = campaign.tried(attack, scene)
    assert not breach, said


def test_every_part_has_an_essential_row():
    assert {one.part for one in campaign.ATTACKS} - {one.part for one in campaign.ATTACKS if one.essential} <= {
        "arguments"
    }
