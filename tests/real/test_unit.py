"""The unit as `ssowatch setup` installs it from the wheel, under a real `systemd --user`, from its first start to its end."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import homes
import pytest
from real.installed import HERE, under_a_user_manager
from simulator.remote import running

pytestmark = [pytest.mark.real, pytest.mark.setup]


@pytest.fixture(scope="module")
def happened(program, tmp_path_factory) -> dict[str, Any]:
    """What systemd said at the end of each chapter."""
    if not shutil.which("chromium"):
        assert not homes.REQUIRED
        pytest.skip("no chromium")
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    try:
        for name in ("forty_homes.py", "notification_server.py", "unit_story.py"):
            shutil.copy(HERE / name, folder)
        with running(tmp_path_factory.mktemp("portal") / "ports") as center:
            order = {"tokens": [center.sign_in() for _ in range(5)], "environ": center.environ}
            (folder / "order.json").write_text(json.dumps(order))
            for path in (folder, *folder.iterdir()):
                path.chmod(0o755 if path.is_dir() else 0o644)
            story = ["/usr/bin/python3", folder / "unit_story.py", program, program.with_name("python")]
            said = under_a_user_manager(*story, folder / "order.json", timeout=1200)
    finally:
        shutil.rmtree(folder)
    return json.loads(said.splitlines()[-1])


def chapter(happened: dict[str, Any], name: str) -> dict[str, Any]:
    assert name in happened, f"the story ended before: {json.dumps(happened, indent=1)}"
    return happened[name]


def test_it_is_ready_and_says_how_it_is(happened):
    first = chapter(happened, "installed")
    assert first["code"] == 0, first["said"]
    assert (first["ActiveState"], first["SubState"], first["UnitFileState"]) == ("active", "running", "enabled")
    assert first["StatusText"].startswith("2 sign-ins: 1 signed out, 1 valid")
    assert first["NRestarts"] == "0"
    assert first["verify"] == "", "systemd-analyze finds nothing to say"
    assert first["again"][0] == 0
    assert "wrote" not in first["again"][1], "setup is safe to repeat"
    assert first["restart"][0] == 0


def test_a_crash_is_survived(happened):
    after = chapter(happened, "crashed")
    assert (after["ActiveState"], after["NRestarts"]) == ("active", "1")


def test_a_hang_is_ended_by_the_watchdog(happened):
    """A stopped process neither ends nor answers: nothing but the watchdog starts it again."""
    after = chapter(happened, "hung")
    assert (after["ActiveState"], after["NRestarts"]) == ("active", "2")


def test_a_wrong_config_fails_and_is_not_tried_again(happened):
    failed = chapter(happened, "misconfigured")
    assert (failed["code"], failed["ExecMainStatus"], failed["Result"]) == (1, "78", "exit-code")
    assert "ssowatch config check" in failed["said"]
    assert (failed["ActiveState"], failed["SubState"]) == ("failed", "failed"), "no restart is waiting"
    assert failed["status"][0] == 1
    assert failed["mended"][0] == 0


def test_it_stops_at_once(happened):
    after = chapter(happened, "stopped")
    print(f"\nstopped in {after['seconds']:.2f} s")
    assert (after["ActiveState"], after["Result"]) == ("inactive", "success"), "by SIGTERM, not by SIGKILL"
    assert after["seconds"] < homes.PATIENCE
    assert after["status"][0] == 1


def test_a_notice_and_a_browser_come_out_of_it(happened):
    asked = chapter(happened, "asked")
    assert "ssowatch: this is a test" in asked["titles"], "that of setup"
    assert "corp" in asked["titles"]
    assert "simulated IAM Identity Center" in asked["page"]
    assert "ssowatch.service" not in asked["unit"], "the browser outlives the service"


def test_it_leaves_nothing(happened):
    after = chapter(happened, "removed")
    assert after["code"] == 0, after["said"]
    assert after["ActiveState"] == "inactive"
    assert after["left"] == [".config/systemd/user/ssowatch.service.d/quick.conf"], "a drop-in is its user's"
