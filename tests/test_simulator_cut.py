"""The cut through the simulator: `center` is fine weather and can be shipped; the rest extends it and stays with the tests."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import simulator

import ssowatch
from ssowatch.demo import center

TOP = Path(simulator.__file__).parent
PACKAGES = Path(ssowatch.__file__).parents[1]
CENTER = sorted(Path(center.__file__).parent.glob("*.py"))


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: absolute imports, so that this test sees them"
            yield node.module


@pytest.mark.parametrize("path", CENTER, ids=[path.stem for path in CENTER])
def test_the_center_imports_the_standard_library_and_itself(path):
    for name in imports(path):
        assert name.split(".")[0] in sys.stdlib_module_names or f"{name}.".startswith("ssowatch.demo.center."), name


def test_modules_stay_small():
    long = {path.name: n for path in [*TOP.rglob("*.py"), *CENTER] if (n := len(path.read_text().splitlines())) > 200}
    assert not long


# What a light start must not load; ssl is not here because http.server itself loads it.
HEAVY = {"asyncio", "logging", "subprocess", "urllib.request", "xml"}


def test_the_plain_server_is_light_to_import():
    program = "import sys, ssowatch.demo.center.server; print(*sys.modules)"
    environ = {"PATH": os.defpath, "PYTHONPATH": str(PACKAGES)}
    command = [sys.executable, "-S", "-c", program]
    loaded = subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout.split()
    assert not HEAVY & set(loaded)
    assert [
        name for name in loaded if name.startswith("simulator.") and not name.startswith("ssowatch.demo.center")
    ] == []
