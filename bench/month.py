"""A team's month: five people, three agents each, with ssowatch and with what people do without it.

`tests/lived.py` has the rules of the simulation. The portals end a sign-in after 8 hours; the partner's gives tokens of 15
minutes. People call AWS every 7 minutes while they are at the screen, agents every 9 to 13, through Claude Code, which
waits 27.8 h for an answer. Agents have work on every workday, and through the night before the next one where the laptop is
awake. Day is from a person's coming to their leaving. The sign-in at the beginning of a day is no interruption.

    python bench/month.py [SEED...]     four weeks of each seed (1 2 3), some minutes
    python bench/month.py --quick       three days of two people, one seed
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass, field
from datetime import timedelta

import subject

# found through subject:
from diary import HOUR, MINUTE, Habits, written  # isort: skip
from lived import CLAUDE_CODE, OTHERS, PERSON, REGIMES, Account, Life, Program, Ssowatch  # isort: skip

from ssowatch.demo.center.settings import Settings
from ssowatch.model import Kind

CORP = ("corp", Settings(session_length=8 * HOUR), Kind.SSO_SESSION)
LEGACY = ("corp", Settings(session_length=8 * HOUR), Kind.LEGACY)
PARTNER = ("partner", Settings(session_length=8 * HOUR, token_life=15 * MINUTE), Kind.SSO_SESSION)
WEEKS = 4


@dataclass(frozen=True)
class Person:
    """Who, and which sign-ins they have."""

    habits: Habits
    portals: tuple[tuple[str, Settings, Kind], ...] = (CORP,)


TEAM = {
    "at a desk, laptop awake at night": Person(Habits(meetings=2)),
    "commutes by train, lid closed at night": Person(
        Habits(
            at_the_desk=((7.7, 8.5), (9, 12.25), (13, 17), (17.4, 18.2)),
            late=3,
            lid_closed=((8.5, 8.95), (17, 17.35), (18.25, 31.6)),
            trains=((7.7, 8.5), (17.4, 18.2)),
        )
    ),
    "from home through a VPN, lid closed at lunch and at night": Person(
        Habits(((8.5, 12), (12.9, 17.5)), meetings=2, lid_closed=((12, 12.85), (17.6, 32.4)), vpn=True)
    ),
    "a legacy profile, laptop awake at night": Person(Habits(((9, 12.5), (13.2, 18)), meetings=2), (LEGACY,)),
    "two portals, lid closed at lunch": Person(
        Habits(((9.5, 12.5), (13.2, 18.5)), meetings=1, lid_closed=((12.5, 13.15),), vpn=True), (CORP, PARTNER)
    ),
}


def lived(person: Person, regime: type[Life], days: int, seed: int, patience: timedelta = CLAUDE_CODE) -> Life:
    """One person's month, the same days under each regime."""
    accounts = [Account.at(*portal) for portal in person.portals]
    names = [accounts[number % len(accounts)].name for number in range(4)]
    programs = [
        Program(PERSON, names[0], 7 * MINUTE),
        *(Program(f"agent {n}", names[n], (7 + 2 * n) * MINUTE, patience) for n in (1, 2, 3)),
    ]
    life = regime(written(person.habits, days, random.Random(seed)), accounts, programs, random.Random(seed))
    return life.run()


@dataclass
class Sum:
    """What a regime cost a team."""

    errors_by_day: int = 0
    errors_by_night: int = 0
    held: int = 0
    tabs: int = 0
    unseen: int = 0
    exposed: float = 0
    interruptions: list[int] = field(default_factory=list)

    def add(self, life: Life) -> None:
        """One person's month."""
        self.errors_by_day += life.by_day()
        self.errors_by_night += life.by_night()
        self.held += sum(map(len, life.held.values())) if isinstance(life, Ssowatch) else 0
        self.tabs += len(life.tabs)
        self.unseen += life.tabs_unseen
        self.exposed += life.exposed / HOUR
        self.interruptions += life.interruptions().values()

    def row(self, name: str) -> list[str]:
        """The cells."""
        days = len(self.interruptions)
        twice = sum(count > 1 for count in self.interruptions)
        return [
            name,
            str(self.errors_by_day),
            str(self.errors_by_night),
            str(self.held),
            f"{sum(self.interruptions) / days:.2f} ({twice})",
            f"{self.tabs} ({self.unseen})",
            f"{self.exposed / days:.1f} h",
        ]


HEAD = [
    *(
        "",
        "AWS errors by day",
        "by night",
        "calls held",
        "interruptions per person and workday (days with more than one)",
    ),
    *("tabs (nobody there)", "exposure per person and workday"),
]
WAITS_60_S = "the same, its clients wait 60 s"


def main() -> None:
    """Live it and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("seeds", metavar="SEED", nargs="*", type=int, default=[1, 2, 3])
    options = parser.parse_args()
    days, seeds, team = 7 * WEEKS, options.seeds, list(TEAM.items())
    if options.quick:
        days, seeds, team = 3, [1], team[1::3]
        print("--quick: too few rounds to quote\n")
    regimes = {name: Sum() for name, _ in (*REGIMES, (WAITS_60_S, Ssowatch))}
    people = {name: Sum() for name, _ in team}
    for seed in seeds:
        for who, person in team:
            for name, regime in REGIMES:
                life = lived(person, regime, days, seed)
                regimes[name].add(life)
                if regime is Ssowatch:
                    people[who].add(life)
            regimes[WAITS_60_S].add(lived(person, Ssowatch, days, seed, OTHERS))
    print(f"{len(team)} people, {len(seeds)} times {days} days\n")
    subject.table(HEAD, [one.row(name) for name, one in regimes.items()])
    print("\nwith ssowatch, each:\n")
    subject.table(HEAD, [one.row(name) for name, one in people.items()])


if __name__ == "__main__":
    main()
