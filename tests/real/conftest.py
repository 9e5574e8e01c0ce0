"""The machine that a real-world test runs on."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from real.installed import built, for_everybody
from real.machine import Machine
from real.moved_clock import Clock, compiled
from simulator.remote import running

IN_CI = os.environ.get("SSOWATCH_CI") == "1"


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`walljump.c`, compiled. A laptop may lack what that needs; CI may not."""
    if not IN_CI and (sys.platform != "linux" or not shutil.which("gcc")):
        pytest.skip("moving the clock needs Linux and gcc")
    return compiled(tmp_path_factory.mktemp("walljump"))


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this source tree."""
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def program(wheel: Path) -> Iterator[Path]:
    """The console script as it is installed from the wheel; any user of this machine may run it."""
    with for_everybody(wheel) as program:
        yield program


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose name is short, unlike `tmp_path`: a socket below it must fit into 100 bytes."""
    return tmp_path_factory.mktemp("m")


@pytest.fixture
def clock(shim: Path, folder: Path) -> Iterator[Clock]:
    """A clock that can be moved."""
    clock = Clock(shim, folder / "offset")
    yield clock
    clock.close()


@pytest.fixture
def machine(request: pytest.FixtureRequest, clock: Clock, folder: Path) -> Iterator[Machine]:
    """A machine with an Identity Center; role credentials there live 5 minutes, so a client asks at every call.

    `@pytest.mark.parametrize("machine", [{…}], indirect=True)` changes settings of the Identity Center.
    """
    settings: dict[str, Any] = {"role_life": timedelta(minutes=5), **getattr(request, "param", {})}
    with running(folder / "ports", environ=clock.environ, settings=settings) as simulator:
        machine = Machine(folder, clock, simulator)
        try:
            yield machine
        finally:
            machine.close()
        complaints = [said for _, said in machine.outputs() if "Traceback" in said or "a tick failed" in said]
        assert not complaints, "\n".join(complaints)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Any:
    """Show what the programs printed when a test failed."""
    report = yield
    machine = getattr(item, "funcargs", {}).get("machine")
    if report.failed and isinstance(machine, Machine):
        report.sections += [(f"output of {name}", said) for name, said in machine.outputs()]
    return report
