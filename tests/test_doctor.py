"""The doctor: each check is shown a thing that is really broken, its mend is done, and the finding is gone."""

from __future__ import annotations

import ctypes
import json
import os
import re
import resource
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import callers
import desktops
import homes
import pytest
from simulator import certificates
from simulator.faults import Fault, Kind
from simulator.person import Person
from simulator.server import Simulator
from simulator.tls_proxy import TlsProxy
from test_unprivileged import as_nobody, place  # noqa: F401 - a fixture

from ssowatch import cli, doctor, doctor_text, memories, memory, paths, tokenfile, watch
from ssowatch.clock import utc_now
from ssowatch.model import Kind as SignInKind
from ssowatch.model import SignIn

DAY = timedelta(days=1)
URL = "https://d-1234567890.awsapps.com/start"
CORP = SignIn("corp", SignInKind.SSO_SESSION, URL, "us-east-1")
LEGACY = (
    f"[profile old]\nsso_start_url = {URL}\nsso_region = us-east-1\nsso_account_id = 333333333333\nsso_role_name = R\n"
)


@dataclass
class Patient:
    """A home that is well: two profiles of one sign-in, a token, a portal that answers."""

    home: Path
    monkeypatch: pytest.MonkeyPatch
    stack: ExitStack
    simulator: Simulator
    config: Path = field(init=False)

    def __post_init__(self) -> None:
        self.config = homes.aws_config(self.home)
        homes.write_token(homes.token())
        Path(paths.state_dir()).mkdir(parents=True, mode=0o700)
        self.systemctl("*) exit 1;;")  # the user manager of whoever runs the tests is none of ours
        for name, value in self.simulator.environ.items():
            self.monkeypatch.setenv(name, value)

    def look(self, name: str) -> list[doctor.Row]:
        """The findings of one check, good ones as well."""
        scene = doctor.Scene(utc_now())
        return [
            doctor.Row(check.name, one) for check in doctor.CHECKS if check.name == name for one in check.look(scene)
        ]

    def wrong(self, name: str) -> list[doctor.Row]:
        return [row for row in self.look(name) if not row.finding.ok]

    def type(self, command: str, **environ: str) -> None:
        """What was printed, typed into a shell."""
        bin_path = f"{self.home}/bin:{Path(sys.executable).parent}:{os.defpath}"
        done = subprocess.run(
            ["sh", "-c", command],
            capture_output=True,
            text=True,
            timeout=homes.PATIENCE,
            check=False,
            env={**os.environ, "PATH": bin_path, **environ},
        )
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"

    def sign_in_by(self, command: str) -> None:
        """The same, where a person must approve in the browser."""
        callers.with_browser(self.home, self.monkeypatch)
        number = len(callers.tabs(self.home)) + 1
        person = threading.Thread(target=lambda: Person().decide(callers.opened(self.home, number)))
        person.start()
        try:
            self.type(command)
        finally:
            person.join(homes.PATIENCE)
            callers.end_flows("corp")

    def systemctl(self, body: str) -> None:
        """A user manager that answers as `body` (a shell's `case` arms) says."""
        folder = self.home / "bin"
        folder.mkdir(exist_ok=True)
        program = folder / "systemctl"
        program.write_text(f'#!/bin/sh\ncase "$*" in\n{body}\n*) exit 0;;\nesac\n')
        program.chmod(0o755)
        self.monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH'].removeprefix(f'{folder}:')}")


@pytest.fixture
def patient(home, monkeypatch):
    with ExitStack() as stack:
        yield Patient(home, monkeypatch, stack, stack.enter_context(Simulator()))


# --- breaking things, and what the printed mend means where it is no command --------------------------------------------


def others_may_read(one: Patient) -> None:
    homes.token_path().chmod(0o644)


def cache_closed(one: Patient) -> None:
    homes.token_path().parent.chmod(0o500)


