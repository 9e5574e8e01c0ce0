"""The real watcher process, with real children and real boto3, against the simulator; the clock is left alone."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import resource
import shutil
import signal
import stat
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import homes
import pytest
from homes import wait_for, watcher
from simulator.faults import Fault, Kind
from simulator.server import Simulator

from ssowatch import client, memory, paths
from ssowatch.clock import utc_now
from ssowatch.watcher import Watcher
from ssowatch.world import World

pytestmark = pytest.mark.real


@pytest.fixture
def center():
    with Simulator() as simulator:
        yield simulator


@pytest.fixture
def quick(home: Path) -> Path:
    """A home whose watcher has a quick heartbeat."""
    homes.own_config(home, "heartbeat: 200ms\n")
    return home


def creates(center: Simulator) -> int:
    return len(center.calls("CreateToken"))


def test_first_start_waits_for_everything_and_picks_it_up(quick, center):
    with watcher(quick, **center.environ) as running:
        assert running.published()["problem"]["code"] == "no_aws_config"
        assert "aws configure sso" in running.published()["problem"]["fix"]
        homes.aws_config(quick)
        running.until_state("signed_out")
        homes.write_token({**center.sign_in()})
        running.until_state("valid")
        assert running.stop() == 0


def test_a_token_first_seen_with_little_left_is_renewed_at_once(quick, center):
    homes.aws_config(quick)
    path = homes.write_token({**center.sign_in(), "note": "of somebody else"})
    center.change(token_life=timedelta(minutes=20))
    before = json.loads(path.read_text())
    homes.write_token({**before, "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    with watcher(quick, **center.environ) as running:
        running.until(lambda _: json.loads(path.read_text())["accessToken"] != before["accessToken"], "a new token")
        running.until(
            lambda now: now["sign_ins"][0]["token_expires_at"] == json.loads(path.read_text())["expiresAt"],
            "it is published",
        )
        after = json.loads(path.read_text())
        assert after["note"] == "of somebody else"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert creates(center) == 1
        # 20 minutes of life: the next renewal is due half-way, not at 30 minutes before the end.
        ends, renews = (
            datetime.fromisoformat(running.published()["sign_ins"][0][key]) for key in ("token_expires_at", "renew_at")
        )
        assert ends - renews == timedelta(minutes=10)


def test_two_profiles_one_sign_in_one_renewal(quick, center):
    homes.aws_config(quick)
    homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    with watcher(quick, **center.environ) as running:
        running.until(lambda now: now["sign_ins"][0]["renew_at"] and creates(center), "renewed")
        assert running.until_state("valid")["profiles"] == ["dev", "prod"]
        assert creates(center) == 1


def test_an_outage_is_no_sign_out_and_is_survived(quick, center):
    homes.aws_config(quick)
    path = homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    center.add_fault(Fault(Kind.INTERNAL_ERROR, "CreateToken", count=2))
    before = path.read_bytes()
    with watcher(quick, **center.environ) as running:
        seen = running.until(lambda now: now["sign_ins"][0]["problem"] and now["sign_ins"][0], "the problem is said")
        assert (seen["state"], seen["problem"]["code"]) == ("expiring", "unreachable") or seen["state"] == "valid"
        running.until(lambda _: path.read_bytes() != before, "renewed all the same")
        assert (
            running.until(lambda now: now["sign_ins"][0]["problem"] is None and now["sign_ins"][0], "well again")[
                "state"
            ]
            == "valid"
        )


def test_the_end_of_the_sign_in_and_a_new_one(quick, center):
    homes.aws_config(quick)
    homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    center.end_session()
    with watcher(quick, **center.environ) as running:
        seen = running.until_state("login_required")
        assert seen["problem"]["code"] == "refused"
        assert "ssowatch login corp" in seen["problem"]["fix"]
        assert creates(center) == 1  # a refusal is final for its token
        homes.wait_for(lambda: "a person is needed" in (quick / "watcher.log").read_text(), "it asks a person")
        homes.write_token(center.sign_in())
        assert running.until_state("valid")["problem"] is None
    log = (quick / "watcher.log").read_text()
    assert log.count("a person is needed") == 1


def test_a_file_that_vanishes_is_signed_out_and_stays_away(quick, center):
    homes.aws_config(quick)
    path = homes.write_token(center.sign_in())
    with watcher(quick, **center.environ) as running:
        running.until_state("valid")
        path.unlink()
        assert running.until_state("signed_out")["problem"]["code"] == "signed_out"
        shutil.rmtree(path.parent)
        homes.write_token(center.sign_in())
        running.until_state("valid")
        assert creates(center) == 0


def test_a_torn_file_keeps_the_state_for_a_second(quick, center):
    homes.aws_config(quick)
    content = center.sign_in()
    path = homes.write_token(content)
    with watcher(quick, **center.environ) as running:
        running.until_state("valid")
        path.write_text(json.dumps(content)[:100])
        seen = running.until_state("login_required")
        assert seen["problem"]["code"] == "token_file"
        path.write_text(json.dumps(content))
        running.until_state("valid")
    log = (quick / "watcher.log").read_text()
    assert "signed_out" not in log


def test_a_broken_aws_config_keeps_the_last_good_one(quick, center):
    homes.aws_config(quick)
    homes.write_token(center.sign_in())
    with watcher(quick, **center.environ) as running:
        running.until_state("valid")
        homes.aws_config(quick, homes.CONFIG + "\n[profile broken\nsso_session = corp\n")
        seen = running.until(lambda now: now["problem"] and now, "the problem is said")
        assert seen["problem"]["code"] == "aws_config"
        assert "line" in seen["problem"]["message"]
        assert seen["sign_ins"][0]["state"] == "valid"
        homes.aws_config(quick)
        running.until(lambda now: now["problem"] is None, "well again")


def test_a_broken_config_of_ours_stops_the_start_but_not_the_running_watcher(quick, center):
    homes.aws_config(quick)
    homes.write_token(center.sign_in())
    with watcher(quick, **center.environ) as running:
        running.until_state("valid")
        homes.own_config(quick, "mode: atuo\nheartbeat: 200ms\n")
        seen = running.until(lambda now: now["problem"] and now, "the problem is said")
        assert seen["problem"]["code"] == "config"
        assert "line 1" in seen["problem"]["message"]
        assert seen["sign_ins"][0]["state"] == "valid"
        homes.own_config(quick, "mode: auto\nheartbeat: 200ms\n")
        running.until(lambda now: now["problem"] is None, "well again")
        assert running.stop() == 0
    homes.own_config(quick, "mode: atuo\n")
    refused = homes.ssowatch("run")
    assert refused.returncode == 78
    assert "config.yaml line 1: mode:" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_only_one_watcher_per_home(quick):
    with watcher(quick) as running:
        second = homes.ssowatch("run")
        assert second.returncode == 0
        assert f"already running (pid {running.process.pid})" in second.stdout
        running.process.kill()
        running.process.wait()
        with watcher(quick) as third:  # a lock of the dead does not hold
            assert third.stop() == 0


def test_sighup_reads_everything_anew(quick):
    homes.aws_config(quick)
    with watcher(quick) as running:
        running.until_state("signed_out")
        running.process.send_signal(signal.SIGHUP)
        assert wait_for(lambda: client.ask("status"), "an answer")["status"]["watcher"]["pid"] == running.process.pid
        assert running.stop() == 0


def test_files_of_ours_are_private(quick):
    homes.aws_config(quick)
    homes.write_token(homes.token(timedelta(minutes=3)))
    with watcher(quick, AWS_ENDPOINT_URL_SSO_OIDC="http://127.0.0.1:9") as running:
        running.until(lambda now: now["sign_ins"][0]["problem"], "a renewal failed")
        for place, _, names in os.walk(paths.state_dir()):
            assert stat.S_IMODE(Path(place).stat().st_mode) == 0o700, place
            for name in names:
                with contextlib.suppress(FileNotFoundError):  # replaced at this very moment
                    mode = (Path(place) / name).lstat().st_mode
                    assert not mode & 0o077 or stat.S_ISSOCK(mode), name
        assert stat.S_IMODE(Path(paths.socket_path()).stat().st_mode) == 0o600
        assert running.stop() == 0
        assert not Path(paths.socket_path()).exists()


def test_a_child_that_dies_without_a_word_is_unreachable(quick, center, tmp_path):
    homes.aws_config(quick)
    homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    # The child imports boto3; one that fails to import stands for any broken installation.
    (tmp_path / "boto3.py").write_text("raise ImportError('boto3 is broken here')")
    with watcher(quick, PYTHONPATH=str(tmp_path), **center.environ) as running:
        seen = running.until(lambda now: now["sign_ins"][0]["problem"] and now["sign_ins"][0], "the problem is said")
        assert seen["problem"]["code"] == "unreachable"
        assert "boto3 is broken here" in seen["problem"]["message"]


def test_an_unwritable_state_directory_is_said(home):
    (home / ".local").write_text("not a directory")
    refused = homes.ssowatch("run")
    assert refused.returncode == 1
    assert ".local" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_deep_home_gets_a_socket_all_the_same(home, monkeypatch):
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(deep))
    with watcher(deep) as running:
        assert wait_for(lambda: client.ask("look"), "an answer")["ok"] is True
        assert running.stop() == 0
    assert not Path(paths.socket_path()).parent.exists()


def test_a_published_state_that_was_lost_is_published_again(quick):
    homes.aws_config(quick)
    with watcher(quick) as running:
        Path(paths.status_file()).unlink()
        said = homes.ssowatch("status").stdout  # published again by now, or computed beside a living watcher
        assert f"(pid {running.process.pid})" in said
        assert "No watcher is running" not in said
        running.until_state("signed_out")


def test_a_state_directory_that_was_taken_away_ends_it(quick):
    with watcher(quick) as running:
        Path(paths.state_dir()).rename(quick / "away")  # at once, unlike a removal beside a writer
        assert running.process.wait(homes.PATIENCE) == 1  # a service is started again, and makes it anew
        with watcher(quick) as second:
            assert second.stop() == 0


def test_a_state_directory_that_is_back_at_once_ends_it_with_the_same_code(home, monkeypatch):
    """After exit 0 no service manager would start it again."""
    homes.own_config(home, "mcp: {discover: false}\n")
    there = iter([False])
    monkeypatch.setattr("ssowatch.only_one.OnlyOne.holds", lambda _: next(there, True))
    assert asyncio.run(Watcher(World(recording=True)).run()) == 1


def test_a_renewal_that_cannot_be_written_is_said_and_waits(quick, center):
    homes.aws_config(quick)
    path = homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    (path.parent / f".{path.name}.ssowatch.tmp").mkdir()  # stands for any place that does not take the file
    with watcher(quick, **center.environ) as running:
        seen = running.until(lambda now: now["sign_ins"][0]["problem"] and now["sign_ins"][0], "the problem is said")
        assert seen["problem"]["code"] == "unreachable"
        assert "cannot write" in seen["problem"]["message"]
        assert creates(center) == 0


def test_children_that_cannot_start_are_tried_ever_more_slowly(quick, center, tmp_path):
    homes.aws_config(quick)
    homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})
    (tmp_path / "boto3.py").write_text("raise ImportError('gone')")
    with watcher(quick, PYTHONPATH=str(tmp_path), **center.environ) as running:
        running.until(lambda now: "(3 tries)" in str(now["sign_ins"][0]["problem"]), "a third try")


def test_a_failure_counts_where_nothing_can_be_written(home, monkeypatch):
    """A disk that is full: the problem is said from the watcher's own memory."""
    homes.aws_config(home)
    homes.write_token(homes.token())
    world = World(recording=True)
    row = world.look(utc_now()).rows[0]
    monkeypatch.setattr("ssowatch.files.Draft", no_room)
    failing = partial(memory.failed, token=row.token, reason="disk full", now=utc_now(), draw=0.5, begun=False)
    world.note(row.sign_in.name, failing)
    world.note(row.sign_in.name, failing)
    problem = world.look(utc_now()).rows[0].plan.problem
    assert problem is not None
    assert "(2 tries): disk full" in problem.message
    monkeypatch.undo()


