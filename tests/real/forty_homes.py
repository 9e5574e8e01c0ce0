"""Generated homes, each with what `ssowatch setup --yes` must make of it: protected, or the right sentence and a mend.

Run by `test_forty_homes.py` under a real user manager, as another user: standard library only. A home counts as
protected when the watcher has renewed its token at the simulated portal by itself and says so.

Rules of this file:
1. A row is a home. `says` stands in what setup says, white space aside; `mend` does what it says, and nothing more; then
   the home must be protected.
2. Each home starts from nothing, and `setup --remove` must leave nothing of it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from typing import Any

SECONDS = 60.0
PORTAL = "https://d-1234567890.awsapps.com/start"
SCOPE = "sso_registration_scopes = sso:account:access\n"


def session(name: str = "corp", portal: str = PORTAL, scope: str = SCOPE) -> str:
    return f"[sso-session {name}]\nsso_start_url = {portal}\nsso_region = us-east-1\n{scope}\n"


def profile(name: str = "dev", of: str = "corp") -> str:
    return f"[profile {name}]\nsso_session = {of}\nsso_account_id = 111111111111\nsso_role_name = ReadOnly\n\n"


def legacy(name: str = "old", portal: str = PORTAL) -> str:
    where = f"sso_start_url = {portal}\nsso_region = us-east-1\n"
    return f"[profile {name}]\n{where}sso_account_id = 222222222222\nsso_role_name = ReadOnly\n\n"


CORP = session() + profile()
GRANTED = "[profile dev]\ncredential_process = granted credential-process --profile dev\n"
VAULT = "[profile dev]\ncredential_process = /usr/bin/aws-vault exec dev --json\n"


class There:
    """One home, and what can be done in it."""

    def __init__(self, home: Path, program: Path, environ: dict[str, str], tokens: list[dict[str, str]]) -> None:
        self.home, self.program, self.environ, self._tokens = home, program, environ, tokens
        self.given: dict[str, str] = {}

    def config(self, text: str | bytes, place: str = ".aws/config") -> Path:
        path = self.home / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def sign_in(self, name: str = "corp", **changes: Any) -> Path:
        """As `aws sso login` does. The token has three minutes left: who watches renews it at once."""
        token = {**self._tokens.pop(), "expiresAt": stamp(180), **changes}
        self.given[name] = token["accessToken"]
        path = self.home / f".aws/sso/cache/{sha1(name.encode(), usedforsecurity=False).hexdigest()}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({key: value for key, value in token.items() if value is not None}))
        path.chmod(0o600)
        return path

    def ssowatch(self, *words: str, **environ: str) -> tuple[int, str]:
        done = subprocess.run(
            [self.program, *words],
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=SECONDS * 3,
            check=False,
            cwd="/",
        )
        return done.returncode, done.stdout.decode()

    def sh(self, command: str) -> None:
        """What a person pastes into a shell."""
        subprocess.run(["/bin/sh", "-c", command], env=self.environ, check=True, timeout=SECONDS, cwd="/")

    def published(self) -> dict[str, Any]:
        with suppress(OSError, ValueError):
            return json.loads((self.home / ".local/state/ssowatch/status.json").read_text())
        return {"sign_ins": [], "watcher": {"running": False}}

    def protected(self) -> bool:
        """Every token given was renewed, and the running watcher says that it will be."""
        good = {
            one["name"]
            for one in self.published()["sign_ins"]
            if one["state"] == "valid" and one["renews_silently"] and not one["problem"]
        }
        renewed = {name for name, token in self.given.items() if token not in self._cache()}
        return bool(self.given) and good >= set(self.given) and renewed == set(self.given)

    def _cache(self) -> str:
        return "".join(path.read_text() for path in (self.home / ".aws/sso/cache").glob("*.json"))


def stamp(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))  # noqa: TID251 - a program of its own


@dataclass(frozen=True)
class Home:
    """A row."""

    name: str
    make: Callable[[There], object]
    says: str = ""
    mend: Callable[[There, str], object] | None = None
    code: int = 0
    """Of the first `setup --yes`."""
    environ: dict[str, str] = field(default_factory=dict)
    systemd: bool = True
    """Whether its PATH has `systemctl`."""


def made(text: str | bytes, **names: dict[str, Any]) -> Callable[[There], None]:
    """An AWS config, and a sign-in for each name given."""

    def make(there: There) -> None:
        there.config(text)
        for name, changes in names.items():
            there.sign_in(name, **changes)

    return make


def corp(there: There) -> None:
    made(CORP, corp={})(there)


def then_config(text: str, *names: str) -> Callable[[There, str], None]:
    """The mend of a person who writes the AWS config as it should be, and signs in."""

    def mend(there: There, _: str) -> None:
        there.config(text)
        for name in names:
            there.sign_in(name)

    return mend


def signs_in(there: There, _: str) -> None:
    there.sign_in()


def upgrades(there: There, said: str) -> None:
    """The command as it was printed; then the sign-in that it asks for."""
    there.sh(command(said, "ssowatch upgrade-profile ", there) + " --yes")
    name = re.findall(r"\[sso-session ([^]]+)\]", (there.home / ".aws/config").read_text())[0]
    there.given.clear()
    there.sign_in(name)


def by_profile_line(there: There, said: str) -> None:
    """The line for ~/.profile, and the next log-in."""
    (line,) = set(re.findall(r"^\s*(\(setsid .* &\))$", said, re.MULTILINE))
    (there.home / ".profile").write_text(f"{line}\n")
    there.sh(". ~/.profile")


def command(said: str, begins: str, there: There) -> str:
    """A line of what was said that is a command, with the program's full path."""
    line = next(one.strip() for one in said.splitlines() if one.strip().startswith(begins))
    return re.sub(r"^ssowatch", str(there.program), line)


