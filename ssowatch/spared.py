"""What libraries load if it is there and do as well without: 1.8 MB that no long-lived process of ours uses."""

from __future__ import annotations

import sys
from importlib.util import find_spec


def go_without() -> None:
    """From here on; before anything that would load it."""
    # No TLS: only children call AWS. msgspec takes `typing` instead; zipfile and shutil pack nothing here.
    spared = ["ssl", "typing_extensions", "bz2", "lzma"]
    if find_spec("_sha1"):
        spared.append("_hashlib")  # OpenSSL's digests; Fedora's Python has no others
    for name in spared:
        sys.modules.setdefault(name, None)  # type: ignore[arg-type] # how an import is refused
