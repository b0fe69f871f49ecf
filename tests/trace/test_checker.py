"""Plants faults in a fabricated run and shows that the checker notices each, and that it passes a clean one."""

import copy
import json
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import checker


class Run:
    """Two jobs reported side by side; one watcher sees both from their start, another joins the first one late."""

    def __init__(self):
        self.rows, self.updates = [], []
        self.watchers = {"watcher-both.jsonl": [{"t": "open", "conn": "b1"}], "watcher-late.jsonl": [{"t": "open", "conn": "l1"}]}
        self.seqs = {}
        for job in (1, 2):
            self.commit(job, "created", "create", status="queued", progress=0)
        self.join("watcher-both.jsonl", "b1", 1)
        self.join("watcher-both.jsonl", "b1", 2)
        for job in (1, 2):
            self.commit(job, "status", "start", status="running", progress=0)
        for step in range(1, 5):
            for job in (1, 2):
                self.commit(job, "progress", "progress", status="running", progress=step * 10)
            if step == 2:
                self.join("watcher-late.jsonl", "l1", 1)
        self.commit(1, "output", "output", status="running", progress=40, chunk="text")
        self.commit(1, "progress", "progress", status="running", progress=50)
        for job in (1, 2):
            self.commit(job, "completed", "complete", status="completed", progress=100, result='{"answer":42}')
        for lines in self.watchers.values():
            lines.append({"t": "complete"})

    def commit(self, job, kind, verb, **body):
        seq = self.seqs[job] = self.seqs.get(job, 0) + 1
        position = len(self.rows) + 1
        marker = None
        if verb not in ("create", "start"):
            marker = f"[[w.{position:04}]]"
            body["message"] = f"step {marker}"
        self.rows.append(checker.Row(position, f"job:{job}", seq, kind, json.dumps(body)))
        self.updates.append({"t": "update", "job": job, "verb": verb, "marker": marker, "status": 201 if verb == "create" else 200,
                             "answer": {"job_id": job, "seq": seq, "position": position}})
        if kind != "output":
            for lines in self.watchers.values():
                if any(line["t"] == "event" and line["data"]["job_id"] == job for line in lines):
                    lines.append(self.event(lines[0]["conn"], "job_update", self.rows[-1]))

    def event(self, conn, name, row):
        data = {"job_id": int(row.stream[4:]), "seq": row.seq, "timestamp": "2026-01-01T00:00:00.000Z", **row.body}
        if "result" in data:
            data["result"] = json.loads(data["result"])
        return {"t": "event", "conn": conn, "name": name, "data": data}

    def join(self, watcher, conn, job):
        row = [row for row in self.rows if row.stream == f"job:{job}"][-1]
        for name in ("job_status", "job_update"):
            self.watchers[watcher].append(self.event(conn, name, row))

    def check(self):
        return checker.check(checker.Store(list(self.rows), max((row.position for row in self.rows), default=0)),
                             checker.Logs({"producer-w.jsonl": self.updates}, self.watchers))

    def change_row(self, index, **changes):
        fields = {name: getattr(self.rows[index], name) for name in ("position", "stream", "seq", "kind", "text")}
        self.rows[index] = checker.Row(**{**fields, **changes})

    def both(self):
        return self.watchers["watcher-both.jsonl"]


@pytest.fixture
def run():
    return Run()


def test_a_clean_run_passes(run):
    report = run.check()
    assert report.violations == []
    assert report.counts["stored events"] == len(run.rows)
    assert report.counts["acknowledged"] == len(run.updates)
    assert report.counts["events seen"] > 20 and report.counts["steps"] > 15


def test_an_event_lost_in_the_middle(run):
    del run.both()[8]
    assert run.check().rules == {"lost"}


def test_the_ending_lost(run):
    del run.both()[-2]
    assert run.check().rules == {"lost"}


def test_an_event_doubled(run):
    run.both().insert(9, copy.deepcopy(run.both()[8]))
    assert "doubled or out of order" in run.check().rules


def test_two_events_of_one_job_swapped(run):
    lines = run.both()
    lines[8], lines[10] = lines[10], lines[8]
    assert lines[8]["data"]["job_id"] == lines[10]["data"]["job_id"]
    assert {"lost", "doubled or out of order"} <= run.check().rules


