"""The house around an end-to-end test: the real server, a private PostgreSQL, workers, watchers, the trace checker."""

import atexit
import http.client
import itertools
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import jwt

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "trace"))
import checker  # noqa: E402

SECRET = "end-to-end-secret-of-more-than-32-bytes"
UPDATES = int(os.environ.get("HEADWAY_E2E_UPDATES", "1000"))  # per job, under load; fewer where the server runs sanitized
PATIENCE = float(os.environ.get("HEADWAY_E2E_PATIENCE", "1"))  # stretches every timeout


# ------------------------------------------------------------------------------------------------------------- waiting


def eventually(condition, seconds=10, what="the condition"):
    """The first true value of `condition()`; fails after `seconds`."""
    deadline = time.monotonic() + seconds * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {seconds * PATIENCE} s in vain for {what}"
        time.sleep(0.02)


# All of a test's clients come from one address, and as few users. Tests of these limits set them anew.
ONE_ADDRESS = {f"HEADWAY_CONNECTIONS_{name}": "0"
               for name in ("PER_ADDRESS_MAX", "PER_USER_MAX", "PER_ADDRESS_PER_SECOND", "PER_SECOND")}
ONE_ADDRESS["HEADWAY_AUTH_FAILURES_PER_MINUTE"] = "0"


def sub_environment(**extra):
    """Ours, without what would configure the server behind our back."""
    ours = {name: value for name, value in os.environ.items()
            if not name.startswith("HEADWAY_") and name not in ("PORT", "HOST", "DATABASE_URL", "FRONTEND_URL", "LOG_LEVEL")}
    return {**ours, **extra}


# ----------------------------------------------------------------------------------------------------------- PostgreSQL


