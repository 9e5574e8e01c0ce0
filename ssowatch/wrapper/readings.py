"""What an answer to a tool call says of the sign-in (rank 1, pure).

Rules of this file:
1. `isError` alone tells little: some servers hide the reason (it is on their stderr then), some call an error a result.
2. A good result may quote any error. It counts only where it has the form of one: `{"error": …}` and nothing else.
3. What is read here opens nothing: `steps` asks what is true of the sign-in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from ssowatch.aws_errors import Meaning, found
from ssowatch.only_an_error import whole
from ssowatch.squeezed import flat
from ssowatch.wrapper.messages import Body

_LOGIN = {Meaning.LOGIN, Meaning.AWS_LOGIN}
_LONGEST = 4000
"""Of a result that is an error although it does not say so."""


class Reading(StrEnum):
    """In the order of how much it says."""

    GOOD = "good"
    """Nothing of the sign-in: it passes."""
    TOKEN = "token"  # noqa: S105 - a word
    """Nothing but the error that the sign-in's token is no good."""
    MENTIONS_TOKEN = "mentions_token"  # noqa: S105 - a word
    """An error that tells of a bad token, among other things."""
    KEYS = "keys"
    """Nothing but AWS's word that the role's keys are dead."""
    MASKED = "masked"
    """An error without its reason."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What an answer says, and whether it calls itself an error."""

    reading: Reading
    failed: bool


def read(body: Body) -> Answer:
    """Of the answer to a `tools/call`."""
    error, result = body.get("error"), body.get("result")
    if isinstance(error, dict):
        reading = _of_error(f"{error.get('message', '')}")
        return Answer(Reading.GOOD if reading is Reading.MASKED else reading, failed=True)
    if not isinstance(result, dict):
        return Answer(Reading.GOOD, failed=False)
    texts = _texts(result.get("content"))
    if result.get("isError") is True:
        return Answer(_of_error("\n".join(texts)), failed=True)
    if len(texts) == 1 and _is_error_object(texts[0]) and whole(texts[0]):
        return Answer(_of_error(texts[0]), failed=False)
    return Answer(Reading.GOOD, failed=False)


def unmasked(stderr: str) -> Reading:
    """What the server's stderr since the call says of an error that hides its reason; MASKED where it says nothing."""
    meanings = {row.meaning for row in found(stderr)}
    if meanings & _LOGIN:
        return Reading.TOKEN
    if Meaning.DEAD_KEYS in meanings:
        return Reading.KEYS
    lowered = flat(stderr)
    return Reading.GOOD if "traceback" in lowered or "exception" in lowered else Reading.MASKED


def _of_error(text: str) -> Reading:
    rows = found(text)
    meanings = {row.meaning for row in rows}
    if meanings & _LOGIN:
        return Reading.TOKEN if whole(text) else Reading.MENTIONS_TOKEN
    if Meaning.DEAD_KEYS in meanings:
        return Reading.KEYS if whole(text) else Reading.GOOD
    masked = any(row.meaning is Meaning.MASKED and (row.alone or whole(text)) for row in rows)
    return Reading.MASKED if masked else Reading.GOOD


def _texts(content: object) -> list[str]:
    parts = content if isinstance(content, list) else []
    return [
        text
        for part in parts
        if isinstance(part, dict) and part.get("type") == "text" and isinstance(text := part.get("text"), str)
    ]


def _is_error_object(text: str) -> bool:
    if len(text) > _LONGEST or not text.lstrip().startswith("{"):
        return False
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    return isinstance(value.get("error"), str)  # what begins with a brace is an object
