"""Which tests speak of which pure module (ranks 0 and 1): what `scripts/coverage` and `scripts/mutation` run.

Rules of this file:
1. A module's rows stand in the files named here; that others use it by the way is no reason to name them.
2. The quick ones first: a mutant is dead at the first row that fails.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

TESTS = {
    "acts": ("acts",),
    "answers": ("identity_center", "authorization"),
    "aws_document": ("profile_upgrade",),
    "aws_errors": ("aws_errors",),
    "awsconfig": ("awsconfig",),
    "awsfile": ("awsconfig",),
    "awsprofiles": ("awsconfig",),
    "clock": ("clock",),
    "completing": ("completion",),
    "config_diff": ("config_diff", "profile_upgrade"),
    "doctor_text": ("wording",),
    "durations": ("durations",),
    "explanation": ("explain",),
    "flow_record": ("login_text", "flows"),
    "forecast": ("forecast", "memory", "offers"),
    "heartbeat": ("heartbeat",),
    "history": ("history",),
    "kinds": ("kinds",),
    "kinds.identity_center": ("kinds",),
    "kinds.kind": ("kinds",),
    "kinds.login": ("kinds",),
    "links": ("browser",),
    "login_text": ("login_text",),
    "mcp": ("mcp_profiles",),
    "mcp.clients": ("mcp_clients",),
    "mcp.command_line": ("mcp_profiles",),
    "mcp.expansion": ("mcp_profiles",),
    "mcp.hanging": ("mcp_profiles",),
    "mcp.model": ("mcp_profiles",),
    "mcp.names": ("mcp_clients",),
    "mcp.profiles": ("mcp_profiles",),
    "mcp.projects": ("mcp_clients",),
    "mcp.shapes": ("mcp_profiles", "mcp_clients"),
    "mcp.snippets": ("mcp_snippet",),
    "mcp.table": ("mcp_table",),
    "memory": ("memory", "planner"),
    "model": ("planner", "memory"),
    "modes": ("modes", "planner"),
    "notice_text": ("notice_text",),
    "offers": ("offers", "planner"),
    "only_an_error": ("aws_errors",),
    "outcomes": ("wording",),
    "paragraphs": ("wording",),
    "paths": ("paths",),
    "pkce": ("pkce",),
    "plain": ("plain", "result_page", "notice_text"),
    "planner": ("planner", "offers", "renewed_in_use"),
    "problems": ("planner", "login_text"),
    "profile_upgrade": ("profile_upgrade",),
    "protocol": ("protocol",),
    "quiet_hours": ("quiet_hours",),
    "renewed_in_use": ("renewed_in_use",),
    "result_page": ("result_page",),
    "setup.step": ("wording",),
    "setup.verdict": ("wording",),
    "short_names": ("renewed_in_use", "notice_text", "login_text"),
    "squeezed": ("aws_errors",),
    "start_urls": ("start_urls", "profile_upgrade"),
    "status_table": ("status_table",),
    "time_of_day": ("pause", "offers"),
    "timing": ("timing", "planner"),
    "tokenfile": ("tokenfile",),
    "unusable": ("wording",),
    "ways": ("login_text",),
    "wish": ("wrapper",),
    "wording": ("wording",),
    "wrapper": ("wrapper",),
    "wrapper.limits": ("wrapper",),
    "wrapper.messages": ("wrapper",),
    "wrapper.profile": ("wrapper",),
    "wrapper.readings": ("wrapper",),
    "wrapper.steps": ("wrapper",),
    "wrapper.words": ("wrapper",),
}
"""Module: test files, as in `tests/test_NAME.py`."""


def source(module: str) -> str:
    """The file of a module, from the top of the tree."""
    path = f"ssowatch/{module.replace('.', '/')}"
    return f"{path}/__init__.py" if Path(path).is_dir() else f"{path}.py"


def test_files(modules: Iterable[str]) -> list[str]:
    """The test files of these modules, each once."""
    return list(dict.fromkeys(f"tests/test_{test}.py" for module in modules for test in TESTS[module]))
