"""Notification channels: one file each, and the tuple of them all (an edge; only ever loaded in a notifier child).

A new channel is a file with a class like `channel.Channel`, a row in `KINDS`, and rows in the contract tests.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

from ssowatch.notify.apprise import Apprise
from ssowatch.notify.channel import Channel
from ssowatch.notify.command import Command
from ssowatch.notify.desktop import Desktop
from ssowatch.notify.dialog import Dialog
from ssowatch.notify.toast import Toast

KINDS: tuple[type[Channel], ...] = (Desktop, Dialog, Toast, Command, Apprise)
"""Several may stand for one word; they are tried in this order where they fit."""


def channels(
    wanted: Iterable[tuple[str, tuple[str, ...]]],
    environment: Mapping[str, str] = os.environ,
    platform: str = sys.platform,
    release: str = os.uname().release,
) -> tuple[Channel, ...]:
    """The channels for rows of (word, arguments), in their order."""
    return tuple(
        kind.made(arguments, environment)
        for word, arguments in wanted
        for kind in KINDS
        if kind.word == word and kind.fits(platform, release)
    )
