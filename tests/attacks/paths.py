"""Links, hard links, foreign directories and odd files where ssowatch keeps its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from functools import partial
from hashlib import sha1
from pathlib import Path

from attacks.callback import signing_in
from attacks.scene import NOBODY, PATIENCE, Scene
from attacks.table import Attack, must

_OURS = ("status.json", "acts.jsonl", "pauses.json", "mcp_servers.json", "memory/{key}.json", "flows/{key}.json", "watcher.lock", "locks/{key}.write", "locks/{key}.memory", "locks/pauses", "socket")  # fmt: skip
_KEY = sha1(b"corp", usedforsecurity=False).hexdigest()


def token_link(scene: Scene) -> str:
    """The token file leads to a file of the user: neither a renewal nor a sign-in writes through it."""
    victim = scene.victim / "precious"
    for target in (victim, scene.victim / "none", Path("/dev/full"), scene.victim):
        scene.token_file.unlink()
        scene.token_file.symlink_to(target)
        scene.run("refresh", "corp").must(1, 75)
    scene.token_file.unlink()
    scene.token_file.symlink_to(victim)
    with signing_in(scene):
        pass
    must(not scene.token_file.is_symlink(), "the link is replaced")
    return "leads to a file, to nothing, a device, a directory: refused; a sign-in replaces the link"


def token_hard_link(scene: Scene) -> str:
    """Another name of a file of the user, which holds a token: the name is moved, the file stays."""
    victim = scene.victim / "linked"
    try:
        victim.write_text(json.dumps(scene.token()))
        before = victim.read_bytes()
        scene.token_file.unlink()
        os.link(victim, scene.token_file)
        with signing_in(scene):
            pass
        must(victim.read_bytes() == before, "the other name keeps its content")
    finally:
        victim.unlink()
    return "the other name keeps the old content"


def planted_draft(scene: Scene) -> str:
    """The name under which a new token is prepared leads elsewhere."""
    draft = scene.token_file.with_name(f".{scene.token_file.name}.ssowatch.tmp")
    draft.symlink_to(scene.victim / "precious")
    with signing_in(scene):
        pass
    must(not draft.is_symlink(), "the link is gone")
    return "the prepared name is made anew, never opened"


def _planted(kind: str, scene: Scene) -> str:
    """State that another program prepared before the first start, in a directory that was open to all."""
    with scene.another_home() as home:
        state = home / ".local/state/ssowatch"
        for name in ("locks", "memory", "flows", "registrations"):
            (state / name).mkdir(parents=True, exist_ok=True)
            (state / name).chmod(0o777)
        state.chmod(0o777)
        for name in _OURS:
            path = state / name.format(key=_KEY)
            match kind:
                case "a link to a file":
                    path.symlink_to(scene.victim / "precious")
                case "a link to nothing":
                    path.symlink_to(scene.victim / "none")
                case "a FIFO":
                    os.mkfifo(path)
                case "a directory":
                    path.mkdir()
                case "noise":
                    path.write_bytes(b"\xff\0[[[[" * 100)
        for words in (
            ("pause", "corp", "1h"),
            ("refresh", "corp"),
            ("status",),
            ("history",),
            ("ensure", "corp"),
            ("mcp", "servers"),
        ):
            scene.run(*words, home=home)
        with scene.another_service(home) as service:
            log = scene.root / "service.txt"
            scene.until(lambda: "watching" in log.read_text() or service.poll() is not None, "it starts, or ends")
            done = scene.run("status", "--json", home=home).must(0)
            if service.poll() is None:
                json.loads(done.out)
        must(service.returncode in {0, 1}, f"the service ended with {service.returncode}")
        must(not kind.startswith("a link") or state.stat().st_mode & 0o777 == 0o700, "the directory is closed")
    return f"{len(_OURS)} places: nothing is written there, every command ends by the contract"


def foreign_state(scene: Scene) -> str:
    """The state directory was made by another user."""
    for link in (False, True):
        with scene.another_home() as home:
            state = home / ".local/state/ssowatch"
            theirs = scene.root / "theirs"
            theirs.mkdir(mode=0o777)
            os.chown(theirs, NOBODY, NOBODY)
            theirs.chmod(0o777)
            state.parent.mkdir(parents=True)
            if link:
                state.symlink_to(theirs)
            else:
                theirs.rename(state)
            for words in (("pause", "1h"), ("refresh", "corp"), ("ensure", "corp")):
                scene.run(*words, home=home)
            scene.run("run", home=home).must(1)
            must(not list(state.iterdir()), f"nothing is written there: {list(state.iterdir())}")
            shutil.rmtree(theirs, ignore_errors=True)
    return "another user's, itself and behind a link: not used, and `run` says so"


_IMPOSTOR = """
folder = sys.argv[1]
os.mkdir(folder); os.chmod(folder, 0o755)
s = socket.socket(socket.AF_UNIX); s.bind(folder + "/socket"); os.chmod(folder + "/socket", 0o777); s.listen(8)
print("ready", flush=True)
held = []
while True:
    c, _ = s.accept()
    c.settimeout(1)
    try:
        c.recv(4096)
        c.sendall(b'{"version": 1, "ok": true, "status": {"sign_ins": [')
        for _ in range(200):
            time.sleep(0.5); c.sendall(b' ')
    except OSError:
        pass
    held.append(c)
