"""A sandbox site with people at work and a daemon with a status page, for the page to be looked at."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from browser import free_port, wait_for

TOKEN = "token-of-the-page-of-a-test"


class Stage:
    """`plugins`: name -> (library below the build directory, settings). Ends with the `with` that it is for."""

    def __init__(self, build, plugins, rate, token=TOKEN):
        self._program = str(Path(build) / "bin/sgeventd")
        self._dir = tempfile.TemporaryDirectory(prefix="sg-stage-", ignore_cleanup_errors=True)
        self.home = Path(self._dir.name)
        (self.home / "plugins").mkdir()
        self.site_port, page_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{page_port}"
        config = {
            "site": {"url": f"http://127.0.0.1:{self.site_port}", "credential": "daemon",
                     "default_plugin_credential": "daemon", "poll_interval": "200ms", "idle_poll_interval": "200ms",
                     "retry_first": "100ms", "retry_longest": "500ms"},
            "credentials": {"daemon": {"script": "daemon", "key": "daemon-key"}},
            "collections": ["plugins"], "state_dir": "state", "cache_dir": "cache", "plugins": {},
            "admin": {"address": f"127.0.0.1:{page_port}"}, "drain_time": "1s",
            "retries": {"first": "100ms", "longest": "500ms"}}
        if token:
            config["admin"]["token"] = token
        for name, (library, settings) in plugins.items():
            target = self.home / "plugins" / f"{name}.so"
            if library:
                shutil.copy(Path(build) / library, target)
            else:
                target.write_bytes((Path(build) / "plugins/recorder.so").read_bytes()[:4096])  # half a copy
            config["plugins"][name] = json.loads(json.dumps(settings).replace("@DIR@", str(self.home)))
        (self.home / "sgeventd.yaml").write_text(json.dumps(config))
        os.chmod(self.home / "sgeventd.yaml", 0o600)
        self._log = open(self.home / "log", "w")
        self._running = {}
        self.start_site(rate)
        self._start("daemon", "run", "--config", str(self.home / "sgeventd.yaml"))

    def _start(self, name, *arguments):
        self._running[name] = subprocess.Popen([self._program, *arguments], stdout=self._log, stderr=self._log)

    def start_site(self, rate):
        """Its state is kept in a file: a site that is started again goes on."""
        self._start("site", "sandbox", "--port", str(self.site_port), "--rate", str(rate), "--quiet", "--data",
                    str(self.home / "site.db"), "--script", "daemon=daemon-key")

    def stop_site(self):
        self._running["site"].terminate()
        self._running.pop("site").wait()

    def status(self):
        try:
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(self.url + "/api/status", timeout=10) as answer:
                return json.load(answer)
        except OSError:
            return {}

    def wait(self, what, condition, at_most=60):
        def look():
            status = self.status()
            return status if status and condition(status) else None
        try:
            return wait_for(what, look, at_most)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log()[-3000:]}") from None

    def log(self):
        return (self.home / "log").read_text()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(list(self._running.values())):
            process.terminate()
            process.wait()
        self._log.close()
        self._dir.cleanup()


def plugin(status, name):
    return next((one for one in status["plugins"] if one["plugin"] == name), {})


def scripted(rules, **settings):
    return ("test_plugins/scripted_plugin.so",
            {"args": {"journal": "@DIR@/" + str(abs(hash(str(rules)))) + ".jsonl", "rules": rules}, **settings})


RECORDER = ("plugins/recorder.so", {"args": {"file": "@DIR@/recorder.jsonl"}})
