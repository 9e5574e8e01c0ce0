"""An MCP server over HTTP, as mcp-proxy-for-aws reaches one; the port is the only line of its output."""

from __future__ import annotations

import socket
import sys

from fastmcp import FastMCP

server: FastMCP = FastMCP("far away")


@server.tool
def hello() -> str:
    """Say it."""
    return "hello from far away"


with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
sys.stdout.write(f"{port}\n")
sys.stdout.flush()
server.run(transport="http", host="127.0.0.1", port=port, show_banner=False, log_level="ERROR")
