#!/usr/bin/env python3
"""Decides whether a run kept Headway's promises.

Reads what producers and watchers wrote into a directory, then the store itself, and compares. Trusts the server in
nothing: the store is opened directly. See README.md for the line formats.

    checker.py --store sqlite:///tmp/x/headway.db --logs /tmp/x/logs
"""

import argparse
import json
import re
import sqlite3
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

ENDINGS = {"complete": "completed", "fail": "failed", "cancel": "cancelled", "block": "blocked"}
ENDING_KINDS = set(ENDINGS.values())
NOT_SPOKEN = {"output", "custom"}  # dialect A tells its watchers nothing of these
WORDS = {"blocked": "failed"}  # dialect A's word for a status, where it is another
MARKER = re.compile(r"\[\[[^\[\]]+\]\]")


# ---------------------------------------------------------------------------------------------------- what was stored


@dataclass(frozen=True)
class Row:
    """One event of the log, as the store has it."""

    position: int
    stream: str
    seq: int
    kind: str
    text: str

    @property
    def body(self):
        body = json.loads(self.text)
        return body if isinstance(body, dict) else {}

    @property
    def markers(self):
        return MARKER.findall(self.text)


@dataclass
class Store:
    rows: list
    head: int
    jobs: dict = field(default_factory=dict)  # id -> (seq, position) of the job's row

    def __post_init__(self):
        self.at = {(row.stream, row.seq): row for row in self.rows}
        self.streams = defaultdict(list)
        for row in sorted(self.rows, key=lambda row: (row.stream, row.seq)):
            self.streams[row.stream].append(row)

    def event(self, job, seq):
        return self.at.get((stream_of(job), seq))

    def next_spoken(self, job, seq):
        """The seq of the next event after `seq` that a watcher is told; None where there is none."""
        while row := self.event(job, seq + 1):
            if row.kind not in NOT_SPOKEN:
                return row.seq
            seq += 1
        return None


def stream_of(job):
    return f"job:{job}"