def test_events_of_two_jobs_swapped(run):
    lines = run.both()
    lines[8], lines[9] = lines[9], lines[8]
    assert lines[8]["data"]["job_id"] != lines[9]["data"]["job_id"]
    assert run.check().rules == {"position fell"}


def test_a_state_ahead_of_the_stream(run):
    def find(job, seq):
        return next(line for line in run.both() if line["t"] == "event" and (line["data"]["job_id"], line["data"]["seq"]) == (job, seq))

    update = find(2, 4)  # where the watcher starts with job 2, too early: event 4 of job 1 stands before it in the log
    kept = [line for line in run.both() if line["t"] != "event" or line["data"]["job_id"] == 1 or line["data"]["seq"] > 4]
    before = kept.index(find(1, 4))
    run.both()[:] = [*kept[:before], {**update, "name": "job_status"}, update, *kept[before:]]
    assert run.check().rules == {"state ahead of the stream"}
    run.both()[before:before + 3] = [kept[before], {**update, "name": "job_status"}, update]
    assert run.check().violations == []


def test_the_snapshot_missing(run):
    del run.both()[2]
    assert run.check().rules == {"no snapshot"}


def test_a_seam_between_snapshot_and_stream(run):
    lines = run.watchers["watcher-late.jsonl"]
    del lines[3]
    assert run.check().rules == {"lost"}


def test_seen_but_not_stored(run):
    ending = run.rows.pop()  # of job 2, its acknowledgement left out: it is in doubt
    run.updates[-1]["status"] = None
    assert ending.kind == "completed"
    assert run.check().rules == {"seen but not stored"}


def test_seen_before_its_commit(run):
    run.both()[8]["stored"] = False
    assert run.check().rules == {"seen before its commit"}


def test_acknowledged_but_not_stored(run):
    run.rows.pop()
    run.watchers.clear()
    assert run.check().rules == {"acknowledged but not stored"}


def test_acknowledged_with_the_event_of_another_update(run):
    run.updates[6]["answer"] = dict(run.updates[8]["answer"])
    run.watchers.clear()
    assert "acknowledged but not stored" in run.check().rules


def test_acknowledged_at_another_position(run):
    run.updates[5]["answer"]["position"] += 1
    assert run.check().rules == {"acknowledged at another position"}


@pytest.mark.parametrize("answer", [None, {}, {"job_id": 1}, {"job_id": 7, "seq": 4, "position": 7}, {"job_id": 1, "seq": "4", "position": 7}])
def test_an_acknowledgement_that_names_no_event(run, answer):
    run.updates[6]["answer"] = answer
    assert run.check().rules == {"bad acknowledgement"}


def test_refused_but_stored(run):
    run.updates[6].update(status=409, answer={"code": "job_ended"})
    assert run.check().rules == {"refused but stored"}


def test_stored_but_never_sent(run):
    del run.updates[6]
    assert run.check().rules == {"stored but never sent"}


def test_in_doubt_may_be_stored_or_not(run):
    run.updates[6].update(status=None, answer=None)
    run.updates.append({"t": "update", "job": 1, "verb": "progress", "marker": "[[w.9999]]", "status": None})
    report = run.check()
    assert report.violations == [] and report.counts["unanswered"] == 2


def test_an_update_stored_twice(run):
    run.change_row(6, text=run.rows[4].text)
    assert run.rows[6].stream == run.rows[4].stream
    run.watchers.clear()
    assert "stored twice" in run.check().rules


def test_the_ending_is_not_last(run):
    run.commit(2, "progress", "progress", status="running", progress=100)
    run.both().insert(-1, run.both().pop())  # the watcher saw it, in order
    rules = run.check().rules
    assert {"ending not last", "event after the ending"} <= rules


def test_an_ending_of_an_earlier_attempt_may_be_followed(run):
    run.commit(2, "status", "start", status="queued", progress=0, attempt=2)
    run.both().insert(-1, run.both().pop())
    assert run.check().violations == []


def test_a_gap_in_positions(run):
    run.rows = [checker.Row(row.position + (row.position > 5), row.stream, row.seq, row.kind, row.text) for row in run.rows]
    assert "position gap" in run.check().rules


def test_a_position_given_twice(run):
    run.change_row(5, position=5)
    assert "position gap" in run.check().rules


