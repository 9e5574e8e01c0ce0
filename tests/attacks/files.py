"""Files that the service and the commands read, in every form that a file can have."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from attacks.scene import NOBODY, Scene
from attacks.table import Attack, must

FILES = {
    # name: below the home, what reads it most, what may stand in it
    "own config": (".config/ssowatch/config.yaml", ("config", "check"), b"mode: {nested}\n"),
    "AWS config": (".aws/config", ("status",), b"[profile {nested}]\n"),
    "credentials": (".aws/credentials", ("status",), b"[{nested}]\n"),
    "token": ("", ("refresh", "corp"), b'{"accessToken": {nested}}'),
    "Claude Code's": (".claude.json", ("mcp", "servers", "--json"), b'{"mcpServers": {nested}}'),
    "Codex's": (".codex/config.toml", ("mcp", "servers"), b"x = {nested}\n"),
    "Goose's": (".config/goose/config.yaml", ("mcp", "servers"), b"extensions: {nested}\n"),
}


def _huge(path: Path, _: bytes, __: Scene) -> None:
    with path.open("wb") as file:
        file.truncate(8 << 30)


def _large(path: Path, inner: bytes, _: Scene) -> None:
    path.write_bytes(inner.replace(b"{nested}", b"x" * (64 << 20)))


def _deep(path: Path, inner: bytes, _: Scene) -> None:
    path.write_bytes(inner.replace(b"{nested}", b"[" * 100_000 + b"]" * 100_000))


def _deep_maps(path: Path, inner: bytes, _: Scene) -> None:
    path.write_bytes(inner.replace(b"{nested}", b'{"a":' * 20_000 + b"1" + b"}" * 20_000))


def _binary(path: Path, _: bytes, __: Scene) -> None:
    path.write_bytes(bytes(range(256)) * 400)


def _one_line(path: Path, _: bytes, __: Scene) -> None:
    path.write_bytes(b"\xef\xbb\xbf" + b"\x85\xe2\x80\xa8" * 20_000)


def _fifo(path: Path, _: bytes, __: Scene) -> None:
    os.mkfifo(path)


def _directory(path: Path, _: bytes, __: Scene) -> None:
    path.mkdir()


def _to(target: str, path: Path, _: bytes, __: Scene) -> None:
    path.symlink_to(target)


def _loop(path: Path, _: bytes, __: Scene) -> None:
    path.symlink_to(path.name)


def _of_another(path: Path, _: bytes, scene: Scene) -> None:
    other = scene.root / "other"
    other.write_text("mode: auto\nhooks: {on_renewed: [evil]}\n")
    os.chown(other, NOBODY, NOBODY)
    path.symlink_to(other)


def _writable(path: Path, inner: bytes, _: Scene) -> None:
    path.write_bytes(inner.replace(b"{nested}", b"auto"))
    path.chmod(0o666)


KINDS: dict[str, Callable[[Path, bytes, Scene], None]] = {
    "8 GB": _huge,
    "64 MB": _large,
    "deep lists": _deep,
    "deep mappings": _deep_maps,
    "binary": _binary,
    "odd line ends": _one_line,
    "a FIFO": _fifo,
    "a directory": _directory,
    "to /dev/zero": partial(_to, "/dev/zero"),
    "to /dev/tty": partial(_to, "/dev/tty"),
    "to /proc/self/mem": partial(_to, "/proc/self/mem"),
    "to itself": _loop,
    "another user's": _of_another,
    "writable by all": _writable,
}


def _tried(kind: str, scene: Scene) -> str:
    refused = []
    for name, (place, command, inner) in FILES.items():
        path = scene.home / place if place else scene.token_file
        made = [one for one in path.parents if not one.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        with scene.kept(path):
            path.unlink(missing_ok=True)
            KINDS[kind](path, inner, scene)
            done = scene.run(*command)
            refused += [name] if done.code else []
            scene.run("status").must(0)
            must(b'"ok": true' in scene.say(b'{"version": 1, "do": "look"}\n'), "the service answers")
            if name == "own config" and kind in {"another user's", "writable by all"}:
                done.must(78, words="Mend: ")
        for one in made:
            one.rmdir()
    (scene.root / "other").unlink(missing_ok=True)
    return (
        f"{len(FILES)} files: each read within its bound or refused ({', '.join(refused) or 'none'} with an exit code)"
    )


ATTACKS = tuple(
    Attack(
        "files",
        f"every file {kind}",
        partial(_tried, kind),
        essential=kind in {"deep lists", "a FIFO"},
        root=kind == "another user's",
    )
    for kind in KINDS
)
