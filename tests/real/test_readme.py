"""The README's commands, word by word, in a fresh home, with ssowatch installed from the wheel; under a real user manager.

Rules of this file:
1. Every line of a `sh` block is followed. A line that no row of `FOLLOWED` knows fails: give it a row, or take it out.
2. An installation is replaced by that of the wheel, which the test has made; what another test follows is named as such.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from real.installed import HERE, TOP, under_a_user_manager
from simulator.remote import running

pytestmark = [pytest.mark.real, pytest.mark.setup]

DONE = "done by the fixture: the wheel is installed"
ELSEWHERE = "followed by another test"
FOLLOWED = [
    # what the line looks like, how it is followed: DONE, ELSEWHERE, "run", "asked" (at a terminal), "stays" (until SIGTERM)
    (r"(pipx|uv tool|pip|python3 -m pip) install (ssowatch|\.)( .*)?", DONE),
    (r"git clone .*|cd .*|python3 -m venv .*", DONE),
    (r"scripts/test.*|\.ci/run.*|ssowatch demo.*|.*\bbench/.*", ELSEWHERE),
    (r"ssowatch setup", "asked"),
    (r"ssowatch run", "stays"),
    (r"ssowatch .*", "run"),
]


def commands(text: str) -> list[str]:
    """The lines of all `sh` blocks; without comments and prompts, continued lines in one."""
    blocks = re.findall(r"^```(?:sh|bash|console)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines()
    bare = (re.sub(r"(^|\s)#.*$", "", line).removeprefix("$ ").strip() for line in lines)
    return [part.strip().removeprefix(".venv/bin/") for line in bare if line for part in line.split(" && ")]


def followed(command: str) -> str:
    way = next((way for form, way in FOLLOWED if re.fullmatch(form, command)), None)
    assert way, f"no row of FOLLOWED knows how to follow this command of the README: {command}"
    return way


@pytest.fixture(scope="module")
def happened(program, tmp_path_factory) -> list[dict[str, Any]]:
    steps = [(command, followed(command)) for command in commands((TOP / "README.md").read_text())]
    folder = Path(tempfile.mkdtemp(prefix="ssowatch-test-"))
    try:
        for name in ("forty_homes.py", "notification_server.py", "readme_story.py"):
            shutil.copy(HERE / name, folder)
        with running(tmp_path_factory.mktemp("portal") / "ports") as center:
            order = {
                "steps": [step for step in steps if step[1] not in {DONE, ELSEWHERE}],
                "tokens": [center.sign_in() for _ in range(3)],
                "environ": center.environ,
            }
            (folder / "order.json").write_text(json.dumps(order))
            for path in (folder, *folder.iterdir()):
                path.chmod(0o755 if path.is_dir() else 0o644)
            story = ["/usr/bin/python3", folder / "readme_story.py", program, program.with_name("python")]
            said = under_a_user_manager(*story, folder / "order.json", timeout=900)
    finally:
        shutil.rmtree(folder)
    return json.loads(said.splitlines()[-1])


def test_there_are_commands_and_each_is_known():
    found = commands((TOP / "README.md").read_text())
    assert found
    assert {followed(one) for one in found} & {"run", "asked", "stays"}


def test_each_does_what_it_says(happened):
    print(f"\n{len(happened)} commands in {sum(one['seconds'] for one in happened):.1f} s")
    for one in happened:
        assert one["code"] == 0, one
        assert "Traceback" not in one["said"], one