def killed_writer(one: Patient) -> None:
    for name in ("tmpab12.tmp", "0123.json.tmp-1712", ".0123.json.ssowatch.tmp"):
        left = homes.token_path().with_name(name)
        left.write_text("{")
        os.utime(left, (utc_now().timestamp() - 7200,) * 2)
    homes.token_path().with_name("tmpnow.tmp").write_text("{")


def state_open(one: Patient) -> None:
    Path(paths.state_dir()).chmod(0o755)


def state_a_file(one: Patient) -> None:
    Path(paths.state_dir()).rmdir()
    Path(paths.state_dir()).write_text("")


def byte_order_mark(one: Patient) -> None:
    one.config.write_text(f"\ufeff{homes.CONFIG}")


def no_region(one: Patient) -> None:
    one.config.write_text(homes.CONFIG.replace("sso_region = us-east-1\n", "", 1))


def add_region(one: Patient, fix: str) -> None:
    one.config.write_text(homes.CONFIG)


def broken_line(one: Patient) -> None:
    one.config.write_text(f"{homes.CONFIG}what is this\n")


def legacy(one: Patient) -> None:
    one.config.write_text(homes.CONFIG + LEGACY)


def legacy_spelled_otherwise(one: Patient) -> None:
    one.config.write_text(homes.CONFIG + LEGACY.replace("/start", "/start/#"))


def scopeless(one: Patient) -> None:
    one.config.write_text(homes.CONFIG.replace("sso_registration_scopes = sso:account:access\n", ""))


def another_address(one: Patient) -> None:
    other = homes.CONFIG.replace("corp", "acme").replace("d-1234567890", "acme").replace("profile ", "profile acme-")
    one.config.write_text(homes.CONFIG + other)


def use_one_address(one: Patient, fix: str) -> None:
    one.config.write_text(one.config.read_text().replace("sso_session = acme", "sso_session = corp"))


def granted(one: Patient) -> None:
    one.config.write_text(f"{homes.CONFIG}[profile g]\ncredential_process = granted credential-process --profile g\n")


def use_the_session(one: Patient, fix: str) -> None:
    own = "sso_session = corp\nsso_account_id = 111111111111\nsso_role_name = R\n"
    one.config.write_text(re.sub("credential_process.*\n", own, one.config.read_text()))


def wrong_key(one: Patient) -> None:
    homes.own_config(one.home, "mode: perhaps\n")


def right_key(one: Patient, fix: str) -> None:
    assert "notify" in fix
    homes.own_config(one.home, "mode: notify\n")


def automatic(one: Patient) -> None:
    homes.own_config(one.home, "mode: auto\n")


def not_quiet(one: Patient, fix: str) -> None:
    line = re.search("`(quiet: .*)`", fix)
    homes.own_config(one.home, f"mode: auto\n{line[1]}\n")


def portal_down(one: Patient) -> None:
    one.simulator.add_fault(Fault(Kind.DOWN))


def portal_up(one: Patient, fix: str) -> None:
    assert "network" in fix
    one.simulator.clear_faults()


def clock_wrong(one: Patient) -> None:
    one.simulator.add_fault(Fault(Kind.WRONG_DATE, seconds=-400.0))


def clock_right(one: Patient, fix: str) -> None:
    assert "set-ntp" in fix  # it would set this machine's own clock
    one.simulator.clear_faults()


def service_goes_elsewhere(one: Patient) -> None:
    one.systemctl('"--user show-environment") echo AWS_ENDPOINT_URL_SSO_OIDC=http://127.0.0.1:9;;')


def say_it_in_the_config(one: Patient, fix: str) -> None:
    assert "~/.config/ssowatch/config.yaml" in fix
    names = re.search("write (.*) as in this shell", fix)
    lines = [f"  {name}: {os.environ[name]}\n" for name in names[1].split(", ")]
    homes.own_config(one.home, "environment:\n" + "".join(lines))


