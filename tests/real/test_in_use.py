"""`renew: in_use`: a token is renewed while somebody is at the screen, or a program runs on it."""

from __future__ import annotations

import sys
from datetime import timedelta

import homes
import pytest
from real import logind
from real.machine import SSOWATCH_CONFIG, Program, moment, until
from real.test_calm import PATIENT

pytestmark = [pytest.mark.real, pytest.mark.sign_in]


@pytest.fixture
def seat(tmp_path_factory):
    lacks = logind.missing()
    if lacks:
        assert not homes.REQUIRED, lacks
        pytest.skip(lacks)
    with logind.Logind(tmp_path_factory.mktemp("l")) as seat:
        seat.session()
        yield seat


@pytest.fixture
def locked(machine, seat):
    """A locked screen, and a token whose renewal is due."""
    site = machine.home / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(PATIENT)
    machine.environ |= {**seat.environ, "PYTHONPATH": str(site)}
    (machine.home / ".config/ssowatch/config.yaml").write_text(f"{SSOWATCH_CONFIG}renew: in_use\n")
    seat.change(LockedHint=True)
    machine.sign_in()
    machine.start_watcher()
    machine.jump_to_renewal()
    for _ in range(5):  # heartbeats enough, and a few questions to logind
        assert machine.ssowatch("status").returncode == 0
    assert machine.renewals() == []
    return machine


def renewed(machine):
    until(lambda: machine.renewals() == ["ok"], "it is renewed")
    machine.until(lambda corp: moment(corp["renew_at"]) > machine.clock.now() + timedelta(minutes=10), "it is told")


def test_a_person_comes_back(locked, seat):
    seat.change(LockedHint=False)
    renewed(locked)


def test_a_program_runs_on_it(locked, tmp_path):
    command = [sys.executable, "-m", "ssowatch", "exec", "dev", "--", "sleep", "600"]
    program = Program(command, locked.environ, tmp_path / "program.txt")
    try:
        renewed(locked)
        assert program.lives()
    finally:
        program.kill()
