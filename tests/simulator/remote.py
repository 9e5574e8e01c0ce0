"""The test's end of a simulator that runs as a process of its own."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from simulator.control import PREFIX
from simulator.faults import Fault
from ssowatch.demo.center.calls import Call
from ssowatch.demo.center.settings import to_json

_HERE = Path(__file__).resolve().parents[1]
_START_SECONDS = 120.0


class RemoteSimulator:
    """The same methods as `server.Simulator`, done over the control channel."""

    def __init__(self, url: str, control: str, pid: int = 0) -> None:
        self.url = url
        self.pid = pid
        self.port = urlsplit(url).port
        self._control = urlsplit(control).netloc

    @property
    def environ(self) -> dict[str, str]:
        """What points an AWS client there."""
        return {f"AWS_ENDPOINT_URL_{service}": self.url for service in ("SSO_OIDC", "SSO", "STS")}

    def now(self) -> datetime:
        """That process's clock."""
        return datetime.fromisoformat(self._ask("about")["now"])

    def change(self, **settings: Any) -> None:
        """Turn knobs; see `settings.Settings`."""
        self._ask("change", **to_json(settings))

    def sign_in(self, **arguments: Any) -> dict[str, str]:
        """A person signs in; see `IdentityCenter.sign_in`."""
        content: dict[str, str] = self._ask("sign_in", **arguments)
        return content

    def end_session(self, **arguments: str) -> int:
        """End living sessions; see `IdentityCenter.end_session`."""
        return int(self._ask("end_session", **arguments))

    def revoke_registrations(self) -> None:
        """See `IdentityCenter.revoke_registrations`."""
        self._ask("revoke_registrations")

    def add_fault(self, fault: Fault) -> None:
        """See `Simulator.add_fault`."""
        self._ask("add_fault", **asdict(fault))

    def clear_faults(self) -> None:
        """See `Simulator.clear_faults`."""
        self._ask("clear_faults")

    def calls(self, operation: str = "") -> list[Call]:
        """The log so far, of one operation or all."""
        return [Call.from_json(row) for row in self._ask("calls", operation=operation)]

    def _ask(self, command: str, **arguments: Any) -> Any:
        # http.client knows no proxy variables, which must not come between a test and loopback.
        with contextlib.closing(http.client.HTTPConnection(self._control, timeout=120)) as connection:
            connection.request("POST", PREFIX + command, json.dumps(arguments))
            answer = json.load(connection.getresponse())
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer["result"]


@contextlib.contextmanager
def running(
    port_file: Path, *, environ: Mapping[str, str] | None = None, settings: Mapping[str, Any] | None = None
) -> Iterator[RemoteSimulator]:
    """A simulator process for the time of the `with`.

    `environ` is added to its environment: that is where LD_PRELOAD and what it reads go.
    """
    command: Sequence[str] = (
        sys.executable, "-m", "simulator", "--port-file", str(port_file), "--settings", json.dumps(to_json(settings or {})),
    )  # fmt: skip
    paths = [str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    everything = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **(environ or {})}
    port_file.unlink(missing_ok=True)
    with subprocess.Popen(command, stdin=subprocess.PIPE, env=everything) as process:
        try:
            deadline = time.monotonic() + _START_SECONDS
            while not port_file.exists():
                if process.poll() is not None:
                    raise RuntimeError(f"the simulator ended with {process.returncode} before it listened")
                if time.monotonic() > deadline:
                    raise TimeoutError("the simulator does not listen")
                time.sleep(0.01)
            yield RemoteSimulator(**json.loads(port_file.read_text()), pid=process.pid)
        finally:
            # Closing its standard input is what ends it; kill is for one that hangs.
            if process.stdin:
                process.stdin.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
