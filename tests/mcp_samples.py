"""What a config file of each shape looks like, with one server that uses the profile `dev`, as people write it."""

from __future__ import annotations

import json
from pathlib import Path

from ssowatch.mcp import shapes
from ssowatch.mcp.clients import Place
from ssowatch.mcp.shapes import Shape

SERVER = {
    "command": "uvx",
    "args": ["awslabs.iam-mcp-server@latest"],
    "env": {"AWS_PROFILE": "dev", "KB_KEY": "canary"},
}
MAP = {
    "aws-kb": SERVER,
    "files": {"command": "npx", "args": ["-y", "files"]},
    "web": {"url": "https://aws.example.com"},
}
LIST = [{"name": name, **one} for name, one in MAP.items()]
GOOSE = {"type": "stdio", "cmd": "uvx", "args": SERVER["args"], "envs": SERVER["env"], "env_keys": [], "enabled": True}
OPENCODE = {"type": "local", "command": ["uvx", *SERVER["args"]], "environment": SERVER["env"]}
OLD_ZED = {"command": {"path": "uvx", "args": SERVER["args"], "env": SERVER["env"]}}


def _at(place: str, inner: object) -> dict[str, object]:
    for key in reversed(place.split(".")):
        inner = {key: inner}
    return inner  # type: ignore[return-value]


SAMPLES: dict[Shape, dict[str, object]] = {
    shapes.MCP_SERVERS: {
        "a map": _at("mcpServers", MAP),
        "a list": _at("mcpServers", LIST),
        "the command in one word": _at("mcpServers", {"aws-kb": {"command": "uvx aws-kb --profile dev"}}),
    },
    shapes.claude_code: {
        "of the user": {"numStartups": 7, "mcpServers": MAP, "projects": {}},
        "of a project": {"projects": {"/src/x": {"history": [], "mcpServers": MAP}}},
    },
    shapes.plugin: {"wrapped": {"mcpServers": MAP}, "flat": MAP},
    shapes.SERVERS: {"a map": {"inputs": [], **_at("servers", MAP)}},
    shapes.EDITOR_SETTINGS: {"a map": {"editor.fontSize": 12, **_at("mcp.servers", MAP)}},
    shapes.CURSOR_USER: {place: _at(place, MAP) for place in ("mcpServers", "servers", "mcp.servers")},
    shapes.DEV_CONTAINER: {"a map": {"image": "x", **_at("customizations.vscode.mcp.servers", MAP)}},
    shapes.WORKSPACE: {"a map": {"folders": [{"path": "."}], **_at("settings.mcp.servers", MAP)}},
    shapes.KIRO: {"a map": _at("mcpServers", MAP), "powers": _at("powers.mcpServers", MAP)},
    shapes.ZED: {
        "flat": {"theme": "x", **_at("context_servers", {"aws-kb": {"source": "custom", **SERVER}})},
        "older": _at("context_servers", {"aws-kb": OLD_ZED}),
    },
    shapes.CODEX: {"a table": {"model": "x", **_at("mcp_servers", {"aws-kb": {**SERVER, "startup_timeout_sec": 20}})}},
    shapes.GOOSE: {"stdio": _at("extensions", {"aws-kb": GOOSE, "memory": {"type": "builtin", "enabled": True}})},
    shapes.opencode: {
        "v1": _at("mcp", {"aws-kb": {**OPENCODE, "enabled": True}}),
        "v2": _at("mcp.servers", {"aws-kb": {**OPENCODE, "disabled": False}}),
        "v1, a server called servers": _at("mcp", {"servers": {**OPENCODE, "x": 1}, "aws-kb": OPENCODE}),
    },
}
"""For each shape of the table every form it may take."""


def text(path: str, document: object) -> str:
    """The document in the syntax that the name of its file asks for; JSON with what people leave in it."""
    if path.endswith(".toml"):
        return _toml(document)
    if path.endswith((".yaml", ".yml")):
        import yaml

        return "# my servers\n" + yaml.safe_dump(document, sort_keys=False)
    return "// my servers\n" + json.dumps(document, indent=2).removesuffix("\n}") + ", /* and so on */\n}\n"


def _toml(document: object, path: str = "") -> str:
    assert isinstance(document, dict)
    lines = [
        f"{json.dumps(key)} = {json.dumps(value)}" for key, value in document.items() if not isinstance(value, dict)
    ]
    for key, value in document.items():
        if isinstance(value, dict):
            inner = f"{path}.{json.dumps(key)}" if path else json.dumps(key)
            lines += [f"[{inner}]", _toml(value, inner)]
    return "\n".join(lines)


def file_for(place: Place, home: Path, project: Path, plugin: Path, system: Path, elsewhere: Path) -> Path:
    """A file that matches the row, and exists nowhere else. `elsewhere`: what a variable of the pattern points to."""
    first, slash, rest = place.pattern.partition("/")
    starts = {"~": home, "<apps>": home / ".config", "<project>": project, "<plugin>": plugin, "": system}
    start = starts.get(first, elsewhere)
    return start / rest.replace("**", "a/b/c").replace("*", "some") if slash else start / "some.json"
