"""Links that may be opened or shown to be opened (rank 1, pure).

Rules of this file:
1. Only `https`, and `http` to loopback, of plain URL characters: no file, no scheme of a desktop program, no name and
   password that make another host look like the right one, and nothing that PowerShell would read as more than a word.
"""

from __future__ import annotations

import re
from contextlib import suppress
from urllib.parse import urlsplit

_LONGEST = 2048
_URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?#\[\]@!$&()*+,;=%]+")
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


def allowed(url: str) -> bool:
    """Whether `url` is one that may be opened: https, or http to this machine."""
    if len(url) > _LONGEST or not _URL.fullmatch(url):
        return False
    with suppress(ValueError):
        parts = urlsplit(url)
        plain = parts.username is None and parts.password is None and bool(parts.hostname)
        return plain and (parts.scheme == "https" or parts.hostname in _LOOPBACK)
    return False