def test_a_gap_in_a_job(run):
    run.change_row(len(run.rows) - 1, seq=run.rows[-1].seq + 1)
    assert "seq gap" in run.check().rules


def test_a_head_beyond_the_log(run):
    report = checker.check(checker.Store(run.rows, len(run.rows) + 1), checker.Logs({}, {}))
    assert report.rules == {"position gap"}


def test_a_job_row_behind_its_log(run):
    ends = {stream[4:]: (rows[-1].seq, rows[-1].position) for stream, rows in checker.Store(run.rows, 0).streams.items()}
    assert checker.check(checker.Store(run.rows, len(run.rows), ends), checker.Logs({}, {})).rules == set()
    ends["1"] = (ends["1"][0] - 1, ends["1"][1])
    assert checker.check(checker.Store(run.rows, len(run.rows), ends), checker.Logs({}, {})).rules == {"job row"}


@pytest.mark.parametrize("key, value", [("status", "queued"), ("progress", 11), ("message", "another")])
def test_other_content_than_stored(run, key, value):
    run.both()[8]["data"][key] = value
    assert run.check().rules == {"other content than stored"}


def test_another_result_than_stored(run):
    run.both()[-2]["data"]["result"] = {"answer": 41}
    assert run.check().rules == {"other content than stored"}


def test_output_is_not_missed_by_its_watchers(run):
    assert any(row.kind == "output" for row in run.rows)
    assert not any(line["t"] == "event" and "chunk" in line["data"] for line in run.both())
    assert run.check().violations == []


def test_each_connection_is_judged_by_itself(run):
    lines = run.both()
    cut = lines.index(next(line for line in lines if line["t"] == "event" and line["data"]["progress"] == 30))
    lines[cut:] = [{"t": "close", "conn": "b1"}, {"t": "open", "conn": "b2"}]
    for job in (1, 2):
        run.join("watcher-both.jsonl", "b2", job)
    lines.append({"t": "complete"})
    assert run.check().violations == []


def test_an_update_after_leaving(run):
    lines = run.both()
    lines.insert(8, {"t": "event", "conn": "b1", "name": "job_unsubscribed", "data": {"job_id": 1}})
    assert run.check().rules == {"event before its snapshot"}


def test_joining_again_does_not_restart_the_sequence(run):
    lines = run.both()
    again = {**copy.deepcopy(lines[7]), "name": "job_status"}
    lines.insert(8, again)
    assert run.check().violations == []
    lines.insert(9, {**again, "name": "job_update"})
    assert run.check().violations == []
    lines.insert(10, {**again, "name": "job_update"})
    assert "doubled or out of order" in run.check().rules


def test_the_command_reads_a_real_store_and_torn_logs(run, tmp_path):
    db = sqlite3.connect(tmp_path / "headway.db")
    db.execute("CREATE TABLE log (position INTEGER, stream TEXT, seq INTEGER, kind TEXT, body TEXT)")
    db.execute("CREATE TABLE log_head (position INTEGER)")
    db.execute("CREATE TABLE jobs (id TEXT, seq INTEGER, position INTEGER)")
    db.executemany("INSERT INTO log VALUES (?,?,?,?,?)", [(r.position, r.stream, r.seq, r.kind, r.text) for r in run.rows])
    db.execute("INSERT INTO log_head VALUES (?)", (len(run.rows),))
    for stream, rows in checker.Store(run.rows, 0).streams.items():
        db.execute("INSERT INTO jobs VALUES (?,?,?)", (stream[4:], rows[-1].seq, rows[-1].position))
    db.commit()
    for name, lines in {"producer-w.jsonl": run.updates, **run.watchers}.items():
        (tmp_path / name).write_text("".join(json.dumps(line) + "\n" for line in lines) + '{"t": "upd')
    command = [sys.executable, checker.__file__, "--store", f"sqlite://{tmp_path}/headway.db", "--logs", str(tmp_path)]
    clean = subprocess.run(command, capture_output=True, text=True)
    assert clean.returncode == 0, clean.stdout + clean.stderr
    assert "0 violations" in clean.stdout

    db.execute("DELETE FROM log WHERE position = 7")
    db.commit()
    broken = subprocess.run(command, capture_output=True, text=True)
    assert broken.returncode == 1
    assert "VIOLATION position gap" in broken.stdout and "VIOLATION acknowledged but not stored" in broken.stdout
