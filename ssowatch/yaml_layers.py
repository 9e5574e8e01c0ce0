"""A YAML file as a tree that knows where each value stands, and two such trees laid over each other (an edge).

Together with settings.py this is one edge: the config files. This half knows YAML and lines, that half the keys.

Rules of this file:
1. No value enters an error text here: it may be a proxy password. Keys do, cut at the first `=`.
2. Anchors, aliases and tags are refused, depth and size are bounded: a config is read by eye, and ten lines of
   aliases can unfold to gigabytes.
3. Every scalar keeps its text as written, with what YAML 1.1 takes it for, so that `mode: off` can be explained.
4. YAML is imported where there is text to read: a service without a config file goes without it (1 MB).
"""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from ssowatch import files, paths
from ssowatch.plain import plain

if TYPE_CHECKING:
    import yaml

MAX_SIZE = 256 << 10
_MAX_DEPTH = 16  # our own keys reach 6
# Neither in the file nor behind an escape in it: a NUL ends a program's argument, ESC rewrites a terminal.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
# PyYAML quotes from the file here and there ("found undefined tag handle '!…'"): rule 1.
_QUOTED = re.compile(r"""(,? but (found|got))? ?(['"]).*\3""", re.DOTALL)


class SettingsError(Exception):
    """A config that cannot be used: `file`, `line` (from 1, or None), `path` of the key ("" for the file), `message`, `fix`."""

    def __init__(self, file: str, line: int | None, path: str, message: str, fix: str) -> None:
        self.file, self.line, self.fix = file, line, fix
        self.path, self.message = plain(path), plain(message, 400)  # both may quote the file
        super().__init__(f"{place(file, line)}: {f'{self.path}: ' if path else ''}{self.message}. Mend: {fix}")


def place(file: str, line: int | None) -> str:
    """`~/.config/ssowatch/config.yaml line 3`."""
    shown = "~" + file.removeprefix(paths.home()) if file.startswith(f"{paths.home()}/") else file
    return shown if line is None else f"{shown} line {line}"


class Sort(StrEnum):
    """What a value is, in a user's words."""

    TEXT = "text"
    NUMBER = "a number"
    FLAG = "true or false"
    NOTHING = "empty"
    LIST = "a list"
    MAPPING = "a mapping of keys"


_SCALARS = {
    "tag:yaml.org,2002:int": Sort.NUMBER,
    "tag:yaml.org,2002:float": Sort.NUMBER,
    "tag:yaml.org,2002:bool": Sort.FLAG,
    "tag:yaml.org,2002:null": Sort.NOTHING,
}


@dataclass(frozen=True, slots=True)
class Node:
    """One value and where it stands. Equal when the values are, wherever they stand; its `repr` holds no value."""

    sort: Sort
    text: str = field(default="", repr=False)
    """A scalar as written."""
    items: tuple[Node, ...] = field(default=(), repr=False)
    entries: dict[str, Node] = field(default_factory=dict, repr=False)
    file: str = field(default="", compare=False)
    line: int = field(default=1, compare=False)
    """Of its key, where it has one; from 1."""
    path: tuple[str, ...] = field(default=(), compare=False, repr=False)
    """Keys, and `[0]` for the first of a list."""

    def error(self, message: str, fix: str) -> SettingsError:
        """The error to raise for this value."""
        return SettingsError(self.file, self.line, dotted(self.path), message, fix)


def dotted(path: tuple[str, ...]) -> str:
    """`sign_ins.corp.mode`, `notify[0].command[1]`; below `environment` only the name, as the rest may be a password."""
    shown = [step.partition("=")[0][:80] for step in (path[:2] if path[:1] == ("environment",) else path)]
    return "".join(step if step.startswith("[") else f".{step}" for step in shown).removeprefix(".")


