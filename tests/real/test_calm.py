"""A day of each mode: what appears on the screen, and when. The counts stand in docs/calm.md.

The screen's state is a logind of ours (python-dbusmock), the clock is moved, a crash is a SIGKILL. A notice is a run of
the `command` channel, a tab a run of BROWSER; nobody answers either, until somebody presses at the end.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import homes
import pytest
from real import logind
from real.machine import SSOWATCH_CONFIG, until
from simulator.faults import Fault, Kind

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

DOCS = Path(__file__).parent.parent.parent / "docs" / "calm.md"
COUNTER = """\
#!/bin/sh
{read}echo x >> "{home}/{name}"
"""
# A screen that does not answer in time counts as unknown; on a busy machine that would be luck.
PATIENT = "import ssowatch.presence\nssowatch.presence._SECONDS = 60.0\n"
CONFIG = f"""{SSOWATCH_CONFIG}
mode: {{mode}}
notify: [{{{{command: ["{{notifier}}"]}}}}]
"""
MINUTE = timedelta(minutes=1)
STEPS = (
    # scene, what the table calls it
    ("outage", "the VPN is down for two hours, the lid closed for one of them"),
    ("locked", "the sign-in ends while the screen is locked; ssowatch is killed and started again"),
    ("unlocked", "the screen is unlocked"),
    ("ignored", "nobody answers; the screen goes idle; ssowatch is killed and started again"),
    ("night", "the night passes"),
)


class Day:
    """One day; `counts` are the notices and tabs since the last scene."""

    def __init__(self, machine, seat, mode):
        self.machine, self.seat, self.mode = machine, seat, mode
        machine.environ |= {**seat.environ, "BROWSER": str(self._counter("tabs", read=""))}
        site = machine.home / "site"
        site.mkdir()
        (site / "sitecustomize.py").write_text(PATIENT)
        machine.environ["PYTHONPATH"] = str(site)
        notifier = self._counter("notices", read="cat > /dev/null; ")
        (machine.home / ".config/ssowatch/config.yaml").write_text(CONFIG.format(mode=mode, notifier=notifier))
        self._seen = (0, 0)

    def _counter(self, name, read):
        path = self.machine.home / f"count-{name}"
        path.write_text(COUNTER.format(home=self.machine.home, name=name, read=read))
        path.chmod(0o700)
        return path

    def totals(self):
        files = [self.machine.home / name for name in ("notices", "tabs")]
        return tuple(len(file.read_text().splitlines()) if file.exists() else 0 for file in files)

    def scene(self):
        before, self._seen = self._seen, self.totals()
        return tuple(now - then for now, then in zip(self._seen, before, strict=True))

    def looks(self, times=3):
        """Wait until the watcher has asked a few times who is there, or has seen that it need not."""
        for _ in range(times):
            self.machine.clock.jump(MINUTE)
            self.machine.until(lambda corp: corp, "the watcher answers")
            assert self.machine.ssowatch("status", "--json").returncode == 0

    def crash(self):
        self.machine.watcher.kill()
        self.machine.start_watcher()

    def lived(self):
        """The scenes, and what appeared in each."""
        machine, counts = self.machine, {}
        machine.sign_in()
        machine.start_watcher()
        machine.until_fresh()
        machine.simulator.add_fault(Fault(Kind.DOWN))
        machine.clock.jump(MINUTE * 60)
        machine.until(lambda corp: corp["problem"], "the outage is seen")
        machine.clock.jump(MINUTE * 60)
        self.looks()
        machine.simulator.clear_faults()
        machine.clock.jump(MINUTE * 10)
        machine.until(lambda corp: corp["state"] == "valid" and not corp["problem"], "renewed after the outage")
        counts["outage"] = self.scene()

        self.seat.change(LockedHint=True)
        machine.simulator.end_session()
        machine.clock.jump(MINUTE * 90)
        machine.until(lambda corp: corp["state"] == "login_required", "the end is seen")
        self.looks()
        self.crash()
        self.looks()
        counts["locked"] = self.scene()

        self.seat.change(LockedHint=False)
        wanted = {"notify": (1, 0), "auto": (0, 1), "silent": (0, 0)}[self.mode]
        until(lambda: tuple(map(sum, zip(self._seen, wanted, strict=True))) == self.totals(), "asked once", 120)
        self.looks()
        counts["unlocked"] = self.scene()

        machine.clock.jump(MINUTE * 12)  # longer than a tab waits
        if self.mode == "auto":
            until(lambda: self.totals()[0] == self._seen[0] + 1, "the notice after the ignored tab", 120)
        self.seat.change(IdleHint=True)
        self.looks()
        self.crash()
        self.looks()
        counts["ignored"] = self.scene()

        machine.clock.jump(MINUTE * 600)
        self.looks()
        counts["night"] = self.scene()
        return counts


@pytest.fixture
def seat(tmp_path_factory):
    lacks = logind.missing()
    if lacks:
        assert not homes.REQUIRED, lacks
        pytest.skip(lacks)
    with logind.Logind(tmp_path_factory.mktemp("l")) as seat:
        seat.session()
        yield seat


def row(mode, scene):
    """Of the table in the docs."""
    for line in DOCS.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == dict(STEPS)[scene]:
            notices, tabs = re.findall(r"\d+", cells[("notify", "auto", "silent").index(mode) + 1])
            return int(notices), int(tabs)
    raise AssertionError(f"docs/calm.md has no row: {dict(STEPS)[scene]}")


@pytest.mark.parametrize("mode", ["notify", "auto", "silent"])
def test_a_day_is_as_calm_as_the_docs_say(machine, seat, mode):
    counts = Day(machine, seat, mode).lived()
    assert counts == {scene: row(mode, scene) for scene, _ in STEPS}
