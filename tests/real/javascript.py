"""The AWS SDK for JavaScript on this machine: `js/program.cjs`, and where scripts/test installed what it needs."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).with_name("js") / "program.cjs"
MODULES = Path(sys.prefix, "js/node_modules")
"""In the venv: outside the source tree, and gone with it."""


def program() -> tuple[tuple[str, ...], dict[str, str]]:
    """The client's command, and what its environment needs. A laptop may lack them; CI may not."""
    node = shutil.which("node")
    if not (node and (MODULES / "@aws-sdk").is_dir()):
        assert os.environ.get("SSOWATCH_CI") != "1", "CI installs Node.js and the AWS SDK for JavaScript"
        pytest.skip("there is no Node.js, or no AWS SDK for it; scripts/test installs the SDK where there is npm")
    return (node, str(PROGRAM)), {"NODE_PATH": str(MODULES)}
