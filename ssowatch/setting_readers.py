"""The readers of the config: each checks one kind of value and says what to write instead (an edge, one edge with settings.py).

Rules of this file:
1. A reader takes a `Node` and gives the value, or raises `SettingsError` for exactly that node.
2. Every error says what stands there, what may stand there and what to write.
3. `word`, `argv` and `rows` never show the value: proxies, notification URLs and arguments carry passwords.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from msgspec import Struct, structs

from ssowatch import durations
from ssowatch.yaml_layers import Node, Sort

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
S = TypeVar("S", bound=Struct)
Reader = Callable[[Node], T]

# What people mean by a boolean of YAML 1.1, by key and boolean.
_MEANT = {
    ("mode", False): "silent",
    ("renew", False): "never",
    ("renew", True): "always",
    ("watch", True): "all",
    ("notify", False): "[]",
    ("notify", True): "[desktop]",
    ("quiet", False): "{when_locked: false, when_idle: false}",
    ("mcp", False): "{discover: false}",
}


def _truth(node: Node) -> bool:
    return node.text.lower() in {"true", "yes", "on"}


def _or(words: list[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if words[1:] else words)


def _did_you_mean(written: str, words: list[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(written[:80].lower().replace("-", "_"), words, 1)
    return f" (did you mean {near[0]}?)" if near else ""


def _shown(node: Node) -> str:
    if node.sort is Sort.TEXT:
        return f'"{node.text[:80]}"'
    if node.sort is Sort.FLAG:
        return f"{node.text} without quotes, which YAML reads as {str(_truth(node)).lower()},"
    return node.text[:80] if node.sort is Sort.NUMBER else node.sort


def expect(node: Node, sort: Sort, fix: str) -> None:
    """Refuse a value of another sort, without showing it.

    Raises:
        SettingsError: it is of another sort; `fix` says what to write, unless a boolean tells it better.

    """
    if node.sort is sort:
        return
    meant = _MEANT.get((node.path[-1], _truth(node))) if node.sort is Sort.FLAG and node.path else None
    raise node.error(f"is {node.sort}, not {sort}", f"write `{node.path[-1]}: {meant}`" if meant else fix)


def one_of(kind: type[E]) -> Reader[E]:
    """A reader for the words of an enum."""
    words = [str(member) for member in kind]

    def read(node: Node) -> E:
        if node.sort is Sort.TEXT and node.text in words:
            return kind(node.text)
        hint = _did_you_mean(node.text, words)
        if node.sort is Sort.FLAG and (meant := _MEANT.get((node.path[-1], _truth(node)))):
            hint = f" (did you mean {meant}?)"
        raise node.error(f"{_shown(node)} is not one of {', '.join(words)}", f"write {_or(words)}{hint}")

    return read


def span(low: str, high: str, example: str) -> Reader[timedelta]:
    """A reader for a duration from `low` to `high`; `example` has the unit that people mean when they write none."""
    least, most = durations.parse(low), durations.parse(high)

    def within(written: str) -> bool:
        try:
            return least <= durations.parse(written) <= most
        except ValueError:
            return False

    def read(node: Node) -> timedelta:
        written = node.text if node.sort is Sort.TEXT else ""
        if within(written):
            return durations.parse(written)
        fix = f"write a number and its unit d, h, m, s or ms, like {example} ({low} to {high} are allowed)"
        if node.sort is Sort.NUMBER:
            guesses = (node.text + unit for unit in (example.lstrip("0123456789"), "s", "m", "h"))
            guess = next(filter(within, guesses), None)
            raise node.error(
                f"{_shown(node)} has no unit", f"write {guess} ({low} to {high} are allowed)" if guess else fix
            )
        try:
            durations.parse(written)
        except ValueError:
            raise node.error(f"{_shown(node)} is not a duration", fix) from None
        raise node.error(f"{_shown(node)} is not within {low} to {high}", f"write a duration from {low} to {high}")

    return read


def auto_or(read: Reader[T]) -> Reader[T | None]:
    """The same reader, and `auto` for None."""
    return lambda node: None if node.sort is Sort.TEXT and node.text == "auto" else read(node)


def flag(node: Node) -> bool:
    """A reader for true and false."""
    if node.sort is not Sort.FLAG:
        raise node.error(f"{_shown(node)} is not true or false", "write true or false, without quotes")
    return _truth(node)


def word(node: Node) -> str:
    """A reader for any text."""
    expect(node, Sort.TEXT, "put the value in quotes")
    return node.text


def rows(of: Reader[T], like: str, least: int = 1) -> Reader[tuple[T, ...]]:
    """A reader for a list of at least `least` values; `like` shows one."""

    def read(node: Node) -> tuple[T, ...]:
        expect(node, Sort.LIST, f"write a list: {like}")
        if len(node.items) < least:
            raise node.error("is an empty list", f"write a list: {like}, or leave the key out")
        return tuple(of(item) for item in node.items)

    return read


def argv(node: Node) -> tuple[str, ...]:
    """A reader for a program and its arguments; no shell ever reads them."""
    like = "[program, argument]"
    words = rows(word, like)(node)
    if not words[0]:
        raise node.items[0].error("names no program", f"write a list: {like}")
    return words


def matching(pattern: str, what: str, like: str) -> Reader[str]:
    """A reader for text of a shape; `what` names the shape, `like` shows it."""
    shape = re.compile(pattern)

    def read(node: Node) -> str:
        if node.sort is not Sort.TEXT or not shape.fullmatch(node.text):
            raise node.error(f"{_shown(node)} is not {what}", f"write {what}, like {like}")
        return node.text

    return read


@cache  # msgspec resolves the annotations anew at each call: 0.1 ms, for each sign-in in the file
def _readers(kind: type[Struct]) -> dict[str, Reader[Any]]:
    return {each.name: each.type.__metadata__[0] for each in structs.fields(kind)}


def section(kind: type[S]) -> Reader[S]:
    """A reader for a Struct whose fields are `Annotated[type, reader]`."""

    def read(node: Node) -> S:
        readers = _readers(kind)
        keys = list(readers)
        expect(node, Sort.MAPPING, f"write keys with values below it; the keys are {', '.join(keys)}")
        for key, entry in node.entries.items():
            if key not in readers:
                raise entry.error(
                    "is no key of ssowatch", f"the keys here are {', '.join(keys)}{_did_you_mean(key, keys)}"
                )
        return kind(**{key: readers[key](entry) for key, entry in node.entries.items()})

    return read


def named(of: Reader[T], name: Reader[str] = word) -> Reader[dict[str, T]]:
    """A reader for a mapping whose keys are names, each of which `name` reads."""

    def read(node: Node) -> dict[str, T]:
        expect(node, Sort.MAPPING, "write names with keys below them")
        return {name(replace(entry, sort=Sort.TEXT, text=key)): of(entry) for key, entry in node.entries.items()}

    return read
