"""Thirty days of a person and an agent on an 8 hour portal: with ssowatch, and with what people do without it.

    python tests/thirty_days.py        prints the table of docs/forecast.md

The person works from 9 to 18 on weekdays, with a lunch at an idle screen, and calls AWS every 7 minutes. An agent calls
every 10 minutes, day and night, weekends too, and waits for an answer as long as it takes. `lived.py` says the rest.
"""

from __future__ import annotations

import random
from typing import TypeVar

from diary import HOUR, MINUTE, Habits, written
from lived import PERSON, REGIMES, Account, Life, Program

from ssowatch.demo.center.settings import Settings

EIGHT_HOURS = Settings(session_length=8 * HOUR)
Lived = TypeVar("Lived", bound=Life)


def lived(regime: type[Lived], days: int = 30, settings: Settings = EIGHT_HOURS, seed: int = 1) -> Lived:
    """One regime, from a Monday on."""
    diary = written(Habits(weekends=True), days, random.Random(seed))
    programs = [Program(PERSON, "corp", 7 * MINUTE), Program("agent", "corp", 10 * MINUTE)]
    life = regime(diary, [Account.at("corp", settings)], programs, random.Random(seed))
    life.run()
    return life


def table(days: int = 30) -> str:
    """Rows of Markdown."""
    lines = [
        "| | errors a person sees | errors the agent sees | tabs (at a locked or idle screen) | minutes the person is blocked |",
        "|---|---|---|---|---|",
    ]
    for name, regime in REGIMES:
        month = lived(regime, days)
        person = sum(program.name == PERSON for _, program in month.errors)
        tabs = f"{len(month.tabs)} ({month.tabs_unseen})"
        lines.append(
            f"| {name} | {person} | {len(month.errors) - person} | {tabs} | {round(month.blocked / MINUTE)} |"
        )  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    print(table())
