"""What is wrong on this machine, and the command that mends it (composition).

A new check is a class that holds to `check.Check`, a row in `CHECKS`, and a row in `tests/test_doctor.py` that breaks the
thing for real. The contract tests run over the tuple.
"""

from __future__ import annotations

from dataclasses import dataclass

from ssowatch.doctor.aws import AwsConfigFile, ForeignStores, Renewable, StartUrls
from ssowatch.doctor.check import Check, Finding, tidy
from ssowatch.doctor.desk import Notices, PresenceSource
from ssowatch.doctor.keeper import Program, Service
from ssowatch.doctor.machine import FileEvents
from ssowatch.doctor.network import Clock, Environment, Reach
from ssowatch.doctor.ours import OwnConfig, State
from ssowatch.doctor.scene import Scene
from ssowatch.doctor.servers import McpServers
from ssowatch.doctor.tokens import Leftovers, Registrations, SignIns, TokenFiles

__all__ = ["CHECKS", "Check", "Finding", "Row", "Scene", "examine"]

CHECKS: tuple[Check, ...] = (
    OwnConfig(),
    State(),
    AwsConfigFile(),
    Renewable(),
    StartUrls(),
    ForeignStores(),
    TokenFiles(),
    Leftovers(),
    SignIns(),
    Registrations(),
    Reach(),
    Clock(),
    Service(),
    Program(),
    Environment(),
    Notices(),
    PresenceSource(),
    FileEvents(),
    McpServers(),
)
"""In this order they are told: what must be right first stands first."""


@dataclass(frozen=True, slots=True)
class Row:
    """One finding, by the name of its check, safe to show."""

    name: str
    finding: Finding

    @property
    def message(self) -> str:
        """What is so."""
        return tidy(self.finding.message)

    @property
    def fix(self) -> str | None:
        """What to type; None where all is well, or nothing helps."""
        return tidy(self.finding.fix) if self.finding.fix and not self.finding.ok else None


def examine(scene: Scene) -> list[Row]:
    """Every check's findings."""
    return [Row(check.name, finding) for check in CHECKS for finding in _findings(check, scene)]


def _findings(check: Check, scene: Scene) -> list[Finding]:
    try:
        return list(check.look(scene))
    except Exception as error:  # noqa: BLE001 - one that fails on an odd machine must not silence the others
        return [Finding(f"this check failed ({type(error).__name__}: {error})", "report it, with this line")]
