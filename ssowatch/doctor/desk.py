"""Does a person learn of it: channels, and who knows whether somebody is there (composition)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from ssowatch import presence
from ssowatch.doctor.check import Finding, good
from ssowatch.doctor.scene import Scene
from ssowatch.model import Mode, Presence


class Notices:
    """Somebody would show a notice. None is shown for it: that is `ssowatch notify test`."""

    name = "notices"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """The first channel that would show it is enough."""
        if not scene.world.settings.notify:
            yield good("`notify` in the config is empty: no notice is wanted")
            return
        if shows := next((one for one in scene.channels if "shows" in one), None):
            yield good(f"{shows['channel']}: {shows['shows']} (to see one: ssowatch notify test)")
            return
        why = (
            "; ".join(f"{one['channel']}: {one['why']}" for one in scene.channels) or "no channel works on this system"
        )
        fix = next((one["fix"] for one in scene.channels if one.get("fix")), None)
        yield Finding(
            f"no notice can be shown: {why}. A sign-in that ends is seen only in `ssowatch status`, or by the error",
            fix or "add a channel to `notify` in the config, such as {command: [program]}",
        )


class PresenceSource:
    """It is known whether somebody is at the screen."""

    name = "presence"

    def look(self, scene: Scene) -> Iterable[Finding]:
        """Who tells it, or what follows from not knowing."""
        settings = scene.world.settings
        found = asyncio.run(presence.ask())
        if not (settings.quiet.when_locked or settings.quiet.when_idle):
            yield good("nobody asks for it: `quiet` says so")
        elif found is not Presence.UNKNOWN:
            yield good(f"you are {found}, says this system")
        elif any(scene.world.policy(one).mode is Mode.AUTO for one in scene.sign_ins):
            yield Finding(
                "nothing here tells whether somebody is at the screen: `mode: auto` opens no tab, and shows notices instead",
                "to have the tabs all the same: `quiet: {when_locked: false, when_idle: false}` in the config",
            )
        else:
            yield good("nothing here tells whether somebody is at the screen: notices come whenever they are due")
