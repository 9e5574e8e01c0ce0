"""The old name of `center.identity_center`, the state machine."""

from __future__ import annotations

from simulator.center import identity_center
from simulator.center.sessions import Sessions


class IdentityCenter(identity_center.IdentityCenter):
    """The same; a year-long test still looks for the living sessions where they once were."""

    @property
    def _tokens(self) -> Sessions:
        return self._state.sessions
