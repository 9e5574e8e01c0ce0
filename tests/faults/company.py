"""Others who are there as well: a second watcher, a second machine on the same home, a desktop, a person with a browser."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

from desktops import Bus, Server
from real.canaries import below
from real.machine import PATIENCE, until
from simulator.person import Person

from faults.fault import Fault, When
from faults.scene import Scene

_NO_LOCKS = "int flock(int fd, int how) { (void)fd; (void)how; return 0; }\n"
_WITH_A_DESKTOP = "heartbeat: 200ms\nresume_threshold: 1h\nnotify: [desktop]\n"


@contextlib.contextmanager
def second_watcher(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Started by hand beside the service, while that lives or stands still: it says so and ends with 0."""
    assert scene.watcher
    still = chance.random() < 0.5
    if still:
        os.kill(scene.watcher.pid, signal.SIGSTOP)
    try:
        second = scene.ssowatch("run")
    finally:
        os.kill(scene.watcher.pid, signal.SIGCONT)
    assert second.returncode == 0, second
    yield


@contextlib.contextmanager
def second_machine(scene: Scene, chance: random.Random) -> Iterator[None]:
    """Another machine has the same home, by a file server that keeps locks to each machine."""
    source, shim = scene.folder / "no_locks.c", scene.folder / "no_locks.so"
    source.write_text(_NO_LOCKS)
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", shim, source], check=True)
    second = scene.start("second", "run", LD_PRELOAD=f"{scene.environ['LD_PRELOAD']}:{shim}")
    try:
        until(lambda: "watching; state" in second.said(), "the second machine watches")
        yield
        assert second.lives(), "the watcher of the second machine ended"
    finally:
        code = second.terminate()
    assert code == 0, f"the watcher of the second machine ended with {code}"


@contextlib.contextmanager
def bus_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The sign-in ends, its notice is on the screen; bus and notification server die, and come back without it."""
    (scene.home / ".config/ssowatch/config.yaml").write_text(_WITH_A_DESKTOP)
    bus = Bus(scene.folder)
    scene.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.address
    server = Server(bus, "actions", "body")
    try:
        scene.restart_watcher()
        scene.until_fresh()
        scene.simulator.end_session()
        scene.jump_to_renewal()
        server.notified()
        bus.stop()
        server.close()
        scene.linger(chance)
        bus.start()
        server = Server(bus, "actions", "body")
        server.notified()
        yield
    finally:
        server.close()
        bus.stop()


@contextlib.contextmanager
def browser_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """A person asked for a sign-in; the browser dies with the tab, and so may the command. The sign-in itself goes on."""
    scene.asked_tabs += 1
    first = scene.start("first", "login", "corp")
    tab = until(scene.tabs, "a tab")[0]
    _kill(b"sleep\x00600")
    if dies := chance.random() < 0.5:
        os.kill(first.pid, signal.SIGKILL)
    second = scene.start("second", "login", "corp")
    until(second.said, "the second command joined")
    yield
    Person().decide(tab, "Allow")
    codes = [program.process.wait(PATIENCE) for program in (first, second)]
    assert codes == [-signal.SIGKILL if dies else 0, 0], f"{codes}: {first.said()}\n{second.said()}"


@contextlib.contextmanager
def flow_killed(scene: Scene, chance: random.Random) -> Iterator[None]:
    """The process of a sign-in dies with the tab open: who waits for it is told, and no second tab opens by itself."""
    scene.asked_tabs += 1
    waiting = [scene.start(f"login{number}", "login", "corp") for number in range(chance.randint(1, 3))]
    until(scene.tabs, "a tab")
    _kill(b"-m\0ssowatch\0login")
    codes = [program.process.wait(PATIENCE) for program in waiting]
    assert set(codes) == {os.EX_TEMPFAIL}, [program.said() for program in waiting]
    yield


def _kill(words: bytes) -> None:
    """Every process of this round whose command line holds these words."""
    for pid in below(os.getpid()):
        with contextlib.suppress(OSError):
            if words in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


FAULTS = (
    Fault("a second watcher", second_watcher),
    Fault("two machines on one home, no common lock", second_machine, (When.AT_REST, When.DUE)),
    Fault("bus and notification server killed", bus_killed, (When.AT_REST,), calls_work=False, ends_sign_in=True),
    Fault("browser killed in a sign-in", browser_killed, (When.AT_REST,)),
    Fault("the process of a sign-in killed", flow_killed, (When.AT_REST,)),
)
