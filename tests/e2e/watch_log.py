"""What the Python watchers share: the log they write for the trace checker, and how far they are.

A watcher joins its jobs on every (re)connect, logs all that it is told, and when every job has ended on the current
connection it leaves them, pings, and goes. One JSON argument:

    {"url", "token", "jobs", "transports", "name", "log", "timeout_s", "verify_store"?}
"""

import json
import sys
import time
from pathlib import Path

ENDINGS = ("completed", "failed", "cancelled", "blocked")


class StoreProbe:
    """Looks into the store whether an event is there, at the moment it is seen."""

    def __init__(self, url):
        sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "trace"))
        import checker

        self.db = checker.connect(url)
        if hasattr(self.db, "isolation_level"):
            self.db.isolation_level = None
        else:
            self.db.autocommit = True
        self.sql = "SELECT count(*) FROM log WHERE stream = %s AND seq = %s".replace("%s", "?" if url.startswith("sqlite") else "%s")

    def has(self, job, seq):
        cursor = self.db.cursor()
        cursor.execute(self.sql, (f"job:{job}", seq))
        return cursor.fetchone()[0] > 0


class Watch:
    def __init__(self, on_change):
        self.config = json.loads(sys.argv[1])
        self.jobs = self.config["jobs"]
        self.file = open(self.config["log"], "a", buffering=1, encoding="utf-8")
        self.on_change = on_change
        self.probe = StoreProbe(self.config["verify_store"]) if self.config.get("verify_store") else None
        self.deadline = time.monotonic() + self.config["timeout_s"]
        self.connections = 0
        self.said_joined = False
        self._reset()

    def _reset(self):
        self.states, self.updated, self.ended, self.left, self.ponged = set(), set(), set(), set(), False

    def write(self, **line):
        self.file.write(json.dumps(line, ensure_ascii=False) + "\n")

    @property
    def conn(self):
        return f"{self.config['name']}#{self.connections}"

    def open(self, transport):
        self.connections += 1
        self._reset()
        self.write(t="open", conn=self.conn, transport=transport)

    def close(self, reason):
        self.write(t="close", conn=self.conn, reason=str(reason))

    def event(self, name, *args):
        """To be called in the order of arrival."""
        data = args[0] if args else None
        line = {"t": "event", "conn": self.conn, "name": name, "data": data}
        if len(args) > 1:
            line["more"] = args[1:]
        if isinstance(data, dict) and name in ("job_status", "job_update"):
            job = data.get("job_id")
            if self.probe:
                line["stored"] = self.probe.has(job, data.get("seq"))
            (self.states if name == "job_status" else self.updated).add(job)
            if name == "job_update" and data.get("status") in ENDINGS:
                self.ended.add(job)
        elif name == "job_unsubscribed":
            self.left.add(data.get("job_id"))
        elif name == "pong":
            self.ponged = True
        self.write(**line)
        if not self.said_joined and self.all_in(self.states & self.updated):
            self.said_joined = True
            print("joined", flush=True)
        self.on_change()

    def all_in(self, done):
        return all(job in done for job in self.jobs)

    def all_ended(self):
        return self.all_in(self.ended)

    def all_left(self):
        return self.all_in(self.left)

    def complete(self, in_time, transport):
        self.write(t="complete", transport=transport, **({} if in_time else {"timed_out": True}))
        print("done" if in_time else "timed out", flush=True)
        return 0 if in_time else 1
