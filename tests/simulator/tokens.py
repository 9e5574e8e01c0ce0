"""The old name of `center.sessions` and `center.tokens`."""

from __future__ import annotations

from simulator.center.registrations import Registration
from simulator.center.sessions import Session
from simulator.center.tokens import AccessToken, RefreshToken, Tokens

__all__ = ["AccessToken", "RefreshToken", "Registration", "Session", "Tokens"]