def connect(url):
    """A DB-API connection to a store's URL."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        return sqlite3.connect(f"file:{parts.netloc}{parts.path}?mode=ro", uri=True, timeout=10)
    import pg8000.dbapi

    return pg8000.dbapi.connect(
        user=unquote(parts.username or "postgres"), password=parts.password, host=parts.hostname or "127.0.0.1",
        port=parts.port or 5432, database=parts.path.lstrip("/"))


def read_store(url):
    db = connect(url)
    try:
        cursor = db.cursor()
        cursor.execute("SELECT position, stream, seq, kind, body FROM log ORDER BY position")
        rows = [Row(int(p), s, int(n), k, b if isinstance(b, str) else json.dumps(b)) for p, s, n, k, b in cursor.fetchall()]
        cursor.execute("SELECT position FROM log_head")
        heads = cursor.fetchall()
        cursor.execute("SELECT id, seq, position FROM jobs")
        jobs = {job: (int(seq), int(position)) for job, seq, position in cursor.fetchall()}
        return Store(rows, int(heads[0][0]) if heads else 0, jobs)
    finally:
        db.close()


# ------------------------------------------------------------------------------------------------------ what was seen


@dataclass
class Logs:
    producers: dict  # file name -> lines
    watchers: dict


def read_lines(path):
    """The JSON lines of a log. A torn last line (its writer was killed) is left out."""
    lines = path.read_text(encoding="utf-8").split("\n")
    if lines[-1] != "":
        try:
            json.loads(lines[-1])
        except json.JSONDecodeError:
            lines.pop()
    return [json.loads(line) for line in lines if line]


def read_logs(directory):
    directory = Path(directory)
    return Logs({path.name: read_lines(path) for path in sorted(directory.glob("producer-*.jsonl"))},
                {path.name: read_lines(path) for path in sorted(directory.glob("watcher-*.jsonl"))})


# --------------------------------------------------------------------------------------------------------- the checks


class Report:
    def __init__(self):
        self.violations = []  # (rule, text)
        self.counts = Counter()

    def fail(self, rule, text):
        self.violations.append((rule, text))

    @property
    def rules(self):
        return {rule for rule, _ in self.violations}

    def __str__(self):
        lines = [f"VIOLATION {rule}: {text}" for rule, text in self.violations[:20]]
        if len(self.violations) > 20:
            lines.append(f"... and {len(self.violations) - 20} more")
        counted = ", ".join(f"{name} {count}" for name, count in sorted(self.counts.items()))
        lines.append(f"trace checker: {len(self.violations)} violations; checked {counted}")
        return "\n".join(lines)


def check(store, logs):
    report = Report()
    check_store(store, report)
    check_updates(store, logs.producers, report)
    for name, lines in logs.watchers.items():
        check_watcher(store, name, lines, report)
    return report


def check_store(store, report):
    """Positions and seqs without gaps, the ending last in its attempt, each job's row at its last event."""
    report.counts["stored events"] = len(store.rows)
    positions = sorted(row.position for row in store.rows)
    if positions != list(range(1, store.head + 1)):
        wanted, have = set(range(1, store.head + 1)), Counter(positions)
        missing = sorted(wanted - set(have))
        extra = sorted(set(have) - wanted)
        twice = sorted(p for p, n in have.items() if n > 1)
        report.fail("position gap", f"log_head {store.head}, {len(positions)} events; missing {missing[:5]}, "
                                    f"beyond the head {extra[:5]}, twice {twice[:5]}")
    for stream, rows in store.streams.items():
        seqs = [row.seq for row in rows]
        if seqs != list(range(1, len(rows) + 1)):
            report.fail("seq gap", f"{stream}: {first_gap(seqs)}")
        for before, after in zip(rows, rows[1:]):
            if after.position <= before.position:
                report.fail("position order", f"{stream}: seq {after.seq} at {after.position} after seq {before.seq} at {before.position}")
            if before.kind in ENDING_KINDS and attempt_of(after) <= attempt_of(before):
                report.fail("ending not last", f"{stream}: {after.kind} at seq {after.seq} after {before.kind}")
        if stream.startswith("job:") and store.jobs:
            stands = store.jobs.get(stream.removeprefix("job:"))
            if stands != (rows[-1].seq, rows[-1].position):
                report.fail("job row", f"{stream} stands at {stands}, its last event is {(rows[-1].seq, rows[-1].position)}")


def first_gap(seqs):
    for expected, seq in enumerate(seqs, start=1):
        if seq != expected:
            return f"seq {seq} where {expected} belongs"
    return ""


def attempt_of(row):
    return row.body.get("attempt", 1)


def check_updates(store, producers, report):
    """What was acknowledged is stored as it was sent; what was refused is not; nothing is stored that nobody sent."""
    stored = set()
    for row in store.rows:
        stored.update(row.markers)
    fate = {}  # marker -> HTTP status, None for no answer
    whole = {}  # job -> every update of it that changes the bar has its marker
    for lines in producers.values():
        for line in lines:
            if line.get("marker"):
                fate[line["marker"]] = line.get("status")
            if line["verb"] not in ("create", "start", "heartbeat", "output"):
                job = str(line.get("job"))
                whole[job] = whole.get(job, True) and bool(line.get("marker"))

    for name, lines in producers.items():
        for line in lines:
            status = line.get("status")
            if status in (200, 201):
                check_ack(store, name, line, fate, report)
            elif status is None:
                report.counts["unanswered"] += 1
            elif status == 202:
                report.counts["held"] += 1
            elif 400 <= status < 500:
                report.counts["refused"] += 1
                if line.get("marker") in stored:
                    report.fail("refused but stored", f"{name}: {line}")
            else:
                report.counts["failed"] += 1
    for job in whole:
        for row in store.streams[stream_of(job)]:
            for marker in set(row.markers) - fate.keys():
                report.fail("stored but never sent", f"job {job} seq {row.seq}: {marker}")
    for job, has_all in whole.items():
        if has_all:
            check_once(store, job, report)


