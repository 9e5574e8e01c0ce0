"""Whether the user's own files survive: what is kept, what is refused, what a failure in the middle leaves."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import homes
import pytest
from test_unprivileged import as_nobody, foreign, place  # noqa: F401 - fixtures

from ssowatch import aws_rewrite, cli, files, paths
from ssowatch.aws_rewrite import NotRewritableError

OLD = """\
[profile dev]
sso_start_url = https://acme.awsapps.com/start
sso_region = us-east-1
sso_account_id = 1
sso_role_name = R
"""
SHARED = OLD.replace("profile dev", "ci")


@pytest.fixture
def config(home):
    return homes.aws_config(home, OLD)


def upgrade(*more: str) -> int:
    return cli.main(["upgrade-profile", "dev", "--yes", *more])


def test_mode_and_owner_stay_and_the_backup_is_private(config):
    config.chmod(0o644)
    assert upgrade() == 0
    assert config.stat().st_mode & 0o777 == 0o644
    (backup,) = config.parent.glob("config.before-upgrade-*")
    assert backup.stat().st_mode & 0o777 == 0o600
    assert backup.read_text() == OLD
    assert not list(config.parent.glob("*.tmp"))


def test_a_link_stays_and_what_it_leads_to_is_changed(config, home, capsys):
    real = home / "dotfiles" / "aws"
    real.parent.mkdir()
    config.rename(real)
    config.symlink_to(real)
    assert upgrade() == 0
    assert config.is_symlink()
    assert "sso_session" in real.read_text()
    assert "~/.aws/config is a link to ~/dotfiles/aws, which is changed" in capsys.readouterr().out
    assert [one.name for one in real.parent.iterdir()] == ["aws"], "the backup lies where the user looks for it"
    assert cli.main(["upgrade-profile", "--undo"]) == 0
    assert (config.is_symlink(), real.read_text()) == (True, OLD)


def test_another_file_than_the_usual_one(home, monkeypatch):
    there = home / "elsewhere" / "aws.ini"
    there.parent.mkdir()
    there.write_text(OLD)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(there))
    assert upgrade() == 0
    assert "sso_session" in there.read_text()
    assert not (home / ".aws").exists()


def write_protect(path):
    path.chmod(0o444)


def link_twice(path):
    os.link(path, path.with_name("twin"))


REFUSED = [
    ("write-protected", write_protect, "~/.aws/config is write-protected", "chmod u+w ~/.aws/config"),
    ("two hard links", link_twice, "~/.aws/config has 2 hard links", "by hand"),
]


@pytest.mark.parametrize(("spoil", "message", "fix"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_not_plainly_our_file(config, capsys, spoil, message, fix):
    spoil(config)
    names = set(config.parent.iterdir())
    assert upgrade() == 1
    said = capsys.readouterr().err
    assert message in said
    assert fix in said
    assert (config.read_text(), set(config.parent.iterdir())) == (OLD, names)


def test_not_utf_8(config, capsys):
    config.write_bytes(OLD.encode() + b"# caf\xe9\n")
    assert upgrade() == 2  # nothing in it can be read, so no name is known
    assert "UTF-8" in capsys.readouterr().err


def test_changed_by_somebody_else_meanwhile(config):
    original = aws_rewrite.read(str(config))
    config.write_text(f"{OLD}region = eu-west-1\n")
    with pytest.raises(NotRewritableError, match="changed by somebody else"):
        aws_rewrite.write([(original, b"new")])
    assert config.read_text() == f"{OLD}region = eu-west-1\n"
    assert [one.name for one in config.parent.iterdir()] == ["config"]


def test_both_or_none(config, monkeypatch):
    shared = config.with_name("credentials")
    shared.write_text(SHARED)
    publish = files.Draft.publish

    def full(draft, content, *, durable=True):
        if content == b"new credentials":
            draft.drop()
            raise OSError(28, os.strerror(28), str(shared))
        publish(draft, content, durable=durable)

    monkeypatch.setattr(files.Draft, "publish", full)
    changes = [
        (aws_rewrite.read(str(config)), b"new config"),
        (aws_rewrite.read(str(shared)), b"new credentials"),
    ]
    with pytest.raises(NotRewritableError, match="No space left"):
        aws_rewrite.write(changes)
    assert (config.read_text(), shared.read_text()) == (OLD, SHARED)
    assert {one.name for one in config.parent.iterdir()} == {"config", "credentials"}


def test_a_directory_that_may_not_be_written(place):  # noqa: F811
    folder = place / ".aws"
    folder.mkdir()
    (folder / "config").write_text(OLD)
    (place / ".local").mkdir()

    def closed(home):
        (home / ".aws").chmod(0o500)
        try:
            with pytest.raises(NotRewritableError, match="Permission denied; nothing was changed"):
                aws_rewrite.write([(aws_rewrite.read(str(home / ".aws/config")), b"new")])
        finally:
            (home / ".aws").chmod(0o700)
        assert (home / ".aws/config").read_text() == OLD

    for path in (folder, folder / "config", place / ".local"):
        if os.geteuid() == 0:
            os.chown(path, 65534, 65534)
    as_nobody(closed, place)


def test_a_file_of_somebody_else(place, foreign):  # noqa: F811
    config = foreign / "config"
    if os.geteuid() != 0:
        pytest.skip("only root can make a file of somebody else")
    config.write_text(OLD)
    config.chmod(0o644)

    def refused(home):
        with pytest.raises(NotRewritableError, match="belongs to another user"):
            aws_rewrite.write([(aws_rewrite.read(str(config)), b"new")])

    as_nobody(refused, place)
    assert config.read_text() == OLD


def test_nothing_to_put_back(config, capsys):
    assert cli.main(["upgrade-profile", "--undo"]) == 1
    assert "nothing was upgraded" in capsys.readouterr().err


def test_what_was_written_since_is_not_lost(config, capsys):
    assert upgrade() == 0
    config.write_text(f"{config.read_text()}# a later thought\n")
    assert cli.main(["upgrade-profile", "--undo"]) == 1
    assert config.read_text().endswith("# a later thought\n")
    assert "~/.aws/config.before-upgrade-*" in capsys.readouterr().err


def test_keys_that_change_in_the_other_file_do_not_hinder_the_way_back(config):
    shared = config.with_name("credentials")
    shared.write_text("[ci]\naws_access_key_id = a\n")
    assert upgrade() == 0
    shared.write_text("[ci]\naws_access_key_id = b\n")
    assert cli.main(["upgrade-profile", "--undo"]) == 0
    assert config.read_text() == OLD


def test_two_upgrades_go_back_one_after_the_other(config):
    config.write_text(OLD + OLD.replace("dev", "client").replace("acme", "client"))
    first = config.read_text()
    assert upgrade() == 0
    between = config.read_text()
    assert cli.main(["upgrade-profile", "client", "--yes"]) == 0
    assert cli.main(["upgrade-profile", "--undo"]) == 0
    assert config.read_text() == between
    assert cli.main(["upgrade-profile", "--undo"]) == 0
    assert config.read_text() == first


# --- the command ------------------------------------------------------------------------------------------------------


def test_without_a_terminal_nothing_is_written_unasked(config):
    answer = homes.ssowatch("upgrade-profile", "dev")
    assert answer.returncode == 1
    assert "+sso_session = acme" in answer.stdout
    assert "--yes" in answer.stdout
    assert config.read_text() == OLD


@pytest.mark.parametrize(("typed", "code", "written"), [("y\n", 0, True), ("\n", 1, False), ("\x04", 1, False)])
def test_at_a_terminal(config, typed, code, written):
    main, side = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "ssowatch", "upgrade-profile", "dev"],
        stdin=side,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    os.close(side)
    os.write(main, typed.encode())
    said, _ = child.communicate(timeout=60)
    os.close(main)
    assert child.returncode == code, said
    assert ("sso_session = acme" in config.read_text()) == written


def test_what_is_to_be_done_next(config, capsys):
    assert upgrade() == 0
    said = capsys.readouterr().out
    assert "ssowatch login acme" in said
    assert "restarted" in said


def test_a_session_that_renews_already_needs_no_sign_in(config, capsys):
    session = "[sso-session corp]\nsso_start_url = https://acme.awsapps.com/start/#\nsso_region = us-east-1\n"
    config.write_text(f"{session}{OLD}")
    homes.write_token(homes.token())
    assert upgrade() == 0
    said = capsys.readouterr().out
    assert "corp is signed in and renews silently" in said
    assert "ssowatch login" not in said


def test_once_is_enough(config, capsys):
    assert upgrade() == 0
    done = config.read_text()
    assert upgrade() == 0
    assert config.read_text() == done
    assert "nothing to change" in capsys.readouterr().out


CODES = [
    (["upgrade-profile", "nobody"], 2, "no sign-in or profile is called nobody"),
    (["upgrade-profile"], 2, "say what"),
    (["upgrade-profile", "dev", "--undo"], 2, "say what"),
]


@pytest.mark.parametrize(("words", "code", "said"), CODES)
def test_exit_codes(config, capsys, words, code, said):
    assert cli.main(words) == code
    assert said in capsys.readouterr().err


def test_an_aws_config_that_is_broken(config, capsys):
    config.write_text(f"{OLD}what is this\n")
    assert upgrade() == 78
    assert "~/.aws/config line 6: is neither a [section] nor key = value" in capsys.readouterr().err


def test_our_config_is_wrong(config, home, capsys):
    homes.own_config(home, "mode: perhaps\n")
    assert upgrade() == 78
    assert config.read_text() == OLD


def test_the_lock_of_another_process(config, monkeypatch, capsys):
    monkeypatch.setattr(aws_rewrite, "_WAIT", 0.0)
    with files.locked(paths.aws_config_lock(), 0):
        assert upgrade() == 1
    assert "another ssowatch process" in capsys.readouterr().err
    assert config.read_text() == OLD
