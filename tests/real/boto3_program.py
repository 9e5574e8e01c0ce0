"""A stand-in for a long-lived AWS program, such as an MCP server: one boto3 client per profile, kept for life.

Rules of this file:
1. It reads `call PROFILE` on stdin and answers each with one line of JSON: `{"ok": true, "arn": …}`, or
   `{"ok": false, "error": …, "text": …}` with the exception's class and words.
2. It does nothing for its sign-in: whatever boto3 does by itself is what is observed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3

clients: dict[str, Any] = {}


def call(profile: str) -> dict[str, Any]:
    """Ask STS who this profile is."""
    try:
        if profile not in clients:
            clients[profile] = boto3.Session(profile_name=profile).client("sts")
        return {"ok": True, "arn": clients[profile].get_caller_identity()["Arn"]}
    except Exception as error:  # noqa: BLE001 - whatever a user of boto3 would meet
        return {"ok": False, "error": type(error).__name__, "text": str(error)}


for line in sys.stdin:
    print(json.dumps(call(line.split()[1])), flush=True)
