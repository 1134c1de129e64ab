"""Chromium, headless, steered through chromedriver over plain HTTP (WebDriver); nothing but the standard library."""

import base64
import json
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def wait_for(what, condition, at_most=60):
    """What the condition returns once that is true; fails after `at_most` seconds, naming what was waited for."""
    end = time.monotonic() + at_most
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("waited in vain for: " + what)


class Browser:
    """Fails where Chromium or chromedriver is missing: it is never a reason to skip."""

    def __init__(self, width=1280, height=900):
        self._profile = tempfile.TemporaryDirectory(prefix="sg-page-", ignore_cleanup_errors=True)
        port = free_port()
        self._driver = subprocess.Popen(["chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        self._url = f"http://127.0.0.1:{port}"
        self._session = ""
        try:
            wait_for("chromedriver", self._is_up, 30)
            self._session = self._begin(width, height)
        except BaseException:
            self.close()
            raise

    def _is_up(self):
        try:
            return self._ask("GET", "/status")["ready"]
        except OSError:
            return False

    def _begin(self, width, height):
        options = {
            "args": ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                     f"--window-size={width},{height}", f"--user-data-dir={self._profile.name}"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL"}}
        made = self._ask("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        return "/session/" + made["sessionId"]

    def _ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()[:500]}") from None

    def _do(self, method, path, body=None):
        return self._ask(method, self._session + path, body)

    def open(self, url):
        self._do("POST", "/url", {"url": url})

    def run(self, script, *arguments):
        return self._do("POST", "/execute/sync", {"script": script, "args": list(arguments)})

    def text(self, css):
        return self.run("const e = document.querySelector(arguments[0]); return e ? e.innerText : ''", css)

    def count(self, css):
        return self.run("return document.querySelectorAll(arguments[0]).length", css)

    def click(self, css):
        """A click where the element is seen, as a person's; fails where something covers it."""
        found = self._do("POST", "/element", {"using": "css selector", "value": css})
        self._do("POST", f"/element/{found[ELEMENT]}/click", {})

    def type(self, css, text):
        found = self._do("POST", "/element", {"using": "css selector", "value": css})
        self._do("POST", f"/element/{found[ELEMENT]}/value", {"text": text})

    def complaints(self):
        """What the console says since it was asked last."""
        return self._do("POST", "/se/log", {"type": "browser"})

    def resize(self, width, height, phone=False):
        """Sizes of the page itself: a window is never as narrow as a phone."""
        self._do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": phone}})

    def dark(self, on):
        self._do("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": "dark" if on else "light"}]}})

    def picture(self, file):
        with open(file, "wb") as out:
            out.write(base64.b64decode(self._do("GET", "/screenshot")))

    def close(self):
        if self._session:
            self._do("DELETE", "")
            self._session = ""
        self._driver.terminate()
        self._driver.wait()
        self._profile.cleanup()