class Postgres:
    """A private cluster in a temp folder."""

    def __init__(self):
        self.home = Path(tempfile.mkdtemp(prefix="headway-pg-"))
        self.bin = max(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
        self.as_user = []
        if os.geteuid() == 0:
            entry = pwd.getpwnam("postgres")
            os.chown(self.home, entry.pw_uid, entry.pw_gid)
            self.as_user = ["runuser", "-u", "postgres", "--"]
        self.data, self.databases = self.home / "data", itertools.count(1)
        self.run("initdb", "-D", self.data, "-A", "trust", "-U", "headway", "-E", "UTF8", "--locale=C", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        atexit.register(self.stop)
        self.run("pg_ctl", "-D", self.data, "-w", "-t", "60", "-l", self.home / "log", "-o",
                 f"-p {self.port} -k {self.home} -c listen_addresses=127.0.0.1", "start")

    def run(self, program, *arguments):
        done = subprocess.run([*self.as_user, str(self.bin / program), *map(str, arguments)], cwd="/",
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0, f"{program}: {done.stderr}"

    def create_database(self):
        name = f"headway_{next(self.databases)}"
        self.run("createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "headway", name)
        return f"postgres://headway@127.0.0.1:{self.port}/{name}"

    def stop(self):
        atexit.unregister(self.stop)
        if (self.data / "postmaster.pid").exists():
            self.run("pg_ctl", "-D", self.data, "-w", "-m", "fast", "stop")
        shutil.rmtree(self.home, ignore_errors=True)


# --------------------------------------------------------------------------------------------------------------- server


def binary():
    path = os.environ.get("HEADWAY_BINARY")
    assert path and os.access(path, os.X_OK), "HEADWAY_BINARY must name the server's binary"
    return path


class Server:
    """`headway serve` on a store, started and stopped as an operator would."""

    def __init__(self, store_url, directory, *options, program=None, env=None):
        self.store_url, self.directory, self.options = store_url, Path(directory), options
        self.program, self.env = program or binary(), {**ONE_ADDRESS, **(env or {})}
        self.port, self.process, self.starts = 0, None, itertools.count(1)
        self.stderr_paths = []
        self.key = self.make_key()

    def make_key(self):
        done = subprocess.run([self.program, "key", "create", "--name", "worker", "--database-url", self.store_url],
                              env=sub_environment(JWT_SECRET=SECRET), capture_output=True, text=True, timeout=60 * PATIENCE)
        assert done.returncode == 0, done.stderr
        key = done.stdout.strip().splitlines()[-1].strip()
        assert key.startswith("hw_"), done.stdout
        return key

    def start(self):
        """Starts it, on the same port as before if it ran before, and waits until it listens."""
        self.stderr_path = self.directory / f"server-{next(self.starts)}.log"
        self.stderr_paths.append(self.stderr_path)
        with open(self.stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(
                [self.program, "serve", "--host", "127.0.0.1", "--port", str(self.port), "--database-url", self.store_url, *self.options],
                env=sub_environment(JWT_SECRET=SECRET, **self.env), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
        self.port = eventually(self._listening, 30, "server.listening")
        return self

    def _listening(self):
        assert self.process.poll() is None, f"the server ended with {self.process.returncode}: {self.stderr_path.read_text()}"
        for line in self.log_lines():
            if line.get("event") == "server.listening":
                return line["port"]
        return None

    def log_lines(self):
        """Whole JSON lines of the current run."""
        lines = []
        for line in self.stderr_path.read_text(errors="replace").split("\n")[:-1]:
            try:
                lines.append(json.loads(line))
            except json.JSONDecodeError:
                continue
        return lines

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def api(self, token=None):
        return Api(self.port, self.key if token is None else token)

    def stop(self, seconds=10):
        """SIGTERM; must leave with exit code 0 in time, and without a word from a sanitizer."""
        if self.process is None or self.process.poll() is not None:
            return self._check_exit()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop within {seconds * PATIENCE} s of SIGTERM; its log: {self.tail()}") from None
        self._check_exit()

    def _check_exit(self):
        if self.process is None:
            return
        code, self.process = self.process.returncode, None
        assert code == 0, f"the server ended with {code}; its log: {self.tail()}"
        for path in self.stderr_paths:
            text = path.read_text(errors="replace")
            for alarm in ("Sanitizer", "runtime error:"):
                assert alarm not in text, f"{path}: {text[text.index(alarm):][:4000]}"

    def kill(self):
        """kill -9"""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process = None

    def tail(self):
        return self.stderr_path.read_text(errors="replace")[-3000:]

    def metric(self, name):
        """A sample of /metrics, 0 if it is not there."""
        for line in self.api().get("/metrics").text.splitlines():
            if line.startswith(name) and line[len(name)] in " {":
                return float(line.rsplit(" ", 1)[1])
        return 0.0


def user_token(user="1", seconds=3600, secret=SECRET, **claims):
    return jwt.encode({"sub": user, "email": f"{user}@example.com", "exp": int(time.time()) + seconds, **claims}, secret, "HS256")


def log_head(store_url):
    """The last position, read from the store itself."""
    db = checker.connect(store_url)
    try:
        cursor = db.cursor()
        cursor.execute("SELECT position FROM log_head")
        return int(cursor.fetchone()[0])
    finally:
        db.close()


# ----------------------------------------------------------------------------------------------------------------- HTTP


@dataclass
class Answer:
    status: int
    headers: dict  # names in lower case
    text: str

    @property
    def json(self):
        return json.loads(self.text)

    @property
    def code(self):
        """The stable name of the error."""
        assert self.headers.get("content-type", "").startswith("application/problem+json"), (self.status, self.headers, self.text[:300])
        problem = self.json
        assert problem["status"] == self.status, problem
        return problem["code"]


class Api:
    """The HTTP API over one kept-alive connection, `http.client` alone."""

    def __init__(self, port, token):
        self.port, self.token = port, token
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30 * PATIENCE)

    def request(self, method, path, body=None, headers=None, raw=None):
        """`body` is sent as JSON; `raw` as it is. A header given as None is left out."""
        sent = {"Authorization": f"Bearer {self.token}" if self.token else None}
        if body is not None:
            raw = json.dumps(body).encode()
        if raw is not None:
            sent["Content-Type"] = "application/json"
        sent.update(headers or {})
        sent = {name: value for name, value in sent.items() if value is not None}
        self.connection.request(method, path, body=raw, headers=sent)
        response = self.connection.getresponse()
        text = response.read().decode("utf-8", "replace")
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.request("POST", path, body, **options)

    def create(self, **job):
        answer = self.post("/api/v1/jobs", {"user_id": "1", **job})
        assert answer.status == 201, (answer.status, answer.text)
        return answer.json

    def update(self, job, verb, **body):
        return self.post(f"/api/v1/jobs/{job}/{verb}", body)

    def close(self):
        self.connection.close()


class Worker:
    """A backend worker as the README shows it: `urllib` and nothing else. Logs what it was answered."""

    markers = itertools.count(1)  # of all workers: tests of one file share a store

    def __init__(self, server, logs, name="worker"):
        self.base, self.key, self.name = f"{server.url}/api/v1/jobs", server.key, name
        self.log = open(Path(logs) / f"producer-{name}.jsonl", "a", buffering=1, encoding="utf-8")

    def post(self, path, body):
        request = urllib.request.Request(self.base + path, json.dumps(body).encode(), method="POST",
                                         headers={"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30 * PATIENCE) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def create(self, job, **body):
        return self._logged(job, "create", None, "", {"id": job, "user_id": "1", **body})

    def update(self, job, verb, *, wait=False, **body):
        """An update with its marker; `wait` asks for the commit of a held tick."""
        marker = None
        if verb != "heartbeat":
            marker = f"[[{self.name}.{next(self.markers):06}]]"
            text = "chunk" if verb == "output" else "message"
            body[text] = f"{body.get(text, verb)} {marker}"
        return self._logged(job, verb, marker, f"/{job}/{verb}" + ("?wait=durable" if wait else ""), body, merged=wait)

    def _logged(self, job, verb, marker, path, body, merged=False):
        status, answer = self.post(path, body)
        self.log.write(json.dumps({"t": "update", "job": job, "verb": verb, "marker": marker, "status": status, "answer": answer,
                                   "merged": merged}) + "\n")
        return status, answer


# ------------------------------------------------------------------------------------------------------------- watchers

CLIENTS = {  # the stock clients, and the scripts that use them
    "socket.io-client": ["node", str(HERE / "watcher.mjs")],
    "python-socketio": [sys.executable, str(HERE / "watcher_sync.py")],
    "python-socketio-asyncio": [sys.executable, str(HERE / "watcher_async.py")],
}
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgrade": ["polling", "websocket"]}


class Program:
    """A helper process; its stdout is read line by line, its stderr goes to a file."""

    def __init__(self, command, stderr_path, stdin=subprocess.DEVNULL):
        self.stderr_path = Path(stderr_path)
        with open(stderr_path, "wb") as stderr:
            self.process = subprocess.Popen(command, env=sub_environment(), stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True)
        self.lines, self.news = [], threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.news:
                self.lines.append(line.strip())
                self.news.notify_all()
        with self.news:
            self.lines.append("(end)")
            self.news.notify_all()

    def wait_line(self, accept, seconds, what):
        """The first line that `accept`s; fails after `seconds` or when the program ends without it."""
        with self.news:
            assert self.news.wait_for(lambda: any(map(accept, self.lines)) or "(end)" in self.lines, seconds * PATIENCE), \
                f"waited {seconds * PATIENCE} s in vain for {what}; {self.trouble()}"
            for line in self.lines:
                if line != "(end)" and accept(line):
                    return line
        raise AssertionError(f"ended before {what}: {self.trouble()}")

    def wait(self, seconds):
        """Ends by itself, with exit code 0."""
        try:
            code = self.process.wait(seconds * PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"did not end within {seconds * PATIENCE} s; {self.trouble()}") from None
        self.reader.join()
        assert code == 0, f"exit code {code}; {self.trouble()}"

    def trouble(self):
        return f"{self.process.args[:2]} said {self.lines[-3:]} and {self.stderr_path.read_text(errors='replace')[-2000:]}"

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()


class Watcher(Program):
    """A stock client in a process of its own, which logs all it is told until every job has ended."""

    def __init__(self, server, logs, name, jobs, client="socket.io-client", transport="websocket", user="1", timeout_s=120, **options):
        self.name, self.log = name, Path(logs) / f"watcher-{name}.jsonl"
        config = {"url": server.url, "token": user_token(user), "jobs": list(jobs), "transports": TRANSPORTS[transport], "name": name,
                  "log": str(self.log), "timeout_s": timeout_s * PATIENCE, **options}
        super().__init__([*CLIENTS[client], json.dumps(config)], Path(logs) / f"watcher-{name}.err")

    def wait_joined(self, seconds=20):
        self.wait_line(lambda line: line == "joined", seconds, f"{self.name} to join")
        return self

    def events(self, name=None):
        """What it logged so far, as [(event, data)]."""
        lines = [line for line in checker.read_lines(self.log) if line["t"] == "event"]
        return [(line["name"], line.get("data")) for line in lines if name in (None, line["name"])]


class Load(Program):
    """Many updates to many jobs with many requests in flight; see load.py."""

    def __init__(self, server, logs, jobs, updates=UPDATES, in_flight=64, name="load", deadline_s=150):
        self.total = len(jobs) * updates
        config = {"port": server.port, "key": server.key, "jobs": list(jobs), "updates": updates, "in_flight": in_flight, "name": name,
                  "log": str(Path(logs) / f"producer-{name}.jsonl"), "deadline_s": deadline_s * PATIENCE}
        super().__init__([sys.executable, str(HERE / "load.py"), json.dumps(config)], Path(logs) / f"load-{name}.err")

    def wait_share(self, share, seconds=120):
        """Until that share of all updates was answered."""
        self.wait_line(lambda line: line.startswith("answered ") and int(line.split()[1]) >= share * self.total, seconds, f"{share:.0%} of the load")

    def result(self, seconds=150):
        """{"acknowledged", "answered", "seconds"} of the whole load."""
        line = self.wait_line(lambda line: line.startswith("{"), seconds, "the load to end")
        self.wait(10)
        return json.loads(line)


def check_trace(store_url, logs, quiet=False):
    """Runs the trace checker; fails on any violation."""
    report = checker.check(checker.read_store(store_url), checker.read_logs(logs))
    if not quiet:
        print(report)
    assert not report.violations, str(report)
    return report
