"""All attacks, in the order in which they run."""

from __future__ import annotations

from attacks import callback, center, environment, files, paths, sockets, texts
from attacks.scene import Scene
from attacks.table import Attack

ATTACKS = (
    *sockets.ATTACKS,
    *callback.ATTACKS,
    *files.ATTACKS,
    *environment.ATTACKS,
    *paths.ATTACKS,
    *center.ATTACKS,
    *texts.ATTACKS,
)


def tried(attack: Attack, scene: Scene) -> tuple[str, bool]:
    """What came of it, on one line, and whether that is a breach."""
    try:
        said = attack.act(scene)
        scene.judged()
    except Exception as error:  # noqa: BLE001 - whatever goes wrong here is a result
        text = str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
        return " ".join(repr(text)[1:-1].split())[:1200], True
    return said, False
