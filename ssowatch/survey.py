"""The published state, computed here because no watcher published it (composition).

A token file that cannot be read is looked at again for up to a second, in case it is being written.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from typing import Any

from ssowatch import protocol, published
from ssowatch.protocol import WatcherFacts
from ssowatch.world import Sight, World

_LOOK_AGAIN = (0.05, 0.2, 0.8)


def document(now: datetime) -> dict[str, Any]:
    """What a watcher would publish at `now`; nothing is written. One may run that has not published yet, or cannot."""
    sight = look(now)
    return protocol.document(
        now,
        WatcherFacts(published.running_watcher(), paused_until=sight.paused_until),
        sight.problem,
        sight.rows,
        sight.unwatched,
    )


def look(now: datetime) -> Sight:
    """What a watcher would see at `now`."""
    world = World(recording=False)
    sight = world.look(now)
    for pause in _LOOK_AGAIN:
        if not world.unsettled:
            break
        time.sleep(pause)
        now += timedelta(seconds=pause)
        sight = world.look(now)
    return sight