def service_lacks_the_ca(one: Patient) -> None:
    """A company's proxy that ends TLS; the service knows the proxy, not its CA."""
    if not certificates.available():
        assert not homes.REQUIRED, "openssl is missing"
        pytest.skip("certificates are made by openssl")
    for name in one.simulator.environ:
        one.monkeypatch.delenv(name)
    folder = one.home / "ca"
    folder.mkdir()
    proxy = one.stack.enter_context(TlsProxy(one.simulator.port, folder))
    for name, value in proxy.environ.items():
        one.monkeypatch.setenv(name, value)
    one.systemctl(f'"--user show-environment") echo HTTPS_PROXY={os.environ["HTTPS_PROXY"]};;')


def no_notification_server(one: Patient) -> None:
    bus = one.bus = desktops.Bus(one.home)
    one.stack.callback(bus.stop)
    one.monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)


def start_one(one: Patient, fix: str) -> None:
    assert "start a notification server" in fix
    server = desktops.Server(one.bus, "actions", "body")
    one.stack.callback(server.close)


def no_such_command(one: Patient) -> None:
    homes.own_config(one.home, "notify: [{command: [/nonexistent/tell-me]}]\n")


def another_command(one: Patient, fix: str) -> None:
    assert "`command` in `notify`" in fix
    homes.own_config(one.home, "notify: [{command: [/bin/true]}]\n")


def mistyped_profile(one: Patient) -> None:
    servers = {"aws-kb": {"command": "uvx", "args": ["aws-kb"], "env": {"AWS_PROFILE": "dve"}}}
    (one.home / ".claude.json").write_text(json.dumps({"mcpServers": servers}))


def static_keys(one: Patient) -> None:
    env = {"AWS_ACCESS_KEY_ID": "AKIACANARY", "AWS_SECRET_ACCESS_KEY": "secret-canary"}
    servers = {"aws-kb": {"command": "uvx", "args": ["aws-kb"], "env": env}}
    (one.home / ".claude.json").write_text(json.dumps({"mcpServers": servers}))


def name_the_profile(one: Patient, fix: str) -> None:
    assert "dev" in fix or "AWS_PROFILE" in fix or fix == "mend that file"
    servers = {"aws-kb": {"command": "uvx", "args": ["aws-kb"], "env": {"AWS_PROFILE": "dev"}}}
    (one.home / ".claude.json").write_text(json.dumps({"mcpServers": servers}))


def not_json(one: Patient) -> None:
    (one.home / ".claude.json").write_text("{")


def no_watcher(one: Patient) -> None:
    one.monkeypatch.setenv("container", "test")  # else what helps depends on this machine


def run_one(one: Patient, fix: str) -> None:
    assert "ssowatch run" in fix
    one.stack.enter_context(homes.watcher(one.home))


def dead_python(one: Patient) -> None:
    """What an upgrade of Python leaves of a virtual environment."""
    program = one.home / ".local/bin/ssowatch"
    program.parent.mkdir(parents=True)
    program.write_text("#!/usr/bin/python3.4\n")
    program.chmod(0o755)
    names_unit(one, program)


def dead_program(one: Patient) -> None:
    names_unit(one, one.home / "venv/bin/ssowatch")


def names_unit(one: Patient, program: Path) -> None:
    unit = one.home / ".config/systemd/user/ssowatch.service"
    unit.parent.mkdir(parents=True)
    unit.write_text(f'[Service]\nExecStart="{program}" run\n')
    one.systemctl("")


def write_the_unit(one: Patient, fix: str) -> None:
    """`service install` starts it too, which takes a real manager (tests/real/test_doctor_service.py)."""
    assert fix == "ssowatch service install"
    unit = one.home / ".config/systemd/user/ssowatch.service"
    unit.write_text(f'[Service]\nExecStart="{Path(sys.executable).parent}/ssowatch" run\n')


def removed(one: Patient) -> None:
    homes.token_path().unlink()


def torn(one: Patient) -> None:
    homes.token_path().write_text('{"accessToken": "access-can')


def no_refresh_token(one: Patient) -> None:
    homes.write_token(homes.token(refreshToken=None))


def registration_ends(one: Patient) -> None:
    homes.write_token(homes.token(registrationExpiresAt=tokenfile.stamp(utc_now() + 3 * DAY)))


