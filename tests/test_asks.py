"""What the watcher keeps of its notices."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import homes

from ssowatch import asks
from ssowatch.asks import Asks
from ssowatch.clock import utc_now
from ssowatch.world import World


def test_a_notice_that_was_lost_with_its_bus_is_told_again(home):
    homes.aws_config(home)
    homes.own_config(home, "notify: []\nquiet: {when_locked: false, when_idle: false}\n")
    homes.write_token(homes.token(timedelta(hours=-1), refreshToken=None))

    async def story():
        world = World(recording=True)
        kept = Asks(world, lambda: None, utc_now)
        kept.act(world.look(utc_now()))
        one = kept._open["corp"]
        told = asyncio.Queue()
        kept._wishes = told
        kept._heard({"shown": one.id, "channel": "desktop"})
        kept._told_at -= asks._SHOW_AGAIN
        kept.act(world.look(utc_now()))
        assert told.empty(), "it is on the screen"
        kept._heard({"not_shown": one.id, "why": "there is no session bus"})
        kept.act(world.look(utc_now()))
        assert [shown["id"] for shown in told.get_nowait()["show"]] == [one.id]
        await asyncio.sleep(0)  # its tasks have begun
        await kept.close()

    asyncio.run(story())
