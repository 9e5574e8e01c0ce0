"""Completion in the shells themselves: a key is pressed on a terminal, and the command that it made is run."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import homes
import pytest
from homes import REQUIRED, wait_for

pytestmark = pytest.mark.real

CONFIG = (
    homes.CONFIG
    + """\
[profile "my play"]
sso_session = corp
sso_account_id = 3
sso_role_name = x

[profile "evil;touch pwned"]
sso_session = corp
sso_account_id = 4
sso_role_name = x
"""
)
SHELLS = {
    # how it starts without anybody's settings, and how it reads our completion
    "bash": (["bash", "--norc", "--noprofile", "-i"], 'eval "$(ssowatch completion bash)"'),
    "zsh": (["zsh", "-f", "-i"], 'eval "$(ssowatch completion zsh)"'),
    "fish": (["fish", "--no-config", "-i"], "ssowatch completion fish | source"),
}
TYPED = [
    # what is typed, and what the command that came of it prints
    ("ssowatch sta\tco\t--js\t", '"name": "corp"'),
    ("ssowatch status my\t--json", '"name": "corp"'),
    ("ssowatch status ev\t--json", '"name": "corp"'),
    ("ssowatch ensure corp --login ne\t", "a sign-in is needed"),
    ("ssowatch config sh\t", "refresh_before"),
]


ON_ITS_OWN = """\
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal is this session's: job control works
os.execvp(sys.argv[1], sys.argv[1:])
"""


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, argv: list[str], folder: Path) -> None:
        self._said = b""
        self._terminal, its_end = pty.openpty()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-c", ON_ITS_OWN, *argv],
                stdin=its_end,
                stdout=its_end,
                stderr=its_end,
                cwd=folder,
                start_new_session=True,
                env={
                    **os.environ,
                    "TERM": "xterm",
                    "LC_ALL": "C.UTF-8",
                    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                },
            )
        finally:
            os.close(its_end)
        os.set_blocking(self._terminal, False)

    def type(self, text: str) -> None:
        os.write(self._terminal, text.encode())

    def run(self, line: str, out: Path) -> str:
        """Type a line whose output goes to a file, and wait for the file that says it has ended."""
        done = out.with_suffix(".done")
        self.type(f"{line} > {out} 2>&1; echo done > {done}\r")
        wait_for(lambda: self._drain() and done.exists() and done.read_text(), f"{line!r} ends:\n{self._said!r}", 120)
        return out.read_text()

    def _drain(self) -> bool:
        """A terminal that nobody reads stops whoever writes to it."""
        with suppress(OSError):  # nothing to read now, or the shell is gone
            while part := os.read(self._terminal, 65536):
                self._said += part
        return True

    def close(self) -> None:
        self._process.kill()
        self._process.wait(60)
        os.close(self._terminal)


@pytest.mark.parametrize("shell", SHELLS)
def test_tab(home, tmp_path, shell):
    argv, reads = SHELLS[shell]
    if not shutil.which(argv[0]):
        assert not REQUIRED, f"{shell} is missing"
        pytest.skip(f"{shell} is not installed")
    homes.aws_config(home, CONFIG)
    running = Shell(argv, tmp_path)
    try:
        running.run(f"true; {reads}; true", tmp_path / "ready")
        for number, (typed, printed) in enumerate(TYPED):
            said = running.run(typed, tmp_path / f"out{number}")
            assert printed in said, f"{typed!r} gave {said!r}"
    finally:
        running.close()
    assert not list(tmp_path.rglob("pwned")), "a name from a config file was run"
