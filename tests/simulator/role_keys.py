"""The old name of `center.role_keys`, the STS half."""

from __future__ import annotations

from simulator.center.role_keys import RoleKey, RoleKeys

__all__ = ["RoleKey", "RoleKeys"]