def and_setup(act: Callable[[There, str], object]) -> Callable[[There, str], None]:
    """The mend, then setup once more."""

    def mend(there: There, said: str) -> None:
        act(there, said)
        code, again = there.ssowatch("setup", "--yes")
        assert code == 0, again

    return mend


def elsewhere(there: There) -> None:
    there.config(CORP, "work/aws.ini")
    there.sign_in()


def dotfiles(there: There) -> None:
    file = there.config(CORP, "dotfiles/aws-config")
    (there.home / ".aws").mkdir()
    (there.home / ".aws/config").symlink_to(file)
    there.sign_in()


def locked_config(there: There) -> None:
    corp(there)
    (there.home / ".aws/config").chmod(0)


def read_only(there: There) -> None:
    corp(there)
    there.home.chmod(0o500)


def older_unit(there: There) -> None:
    corp(there)
    there.config("[Service]\nExecStart=/gone/ssowatch run\n", ".config/systemd/user/ssowatch.service")


def masked(there: There) -> None:
    corp(there)
    there.sh("systemctl --user mask --quiet ssowatch.service")


def by_hand(there: There) -> None:
    corp(there)
    there.sh(f"(setsid {there.program} run </dev/null >/dev/null 2>&1 &)")
    wait_for(lambda: there.published()["watcher"]["running"])


def own_config(text: str) -> Callable[[There], None]:
    def make(there: There) -> None:
        corp(there)
        there.config(text, ".config/ssowatch/config.yaml").chmod(0o600)

    return make


LAUNCHCTL = """\
#!/usr/bin/python3
import os, plistlib, signal, subprocess, sys
home, word, *rest = os.environ["HOME"], *sys.argv[1:]
pid_file = home + "/launchd.pid"
pid = int(open(pid_file).read()) if os.path.exists(pid_file) else 0
if word == "print-disabled" and os.path.exists(home + "/disabled"): print('"io.github.ssowatch" => disabled')
elif word == "enable": os.unlink(home + "/disabled")
elif word == "bootstrap":
    if pid: sys.exit("Bootstrap failed: 5: Input/output error")
    agent = plistlib.load(open(rest[1], "rb"))
    os.makedirs(os.path.dirname(agent["StandardErrorPath"]), exist_ok=True)
    started = subprocess.Popen(agent["ProgramArguments"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=open(agent["StandardErrorPath"], "ab"), start_new_session=True, cwd="/",
        env={"HOME": home, **agent["EnvironmentVariables"]})
    open(pid_file, "w").write(str(started.pid))
elif word == "bootout":
    if not pid: sys.exit("Boot-out failed: 3: No such process")
    os.unlink(pid_file)
    try: os.kill(pid, signal.SIGTERM)
    except ProcessLookupError: pass
elif word == "print":
    if not pid: sys.exit(113)
    print("x = {\\n\\tstate = running\\n\\tpid = %d\\n}" % pid)
"""


def mac(there: There) -> None:
    corp(there)
    (there.home / "Library/Preferences").mkdir(parents=True)
    (there.home / "bin/launchctl").write_text(LAUNCHCTL)
    (there.home / "bin/launchctl").chmod(0o755)


def disabled_mac(there: There) -> None:
    mac(there)
    (there.home / "disabled").touch()


