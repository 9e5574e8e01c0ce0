"""D-Bus may be missing, mute or die while a notice is wanted: renewals of the other sign-ins know nothing of it."""

from __future__ import annotations

import json
from datetime import timedelta

import homes
import pytest
from desktops import Bus, Server
from simulator.server import Simulator

pytestmark = [pytest.mark.real, pytest.mark.sign_in]

TWO = (
    homes.CONFIG
    + """
[sso-session lab]
sso_start_url = https://d-0987654321.awsapps.com/start
sso_region = us-east-1
sso_registration_scopes = sso:account:access
"""
)


def due(center, name, **more):
    """A token that is to be renewed at once."""
    content = {**center.sign_in(**more), "expiresAt": homes.token(timedelta(minutes=3))["expiresAt"]}
    return homes.write_token(content, name)


@pytest.mark.parametrize("bus_is", ["missing", "without a server", "mute", "dead"])
def test_renewals_go_on(tmp_path_factory, home, bus_is):
    homes.own_config(home, "heartbeat: 200ms\nquiet: {when_locked: false, when_idle: false}\n")
    homes.aws_config(home, TWO)
    bus = Bus(tmp_path_factory.mktemp("b"))
    server = None if bus_is == "without a server" else Server(bus, "actions", "body")
    address = "unix:path=/nonexistent" if bus_is == "missing" else bus.address
    try:
        with Simulator() as center:
            due(center, "corp", user="gone")
            center.end_session(user="gone")
            if server and bus_is == "mute":
                server.freeze()
            with homes.watcher(home, DBUS_SESSION_BUS_ADDRESS=address, **center.environ) as running:
                running.until_state("login_required")
                running.until(lambda _: "a person is needed" in running.log.read_text(), "a notice is wanted")
                if bus_is == "dead":
                    bus.stop()
                path = due(center, "lab")
                before = json.loads(path.read_text())["accessToken"]
                running.until(lambda _: json.loads(path.read_text())["accessToken"] != before, "lab is renewed")
                assert running.until_state("valid", "lab")["problem"] is None
                assert running.stop() == 0
            log = running.log.read_text()
            assert "a tick failed" not in log
            assert "Traceback" not in log
    finally:
        if server:
            server.close()
        bus.stop()
