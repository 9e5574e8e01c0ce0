"""An MCP server for tests, at the seam of processes: standard library, no AWS. It fails in the ways that real ones do.

`python fake_mcp_server.py SHAPE`, where SHAPE is how an error reaches the client (facts of real servers of 2026):
`visible` (isError and the text), `masked` (isError, the text on stderr alone, boxed), `result` (`isError: false`).
Tools look at the token file as botocore does. Every line that it reads goes to `$HOME/seen`; each start to `$HOME/starts`.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOME = Path(os.environ["HOME"])
TOKEN = HOME / ".aws/sso/cache" / f"{hashlib.sha1(b'corp', usedforsecurity=False).hexdigest()}.json"
NO_TOKEN = "Error loading SSO Token: Token for corp does not exist"
RUN_OUT = "Error when retrieving token from sso: Token has expired and refresh failed"
UNAUTHORIZED = (
    "The SSO session associated with this profile has expired or is otherwise invalid. "
    "To refresh this SSO session run aws sso login with the corresponding profile."
)
DEAD_KEYS = "An error occurred (ExpiredToken) when calling the ListGroups operation: The security token included in the request is expired"
STAMP = "%Y-%m-%dT%H:%M:%SZ"
SHAPE = sys.argv[1] if len(sys.argv) > 1 else "visible"
times: dict[str, int] = {}


def note(file: str, line: str) -> None:
    with (HOME / file).open("a") as out:
        out.write(line + "\n")


def send(body: object) -> None:
    sys.stdout.buffer.write(json.dumps(body).encode() + b"\n")
    sys.stdout.buffer.flush()


def good(text: str) -> dict[str, object]:
    return {"content": [{"type": "text", "text": text}], "isError": False}


def bad(tool: str, text: str) -> dict[str, object]:
    if SHAPE == "result":
        return good(json.dumps({"error": text}))
    if SHAPE == "masked":
        half = len(text) // 2
        print(
            f"╭─ Traceback (most recent call last) ─╮\n│ {text[:half]}   │\n│   {text[half:]} │\n╰─────╯",
            file=sys.stderr,
        )
        sys.stderr.flush()
        text = ""
    said = f"Error executing tool {tool}" + (f": Unexpected error: {text}" if text else "")
    return {"content": [{"type": "text", "text": said}], "isError": True}


def now() -> datetime:
    """This program's own clock."""
    return datetime.now(UTC)  # noqa: TID251 - a program of its own


def token_error() -> str | None:
    try:
        content = json.loads(TOKEN.read_bytes())
    except FileNotFoundError:
        return NO_TOKEN
    ends = datetime.strptime(content["expiresAt"], STAMP).replace(tzinfo=UTC)
    return None if ends > now() else RUN_OUT


def lose() -> None:
    """The token runs out now, by the file."""
    content = json.loads(TOKEN.read_bytes())
    content["expiresAt"] = (now() - timedelta(minutes=1)).strftime(STAMP)
    fresh = TOKEN.with_suffix(".lost")
    fresh.write_text(json.dumps(content))
    fresh.replace(TOKEN)


def call(name: str, arguments: dict[str, object]) -> dict[str, object]:
    times[name] = times.get(name, 0) + 1
    if name == "loses" and times[name] == 1:
        lose()
    if name == "stubborn" and times[name] < 3:  # as mcp-proxy-for-aws says its old error again
        return bad(name, RUN_OUT)
    if name == "says":
        return good(str(arguments["text"]))
    if name == "fails":
        return {"content": [{"type": "text", "text": str(arguments["text"])}], "isError": True}
    if name == "unauthorized" and "alive" not in TOKEN.read_text():
        return bad(name, UNAUTHORIZED)
    if name == "crashes":
        print("Traceback (most recent call last):\nKeyError: 'GroupName'", file=sys.stderr, flush=True)
        return {"content": [{"type": "text", "text": f"Error executing tool {name}"}], "isError": True}
    if name in {"reads", "writes"} and (HOME / "revoked").exists() and not (HOME / "restarted").exists():
        (HOME / "restarted").touch()  # the keys in memory are dead; the next process fetches new ones
        os.environ["DEAD"] = "1"
    if "DEAD" in os.environ:
        return bad(name, DEAD_KEYS)
    if (error := token_error()) is not None:
        return bad(name, error)
    return good(f"{name} {times[name]}")


def tools() -> list[dict[str, object]]:
    return [{"name": "reads", "annotations": {"readOnlyHint": True}}, {"name": "writes"}]


def main() -> None:
    note("starts", str(os.getpid()))
    for line in sys.stdin.buffer:
        note("seen", line.decode().rstrip("\n"))
        body = json.loads(line)
        if "id" not in body:
            continue
        method, params = body["method"], body.get("params", {})
        if method == "tools/call" and params["name"] == "never":
            continue
        if method == "tools/call" and params["name"] == "leaves":
            sys.exit(7)
        if method == "tools/call" and (params.get("_meta") or {}).get("progressToken") is not None:
            progress = {"progressToken": params["_meta"]["progressToken"], "progress": 1}
            send({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress})
        if method == "initialize" and SHAPE == "brittle" and token_error():
            send(
                {
                    "jsonrpc": "2.0",
                    "id": body["id"],
                    "error": {"code": -32602, "message": "Invalid request parameters", "data": ""},
                }
            )
            continue
        result = (
            call(params["name"], params.get("arguments") or {})
            if method == "tools/call"
            else {"tools": tools()}
            if method == "tools/list"
            else {"serverInfo": {"name": "fake", "version": str(os.getpid())}}
        )
        send({"jsonrpc": "2.0", "id": body["id"], "result": result})
    if SHAPE == "deaf":
        time.sleep(3600)


if __name__ == "__main__":
    main()
