"""What is shown of a change of the AWS files."""

from __future__ import annotations

import pytest

from ssowatch import config_diff

DIFFS = [
    # what, before, after, the lines below the two names
    ("nothing", "[a]\nx = 1\n", "[a]\nx = 1\n", []),
    (
        "a section at the end",
        "[a]\nx = 1\n",
        "[a]\nx = 1\n\n[sso-session s]\nsso_region = r\n",
        ["@@ -2,0 +3,3 @@", "+", "+[sso-session s]", "+sso_region = r"],
    ),
    (
        "in the middle, and others that stay",
        "[a]\nsso_start_url = u\nsso_region = r\n[b]\nsso_region = r\nx = 1\n",
        "[a]\nsso_session = s\n[b]\nsso_region = r\nx = 1\n",
        ["@@ -2,2 +2 @@ [a]", "-sso_start_url = u", "-sso_region = r", "+sso_session = s"],
    ),
    (
        "the last lines",
        "[a]\nx = 1\nsso_start_url = u\nsso_region = r\n",
        "[a]\nx = 1\nsso_session = s\n",
        ["@@ -3,2 +3 @@ [a]", "-sso_start_url = u", "-sso_region = r", "+sso_session = s"],
    ),
    ("the last line goes", "[a]\nx = 1\nsso_region = r\n", "[a]\nx = 1\n", ["@@ -3 +2,0 @@ [a]", "-sso_region = r"]),
    (
        "a new line",
        "[s]\nsso_region = r\n[b]\nx = 1\n",
        "[s]\nsso_region = r\nsso_registration_scopes = c\n[b]\nx = 1\n",
        ["@@ -2,0 +3 @@ [s]", "+sso_registration_scopes = c"],
    ),
    (
        "indented",
        "[a]\n  sso_region = r\n",
        "[a]\n  sso_session = s\n",
        ["@@ -2 +2 @@ [a]", "-  sso_region = r", "+  sso_session = s"],
    ),
]


@pytest.mark.parametrize(("before", "after", "lines"), [row[1:] for row in DIFFS], ids=[row[0] for row in DIFFS])
def test_diffs(before, after, lines):
    assert list(config_diff.diff(before, after, "f")) == (["--- f", "+++ f", *lines] if lines else [])
