"""What `profile_upgrade` changes in a file, as a diff that is safe to show (rank 1, pure).

Rules of this file:
1. No line is shown but the changed ones: what stands around them may be a secret. Each hunk names its section instead.
2. Lines are never moved, so the first difference is either an SSO line that goes or a new line. A general diff would
   sometimes rather explain it by moving what stands around, and show that.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ssowatch.plain import plain

_GOES = re.compile(r"\s*sso_(start_url|region|registration_scopes)\s*[=:]", re.IGNORECASE)


def diff(old: str, new: str, path: str) -> Iterator[str]:
    """Lines of a unified diff without context; none if the texts are equal. `path` is only shown."""
    before, after = old.splitlines(), new.splitlines()
    if before != after:
        yield f"--- {path}"
        yield f"+++ {path}"
    here, there, section = 0, 0, ""
    while here < len(before) or there < len(after):
        start, new_start = here, there
        while here < len(before) and before[here : here + 1] != after[there : there + 1] and _GOES.match(before[here]):
            here += 1
        there = after.index(before[here], there) if here < len(before) else len(after)
        if (here, there) == (start, new_start):
            section = before[here] if before[here].lstrip().startswith("[") else section
            here, there = here + 1, there + 1
            continue
        spans = f"-{_span(start, here)} +{_span(new_start, there)}"
        yield f"@@ {spans} @@ {plain(section) if here < len(before) or here > start else ''}".rstrip()
        yield from (f"-{_shown(line)}" for line in before[start:here])
        yield from (f"+{_shown(line)}" for line in after[new_start:there])


def _span(start: int, end: int) -> str:
    count = end - start
    return f"{start + 1 if count else start}{'' if count == 1 else f',{count}'}"


def _shown(line: str) -> str:
    return f"{' ' * (len(line) - len(line.lstrip()))}{plain(line)}"
