"""The demo's "MCP server": a long-running program with one boto3 client, like any tool of an AI assistant.

It never restarts, and makes one call to AWS per line on its input. Its role credentials are always too old for boto3,
so each call needs a good sign-in.
"""

from __future__ import annotations

import json
import sys


def main() -> None:
    """Answer each line by a call."""
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.Session(profile_name="dev").client("sts")
    for _ in sys.stdin:
        try:
            said = {
                "ok": True,
                "text": f"sts:GetCallerIdentity answers, account {client.get_caller_identity()['Account']}",
            }
        except (BotoCoreError, ClientError) as error:
            said = {"ok": False, "text": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