"""


def impostor(scene: Scene) -> str:
    """A home so deep that its socket lies in /tmp, where another user was first: it is neither believed nor waited for."""
    deep = scene.root / ("d" * 100)
    home = scene.furnish(deep)
    folder = Path(f"/tmp/ssowatch-{os.getuid()}-{sha1(str(home).encode(), usedforsecurity=False).hexdigest()[:12]}")
    from attacks.scene import _DROP

    theirs = subprocess.Popen(
        [sys.executable, "-IS", "-c", _DROP + _IMPOSTOR, str(folder)], stdout=subprocess.PIPE, env={}, cwd="/"
    )
    try:
        must(theirs.stdout and theirs.stdout.readline() == b"ready\n", "another user listens there")
        for words in (("refresh", "corp"), ("ensure", "corp"), ("pause", "corp", "1h")):
            done = scene.run(*words, home=home)
            must(done.seconds < 60, f"{words} waited {done.seconds:.0f} s for an impostor")
        with scene.another_service(home) as service:
            scene.until((home / ".local/state/ssowatch/status.json").exists, "it publishes")
            must(service.poll() is None, "the service goes on without its socket")
    finally:
        theirs.kill()
        theirs.wait(PATIENCE)
        if theirs.stdout:
            theirs.stdout.close()
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(deep)
    return (
        "a directory of another user in /tmp: the service goes on without a socket, no command waits for the impostor"
    )


def swapped(scene: Scene) -> str:
    """The state directory is moved away under a running service, and another one is put there."""
    for put in (False, True):
        with scene.another_home() as home, scene.another_service(home) as service:
            state = home / ".local/state/ssowatch"
            scene.until((state / "status.json").exists, "it publishes")
            state.rename(scene.root / "away")
            if put:
                state.symlink_to(scene.victim)
            must(scene.until(lambda: service.poll() is not None, "it ends"), "it ends")
            must(service.returncode == 1, f"ended with {service.returncode}")
            shutil.rmtree(scene.root / "away")
    return "moved away, and a link put there: the service ends with 1 for a new start, and writes nothing"


KINDS = ("a link to a file", "a link to nothing", "a FIFO", "a directory", "noise")
ATTACKS = (
    Attack("paths", "the token file a link", token_link, essential=True),
    Attack("paths", "the token file a hard link", token_hard_link),
    Attack("paths", "the prepared name a link", planted_draft),
    *(
        Attack("paths", f"our state {kind}", partial(_planted, kind), essential=kind == "a link to a file")
        for kind in KINDS
    ),
    Attack("paths", "the state another user's", foreign_state, root=True),
    Attack("paths", "another user in /tmp first", impostor, essential=True, root=True),
    Attack("paths", "the state moved away", swapped),
)
