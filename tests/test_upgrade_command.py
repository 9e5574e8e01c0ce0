"""`ssowatch upgrade-profile`: the files are written, and put back as they were."""

from __future__ import annotations

import pytest
from test_profile_upgrade import CASES, SECRET, SHAPES, session, texts

from ssowatch import cli


@pytest.mark.parametrize(("shape", "spelling"), CASES)
def test_and_back(home, capsys, shape, spelling):
    name = SHAPES[shape][2]
    old = texts(shape, spelling)
    folder = home / ".aws"
    folder.mkdir()
    before = {}
    for file, text in (("config", old.config), ("credentials", old.credentials)):
        if text is not None:
            before[file] = text.encode()
            (folder / file).write_bytes(before[file])
            (folder / file).chmod(0o640)
    assert cli.main(["upgrade-profile", name, "--yes"]) == 0
    said = capsys.readouterr().out
    assert SECRET not in said
    assert {one.name for one in folder.iterdir()} > set(before)
    assert cli.main(["upgrade-profile", "--undo"]) == 0
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
    assert {one.stat().st_mode & 0o777 for one in folder.iterdir()} == {0o640}


def test_a_name_moves_no_cursor(home, capsys):
    (home / ".aws").mkdir()
    name = "x\x1b[31my"
    text = f"[profile dev]\nsso_session = {name}\nsso_account_id = 1\nsso_role_name = r\n{session(name, scopes='')}"
    (home / ".aws/config").write_text(text)
    assert cli.main(["upgrade-profile", "dev", "--yes"]) == 0
    said = capsys.readouterr().out
    assert "Now sign in once: ssowatch login 'x [31my'" in said
    assert "\x1b" not in said
