"""The old name of `center.settings`, the knobs."""

from __future__ import annotations

from simulator.center.settings import ACCOUNTS, Account, Approval, RefreshTokens, Settings, to_json, with_json

__all__ = ["ACCOUNTS", "Account", "Approval", "RefreshTokens", "Settings", "to_json", "with_json"]