def refused(one: Patient) -> None:
    """By the portal: the simulator does not know this refresh token."""
    assert homes.ssowatch("refresh", "corp", "--json", timeout=homes.PATIENCE).returncode == 1


COMMAND = Patient.type
LOGIN = Patient.sign_in_by


def yes(one: Patient, fix: str) -> None:
    """It shows a diff and asks."""
    assert fix.startswith("ssowatch upgrade-profile ")
    one.type(f"{fix} --yes")


Break = Callable[[Patient], None]
Mend = Callable[[Patient, str], None]
ROWS: list[tuple[str, str, Break, str, Mend]] = [
    # check, what is broken, by, words of the finding, how its mend is done
    ("config", "a wrong value", wrong_key, "config.yaml line 1: mode", right_key),
    ("state", "open to others", state_open, "mode 755: other users", COMMAND),
    ("state", "no directory", state_a_file, "is no directory", COMMAND),
    ("aws_config", "a byte order mark", byte_order_mark, "byte order mark: AWS CLI and boto3 refuse", COMMAND),
    ("aws_config", "no region", no_region, "corp cannot work: ~/.aws/config line 1: sso_region is missing", add_region),
    ("aws_config", "a broken line", broken_line, "line 15: is neither", add_region),
    ("renewable", "a legacy profile", legacy, "old: a legacy profile", yes),
    ("renewable", "no scope", scopeless, "[sso-session corp] names no scope", yes),
    ("start_urls", "two spellings", legacy_spelled_otherwise, "spell the start URL of one portal differently", yes),
    ("start_urls", "two addresses", another_address, "two addresses of one portal", use_one_address),
    ("foreign_stores", "Granted", granted, "g has its keys from granted", use_the_session),
    ("token_files", "readable for others", others_may_read, "mode 644: other users", COMMAND),
    ("leftovers", "a killed writer", killed_writer, "3 temporary files", COMMAND),
    ("network", "AWS is not reached", portal_down, "AWS is not reached for corp: cannot connect", portal_up),
    ("network", "another way for the service", service_goes_elsewhere, "from the service", say_it_in_the_config),
    ("network", "the service lacks the CA", service_lacks_the_ca, "TLS failed", say_it_in_the_config),
    ("environment", "another way", service_goes_elsewhere, "AWS_ENDPOINT_URL_SSO_OIDC", say_it_in_the_config),
    ("clock", "minutes ahead", clock_wrong, " s ahead of AWS's", clock_right),
    ("service", "no watcher", no_watcher, "nothing is renewed", run_one),
    ("program", "its Python is gone", dead_python, "whose Python /usr/bin/python3.4 is gone", write_the_unit),
    ("program", "it is gone", dead_program, "is not there any more", write_the_unit),
    ("notices", "no server", no_notification_server, "no notification server runs", start_one),
    ("notices", "no program", no_such_command, "/nonexistent/tell-me is no program", another_command),
    ("presence", "mode auto without logind", automatic, "opens no tab", not_quiet),
    ("mcp_servers", "a mistyped profile", mistyped_profile, 'has no profile "dve"', name_the_profile),
    ("mcp_servers", "static keys", static_keys, "AWS_ACCESS_KEY_ID in its env wins", name_the_profile),
    ("mcp_servers", "no JSON", not_json, "~/.claude.json", name_the_profile),
]
BY_SIGNING_IN: list[tuple[str, str, Break, str]] = [
    ("sign_ins", "removed", removed, "corp: nobody has signed in yet"),
    ("sign_ins", "torn", torn, f"~/.aws/sso/cache/{paths.key('corp')}.json"),
    ("sign_ins", "no refresh token", no_refresh_token, "cannot be renewed"),
    ("sign_ins", "refused", refused, "AWS refused to renew"),
    ("registration", "three days", registration_ends, "corp can be renewed only until"),
]
AUTOMATIC = {"open to others", "a byte order mark", "readable for others", "a killed writer"}
"""The mends of these `--fix` does by itself, without a service manager."""


SLOW = {"network", "clock", "environment", "notices", "service"}
"""These start processes."""


