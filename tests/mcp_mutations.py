"""Clients' config files with something wrong in them: neither a crash nor a hang, and no secret gets out."""

from __future__ import annotations

import copy
import json
from typing import Any

import mcp_samples
import yaml
from hypothesis import strategies as st
from mcp_samples import SAMPLES

from ssowatch.mcp import names, parsers, profiles, shapes
from ssowatch.mcp.shapes import Shape

SHAPES = {
    "MCP_SERVERS": ("x.json", "x.yaml"),  # Continue has it in YAML
    "claude_code": ("x.json",),
    "plugin": ("x.json",),
    "SERVERS": ("x.json",),
    "EDITOR_SETTINGS": ("x.json",),
    "CURSOR_USER": ("x.json",),
    "DEV_CONTAINER": ("x.json",),
    "WORKSPACE": ("x.code-workspace",),
    "KIRO": ("x.json",),
    "ZED": ("x.json",),
    "CODEX": ("x.toml",),
    "GOOSE": ("x.yaml",),
    "opencode": ("x.jsonc",),
}
"""Each shape by its name, with the syntaxes in which it stands."""
ROWS = [(name, path) for name, paths in SHAPES.items() for path in paths]

_LEAF = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", "~", "${", "${AWS_PROFILE:-${X}}", "$(", "--profile", "env", "sh", "-c", "docker", "run", "-e", "-v"]
    ),
    st.sampled_from(["cmd", "ssowatch", "mcp", "wrap", "exec", "--", "aws-vault", "AWS_PROFILE=dev", "'"]),
    st.sampled_from(["\ue000", "\ue001", "\ud800", "\0"]),
)
_VALUE = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
_PIECES = [
    b"{",
    b"}",
    b"[",
    b"]",
    b'"',
    b"'",
    b",",
    b":",
    b"\n",
    b"//",
    b"/*",
    b"\\",
    b"\0",
    b"\xff",
    b"&a ",
    b"*a",
    b"<<: ",
]
_PIECES += [
    b"!!python/object:x ",
    b"- ",
    b"  ",
    b"=",
    b"[[",
    b"#",
    b"1e999",
    b"\\ud800",
    b"Infinity",
    b"${",
    b"2026-13-41",
]


def _spots(document: Any) -> list[tuple[Any, Any]]:
    """Every place of a document, as a container and a key."""
    found = []
    inner = document.items() if isinstance(document, dict) else enumerate(document)
    for key, value in inner:
        found.append((document, key))
        if isinstance(value, dict | list):
            found += _spots(value)
    return found


@st.composite
def values(draw: st.DrawFn, name: str, path: str) -> bytes:
    """A sample in which some values, or whole parts, are others."""
    document = copy.deepcopy(draw(st.sampled_from(list(SAMPLES[getattr(shapes, name)].values()))))
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(_spots(document)))
        container[key] = draw(_VALUE)
        if not _spots(document):
            break
    if path.endswith(".toml"):
        return draw(garbled(name, path))
    return (yaml.dump(document) if path.endswith(".yaml") else json.dumps(document)).encode("utf-8", "surrogatepass")


@st.composite
def garbled(draw: st.DrawFn, name: str, path: str) -> bytes:
    """A sample in which some bytes are others, missing or doubled."""
    document = draw(st.sampled_from(list(SAMPLES[getattr(shapes, name)].values())))
    content = mcp_samples.text(path, document).encode()
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(start + 30, len(content))))
        piece = draw(st.sampled_from([*_PIECES, b"", content[start:end] * 2]) | st.binary(max_size=4))
        content = content[:start] + piece + content[end:]
    return content


def survives(name: str, path: str, content: bytes) -> None:
    """Read it as discovery does; what comes of it is shown to nobody, so only its form is looked at."""
    shape: Shape = getattr(shapes, name)
    document, broken = None, ""
    try:
        document = parsers.parse(path, content)
    except parsers.BrokenError as error:
        broken = str(error)
    assert broken.isprintable()
    assert "canary" not in broken
    for entry in shape(document):
        assert "canary" not in repr(entry) or "canary" in entry.server + entry.folder
        for client in names.CLIENTS:
            rows = profiles.resolve(
                entry,
                client,
                path,
                known={"HOME": "/home/me", "AWS_PROFILE": "dev"},
                profiles=frozenset({"dev"}),
                home="/home/me",
                aws_config="/home/me/.aws/config",
                env_file=lambda _: {"AWS_PROFILE": "prod"},
            )
            for row in rows:
                assert isinstance(row.profile, str | None)
                json.dumps([row.server, row.profile, row.problem and row.problem.message]).encode()
                row.server.encode()
                assert not row.problem or row.problem.message.isprintable()
