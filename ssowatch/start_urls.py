"""Start URLs: which of them mean one portal, and what a session of that portal may be called (rank 1, pure).

AWS takes `/start`, `/start/` and `/start/#` for the same portal, but every SDK names a legacy profile's token file by the
URL as it is written (botocore `utils.SSOTokenLoader`), and some INI readers drop the `#` (aws-sdk-go 2369).
"""

from __future__ import annotations

import re
from collections.abc import Container
from itertools import chain, count
from urllib.parse import urlsplit

_NO_NAME = {"start", "www", "localhost", "identitycenter", "directory"}
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9-]+")


def portal(url: str) -> str:
    """What all spellings of one portal's start URL have in common, as an `https` URL without what makes no difference."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets or a port that are none
        return url
    if not host:
        return url
    scheme = "http" if host in {"127.0.0.1", "localhost"} else "https"
    where = f"{host}:{port}" if port and (scheme, port) != ("https", 443) else host
    return f"{scheme}://{where}{parts.path.rstrip('/')}"


def session_name(url: str, taken: Container[str]) -> str:
    """A name for an sso-session of this portal that is none of `taken`: its alias or directory id, `-2` behind it if need be."""
    host, *path = portal(url).partition("://")[2].split("/")
    words = [host.partition(":")[0].partition(".")[0], *reversed(path)]
    usable = (word for word in words if word not in _NO_NAME and not word.isdigit())
    name = _NOT_IN_A_NAME.sub("-", next(usable, "").lower()).strip("-")[:40] or "sso"
    return next(one for one in chain([name], (f"{name}-{number}" for number in count(2))) if one not in taken)
