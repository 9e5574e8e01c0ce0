"""The old name of `center.calls`, the log of calls."""

from __future__ import annotations

from simulator.center.calls import NOBODY, Call, Caller, fingerprint, record

__all__ = ["NOBODY", "Call", "Caller", "fingerprint", "record"]
