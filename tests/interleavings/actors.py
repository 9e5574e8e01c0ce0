"""Who takes part: ssowatch's own functions, and AWS programs that know no lock.

Rules of this file:
1. Ssowatch's are its own code, whole. What they are given in place of the system is in `seams`.
2. boto3 is botocore's own `SSOTokenProvider`, whose cache and client are stepped. The AWS CLI's two commands are made
   after what strace and its source show: sign out reads, calls Logout, removes; sign in cuts the file off and writes.
3. A person who is asked says yes at once.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.exceptions import BotoCoreError, ClientError
from botocore.tokens import SSOTokenProvider, _sso_json_dumps
from botocore.utils import JSONFileCache

from interleavings.scheduler import Step
from ssowatch import renewal, signing_in, signing_out
from ssowatch.model import Policy
from ssowatch.outcomes import Waiting

if TYPE_CHECKING:
    from interleavings.stage import Stage

OURS = ("child", "hand", "login", "fresh", "logout")
SIGN_INS = ("login", "fresh", "aws login")
SIGN_OUTS = ("logout", "aws logout")
"""And `fresh` ends the old sign-in."""


def child(stage: Stage) -> object:
    """What the watcher starts when a renewal is due."""
    return renewal.renew(stage.corp, Policy(), only_due=True, now=stage.now, pause=stage.pause).result


def hand(stage: Stage) -> object:
    """`ssowatch refresh`."""
    return renewal.renew(stage.corp, Policy(), only_due=False, now=stage.now, pause=stage.pause).result


def _sign_in(stage: Stage, *, fresh: bool) -> object:
    def person(asked: Waiting) -> None:
        stage.scheduler.wait(Step("the person says yes"))
        form = {"user_code": asked.code, "form": {"user": "someone", "decision": "allow"}}
        assert stage.center.visit("DeviceForm", form, stage.now()).outcome == "allowed"

    return signing_in.sign_in(
        stage.corp, "device", fresh=fresh, waiting=person, now=stage.now, pause=stage.pause
    ).result


def login(stage: Stage) -> object:
    """`ssowatch login`, by a device code."""
    return _sign_in(stage, fresh=False)


def fresh(stage: Stage) -> object:
    """`ssowatch login --fresh`."""
    return _sign_in(stage, fresh=True)


def logout(stage: Stage) -> object:
    """`ssowatch logout`."""
    return signing_out.sign_out(stage.corp, now=stage.now, pause=stage.pause).result


def aws_logout(stage: Stage) -> object:
    """`aws sso logout` (`SSOLogoutCommand`, `SSOTokenSweeper`): whatever AWS says, the file goes."""
    stage.scheduler.wait(Step("read token"))
    content = stage.token_bytes()
    stage.scheduler.told(content)
    with contextlib.suppress(ValueError, ClientError, BotoCoreError):
        stage.client().logout(accessToken=json.loads(content or b"")["accessToken"])
    stage.scheduler.wait(Step("remove token"))
    with contextlib.suppress(FileNotFoundError):
        Path(stage.token).unlink()
        stage.log("remove", "aws logout", None)
    return "signed out"


def aws_login(stage: Stage) -> object:
    """`aws sso login`: open, ftruncate, write."""
    stage.scheduler.wait(Step("call CreateToken"))
    document = json.dumps(stage.center.sign_in(stage.now())).encode()
    stage.scheduler.wait(Step("open token"))
    fd = stage.system.open_plainly(stage.token, os.O_WRONLY | os.O_CREAT, 0o600)
    stage.scheduler.wait(Step("cut token off"))
    os.ftruncate(fd, 0)
    stage.scheduler.wait(Step("write token"))
    os.write(fd, document)
    stage.system.close(fd)
    stage.log("write", "aws login", document)
    return "signed in"


_SESSION = botocore.session.Session()
"""Nobody asks it anything; making one takes long."""


class _Cache(JSONFileCache):  # type: ignore[misc] # untyped in botocore
    """Botocore's own, step by step: a look, a reading, a replacement."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(str(Path(stage.token).parent), dumps_func=_sso_json_dumps)
        self._stage = stage

    def __contains__(self, key: str) -> bool:
        self._stage.scheduler.wait(Step("look for token"))
        found: bool = super().__contains__(key)
        self._stage.scheduler.told(found)
        return found

    def __getitem__(self, key: str) -> Any:
        self._stage.scheduler.wait(Step("read token"))
        self._stage.scheduler.told(self._stage.token_bytes())
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Any) -> None:
        self._stage.scheduler.wait(Step("replace token"))
        super().__setitem__(key, value)
        self._stage.log("write", "boto3", self._stage.token_bytes())


def boto3(stage: Stage) -> object:
    """A program that asks botocore for a token."""
    provider = SSOTokenProvider(_SESSION, _Cache(stage), stage.now, "dev")
    provider.__dict__["_sso_config"] = {
        "session_name": stage.corp.name,
        "sso_region": stage.corp.region,
        "sso_start_url": stage.corp.start_url,
    }
    provider.__dict__["_client"] = stage.client()
    with contextlib.suppress(
        ClientError, BotoCoreError, KeyError
    ):  # the program sees an error; its next call is another
        provider.load_token().get_frozen_token()
    return "called"


ACTS: dict[str, Callable[[Stage], object]] = {
    "child": child,
    "hand": hand,
    "login": login,
    "fresh": fresh,
    "logout": logout,
    "aws logout": aws_logout,
    "aws login": aws_login,
    "boto3": boto3,
}
