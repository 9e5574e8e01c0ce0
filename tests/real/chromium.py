"""A real Chromium without a screen, driven over WebDriver (W3C) by the standard library alone.

Rules of this file:
1. It has a profile of its own that is thrown away, and every name but loopback resolves to nothing: it reaches no network.
2. What a laptop lacks is skipped, in CI it fails. Each wait has a deadline.
3. A page that was seen is kept as a picture: in the directory that SSOWATCH_SCREENSHOTS names, else beside the test.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import signal
import subprocess
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from homes import REQUIRED, wait_for

PATIENCE = 120.0
_SWITCHES = (
    "--headless=new",
    "--no-sandbox",  # root has none
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--hide-scrollbars",
    "--window-size=1000,760",
    "--lang=en-US",
)
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"  # WebDriver, 11
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Chromium:
    """One window."""

    def __init__(self, driver: str, session: str, pictures: Path) -> None:
        self._session = f"{driver}/session/{session}"
        self._pictures = pictures

    def open(self, url: str) -> None:
        """Go there; returns once the page is loaded."""
        self._do("POST", "url", url=url)

    def type(self, css: str, text: str) -> None:
        """Fill in a field."""
        field = self._find("css selector", css)
        self._do("POST", f"element/{field}/clear")
        self._do("POST", f"element/{field}/value", text=text)

    def press(self, label: str) -> None:
        """Press a button, which loads a page."""
        button = self._find("xpath", f"//button[normalize-space()='{label}']")
        self._do("POST", f"element/{button}/click")

    @property
    def url(self) -> str:
        """Where it is."""
        return str(self._do("GET", "url"))

    @property
    def text(self) -> str:
        """What a person reads."""
        return str(self._do("GET", f"element/{self._find('css selector', 'body')}/text"))

    def until(self, *texts: str) -> str:
        """Wait until the page says one of these; the whole text."""

        def there() -> str | None:
            try:
                said = self.text
            except WebDriverError:  # between two pages
                return None
            return said if any(text in said for text in texts) else None

        found: str = wait_for(there, f"the page says {' or '.join(texts)}", PATIENCE)
        return found

    def run(self, script: str) -> Any:
        """What a script in the page returns; the driver's own, which no policy of the page forbids."""
        return self._do("POST", "execute/sync", script=script, args=[])

    def picture(self, name: str) -> Path:
        """Keep what is seen."""
        path = self._pictures / f"{name}.png"
        path.write_bytes(base64.b64decode(self._do("GET", "screenshot")))
        return path

    def _find(self, how: str, what: str) -> str:
        found: str = self._do("POST", "element", using=how, value=what)[_ELEMENT]
        return found

    def _do(self, method: str, command: str, **body: Any) -> Any:
        return ask(method, f"{self._session}/{command}", body if method == "POST" else None)


class WebDriverError(Exception):
    """The browser could not do it."""


def ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """One WebDriver command."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method=method)
    try:
        with _direct.open(request, timeout=PATIENCE) as answer:
            return json.load(answer)["value"]
    except urllib.error.HTTPError as error:
        with error:
            raise WebDriverError(json.load(error)["value"]["message"]) from None


@contextmanager
def window(folder: Path, pictures: Path) -> Iterator[Chromium]:
    """A window, with everything that belongs to it ended and thrown away afterwards.

    The name of `folder` is short: Chromium makes a socket below it.
    """
    driver = shutil.which("chromedriver", path=f"{os.environ.get('PATH', os.defpath)}:/usr/lib/chromium")
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if not (driver and browser):
        assert not REQUIRED, "CI installs chromium and chromium-driver"
        pytest.skip("there is no Chromium, or no chromedriver")
    pictures = Path(os.environ.get("SSOWATCH_SCREENSHOTS") or pictures)
    pictures.mkdir(parents=True, exist_ok=True)
    home = folder / "browser"
    home.mkdir()
    log = folder / "chromedriver.log"
    environ = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(home), "LC_ALL": "C.UTF-8"}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [driver, "--port=0"], stdout=output, stderr=output, env=environ, start_new_session=True
        )
    try:
        port = wait_for(lambda: _port(log.read_text()), "chromedriver listens", PATIENCE)
        root = f"http://127.0.0.1:{port}"
        options = {"binary": browser, "args": [*_SWITCHES, f"--user-data-dir={home}/profile"]}
        wanted = {"capabilities": {"alwaysMatch": {"browserName": "chrome", "goog:chromeOptions": options}}}
        session = ask("POST", f"{root}/session", wanted)["sessionId"]
        try:
            yield Chromium(root, session, pictures)
        finally:
            ask("DELETE", f"{root}/session/{session}")
    finally:
        with_it = process.pid
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(30)
        with suppress(ProcessLookupError):
            os.killpg(with_it, signal.SIGKILL)
        shutil.rmtree(home, ignore_errors=True)


def _port(said: str) -> str | None:
    """`ChromeDriver was started successfully on port 40123.`"""
    head, _, tail = said.partition("successfully on port ")
    return tail.split(".")[0] if head and tail else None