def check_ack(store, name, line, fate, report):
    report.counts["acknowledged"] += 1
    answer, verb, marker = line.get("answer") or {}, line["verb"], line.get("marker")
    seq, position = answer.get("seq"), answer.get("position")
    if type(seq) is not int or type(position) is not int or (line.get("job") is not None and str(answer.get("job_id")) != str(line["job"])):
        report.fail("bad acknowledgement", f"{name}: {line}")
        return
    row = store.event(answer["job_id"], seq)
    if row is None:
        report.fail("acknowledged but not stored", f"{name}: {line}")
        return
    if row.position != position:
        report.fail("acknowledged at another position", f"{name}: stored at {row.position}: {line}")
    if verb == "create" and (row.kind != "created" or seq != 1):
        report.fail("acknowledged but not stored", f"{name}: seq {seq} is {row.kind}: {line}")
    if not marker or marker in row.markers:
        return
    # The answer names an event that another update made: allowed where the server may say "it already is so" or
    # where a later tick carried this one, but that event must be of somebody who was not refused.
    repeats_ending = ENDINGS.get(verb) == row.kind
    carried = line.get("merged") and row.kind == "progress"
    if not (repeats_ending or carried or verb in ("heartbeat", "start")):
        report.fail("acknowledged but not stored", f"{name}: seq {seq} holds {row.text[:200]}: {line}")


def check_once(store, job, report):
    """No update was written twice."""
    seen = Counter(marker for row in store.streams[stream_of(job)] if row.kind == "progress" for marker in row.markers[:1])
    for marker, count in seen.items():
        if count > 1:
            report.fail("stored twice", f"job {job}: {marker} in {count} events")


class Connection:
    """What one connection of a watcher has been told."""

    def __init__(self):
        self.at = {}  # job -> seq of the last event
        self.snapshot_due = set()  # jobs whose job_status came and whose first job_update did not
        self.repeats = {}  # job -> seq of the state that joining again may tell once more
        self.ended = {}  # job -> attempt that ended
        self.high = 0  # greatest position among events
        self.high_state = 0  # among the states that joins were told


def check_watcher(store, name, lines, report):
    connections, last = {}, None
    report.counts["watchers"] += 1
    for line in lines:
        kind = line["t"]
        if kind == "open":
            report.counts["connections"] += 1
            last = connections[line["conn"]] = Connection()
        elif kind == "event":
            where = f"{name} {line['conn']}"
            connection = connections.get(line["conn"])
            if connection is None:
                report.fail("event before connect", f"{where}: {line}")
                connection = connections[line["conn"]] = Connection()
            check_event(store, where, connection, line, report)
        elif kind == "complete":
            if line.get("timed_out"):
                report.counts["timed out"] += 1
            if last is not None:
                check_complete(store, name, last, report)


def check_event(store, where, connection, line, report):
    name, data = line["name"], line.get("data")
    if name not in ("job_status", "job_update", "job_unsubscribed"):
        return
    if not isinstance(data, dict) or "job_id" not in data:
        report.fail("bad event", f"{where}: {name} {data}")
        return
    job = str(data["job_id"])
    if name == "job_unsubscribed":
        connection.at.pop(job, None)
        connection.snapshot_due.discard(job)
        connection.repeats.pop(job, None)
        connection.ended.pop(job, None)
        return
    seq = data.get("seq")
    if type(seq) is not int:
        report.fail("no seq", f"{where}: {name} {data}")
        return
    report.counts["events seen"] += 1
    row = store.event(job, seq)
    if row is None:
        report.fail("seen but not stored", f"{where}: {name} {data}")
    else:
        compare(where, name, data, row, report)
    if line.get("stored") is False:
        report.fail("seen before its commit", f"{where}: {name} {data}")

    if name == "job_status":
        if job in connection.at:  # joining again leaves the sequence as it is
            connection.repeats[job] = seq
        else:
            connection.at[job] = seq
            connection.snapshot_due.add(job)
        if row is not None:
            connection.high_state = max(connection.high_state, row.position)
        return
    if job not in connection.at:
        report.fail("event before its snapshot", f"{where}: {data}")
        connection.at[job] = seq
        return
    if job in connection.snapshot_due:
        connection.snapshot_due.discard(job)
        if seq == connection.at[job]:
            note_ending(connection, job, data, row)
            return
        report.fail("no snapshot", f"{where}: seq {seq} where the state at {connection.at[job]} belongs: {data}")
    if seq <= connection.at[job] and connection.repeats.pop(job, None) == seq:
        return
    check_next(store, where, connection, job, data, row, report)