def test_configs_that_cannot_be_read_for_a_moment_are_read_again_though_they_are_the_same(home):
    homes.aws_config(home)
    homes.own_config(home, "heartbeat: 7s\n")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, before[1]))  # nothing can be opened now
    try:
        world = World(recording=True)
        assert world.look(utc_now()).problem is not None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    seen = world.look(utc_now())
    assert (seen.problem, seen.settings.heartbeat, len(seen.rows)) == (None, timedelta(seconds=7), 1)


def no_room(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "memory")


def test_it_is_not_dumpable(quick):
    with watcher(quick) as running:
        limits = Path(f"/proc/{running.process.pid}/limits").read_text()
        assert "Max core file size        0 " in limits
        assert os.stat(f"/proc/{running.process.pid}/mem").st_uid == 0  # noqa: PTH116 - the kernel's sign of it


def test_it_carries_no_tls(quick):
    with watcher(quick) as running:
        try:
            maps = Path(f"/proc/{running.process.pid}/maps").read_text()
        except PermissionError:
            pytest.skip("only root may look into it")
    assert "/libc" in maps
    assert "_ssl" not in maps


def test_hooks_are_told_once(home, center):
    """Each event runs its hook once, with the event on stdin and no secret in it; a restart repeats none."""
    hook = home / "hook"
    hook.write_text(f'#!/bin/sh\ncat >> "{home}/events"\n')
    hook.chmod(0o700)
    hooks = "".join(f"  on_{name}: [{hook}]\n" for name in ("renewed", "login_required", "signed_in"))
    homes.own_config(home, f"heartbeat: 200ms\nnotify: []\nhooks:\n{hooks}")
    homes.aws_config(home)
    homes.write_token({**center.sign_in(), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]})

    def events():
        path = home / "events"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    with watcher(home, **center.environ) as running:
        running.until(lambda _: len(events()) == 1, "on_renewed")
        content = center.sign_in()
        center.end_session()
        homes.write_token({**content, "expiresAt": homes.token(timedelta(minutes=2))["expiresAt"]})
        running.until_state("login_required")
        running.until(lambda _: len(events()) == 3, "on_signed_in and on_login_required")
    with watcher(home, **center.environ) as running:
        running.until_state("login_required")
        homes.write_token(center.sign_in())
        running.until_state("valid")
        running.until(lambda _: len(events()) == 4, "on_signed_in")
    first, *two, last = (event["event"] for event in events())  # hooks do not wait for one another
    assert (first, sorted(two), last) == ("renewed", ["login_required", "signed_in"], "signed_in")
    assert content["accessToken"] not in (home / "events").read_text()
