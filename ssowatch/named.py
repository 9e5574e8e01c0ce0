"""What a name on the command line means: a sign-in, else a profile's sign-in (composition)."""

from __future__ import annotations

import os

from ssowatch.model import SignIn
from ssowatch.plain import plain
from ssowatch.unusable import UnusableError
from ssowatch.world import World

_USAGE = 2


def world() -> World:
    """The world as a typed command sees it, with the config's `environment` in ours.

    Raises:
        UnusableError: our config is wrong.

    """
    found = World(recording=False)
    if found.settings_error:
        raise UnusableError(os.EX_CONFIG, str(found.settings_error))
    os.environ.update(found.settings.environment)
    return found


def sign_in(world: World, name: str) -> SignIn:
    """The sign-in called `name`, else the one of the profile called so.

    Raises:
        UnusableError: there is neither.

    """
    own = next((one for one in world.sign_ins() if one.name == name), None)
    return own or of_profile(world, name)


def of_profile(world: World, profile: str) -> SignIn:
    """The sign-in that this profile uses.

    Raises:
        UnusableError: no profile with a sign-in is called so.

    """
    known = world.sign_ins()
    if found := next((one for one in known if profile in one.profiles), None):
        return found
    lines = []
    if problem := world.aws_problem():
        lines.append(plain(problem.message, 600))
    lines.append(f"no sign-in or profile is called {plain(profile)}")
    names = dict.fromkeys([*(one.name for one in known), *(each for one in known for each in one.profiles)])
    lines.append(f"known: {', '.join(map(plain, names))}" if names else "known: none")
    raise UnusableError(_USAGE, "\n".join(lines))
