"""The orders in which two or three programs meet at one token file, all of them; `scripts/interleavings` has the rest."""

from __future__ import annotations

import logging

import pytest
from interleavings.explore import explore
from interleavings.oracle import LOST_ANSWER, OVERTAKEN, WINDOW
from interleavings.seams import Fcntl
from interleavings.stage import stage


@pytest.fixture
def scene():
    logging.disable(logging.CRITICAL)  # botocore's, of its own refusals
    with stage() as made:
        yield made
    logging.disable(logging.NOTSET)


ROWS = [
    # actors, policy, token, what may happen, what may be lost
    (("child", "hand"), "rotate", "lives", {"crash": 1}, {LOST_ANSWER}),
    (("child", "hand"), "grace", "has run out", {"lost": 1, "busy": 1}, set()),
    (("child", "hand"), "revoke", "lives", {}, set()),
    (("child", "login"), "rotate", "lives", {}, set()),
    (("child", "logout"), "rotate", "lives", {}, set()),
    (("child", "aws logout"), "rotate", "lives", {}, set()),
    (("child", "aws login"), "rotate", "lives", {}, {OVERTAKEN}),
    (("child", "boto3"), "rotate", "has run out", {}, set()),
]
KEPT = {"good", "signed out", "ended by a sign-out"}


@pytest.mark.parametrize(("cast", "policy", "life", "budget", "lost"), ROWS, ids=[" ".join(row[0]) for row in ROWS])
def test_no_order_loses_anything_that_is_ours_to_keep(scene, cast, policy, life, budget, lost):
    found = explore(scene, cast, policy, life, budget)
    assert dict(found.breaches) == {}, found.examples
    assert set(found.verdicts) <= KEPT | lost
    assert lost <= set(found.verdicts), "the loss that is named does occur"
    assert found.schedules() >= found.states // 10 > 1


def test_without_an_exchange_of_files_the_window_is_one_system_call(scene):
    found = explore(scene, ("child", "aws logout"), "rotate", "lives", {}, exchanges=False)
    assert dict(found.breaches) == {}
    assert found.verdicts[WINDOW] >= 1


def test_the_oracle_sees_a_renewal_without_a_lock(scene, monkeypatch):
    """What it is there for: with the write lock taken out it finds the breach."""
    flock = Fcntl.flock

    def careless(self, fd, operation):
        if not self._system.paths[fd].endswith(".write"):
            flock(self, fd, operation)

    monkeypatch.setattr(Fcntl, "flock", careless)
    found = explore(scene, ("child", "hand"), "rotate", "lives", {})
    assert any("used a refresh token" in breach for breach in found.breaches), found.breaches
