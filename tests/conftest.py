"""A home of its own for every test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
from homes import REQUIRED

# A busy machine is slow, and that is no fault: nothing here may fail for lack of time.
SLOW = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("developer", **SLOW)
hypothesis.settings.register_profile("ci", **SLOW, derandomize=True, database=None)  # the same examples every time
hypothesis.settings.load_profile("ci" if REQUIRED else "developer")


def pytest_configure(config: pytest.Config) -> None:
    """In CI a fault at garbage collection or in a thread is printed and no error: which test it falls into is luck."""
    if REQUIRED:
        for kind in ("PytestUnraisableExceptionWarning", "PytestUnhandledThreadExceptionWarning"):
            config.addinivalue_line("filterwarnings", f"default::pytest.{kind}")


@pytest.fixture(autouse=True)
def usual_umask() -> Iterator[None]:
    """The command line sets another one, and a test that calls it must not leave that to the next."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty HOME without any AWS or ssowatch setting in the environment."""
    for name in list(os.environ):
        if name.startswith(("AWS_", "SSOWATCH_CONFIG", "XDG_", "NOTIFY_", "WATCHDOG_")) or name.lower().endswith(
            "_proxy"
        ):
            monkeypatch.delenv(name)
    # No test may show a notice or open a browser on the desktop of whoever runs it.
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "INVOCATION_ID", "SSH_CONNECTION"):
        monkeypatch.delenv(name, raising=False)
    for bus in ("DBUS_SESSION_BUS_ADDRESS", "DBUS_SYSTEM_BUS_ADDRESS"):
        monkeypatch.setenv(bus, "unix:path=/nonexistent")
    place = tmp_path / "home"
    place.mkdir(mode=0o700)
    monkeypatch.setenv("HOME", str(place))
    return place


@pytest.fixture
def now() -> datetime:
    """A moment."""
    return datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
