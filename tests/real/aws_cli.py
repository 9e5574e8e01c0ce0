"""The AWS CLI v2 as it comes with Debian, which knows no endpoint variables, and its way to a simulator.

Rules of this file:
1. The program is the installed `aws`, in a home of its own, with nothing in its environment but the way to the simulator.
2. It is waited for with a deadline; what a laptop lacks is skipped, in CI it fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from simulator import certificates
from simulator.person import Person
from simulator.tls_proxy import TlsProxy

from ssowatch.paths import key

PATIENCE = 120.0
NEWER = (2, 22)
"""Since then a session signs in by PKCE, unless told otherwise."""


def found() -> tuple[str, tuple[int, ...]] | None:
    """The first AWS CLI v2 on this machine, and its version; another v1 may stand before it."""
    for folder in (*os.get_exec_path(), "/usr/bin"):
        program = shutil.which("aws", path=folder)
        if program:
            said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=PATIENCE, check=False)
            if version := re.match(r"aws-cli/(2[.\d]+)", said.stdout):
                return program, tuple(map(int, version[1].split(".")))
    return None


@dataclass
class Cli:
    """The program and where it runs."""

    program: str
    version: tuple[int, ...]
    environ: dict[str, str]
    home: Path

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """It runs, for as long as it may."""
        with subprocess.Popen(
            [self.program, *arguments],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            deadline = threading.Timer(PATIENCE, process.kill)
            deadline.start()
            try:
                yield process
            finally:
                process.kill()
                deadline.cancel()
                deadline.join()

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """It ran: what it returned and said."""
        with self.started(*arguments) as process:
            out, err = process.communicate()
            return process.returncode, out, err

    def login(self, person: Person, button: str) -> tuple[int, str, str]:
        """`aws sso login` on one side, a person with the address it prints on the other."""
        device = ["--use-device-code"] if self.version >= NEWER else []
        with self.started("sso", "login", "--profile", "dev", "--no-browser", *device) as process:
            assert process.stdout
            said = ""
            for line in process.stdout:
                said += line
                if address := re.search(r"http\S+user_code=\S+", line):
                    person.decide(address[0], button)
            assert process.stderr
            err = process.stderr.read()
            return process.wait(PATIENCE), said, err

    def token(self) -> dict[str, str] | None:
        """The token file of the session, if any."""
        path = self.home / ".aws/sso/cache" / f"{key('corp')}.json"
        return json.loads(path.read_text()) if path.exists() else None


@contextmanager
def installed(port: int, home: Path, folder: Path) -> Iterator[Cli]:
    """The program, in that home, on its way to the simulator at that port; `folder` is for certificates."""
    program = found()
    if program is None or not certificates.available():
        assert os.environ.get("SSOWATCH_CI") != "1", "CI installs awscli and openssl"
        pytest.skip("there is no AWS CLI v2, or no openssl")
    folder.mkdir()
    with TlsProxy(port, folder) as proxy:
        yield Cli(*program, {"HOME": str(home), "PATH": os.defpath, **proxy.environ}, home)
