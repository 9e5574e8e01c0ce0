"""The official Python SDK's client around one stdio server: a line of JSON per call on stdin, a line per answer.

`client_program.py NAME COMMAND…`; NAME is what it calls itself. The first line of its output says what the server is.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys

from mcp import Client, StdioServerParameters
from mcp.types import Implementation


def say(value: object) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


async def main(name: str, command: str, *arguments: str) -> None:
    server = StdioServerParameters(command=command, args=list(arguments), env=dict(os.environ))
    info = Implementation(name=name, version="1")
    async with Client(server, client_info=info) as client:
        say({"server": client.server_info.name})
        while line := await asyncio.to_thread(sys.stdin.readline):
            wanted = json.loads(line)
            result = await client.call_tool(wanted["tool"], wanted["arguments"])
            texts = [part.text for part in result.content if part.type == "text"]
            say({"failed": bool(result.is_error), "texts": texts})


asyncio.run(main(*sys.argv[1:]))