def three_portals(there: There) -> None:
    names = ("one", "two", "three")
    there.config("".join(session(one, f"https://{one}.awsapps.com/start") + profile(one, one) for one in names))
    for one in names:
        there.sign_in(one)


BROKEN = "[profile x\nregion = us-east-1\n"
NO_REGION = CORP.replace("sso_region = us-east-1\n", "")
NO_SESSION = profile()
LOGIN = "ssowatch login corp"
HOMES = (
    Home("an sso-session, signed in", corp),
    Home("an sso-session without a scope", made(session(scope="") + profile(), corp={}), "+" + SCOPE.strip()),
    Home("two profiles on one sign-in", made(CORP + profile("prod"), corp={}), "with 2 profiles"),
    Home("three portals", three_portals, "3 sign-ins with 3 profiles"),
    Home(
        "a role behind a profile",
        made(CORP + "[profile role]\nrole_arn = arn:aws:iam::333333333333:role/x\nsource_profile = dev\n", corp={}),
    ),
    Home("the default profile", made(session() + profile().replace("profile dev", "default"), corp={})),
    Home("comments and odd spacing", made("# mine\n\n" + CORP.replace(" = ", "=") + "; the end\n", corp={})),
    Home("Windows line ends", made(CORP.replace("\n", "\r\n"), corp={})),
    Home("a session's name with a space", made(session('"my corp"') + profile(of="my corp"), **{"my corp": {}})),
    Home("a session without a profile", made(session(), corp={})),
    Home("a byte order mark, which AWS's own programs refuse", made("\ufeff" + CORP, corp={}), "byte order mark"),
    Home("a legacy profile", made(legacy(), **{PORTAL: {"refreshToken": None}}), "a legacy profile", upgrades),
    Home(
        "a legacy profile beside a session",
        made(CORP + legacy("old", "https://x.awsapps.com/start"), corp={}),
        "legacy",
    ),
    Home("Granted alone", made(GRANTED), "Granted keeps the sign-in", then_config(CORP, "corp")),
    Home("aws-vault alone", made(VAULT), "aws-vault keeps the sign-in", then_config(CORP, "corp")),
    Home("Granted beside a session", made(CORP + GRANTED.replace("dev", "g"), corp={}), "g: Granted"),
    Home("keys alone", made("[profile x]\naws_access_key_id = x\n"), "has no SSO profile", then_config(CORP, "corp")),
    Home("nothing at all", lambda _: None, "aws configure sso", then_config(CORP, "corp")),
    Home("an empty config", made(""), "aws configure sso", then_config(CORP, "corp")),
    Home(
        "an empty ~/.aws", lambda there: (there.home / ".aws").mkdir(), "aws configure sso", then_config(CORP, "corp")
    ),
    Home("a broken section", made(CORP + BROKEN, corp={}), "without its ]"),  # renewed all the same
    Home("no such session", made(NO_SESSION, corp={}), "add [sso-session corp]", then_config(CORP)),
    Home("no region", made(NO_REGION, corp={}), "sso_region is missing", then_config(CORP)),
    Home("nobody signed in", made(CORP), LOGIN, signs_in),
    Home("a sign-in that has ended", made(CORP, corp={"expiresAt": stamp(-9), "refreshToken": None}), LOGIN, signs_in),
    Home("a torn token file", lambda there: (corp(there), there.sign_in().write_text("{")), LOGIN, signs_in),
    Home("a unit of another program", older_unit, "it started /gone/ssowatch before"),
    Home(
        "a masked unit", masked, "is masked", and_setup(lambda t, s: t.sh(command(s, "systemctl --user unmask", t))), 1
    ),
    Home("a watcher that was started by hand", by_hand, "ended the watcher that ran without the service"),
    Home("a config of its own", own_config("mode: auto\nquiet: {hours: 22:00-07:00}\n")),
    Home(
        "a config that is wrong",
        own_config("mode: off\n"),
        "config.yaml line 1",
        and_setup(lambda there, _: there.config("mode: notify\n", ".config/ssowatch/config.yaml")),
        78,
    ),
    Home("another AWS_CONFIG_FILE", elsewhere, "+ AWS_CONFIG_FILE", environ={"AWS_CONFIG_FILE": "~/work/aws.ini"}),
    Home("a config in dotfiles", dotfiles),
    Home(
        "an AWS config that cannot be read",
        locked_config,
        "cannot be read",
        lambda there, _: (there.home / ".aws/config").chmod(0o600),
    ),
    Home(
        "a home that cannot be written",
        read_only,
        "Make your home writable",
        and_setup(lambda there, _: there.home.chmod(0o700)),
        1,
    ),
    Home(
        "a proxy in the shell",
        corp,
        "+ HTTPS_PROXY",
        environ={"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1"},
    ),
    Home("over ssh", corp, environ={"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}),
    Home(
        "from a management tool, with a bare environment",
        corp,
        environ={"XDG_RUNTIME_DIR": "", "PATH": "/usr/bin:/bin"},
    ),
    Home(
        "WSL with systemd, without a session bus",
        corp,
        environ={"WSL_DISTRO_NAME": "Debian", "DBUS_SESSION_BUS_ADDRESS": "unix:path=/nonexistent"},
    ),
    Home("WSL without systemd", corp, "systemd=true", by_profile_line, 1, {"WSL_DISTRO_NAME": "Debian"}, systemd=False),
    Home("a container", corp, "on the host", by_profile_line, 1, {"container": "podman"}, systemd=False),
    Home("a plain shell", corp, "~/.profile", by_profile_line, 1, systemd=False),
    Home("a Mac", mac, "launchd agent: started it", systemd=False),
    Home(
        "a Mac where the agent is disabled",
        disabled_mac,
        "is disabled",
        and_setup(lambda there, said: there.sh(command(said, "launchctl enable", there))),
        1,
        systemd=False,
    ),
)


def wait_for(true: Callable[[], object], seconds: float = SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def lived(row: Home, program: Path, environ: dict[str, str], tokens: list[dict[str, str]]) -> dict[str, Any]:
    """What became of this home."""
    home = Path(os.environ["HOME"])
    (home / "bin").mkdir()
    path = f"{home}/bin:/usr/bin:/bin" if row.systemd else f"{home}/bin"
    for name in () if row.systemd else ("sh", "setsid", "python3", "rm"):
        (home / "bin" / name).symlink_to(shutil.which(name) or name)
    there = There(home, program, {**environ, "PATH": path, **row.environ}, tokens)
    row.make(there)
    began = time.monotonic()
    code, said = there.ssowatch("setup", "--yes", COLUMNS="80")
    mended = ""
    if row.mend:
        mended = "already protected" if there.protected() else ""
        row.mend(there, said)
    well = wait_for(there.protected)
    took = time.monotonic() - began
    state = there.published()
    home.chmod(0o700)
    removed, removal = there.ssowatch("setup", "--yes", "--remove")
    left = [str(one.relative_to(home)) for one in home.rglob("*ssowatch*") if not one.is_dir()]
    return {
        "code": code, "said": said, "protected": well, "mended": mended, "seconds": took, "state": state,
        "removed": removed, "removal": removal, "left": [one for one in left if not one.startswith(("bin/", ".config/ssowatch/"))],
    }  # fmt: skip


def emptied(home: Path) -> None:
    """Nothing of the last home is left, whatever became of it."""
    subprocess.run(["systemctl", "--user", "stop", "ssowatch.service"], check=False, stderr=subprocess.DEVNULL)
    with suppress(OSError, ValueError):
        os.kill(int((home / ".local/state/ssowatch/watcher.lock").read_text()), signal.SIGKILL)
    for one in home.iterdir():
        if one.is_dir() and not one.is_symlink():
            shutil.rmtree(one)
        else:
            one.unlink()
    subprocess.run(["systemctl", "--user", "daemon-reload"], check=True)


def main(program: str, python: str, order: str, answers: str) -> None:
    """Live in each home that the order names; a line of JSON for each."""
    wanted = json.loads(Path(order).read_text())
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    titles = runtime / "titles"
    bus = {"DBUS_SESSION_BUS_ADDRESS": f"unix:path={runtime}/bus"}
    listens = [python, str(Path(__file__).with_name("notification_server.py")), str(titles)]
    server = subprocess.Popen(listens, env={**os.environ, **bus})
    assert wait_for(titles.exists), "the notification server is there"
    tokens = wanted["tokens"]
    home = Path(os.environ["HOME"])
    emptied(home)
    with Path(answers).open("a", encoding="utf-8") as out:
        for row in HOMES:
            if row.name in wanted["names"]:
                try:
                    said = lived(row, Path(program), {**os.environ, **wanted["environ"]}, tokens)
                except Exception as error:  # noqa: BLE001 - of this row alone
                    said = {"fault": f"{type(error).__name__}: {error}"}
                home.chmod(0o700)
                emptied(home)
                out.write(json.dumps({"name": row.name, **said}) + "\n")
                out.flush()
    server.terminate()
    server.wait(SECONDS)


if __name__ == "__main__":
    main(*sys.argv[1:])
