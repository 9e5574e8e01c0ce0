"""Bytes of a client's config file -> what stands in it (an edge, owner of pyjson5; only in the discovery child).

Rules of this file:
1. Any bytes give a value or a `BrokenError`: no crash, no hang, nothing executed, nothing built but plain types.
2. An error names a line, never what stands there: it may be a key.
3. JSON may have comments and trailing commas, as the clients allow. pure-Python parsers of that take 9 s a megabyte;
   pyjson5 takes 0.2 s for the 20 MB that a `~/.claude.json` reaches.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pyjson5
import yaml

LARGEST = 20 << 20
"""Bytes of a JSON file. Only programs write files that large; TOML and YAML are written by people."""
_LARGEST_BY_HAND = 1 << 20
_DEEPEST = 100
_ALIASES = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACE = re.compile(r"near (\d+)")


class BrokenError(Exception):
    """A file that cannot be used; the message says what is wrong and in which line."""


def parse(path: str, content: bytes) -> Any:  # noqa: ANN401 - any document
    """The document, by the ending of its name; None for an empty file.

    Raises:
        BrokenError: it is no such document, or larger or deeper than any of them is.

    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BrokenError(f"line {line}: is not UTF-8 text") from None
    by_hand = path.endswith((".toml", ".yaml", ".yml"))
    if by_hand and len(content) > _LARGEST_BY_HAND:
        raise BrokenError(f"is larger than {_LARGEST_BY_HAND} bytes")
    if not text.strip():
        return None
    try:
        if path.endswith(".toml"):
            return tomllib.loads(text)
        return _yaml(text) if by_hand else pyjson5.decode(text, maxdepth=_DEEPEST)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        raise BrokenError(f"{f'line {found[1]}: ' if found else ''}is not TOML") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise BrokenError(f"{f'line {mark.line + 1}: ' if mark else ''}is not YAML") from None
    except pyjson5.Json5NestingTooDeep:
        raise BrokenError(f"is nested deeper than {_DEEPEST}") from None
    except pyjson5.Json5DecoderException as error:
        found = _PLACE.search(str(error.args[0]) if error.args else "")
        line = text.count("\n", 0, int(found[1])) + 1 if found else 1
        raise BrokenError(f"line {line}: is not JSON") from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError, TypeError) as error:
        raise BrokenError(f"cannot be read ({type(error).__name__})") from None


def _yaml(text: str) -> Any:  # noqa: ANN401
    depth = aliases = 0
    # The composer recurses, in C too, and merge keys multiply what they name: both are bounded before it runs.
    for event in yaml.parse(text, _LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if depth > _DEEPEST:
            raise BrokenError(f"is nested deeper than {_DEEPEST}")
        if aliases > _ALIASES:
            raise BrokenError(f"has more than {_ALIASES} aliases")
    return yaml.load(text, _Loader)  # noqa: S506 - a safe loader


class _Loader(_LOADER):  # type: ignore[misc, valid-type]
    """A safe loader in which merge keys cannot unfold without bound."""

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        super().flatten_mapping(node)
        if len(node.value) > 10000:
            raise yaml.constructor.ConstructorError(None, None, "too many keys", node.start_mark)
