"""What a program leaves that asks for a sign-in."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import homes
import pytest

from ssowatch import memories, memory, standing, tokenfile
from ssowatch.clock import utc_now
from ssowatch.model import Kind, SignIn

CORP = SignIn("corp", Kind.SSO_SESSION, "https://d-1234567890.awsapps.com/start", "us-east-1")
ASKED_FOR = [
    # what stands at the token's path, whether that is a sign-out
    ("nothing", lambda path: path.unlink(), True),
    ("a token", lambda _: None, False),
    ("half of one", lambda path: path.write_text("{"), False),
]


@pytest.mark.parametrize(("what", "change", "signed_out"), ASKED_FOR, ids=[row[0] for row in ASKED_FOR])
def test_a_program_is_heard_whatever_the_next_look_finds(home, what, change, signed_out):
    homes.aws_config(home)
    homes.write_token(homes.token(timedelta(hours=1)))
    now, path = utc_now(), homes.token_path()
    token = tokenfile.parse(path.read_bytes()).token
    memories.update("corp", lambda known: memory.observed(known, CORP, token, now))
    change(path)
    known = memories.update("corp", partial(standing.asked, CORP, now))
    assert (known.lineage.asked, known.lineage.used_at) == (True, now)
    assert (known.lineage.signed_out_at == now) is signed_out
    if signed_out:
        assert memory.observed(known, CORP, None, now).lineage.asked, "the watcher's look comes later"
