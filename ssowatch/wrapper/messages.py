"""What a line of MCP's stdio transport says, as far as the wrapper must know it (rank 1, pure).

Rules of this file:
1. No line makes it raise: what is not one JSON object is None, and a field of another kind than MCP says is not there.
2. Both eras are known: the handshake (`initialize`, up to 2025-11-25), and 2026-07-28 without one, where each request
   says in its `_meta` who calls.
3. A request is known by its id as JSON text, because 1 and "1" are two ids.
"""

from __future__ import annotations

import json
from typing import Any

INITIALIZE, INITIALIZED, SET_LEVEL = "initialize", "notifications/initialized", "logging/setLevel"
HANDSHAKE = (INITIALIZE, SET_LEVEL)
"""The requests of it, in their order."""
STARTS = frozenset({INITIALIZE, "server/discover"})
"""What a client sends first; without a good answer it counts the server as failed."""
CALL, LIST, CANCELLED, PROGRESS = "tools/call", "tools/list", "notifications/cancelled", "notifications/progress"
_CLIENT_INFO = "io.modelcontextprotocol/clientInfo"

Body = dict[str, Any]


def read(line: bytes) -> Body | None:
    """The object on this line; None where there is none."""
    try:
        body = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def key(value: object) -> str | None:
    """What tells this request id, or progress token, from every other; None where it is none."""
    return json.dumps(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def method(body: Body) -> str | None:
    """Of a request or a notification."""
    found = body.get("method")
    return found if isinstance(found, str) else None


def is_answer(body: Body) -> bool:
    """Whether it answers a request."""
    return "method" not in body and ("result" in body or "error" in body)


def client_name(body: Body) -> str | None:
    """Who sends this request, as it calls itself."""
    params = _object(body.get("params"))
    info = _object(params.get("clientInfo")) or _object(_object(params.get("_meta")).get(_CLIENT_INFO))
    name = info.get("name")
    return name if isinstance(name, str) else None


def tool(body: Body) -> str | None:
    """The tool that is called."""
    name = _object(body.get("params")).get("name")
    return name if isinstance(name, str) else None


def progress_token(body: Body) -> str | int | None:
    """Where the caller wants to hear of progress; None where it does not."""
    token = _object(_object(body.get("params")).get("_meta")).get("progressToken")
    return token if isinstance(token, str | int) and not isinstance(token, bool) else None


def cancels(body: Body) -> str | None:
    """The key of the request that this notification cancels."""
    return key(_object(body.get("params")).get("requestId"))


def progressed(body: Body) -> tuple[str | None, float]:
    """The key of the token that a progress notification is for, and how far it says that things are."""
    params = _object(body.get("params"))
    value = params.get("progress")
    number = float(value) if isinstance(value, int | float) and abs(value) < 1e300 else 0.0
    return key(params.get("progressToken")), number


def repeatable(body: Body) -> dict[str, bool]:
    """Of an answer to `tools/list`: which tools say of themselves that calling them again changes nothing."""
    tools = _object(body.get("result")).get("tools")
    found = {}
    for one in tools if isinstance(tools, list) else []:
        hints = _object(_object(one).get("annotations"))
        if isinstance(name := _object(one).get("name"), str):
            found[name] = hints.get("readOnlyHint") is True or hints.get("idempotentHint") is True
    return found


def with_line(body: Body, text: str) -> bytes:
    """A failed answer with one more line at its end."""
    error, result = body.get("error"), _object(body.get("result"))
    if isinstance(error, dict):
        return _line({**body, "error": {**error, "message": f"{error.get('message', '')}\n{text}"}})
    content = result.get("content")
    more = [*(content if isinstance(content, list) else []), {"type": "text", "text": text}]
    return _line({**body, "result": {**result, "content": more}})


def progress(token: str | int, value: float, message: str) -> bytes:
    """A progress notification."""
    return _line(
        {
            "jsonrpc": "2.0",
            "method": PROGRESS,
            "params": {"progressToken": token, "progress": value, "message": message},
        }
    )


def under_another_id(body: Body, own: str) -> bytes:
    """The same request under an id of ours."""
    return _line({**body, "id": own})


def _line(body: Body) -> bytes:
    # Escaped, so that no surrogate of the original can fail to be written.
    return json.dumps(body).encode() + b"\n"


def _object(value: object) -> Body:
    return value if isinstance(value, dict) else {}
