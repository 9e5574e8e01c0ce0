"""The old name of `center.refusal`, the errors."""

from __future__ import annotations

from simulator.center.refusal import ROWS, Refusal

__all__ = ["ROWS", "Refusal"]
