"""Which words may come next on the command line (rank 1, pure). The parsers themselves tell, so nothing can be forgotten.

Rules of this file:
1. Names come from config files. One that a terminal would not show as it is, is not offered; quoting is the shell's.
2. Nothing is offered where anything may stand: the shell then offers files.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ssowatch.plain import plain


@dataclass(frozen=True, slots=True)
class Word:
    """A word that may come next, and what it does; "" where that is plain."""

    text: str
    summary: str = ""


def offered(parser: argparse.ArgumentParser, words: Sequence[str], names: Callable[[str], Sequence[str]]) -> list[Word]:
    """What may stand in place of the last of `words`, which come after the name of the program that `parser` reads.

    `names` is asked for what a metavar stands for, like `NAME`.
    """
    *before, current = words
    options, positionals = _declared(parser)
    wanted: argparse.Action | None = None  # the option that waits for its value
    place = 0
    for number, word in enumerate(before):
        if word == "--":
            return []
        if wanted:  # bash makes three words of --login=auto
            wanted = wanted if word == "=" else None
        elif word in options:
            wanted = options[word] if options[word].nargs is None else None
        elif not word.startswith("-") and place < len(positionals):
            action = positionals[place]
            if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - argparse has no public way to be asked
                return offered(action.choices[word], words[number + 1 :], names) if word in action.choices else []
            place += action.nargs not in {"*", "+"}
    if wanted:
        return _that_begin(_of(wanted, names), current.removeprefix("="))
    if current.startswith("--") and "=" in current:
        option, _, value = current.partition("=")
        found = _of(options[option], names) if option in options else []
        return [Word(f"{option}={one.text}") for one in _that_begin(found, value)]
    if current.startswith("-"):
        return _that_begin([Word(text, _said(action)) for text, action in options.items()], current)
    return _that_begin(_of(positionals[place], names), current) if place < len(positionals) else []


def _declared(parser: argparse.ArgumentParser) -> tuple[dict[str, argparse.Action], list[argparse.Action]]:
    shown = [one for one in parser._actions if one.help != argparse.SUPPRESS]  # noqa: SLF001 - as above
    options = {text: one for one in shown for text in one.option_strings if text != "-h"}
    return options, [one for one in shown if not one.option_strings]


def _of(action: argparse.Action, names: Callable[[str], Sequence[str]]) -> list[Word]:
    """The words that an option or a position takes."""
    if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
        return [Word(one.dest, one.help or "") for one in action._choices_actions]  # noqa: SLF001 - as above
    if action.choices:
        summaries = action.choices if isinstance(action.choices, Mapping) else {}
        return [Word(str(one), str(summaries.get(one, ""))) for one in action.choices]
    metavar = action.metavar if isinstance(action.metavar, str) else ""
    found = [*names(metavar.split("|")[0]), *(["off"] if metavar.endswith("|off") else [])]
    return [Word(one) for one in dict.fromkeys(found) if one and plain(one) == one and not one.startswith("-")]


def _said(action: argparse.Action) -> str:
    return (action.help or "").split(";")[0].split(" (default")[0].replace("%%", "%")


def _that_begin(words: list[Word], beginning: str) -> list[Word]:
    return [word for word in words if word.text.startswith(beginning)]