def ids(rows: list) -> list[str]:
    return [f"{row[0]}, {row[1]}" for row in rows]


def params(rows: list) -> list:
    return [pytest.param(*row, marks=[pytest.mark.real] if row[0] in SLOW else []) for row in rows]


@pytest.mark.parametrize(("check", "what", "spoil", "words", "mend"), params(ROWS), ids=ids(ROWS))
def test_broken_seen_mended_gone(patient, check, what, spoil, words, mend):
    patient.monkeypatch.setenv("container", "")
    if check not in {"service", "presence"}:  # these are never quite well here
        assert patient.wrong(check) == [] or check == "notices"
    spoil(patient)
    found = patient.wrong(check)
    assert any(words in row.message for row in found), [row.message for row in found]
    row = next(row for row in found if words in row.message)
    assert row.fix
    mend(patient, row.fix)
    assert not [left.message for left in patient.wrong(check) if words in left.message]
    assert patient.wrong(check) == []


@pytest.mark.real
@pytest.mark.sign_in
@pytest.mark.parametrize(("check", "what", "spoil", "words"), BY_SIGNING_IN, ids=ids(BY_SIGNING_IN))
def test_broken_seen_and_mended_by_signing_in(patient, check, what, spoil, words):
    assert patient.wrong(check) == []
    spoil(patient)
    found = [row for row in patient.wrong(check) if words in row.message]
    assert found, [row.message for row in patient.look(check)]
    command = re.search(r"ssowatch login \S+?(?=;|$)", found[0].fix)
    patient.sign_in_by(command[0])
    assert patient.wrong(check) == []


def test_every_check_is_broken_once():
    assert {check.name for check in doctor.CHECKS} == {row[0] for row in (*ROWS, *BY_SIGNING_IN)} | {"file_events"}


@pytest.mark.parametrize("row", [row for row in ROWS if row[1] in AUTOMATIC], ids=lambda row: f"{row[0]}, {row[1]}")
def test_fix_does_what_can_lose_nothing(patient, row):
    check, _, spoil, words, _ = row
    spoil(patient)
    (found,) = (one for one in patient.wrong(check) if words in one.message)
    found.finding.mend()
    assert patient.wrong(check) == []


def test_a_byte_order_mark_goes_with_a_backup(patient):
    byte_order_mark(patient)
    patient.wrong("aws_config")[0].finding.mend()
    assert patient.config.read_text() == homes.CONFIG
    (backup,) = patient.config.parent.glob("config.before-*")
    assert backup.read_text() == f"\ufeff{homes.CONFIG}"


def test_only_what_a_mend_is_safe_for_has_one(patient):
    for _, what, spoil, _, _ in ROWS:
        if what in AUTOMATIC | {"its Python is gone", "it is gone"}:
            continue
        if what in {"a legacy profile", "no scope", "two spellings", "a broken line", "no region", "Granted"}:
            spoil(patient)
            assert all(row.finding.mend is None for row in patient.wrong("renewable") + patient.wrong("aws_config"))


def test_what_is_being_written_is_no_leftover(patient):
    homes.token_path().with_name("tmpnow.tmp").write_text("{")
    assert patient.wrong("leftovers") == []


def test_a_cache_that_may_not_be_written(place):  # noqa: F811
    homes.aws_config(place)
    folder = place / ".aws/sso/cache"
    folder.mkdir(parents=True)
    for path in (place / ".aws", place / ".aws/config", place / ".aws/sso", folder):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)

    def closed(home):
        look = doctor.CHECKS[[check.name for check in doctor.CHECKS].index("token_files")].look
        folder.chmod(0o500)
        try:
            (finding,) = look(doctor.Scene(utc_now()))
            assert "may not be written" in finding.message
            subprocess.run(["sh", "-c", finding.fix], check=True, env={"HOME": str(home), "PATH": os.defpath})
            (finding,) = look(doctor.Scene(utc_now()))
            assert finding.ok
        finally:
            folder.chmod(0o700)

    as_nobody(closed, place)


