"""Callers of `ssowatch` for tests: with a terminal as their stdin, or without; and the tabs that they open."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from homes import PATIENCE, wait_for

from ssowatch import flows


class Caller:
    """A command that runs. What it says goes to a file."""

    def __init__(self, home: Path, *arguments: str, terminal: bool = False, **environ: str) -> None:
        self._said = home / f"said{len(list(home.glob('said*')))}"
        self._terminal = pty.openpty() if terminal else ()
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "ssowatch", *arguments],
                stdin=self._terminal[1] if self._terminal else subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                env={**os.environ, **environ},
            )

    def said(self) -> str:
        """All of it so far."""
        return self._said.read_text()

    def until_said(self, words: str) -> str:
        """Wait for these words; all that was said."""
        wait_for(lambda: words in self.said(), f"it says {words!r}", PATIENCE)
        return self.said()

    def ended(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """End it; the flow goes on."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for fd in self._terminal:
            os.close(fd)
        self._terminal = ()


@contextmanager
def caller(home: Path, *arguments: str, terminal: bool = False, **environ: str) -> Iterator[Caller]:
    """A caller for the time of a `with`."""
    with closing(Caller(home, *arguments, terminal=terminal, **environ)) as running:
        yield running


def with_browser(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A BROWSER that writes down what it is to open, and no other."""
    browser = home / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> "{home}/tabs"\n')
    browser.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(browser))
    monkeypatch.setenv("PATH", os.defpath)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "SSH_CONNECTION", "SSH_TTY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)


def without_browser(monkeypatch: pytest.MonkeyPatch) -> None:
    """No BROWSER and no display, over SSH."""
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")


def tabs(home: Path) -> list[str]:
    """The links that the browser was given."""
    place = home / "tabs"
    return place.read_text().split() if place.exists() else []


def opened(home: Path, number: int = 1) -> str:
    """Wait for that tab; its link."""
    return wait_for(lambda: tabs(home)[number - 1 : number], f"tab {number} is opened", PATIENCE)[0]


def end_flows(*names: str) -> None:
    """Let no flow outlive its test."""

    def ended() -> bool:
        for name in names:  # again and again: one that has just begun cannot be told yet
            flows.cancel(name)
        return not any(map(flows.alive, names))

    wait_for(ended, "the flows ended", PATIENCE)
