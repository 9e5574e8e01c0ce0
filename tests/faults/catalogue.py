"""Every fault, in the order of the matrix, and which two may meet."""

from __future__ import annotations

from itertools import combinations

from faults import clocks, company, network, processes, storage, weather
from faults.fault import Fault

_GROUPS = (processes.FAULTS, clocks.FAULTS, storage.FAULTS, weather.FAULTS, network.FAULTS)
FAULTS: tuple[Fault, ...] = (*(fault for group in _GROUPS for fault in group), *company.FAULTS)
"""The last ones are stories of their own, and meet no other."""
IN_PAIRS = tuple(combinations(weather.FAULTS, 2))
"""Answers of Identity Center: first one or two calls meet the one, then the rest the other."""


def others(fault: Fault) -> tuple[Fault, ...]:
    """What may come together with it: of another kind, at a moment that both know."""
    return tuple(
        other
        for group in _GROUPS
        if fault not in group and any(fault in one for one in _GROUPS)
        for other in group
        if set(other.when) & set(fault.when)
    )
