"""The files that the wheel carries beside the code: one truth, at the top of the source tree (below every edge)."""

from __future__ import annotations

from importlib import resources


def read(name: str) -> bytes:
    """The content of `name`, like `systemd/ssowatch.service`: out of the wheel, or of the tree (an editable install)."""
    package = resources.files("ssowatch")
    packed = package / "data" / name
    return (packed if packed.is_file() else package / ".." / name).read_bytes()
