"""`ssowatch skill install|remove`: the Agent Skill (agentskills.io) that tells an AI agent how to bring a sign-in back.

Rules of this file:
1. An installed file carries the digest of its own text. One that still fits is ours, of whatever version, and may be
   replaced; one that does not was changed by somebody and is left alone, unless `--force` says so, and kept beside then.
2. Safe to repeat; each file is written as a whole.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
from contextlib import suppress
from hashlib import sha256
from importlib import resources
from pathlib import Path

from ssowatch import __version__, files, paths

_TARGETS = {
    "claude": ".claude",  # Claude Code
    "agents": ".agents",  # Codex, Cursor, Windsurf, Copilot, VS Code, opencode
}
_MARK = re.compile(r'^metadata:\n  version: "[^"\n]*"\n  digest: "([0-9a-f]*)"\n', re.MULTILINE)
_LARGEST = 1 << 18


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("act", choices=["install", "remove"], help="write it, or take it away again")
    parser.add_argument(
        "--target",
        choices=_TARGETS,
        help="claude: ~/.claude/skills; agents: ~/.agents/skills (default: those that are used here)",
    )
    parser.add_argument("--force", action="store_true", help="replace a file that was changed; it is kept beside")


def run(options: argparse.Namespace) -> int:
    """Do it; exit 0, or 1 if a file was left alone or cannot be written."""
    home = Path(paths.home())
    names = [options.target] if options.target else [one for one, at in _TARGETS.items() if (home / at).is_dir()]
    if not names:
        print("ssowatch: neither ~/.claude nor ~/.agents is here; say which: --target claude|agents", file=sys.stderr)
        return 1
    worst = 0
    for name in names:
        path = home / _TARGETS[name] / "skills" / "ssowatch" / "SKILL.md"
        act = _install if options.act == "install" else _remove
        try:
            said, code = act(path, force=options.force)
        except (OSError, files.NotReadableError) as error:
            said, code = str(getattr(error, "strerror", None) or error), 1
        print(f"~/{path.relative_to(home)}: {said}", file=sys.stderr if code else sys.stdout)
        worst = max(worst, code)
    return worst


def _install(path: Path, *, force: bool) -> tuple[str, int]:
    wanted, there = _text(), _there(path)
    if there == wanted:
        return "up to date", 0
    changed = there is not None and not _ours(there)
    if changed and not force:
        return "left alone: somebody changed it (--force replaces it and keeps the old one beside)", 1
    if changed:
        files.replace(f"{path}.old", (there or "").encode())
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(os.fspath(path), wanted.encode(), follow=True)
    if changed:
        return "replaced; the old one is SKILL.md.old beside it", 0
    return "written" if there is None else "brought up to date", 0


def _remove(path: Path, *, force: bool) -> tuple[str, int]:
    there = _there(path)
    if there is None:
        return "not there", 0
    if not _ours(there) and not force:
        return "left alone: somebody changed it (--force removes it)", 1
    path.unlink()
    with suppress(OSError):  # something else lies there too
        path.parent.rmdir()
    return "removed", 0


def _text() -> str:
    """The skill with the digest of itself in its front matter."""
    plain = resources.files("ssowatch").joinpath("data", "skills", "ssowatch", "SKILL.md").read_text(encoding="utf-8")
    mark = f'metadata:\n  version: "{__version__}"\n  digest: "{_digest(plain)}"\n'
    head, line, rest = plain.partition("\nallowed-tools:")
    return f"{head}\n{mark}{line[1:]}{rest}"


def _ours(text: str) -> bool:
    marks = list(_MARK.finditer(text))
    return len(marks) == 1 and marks[0][1] == _digest(text.replace(marks[0][0], "", 1))


def _digest(text: str) -> str:
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _there(path: Path) -> str | None:
    content = files.read(os.fspath(path), _LARGEST)
    return None if content is None else content.decode("utf-8", "replace")