def check_next(store, where, connection, job, data, row, report):
    """An event of the stream: one further in its job, and further in the log than all before it."""
    report.counts["steps"] += 1
    seq, before = data["seq"], connection.at[job]
    expected = store.next_spoken(job, before) or before + 1
    if seq <= before:
        report.fail("doubled or out of order", f"{where}: job {job} seq {seq} after {before}")
    elif seq != expected:
        report.fail("lost", f"{where}: job {job} seq {seq} where {expected} belongs")
    if job in connection.ended and (row is None or attempt_of(row) <= connection.ended[job]):
        report.fail("event after the ending", f"{where}: {data}")
    connection.at[job] = max(seq, before)
    note_ending(connection, job, data, row)
    if row is None:
        return
    if row.position <= connection.high:
        report.fail("position fell", f"{where}: job {job} seq {seq} at {row.position} after {connection.high}")
    elif row.position < connection.high_state:
        report.fail("state ahead of the stream", f"{where}: job {job} seq {seq} at {row.position} after a state at {connection.high_state}")
    connection.high = max(connection.high, row.position)


def note_ending(connection, job, data, row):
    if data.get("status") in ENDING_KINDS:
        connection.ended[job] = attempt_of(row) if row else 1


def check_complete(store, name, connection, report):
    """The watcher waited for all it was owed."""
    for job, seq in connection.at.items():
        if job in connection.snapshot_due:
            report.fail("no snapshot", f"{name}: job {job} has no job_update after its job_status")
        owed = store.next_spoken(job, seq)
        if owed is not None:
            report.fail("lost", f"{name}: job {job} ended for it at seq {seq}, {owed} is stored")


def compare(where, name, data, row, report):
    """The same in the event as in the store."""
    body, differs = row.body, []
    for key in ("status", "progress"):
        if key not in data:
            differs.append(f"{key} missing")
        elif key in body and data[key] != WORDS.get(body[key], body[key]):
            differs.append(f"{key} {data[key]!r}, stored {body[key]!r}")
    if name == "job_update":
        status = data.get("status")
        if body.get("message") and status != "failed" and data.get("message") != body["message"]:
            differs.append(f"message {data.get('message')!r}, stored {body['message']!r}")
        if body.get("result") and data.get("result") != json.loads(body["result"]):  # the store keeps it as JSON text
            differs.append(f"result {data.get('result')!r}, stored {body['result']}")
        error = body.get("error")
        error = error.get("message") if isinstance(error, dict) else error
        if status == "failed" and error and error not in json.dumps(data.get("error"), ensure_ascii=False):
            differs.append(f"error {data.get('error')!r}, stored {error!r}")
        if "timestamp" not in data:
            differs.append("timestamp missing")
    if differs:
        report.fail("other content than stored", f"{where}: job {data['job_id']} seq {row.seq}: {'; '.join(differs)}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--store", required=True, help="sqlite:///PATH or postgres://USER@HOST:PORT/DATABASE")
    parser.add_argument("--logs", required=True, help="directory with producer-*.jsonl and watcher-*.jsonl")
    options = parser.parse_args()
    report = check(read_store(options.store), read_logs(options.logs))
    print(report)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