def test_files_of_root_after_sudo(place):  # noqa: F811
    if os.geteuid() != 0:
        pytest.skip("only root can make files of root")
    homes.aws_config(place)
    homes.write_token(homes.token()).chmod(0o604)
    state = place / ".local/state/ssowatch"
    state.mkdir(parents=True, mode=0o755)

    def look(home):
        scene = doctor.Scene(utc_now())
        found = [one for check in doctor.CHECKS if check.name in {"token_files", "state"} for one in check.look(scene)]
        said = [one.message for one in found if not one.ok]
        assert len(said) == 3, said  # the state, the cache, the token file
        assert all("belongs to another user (made by sudo?)" in one for one in said)
        assert all((one.fix or "").startswith("sudo chown ") for one in found if not one.ok)

    as_nobody(look, place)


def test_inotify_is_used_up(place):  # noqa: F811
    """The other user's, until nothing is left; they are given back, which is the same as raising the limit."""

    limit = int(Path("/proc/sys/fs/inotify/max_user_instances").read_text())
    most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit > most[1] - 100:
        pytest.skip(f"{limit} instances cannot be opened with {most[1]} descriptors")

    def use_up(home):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most[1], most[1]))
        look = doctor.CHECKS[[check.name for check in doctor.CHECKS].index("file_events")].look
        libc = ctypes.CDLL(None, use_errno=True)
        taken = []
        while (fd := libc.inotify_init1(os.O_CLOEXEC)) >= 0:
            taken.append(fd)
        (finding,) = look(doctor.Scene(utc_now()))
        assert not finding.ok, "used up"
        assert "only every 5 s" in finding.message
        assert "fs.inotify.max_user_instances" in finding.fix
        for fd in taken:
            os.close(fd)
        (finding,) = look(doctor.Scene(utc_now()))
        assert finding.ok

    as_nobody(use_up, place)


def test_a_network_file_system_is_said(patient, monkeypatch):
    mounts = f"1 0 0:1 / / rw - ext4 /dev/sda rw\n2 1 0:2 / {patient.home} rw - nfs4 server:/home rw\n"
    monkeypatch.setattr(watch, "_mountinfo", lambda: mounts)
    (row,) = patient.look("file_events")
    assert row.finding.ok
    assert "every 5 s" in row.message


def test_the_clock_by_the_last_renewal_where_aws_is_not_reached(patient):
    portal_down(patient)
    seen = memory.observed(
        memories.load("corp"), CORP, tokenfile.parse(homes.token_path().read_bytes()).token, utc_now()
    )
    ahead = timedelta(minutes=-10)
    memories.update("corp", lambda _: memory.refused(seen, "ended", "no", utc_now(), alive=True, skew=ahead))
    (row,) = patient.wrong("clock")
    assert "600 s behind AWS's" in row.message


def test_who_is_signed_in_nowhere_needs_no_network(home):
    homes.aws_config(home, "")
    scene = doctor.Scene(utc_now())
    assert scene.knocks == ((), ())


# --- contracts over the tuple -----------------------------------------------------------------------------------------


def everything_broken(one: Patient) -> None:
    for spoil in (others_may_read, killed_writer, state_open, static_keys, portal_down, no_such_command, torn):
        spoil(one)
    broken = LEGACY + "[profile g]\ncredential_process = aws-vault exec --json g\n[profile x]\nsso_session = gone\n"
    one.config.write_text(homes.CONFIG.replace("sso_registration_scopes = sso:account:access\n", "") + broken)
    one.monkeypatch.setenv("HTTPS_PROXY", "http://user:password-canary@127.0.0.1:9")
    one.systemctl('"--user show-environment") echo NO_PROXY=x;;')


def nothing_there(one: Patient) -> None:
    one.config.unlink()
    homes.token_path().unlink()
    Path(paths.state_dir()).rmdir()


STATES = [("well", lambda one: None), ("nothing there", nothing_there), ("everything broken", everything_broken)]


