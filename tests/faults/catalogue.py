"""Every fault, in the order of the matrix."""

from __future__ import annotations

from faults import clocks, company, network, processes, storage, weather

FAULTS = (*processes.FAULTS, *clocks.FAULTS, *storage.FAULTS, *weather.FAULTS, *network.FAULTS, *company.FAULTS)
