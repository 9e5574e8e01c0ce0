"""A real notice, shown by the same machinery as every other (composition; a step of `setup`)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ssowatch import children
from ssowatch.plain import plain
from ssowatch.setup.step import Finding
from ssowatch.world import World

_SECONDS = 90.0
_FIX = """\
Try again, or name another channel in `notify` of the config, such as a program or a chat:
  ssowatch notify test"""


class Notices:
    """Does a notice reach this person?"""

    title = "Notices"

    def look(self, columns: int) -> Iterator[Finding]:  # noqa: ARG002 - of the Protocol
        """What each channel did with a test notice; then, whether it was seen."""
        environment = dict(World(recording=False).settings.environment)
        ended = asyncio.run(children.run(["notify", "test", "--json"], environment, _SECONDS))
        shown = [one for one in ended.lines if one.get("shown")]
        for one in ended.lines:
            if not one.get("shown"):
                text = f"{plain(str(one.get('channel')))}: not shown: {plain(str(one.get('why')), 300)}"
                yield Finding(text, good=bool(shown), fix="" if shown else plain(str(one.get("fix") or ""), 300))
        for one in shown:
            text = f"a test notice went to {plain(str(one['channel']))}: {plain(str(one['shown']), 300)}"
            yield Finding(text, question="Did you see it?", fix=_FIX)
        if not shown:
            yield Finding(
                "no notice can be shown here: renewals go on silently, but nobody is told when a person is needed",
                good=False,
                fix=f"Look at `ssowatch status` instead. {_FIX}",
            )