@pytest.mark.real
@pytest.mark.parametrize("spoil", [row[1] for row in STATES], ids=[row[0] for row in STATES])
def test_what_every_check_holds_to(patient, spoil):
    spoil(patient)
    scene = doctor.Scene(utc_now())
    assert len({check.name for check in doctor.CHECKS}) == len(doctor.CHECKS)
    for check in doctor.CHECKS:
        assert re.fullmatch("[a-z_]{4,20}", check.name)
        assert type(check).__doc__
        found = list(check.look(scene))
        assert found, f"{check.name} says nothing"
        for one in found:
            row = doctor.Row(check.name, one)
            assert row.message
            assert "\n" not in row.message
            assert not (one.ok and (one.fix or one.mend)), "what is well needs no mend"
            said = f"{row.message} {row.fix}"
            assert "canary" not in said
            assert "AKIA" not in said
            assert not re.search(r"\d{12}", said.replace("d-1234567890", "")), "an account id"
            assert str(patient.home) not in said, "the home directory is ~"


def test_a_check_that_fails_silences_no_other(patient, monkeypatch):
    class Odd:
        name = "oddity"

        def look(self, scene):
            raise RuntimeError("what a machine")

    monkeypatch.setattr(doctor, "CHECKS", (Odd(), doctor.CHECKS[0]))
    odd, config = doctor.examine(doctor.Scene(utc_now()))
    assert "RuntimeError: what a machine" in odd.message
    assert config.finding.ok


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.real
def test_json_by_the_contract(patient, capsys):
    others_may_read(patient)
    assert cli.main(["doctor", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == 1
    assert all(list(row) == ["name", "ok", "message", "fix"] for row in answer["checks"])
    assert {row["name"] for row in answer["checks"]} == {check.name for check in doctor.CHECKS}
    (row,) = (row for row in answer["checks"] if row["name"] == "token_files")
    assert row["ok"] is False
    assert row["fix"] == f"chmod 600 ~/.aws/sso/cache/{paths.key('corp')}.json"
    assert all(row["fix"] is None for row in answer["checks"] if row["ok"])


@pytest.mark.real
def test_fix_says_what_it_mended_and_what_remains(patient, capsys):
    others_may_read(patient)
    mistyped_profile(patient)
    assert cli.main(["doctor", "--fix"]) == 1
    said = capsys.readouterr().out
    assert "mended: the token file of corp has mode 644" in said
    assert "ok token_files:" in said
    assert "! mcp_servers:" in said
    assert homes.token_path().stat().st_mode & 0o777 == 0o600


@pytest.mark.real
def test_our_config_is_what_is_wrong(patient, capsys):
    wrong_key(patient)
    assert cli.main(["doctor"]) == 78
    said = capsys.readouterr().out
    assert "! config: ~/.config/ssowatch/config.yaml line 1: mode" in said
    assert "ok token_files" in said, "the others are looked at all the same"


@pytest.mark.real
def test_all_is_well(patient, capsys):
    bus = desktops.Bus(patient.home)
    patient.stack.callback(bus.stop)
    patient.monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.address)
    server = desktops.Server(bus, "actions", "body")
    patient.stack.callback(server.close)
    patient.stack.enter_context(homes.watcher(patient.home))
    code = cli.main(["doctor"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert said.endswith("All is well.\n")


@pytest.mark.real
@pytest.mark.parametrize("columns", [50, 80])
def test_it_fits(patient, monkeypatch, capsys, columns):
    everything_broken(patient)
    monkeypatch.setenv("COLUMNS", str(columns))
    cli.main(["doctor"])
    lines = capsys.readouterr().out.splitlines()
    longest = [line for line in lines if len(line) > columns]
    assert all(" " not in line.strip(" >!") for line in longest), "only what cannot be broken is longer"
    assert not any("\x1b" in line for line in lines)


def test_text_of_a_mend_of_several_lines():
    said = doctor_text.text([("service", False, "none", "Start it:\n  ssowatch run")], ["a"], 80)
    assert said.splitlines()[:4] == ["mended: a", "! service: none", "  > Start it:", "  >   ssowatch run"]
