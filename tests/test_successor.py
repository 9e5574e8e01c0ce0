"""A new version is put in place under a running watcher. The package is a copy, so that it can be replaced."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import homes
import pytest
from homes import watcher
from simulator.server import Simulator

import ssowatch
from ssowatch import memory
from ssowatch.model import Cause, Lineage, Memory

pytestmark = [pytest.mark.real, pytest.mark.setup]

GOOD = '"""Another version."""\n\n__version__ = "9.9.9"\n'
BROKEN = "this is no Python\n"


@pytest.fixture
def package(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of ours that the watcher runs from; its `__init__.py`."""
    place = home / "site"
    shutil.copytree(Path(ssowatch.__file__).parent, place / "ssowatch", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(place))
    monkeypatch.chdir(home)  # `-m` looks into the working directory first
    homes.own_config(home, "heartbeat: 100ms\n")
    return place / "ssowatch" / "__init__.py"


def put(package: Path, text: str) -> None:
    """As installers do: a new file under the old name."""
    fresh = package.with_name("fresh")
    fresh.write_text(text)
    fresh.replace(package)


def test_the_watcher_becomes_the_new_version(home, package):
    with watcher(home) as running:
        since = running.published()["watcher"]["since"]
        (home / "started").touch()
        put(package, GOOD)
        running.until(lambda _: "going on as the new one" in running.log.read_text(), "it was noticed", 60)
        running.until(
            lambda now: now["watcher"]["since"] > since or running.log.read_text().count("watching; state in") == 2,
            "the same process began anew",
            60,
        )
        assert homes.ssowatch("run").stdout == f"ssowatch: already running (pid {running.process.pid})\n"
        assert "9.9.9" in homes.ssowatch("--version").stdout
        assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


def test_a_version_that_cannot_start_is_left_alone(home, package):
    with watcher(home) as running:
        put(package, BROKEN)
        running.until(lambda _: "cannot start (SyntaxError" in running.log.read_text(), "it was tried", 60)
        put(package, GOOD)
        running.until(lambda _: running.log.read_text().count("watching; state in") == 2, "the next one is taken", 60)
        assert running.log.read_text().count("cannot start") == 1
        assert running.stop() == 0


def test_a_package_that_is_away_for_a_while_changes_nothing(home, package):
    with watcher(home) as running:
        away = package.with_name("away")
        package.rename(away)
        homes.aws_config(home)
        running.until(lambda now: now["sign_ins"], "it still looks", 60)
        away.rename(package)
        homes.aws_config(home, "[profile x]\n")
        running.until(lambda now: not now["sign_ins"], "and still does", 60)
        assert running.log.read_text().count("watching; state in") == 1
        assert running.stop() == 0


def test_the_renewals_go_on_after_it(home, package):
    with Simulator() as center:
        homes.aws_config(home)
        with watcher(home, **center.environ) as running:
            put(package, GOOD)
            running.until(lambda _: running.log.read_text().count("watching; state in") == 2, "the new one runs", 60)
            homes.write_token({**center.sign_in(), "expiresAt": homes.token(homes.timedelta(minutes=3))["expiresAt"]})
            running.until(lambda _: len(center.calls("CreateToken")) == 1, "it renews", 60)
            running.until_state("valid")
            assert running.stop() == 0


def test_a_notice_that_vanished_may_be_shown_again():
    known = Memory(lineage=Lineage(noticed=(Cause.ENDING, Cause.REFUSED)))
    assert memory.withdrawn(known, Cause.REFUSED).lineage.noticed == (Cause.ENDING,)
    assert memory.withdrawn(known, Cause.ENDED) == known


def test_a_stat_is_all_it_costs(home, package):
    from ssowatch.successor import Successor

    successor = Successor(str(package))
    assert not successor.settled()
    put(package, GOOD)
    assert not successor.settled(), "it may still be changing"
    assert successor.settled()
    os.unlink(package)  # noqa: PTH108
    assert not successor.settled()