def read(file: str) -> Node | None:
    """The mapping in a config file; None where there is no file. Keys without a value count as left out.

    Raises:
        SettingsError: it is not ours, writable by others, not readable, too large, not YAML or not a mapping.

    """
    try:
        content = files.read(file, MAX_SIZE)
        info = os.stat(file) if content is not None else None  # noqa: PTH116 - as the rest of our paths
    except (files.NotReadableError, OSError) as error:
        fix = f"it must be a plain file of at most {MAX_SIZE >> 10} KiB that you can read"
        raise SettingsError(file, None, "", str(error), fix) from None
    if content is None or info is None:
        return None
    if info.st_uid not in {os.getuid(), 0}:
        raise SettingsError(
            file, None, "", "belongs to another user, who could run programs as you", f"chown $USER {file}"
        )
    # A group of the user alone (its number is the user's: "user private groups", with umask 002) is not others.
    others = stat.S_IWOTH if info.st_gid == info.st_uid else stat.S_IWGRP | stat.S_IWOTH
    if info.st_mode & others:
        raise SettingsError(
            file, None, "", "can be changed by other users, who could run programs as you", f"chmod go-w {file}"
        )
    return parse(file, content)


def parse(file: str, content: bytes) -> Node:
    """The mapping in `content`; `file` is only for the errors.

    Raises:
        SettingsError: it is not UTF-8, not YAML or not a mapping.

    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SettingsError(file, line, "", "is not UTF-8 text", "save the file as UTF-8") from None
    if found := _CONTROL.search(text):
        line = text.count("\n", 0, found.start()) + 1
        raise SettingsError(file, line, "", "holds a control character", "take it out") from None
    root = _composed(file, text)
    node = Node(Sort.MAPPING, file=file) if root is None else _node(file, (), 1, root)
    if node.sort is Sort.NOTHING:
        return Node(Sort.MAPPING, file=file)
    if node.sort is not Sort.MAPPING:
        raise node.error(f"is {node.sort}, not keys with values", "write lines like `mode: notify`")
    return node


def _loader() -> Any:  # noqa: ANN401 - the two share no type
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml is 10 x faster; a wheel without it works too


def _composed(file: str, text: str) -> yaml.Node | None:
    import yaml

    loader = _loader()
    try:
        depth = 0
        for event in yaml.parse(text, loader):
            line = _line(event.start_mark)
            # The composer recurses, in C too, so the depth is counted before it runs.
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > _MAX_DEPTH:
                raise _too_deep(file, line)
            if getattr(event, "anchor", None) is not None or getattr(event, "tag", None) is not None:
                fix = "write the value out; text that begins with &, * or ! goes in quotes"
                raise SettingsError(file, line, "", "uses an anchor, alias or tag of YAML", fix)
            if isinstance(event, yaml.ScalarEvent) and _CONTROL.search(event.value):
                raise SettingsError(file, line, "", "holds an escaped control character", "take it out")
        composed: yaml.Node | None = yaml.compose(text, loader)
    except yaml.MarkedYAMLError as error:
        raise _syntax(file, text, error) from None
    except (yaml.YAMLError, ValueError):  # PyYAML without libyaml lets the ValueError of chr() through
        raise SettingsError(file, None, "", "is not YAML", "look for escapes that name no character") from None
    return composed


def _too_deep(file: str, line: int) -> SettingsError:
    return SettingsError(file, line, "", "is nested too deep", "see `ssowatch config init` for the shape")


def _line(mark: Any) -> int:  # noqa: ANN401 - libyaml's marks and PyYAML's own share no type
    return int(mark.line) + 1


def _syntax(file: str, text: str, error: yaml.MarkedYAMLError) -> SettingsError:
    if "nesting depth" in (error.problem or ""):  # libyaml's own limit: its scanner is ahead of the parser's events
        return _too_deep(file, _line(error.problem_mark))
    # What was opened and not closed is mended where it opens; everything else where the reader stumbled.
    opened = any(word in (error.context or "") for word in ("simple key", "quoted", "flow"))
    mark = (error.context_mark if opened else None) or error.problem_mark or error.context_mark
    line, column = (mark.line, mark.column) if mark else (0, 0)
    written = [*text.splitlines()[line : line + 1], ""][0]
    fix = "check indentation, colons and quotes in this line and the one above"
    if "\t" in written[: len(written) - len(written.lstrip())] + written[column : column + 1]:
        fix = "use spaces, not tabs"
    elif "mapping values" in (error.problem or ""):
        fix = "text that holds `: ` goes in quotes; else check the indentation"
    elif "document" in (error.problem or ""):
        fix = "leave one document: take out the line ---"
    elif "cannot start" in (error.problem or ""):
        fix = "text that begins with @, %, ` or * goes in quotes"
    return SettingsError(file, line + 1, "", f"is not YAML: {_QUOTED.sub('', error.problem or 'unreadable')}", fix)


def _node(file: str, path: tuple[str, ...], line: int, node: yaml.Node) -> Node:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return Node(_SCALARS.get(node.tag, Sort.TEXT), text=node.value, file=file, line=line, path=path)
    if isinstance(node, yaml.SequenceNode):
        rows = enumerate(node.value)
        items = tuple(_node(file, (*path, f"[{i}]"), _line(item.start_mark), item) for i, item in rows)
        return Node(Sort.LIST, items=items, file=file, line=line, path=path)
    lines: dict[str, int] = {}
    entries = {}
    for key, value in node.value:
        at = Node(Sort.MAPPING, file=file, line=_line(key.start_mark), path=path)
        if not isinstance(key, yaml.ScalarNode) or not key.value:
            raise at.error("has a key that is not text", "put text that begins with { or [ in quotes")
        entry = _node(file, (*path, key.value), at.line, value)
        if key.value in lines:
            raise entry.error(f"stands here twice, first in line {lines[key.value]}", "leave one of the two")
        lines[key.value] = at.line
        if entry.sort is not Sort.NOTHING:
            entries[key.value] = entry
    return Node(Sort.MAPPING, entries=entries, file=file, line=line, path=path)


def layered(below: Node, above: Node, locks: tuple[Node, ...]) -> tuple[Node, tuple[str, ...]]:
    """`above` laid over `below`, mapping by mapping, except what `locks` name; and a note for each thing they overruled.

    `locks` are scalars of `below`'s file, each the dotted path of a value that stands in `below`.

    Raises:
        SettingsError: a lock names something that `below` does not set.

    """
    tree = _merged(below, above)
    notes = []
    for lock in locks:
        held = _find(below, lock.text)
        if held is None:
            raise lock.error(
                f'"{lock.text[:80]}" is not set in this file', "set it here too, or take it out of `locked`"
            )
        given = _find(above, lock.text)
        if given is not None and _find(tree, lock.text) != held:
            notes.append(
                f"{place(given.file, given.line)}: {dotted(given.path)}: has no effect: "
                f"it is locked by {place(lock.file, lock.line)}"
            )
        tree = _replaced(tree, held.path, held)
    return tree, tuple(notes)


def _merged(below: Node, above: Node) -> Node:
    if below.sort is not Sort.MAPPING or above.sort is not Sort.MAPPING:
        return above
    laid = {
        key: _merged(below.entries[key], node) if key in below.entries else node for key, node in above.entries.items()
    }
    return replace(above, entries=below.entries | laid)


def _replaced(tree: Node, path: tuple[str, ...], held: Node) -> Node:
    if not path:
        return held
    return replace(tree, entries=tree.entries | {path[0]: _replaced(tree.entries[path[0]], path[1:], held)})


def _find(tree: Node, wanted: str) -> Node | None:
    # By prefix, not by split: names and start URLs hold dots themselves.
    for key, entry in tree.entries.items():
        if wanted == key:
            return entry
        if wanted.startswith(f"{key}.") and (found := _find(entry, wanted[len(key) + 1 :])):
            return found
    return None
