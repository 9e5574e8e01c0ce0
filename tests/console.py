"""Homes with a session of `aws login`: the profile, the file that AWS CLI v2 writes, its end at AWS, and a stand-in for `aws`."""

from __future__ import annotations

import base64
import http.server
import json
import sys
import textwrap
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import homes

from ssowatch import kinds, tokenfile
from ssowatch.clock import utc_now

ARN = "arn:aws:sts::111111111111:assumed-role/Admin/jane@example.com"
CONFIG = f"""\
[profile assumed]
role_arn = arn:aws:iam::222222222222:role/R
source_profile = console

[profile console]
login_session = {ARN}
region = us-east-1
"""
MINUTE = timedelta(minutes=1)


def document(left: timedelta = 14 * MINUTE, **more: Any) -> dict[str, Any]:
    """As `aws login` writes it (aws-cli v2, `customizations/login/utils.py`); each secret is a canary. `...` takes a key away."""
    keys = {
        "accessKeyId": "ASIACANARYKEY",
        "secretAccessKey": "canary-secret",
        "sessionToken": "canary-session",
        "accountId": "111111111111",
        "expiresAt": tokenfile.stamp(utc_now() + left),
    }
    keys |= more.pop("keys", {})
    content = {
        "accessToken": {key: value for key, value in keys.items() if value is not ...},
        "tokenType": "aws_sigv4",
        "clientId": "arn:aws:signin:::devtools/same-device",
        "refreshToken": "canary-refresh",
        "idToken": "canary.id.token",
        "dpopKey": "canary-dpop",
        **more,
    }
    return {key: value for key, value in content.items() if value is not ...}


SECRETS = (b"ASIACANARYKEY", b"canary-secret", b"canary-session", b"canary-refresh", b"canary.id.token", b"canary-dpop")


def path(arn: str = ARN) -> Path:
    """Where every SDK looks for it."""
    return Path(kinds.token_file(arn))


def write(content: dict[str, Any], arn: str = ARN) -> Path:
    """As a whole, in a directory that is made when it is missing; both as botocore's `JSONFileCache` does it."""
    place = path(arn)
    place.parent.mkdir(parents=True, exist_ok=True)
    fresh = place.with_name("tmpcanary.tmp")
    fresh.write_text(json.dumps(content))
    fresh.chmod(0o600)
    fresh.replace(place)
    return place


def drawn_key() -> str:
    """A DPoP key as AWS CLI v2 draws it."""
    from awscrt.crypto import EC, ECExportFormat, ECType

    raw = base64.b64encode(EC.new_generate(ECType.P_256).export_key(ECExportFormat.SEC1)).decode()
    return f"-----BEGIN EC PRIVATE KEY-----\n{textwrap.fill(raw, 64)}\n-----END EC PRIVATE KEY-----\n"


ENDED = {"error": "TOKEN_EXPIRED", "message": "The refresh token has expired."}


class SignIn(http.server.ThreadingHTTPServer):
    """The one operation of AWS Sign-In that SDKs call: CreateOAuth2Token, which gives 15 minutes more, or says that it is over."""

    over = False
    calls = 0

    @property
    def environ(self) -> dict[str, str]:
        """Leads an SDK here."""
        return {"AWS_ENDPOINT_URL_SIGNIN": f"http://127.0.0.1:{self.server_port}"}


class _Answers(http.server.BaseHTTPRequestHandler):
    server: SignIn

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        good = asked["grantType"] == "refresh_token" and self.headers["DPoP"] and not self.server.over
        self.server.calls += 1
        keys = document()["accessToken"]
        answer = {
            "accessToken": keys,
            "tokenType": "aws_sigv4",
            "expiresIn": 900,
            "refreshToken": asked["refreshToken"] + "+",
        }
        body = json.dumps(answer if good else ENDED).encode()
        self.send_response(200 if good else 403)
        if not good:
            self.send_header("x-amzn-ErrorType", "AccessDeniedException")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sign_in_service() -> Iterator[SignIn]:
    """It, until the block ends."""
    with SignIn(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def stand_in(home: Path, answers: str = "") -> Path:
    """An `aws` for the PATH: writes down how it was called, and does what `aws login` does when the person agrees.

    `answers`: what it does instead, in Python.
    """
    place = home / "bin" / "aws"
    place.parent.mkdir(exist_ok=True)
    signs_in = "import console; console.write(console.document(dpopKey='canary-dpop of ' + str(len(called))))"
    place.write_text(
        f"#!{sys.executable}\n"
        f"import json, sys\n"
        f"sys.path[:0] = {[str(Path(__file__).parent), *sys.path]!r}\n"
        f"called = open({str(home / 'called')!r}, 'a+'); called.write(json.dumps(sys.argv[1:]) + '\\n'); called.seek(0)\n"
        f"called = called.read().splitlines()\n"
        f"{answers or signs_in}\n"
    )
    place.chmod(0o755)
    return place


def called(home: Path) -> list[list[str]]:
    """How it was called."""
    place = home / "called"
    return [json.loads(line) for line in place.read_text().splitlines()] if place.exists() else []


def settle(home: Path) -> None:
    """The profile in an otherwise empty home."""
    homes.aws_config(home, CONFIG)
