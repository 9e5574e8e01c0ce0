"""`ssowatch setup --yes` in forty homes and more, under a real user manager: protected within a minute, or told how."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from real.forty_homes import HOMES, SECONDS
from real.installed import HERE, lacks, under_a_user_manager
from simulator.remote import running

pytestmark = [pytest.mark.real, pytest.mark.setup]
_EACH = 200.0
"""Seconds for one home on a machine that does other things, too."""


@pytest.fixture(scope="module")
def lives(request, program, tmp_path_factory) -> dict[str, dict[str, Any]]:
    """What became of each home that is asked for, one after the other under one user manager."""
    names = [one.callspec.params["row"].name for one in request.session.items if hasattr(one, "callspec") and "row" in one.callspec.params]  # fmt: skip
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    try:
        for name in ("forty_homes.py", "notification_server.py"):
            shutil.copy(HERE / name, folder)
        with running(tmp_path_factory.mktemp("portal") / "ports") as center:
            tokens = [center.sign_in() for _ in range(3 * len(names) + 3)]
            order = {"names": names, "tokens": tokens, "environ": center.environ}
            (folder / "order.json").write_text(json.dumps(order))
            (folder / "answers").touch()
            for path in (folder, *folder.iterdir()):
                path.chmod(0o777)
            if not lacks():
                story = ["/usr/bin/python3", folder / "forty_homes.py", program, program.with_name("python")]
                under_a_user_manager(*story, folder / "order.json", folder / "answers", timeout=_EACH * len(names) + 60)
            else:
                under_a_user_manager("true", timeout=1)
        return {one["name"]: one for one in map(json.loads, (folder / "answers").read_text().splitlines())}
    finally:
        shutil.rmtree(folder)


def test_there_are_forty():
    assert len({row.name for row in HOMES}) == len(HOMES) >= 40


@pytest.mark.parametrize("row", HOMES, ids=[row.name for row in HOMES])
def test_home(row, lives):
    life = lives[row.name]
    assert "fault" not in life, life["fault"]
    said = " ".join(life["said"].split())
    assert row.says in said, life["said"]
    assert life["code"] == row.code, life["said"]
    assert "Traceback" not in life["said"] + life["removal"]
    assert life["protected"], f"not within {SECONDS:.0f} s: {life['state']}\n{life['said']}"
    assert not life["mended"], "it needed no mend: the row is wrong"
    assert life["removed"] == 0, life["removal"]
    assert life["left"] == [], life["removal"]
