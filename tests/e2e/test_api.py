"""The HTTP API: every verb, ids, state rules, lists, history, throttle, rate limit, and how HTTP itself is spoken."""

import http.client
import json
import re
import socket
import time
import uuid

import pytest
from harness import Api, Watcher, check_trace, eventually, user_token

UNTHROTTLED = {"throttle": {"min_interval_ms": 0}}
SLOW = {"throttle": {"min_interval_ms": 1500}}
ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@pytest.fixture(scope="module")
def server(module_house):
    server = module_house.serve(f"sqlite://{module_house.directory}/headway.db")
    yield server
    assert server.metric("headway_actors_lost") == 0
    check_trace(server.store_url, module_house.logs)


@pytest.fixture
def api(server):
    api = server.api()
    yield api
    api.close()


@pytest.fixture
def job(api):
    """A fresh job without a throttle."""
    return api.create(**UNTHROTTLED)["job_id"]


def state(api, job):
    answer = api.get(f"/api/v1/jobs/{job}")
    assert answer.status == 200, answer.text
    return answer.json


def events(api, job, query=""):
    answer = api.get(f"/api/v1/jobs/{job}/events{query}")
    assert answer.status == 200, answer.text
    return answer.json["events"]


def accepted(answer, job):
    assert answer.status == 200, (answer.status, answer.text)
    assert set(answer.json) >= {"job_id", "seq", "position"} and answer.json["job_id"] == job
    return answer.json


# ---------------------------------------------------------------------------------------------------------------- ids


def test_a_number_stays_a_number_and_text_stays_text(api):
    for given in (90071, "90072", "report:2026.q3_a-b", 9007199254740991, 0):
        created = api.create(id=given, **UNTHROTTLED)
        assert created["job_id"] == given and type(created["job_id"]) is type(given)
        assert created["seq"] == 1 and created["position"] >= 1
        for told in (api.update(given, "progress", progress=5).json, state(api, given), api.update(given, "complete").json):
            assert told["job_id"] == given and type(told["job_id"]) is type(given)


def test_an_id_that_is_not_given_is_a_uuid_of_version_7(api):
    first, second = api.create()["job_id"], api.create()["job_id"]
    assert uuid.UUID(first).version == 7 and first != second
    assert state(api, first)["status"] == "queued"


def test_the_same_id_as_number_and_as_text_is_one_job(api):
    api.create(id=777001)
    assert api.post("/api/v1/jobs", {"id": "777001", "user_id": "1"}).code == "job_exists"


def test_a_created_job_is_what_was_asked_for(api):
    asked = {"id": "whole", "user_id": "1", "project_id": "p1", "batch_id": "b1", "type": "report", "tags": ["x", "y"],
             "metadata": {"z": 1, "a": {"deep": [1.5, None, "ä"]}}, "throttle": {"min_interval_ms": 250, "min_delta": 1}}
    answer = api.post("/api/v1/jobs", asked)
    assert answer.status == 201
    assert answer.headers["content-type"].startswith("application/json")
    if "location" in answer.headers:
        assert answer.headers["location"].endswith("/api/v1/jobs/whole")
    told = state(api, "whole")
    for key in ("user_id", "project_id", "batch_id", "type", "tags", "metadata"):
        assert told[key] == asked[key]
    assert (told["status"], told["progress"], told["seq"]) == ("queued", 0, 1)


def test_a_user_id_may_be_a_number_as_in_the_token(api, server):
    job = api.create(user_id=31)["job_id"]
    assert server.api(user_token("31")).get(f"/api/v1/jobs/{job}").status == 200


# -------------------------------------------------------------------------------------------------------------- verbs


def test_a_job_from_start_to_end(api, job):
    seqs = [accepted(api.update(job, verb, **body), job)["seq"] for verb, body in [
        ("start", {"message": "off we go"}), ("progress", {"progress": 12.5, "message": "reading"}), ("increment", {"amount": 0.25}),
        ("stage", {"stage": "Drafting", "progress": 50}), ("stage", {"stage": "Polishing"}), ("output", {"chunk": "line 1\n", "type": "stdout"}),
        ("output", {"chunk": "line 2\n"})]]
    assert seqs == [2, 3, 4, 5, 6, 7, 8]
    told = state(api, job)
    assert (told["status"], told["progress"], told["stage"], told["seq"]) == ("running", 50, "Polishing", 8)
    seq = accepted(api.update(job, "heartbeat"), job)["seq"]
    assert seq == 8  # nothing to tell
    assert accepted(api.update(job, "complete", result={"pages": 3}, message="done"), job)["seq"] == 9
    told = state(api, job)
    assert (told["status"], told["progress"], told["result"], told["message"], told["seq"]) == ("completed", 100, {"pages": 3}, "done", 9)

    history = events(api, job)
    assert [event["seq"] for event in history] == list(range(1, 10))
    assert [event["event"] for event in history] == [
        "created", "status", "progress", "progress", "progress", "progress", "output", "output", "completed"]
    assert [event["position"] for event in history] == sorted({event["position"] for event in history})
    assert [event["progress"] for event in history if "progress" in event][1:5] == [0, 12.5, 12.75, 50]


@pytest.mark.parametrize("verb, body, status", [
    ("complete", {}, "completed"), ("fail", {"error": "broke"}, "failed"), ("cancel", {}, "cancelled"), ("block", {}, "blocked")])
def test_the_same_ending_twice_is_one_and_another_is_refused(api, job, verb, body, status):
    first = accepted(api.update(job, verb, **body), job)
    assert accepted(api.update(job, verb, **body), job) == first
    assert state(api, job)["status"] == status
    other = "cancel" if verb != "cancel" else "complete"
    assert api.update(job, other).code == "job_ended"
    assert api.update(job, "progress", progress=1).code == "job_ended"
    assert accepted(api.update(job, verb, **body), job) == first


def test_any_update_starts_a_queued_job_in_the_same_commit(api):
    for verb, body, kinds in [("progress", {"progress": 5}, ["created", "status", "progress"]), ("output", {"chunk": "x"}, ["created", "status", "output"]),
                              ("complete", {}, ["created", "status", "completed"]), ("heartbeat", {}, ["created", "status"])]:
        job = api.create(**UNTHROTTLED)["job_id"]
        last = accepted(api.update(job, verb, **body), job)
        history = events(api, job)
        assert [event["event"] for event in history] == kinds
        assert history[-1]["seq"] == last["seq"] and history[-1]["position"] == last["position"]
        assert history[1]["status"] == "running"


def test_the_bar_never_falls_but_stage_and_message_are_taken(api, job):
    api.update(job, "progress", progress=60)
    accepted(api.update(job, "progress", progress=20, message="second pass", stage="again"), job)
    told = state(api, job)
    assert (told["progress"], told["message"], told["stage"]) == (60, "second pass", "again")


def test_increments_stop_at_100_and_a_failure_freezes_the_bar(api, job):
    for _ in range(3):
        accepted(api.update(job, "increment", amount=40), job)
    assert state(api, job)["progress"] == 100
    other = api.create(**UNTHROTTLED)["job_id"]
    api.update(other, "progress", progress=33.3)
    accepted(api.update(other, "fail", error={"message": "no memory", "code": "oom", "retryable": True}), other)
    told = state(api, other)
    assert (told["status"], told["progress"]) == ("failed", 33.3)
    assert told["error"] == {"message": "no memory", "code": "oom", "retryable": True}


def test_starting_twice_changes_nothing(api, job):
    first = accepted(api.update(job, "start"), job)
    assert accepted(api.update(job, "start"), job) == first


# --------------------------------------------------------------------------------------------------- reading, listing


def test_events_after_a_seq_and_by_pages(api, job):
    for step in range(1, 11):
        api.update(job, "progress", progress=step)
    assert [event["seq"] for event in events(api, job, "?after=10")] == [11, 12]
    assert [event["seq"] for event in events(api, job, "?after=12")] == []
    seen, after = [], 0
    while page := events(api, job, f"?after={after}&limit=5"):
        assert len(page) <= 5
        seen += [event["seq"] for event in page]
        after = seen[-1]
    assert seen == list(range(1, 13))
    event = events(api, job, "?after=2&limit=1")[0]
    assert ISO.fullmatch(event["time"])
    assert (event["status"], event["progress"]) == ("running", 1)


def ids(page):
    return [job["job_id"] for job in page["jobs"]]


def test_lists_are_newest_first_filtered_and_paged(api, server):
    mine = [api.create(user_id="lister", project_id=f"project-{number % 2}", **UNTHROTTLED)["job_id"] for number in range(7)]
    api.update(mine[0], "complete")
    api.update(mine[1], "start")

    def listed(query, who=api):
        answer = who.get(f"/api/v1/jobs?{query}")
        assert answer.status == 200, answer.text
        return answer.json

    newest_first = mine[::-1]
    whole = listed("user_id=lister")
    assert sorted(ids(whole)) == sorted(mine) and not whole.get("next")
    times = [job["created_at"] for job in whole["jobs"]]
    assert times == sorted(times, reverse=True)
    assert ids(listed("user_id=lister&status=completed")) == [mine[0]]
    assert ids(listed("user_id=lister&status=running")) == [mine[1]]
    assert set(ids(listed("user_id=lister&project_id=project-1"))) == {mine[1], mine[3], mine[5]}
    assert ids(listed("user_id=nobody")) == []
    assert set(ids(listed("", server.api(user_token("lister"))))) == set(mine)  # one's own
    assert set(ids(listed("user_id=lister", server.api(user_token("lister"))))) == set(mine)

    seen, cursor = [], ""
    while True:
        page = listed(f"user_id=lister&limit=3&cursor={cursor}")
        assert len(page["jobs"]) <= 3
        seen += ids(page)
        cursor = page.get("next")
        if not cursor:
            break
    assert seen == ids(whole) and len(seen) == len(set(seen)) == len(newest_first)


def test_a_user_reads_what_is_theirs(api, server, job):
    mine = server.api(user_token("1"))
    assert mine.get(f"/api/v1/jobs/{job}").json == state(api, job)
    assert mine.get(f"/api/v1/jobs/{job}/events").status == 200


def test_a_token_with_the_scope_ingest_reports(server):
    worker = server.api(user_token("some-service", scope="ingest"))
    job = worker.create()["job_id"]
    accepted(worker.update(job, "complete"), job)


# ----------------------------------------------------------------------------------------------- throttle, rate limit


def test_a_tick_in_the_window_is_held_and_the_latest_one_wins(api):
    job = api.create(**SLOW)["job_id"]
    accepted(api.update(job, "progress", progress=1), job)
    for step in (2, 3, 4):
        answer = api.update(job, "progress", progress=step)
        assert answer.status == 202 and answer.json == {"job_id": job, "held": True}
    assert state(api, job)["progress"] in (1, 4)
    carried = accepted(api.post(f"/api/v1/jobs/{job}/progress?wait=durable", {"progress": 5, "message": "last"}), job)
    history = events(api, job)
    assert history[-1]["seq"] == carried["seq"] == 4
    assert [event["progress"] for event in history] == [0, 0, 1, 5]
    assert (state(api, job)["progress"], state(api, job)["message"]) == (5, "last")


def test_a_held_tick_is_committed_when_its_window_ends(api):
    job = api.create(throttle={"min_interval_ms": 300})["job_id"]
    accepted(api.update(job, "progress", progress=1), job)
    while api.update(job, "progress", progress=2).status != 202:
        pass
    eventually(lambda: state(api, job)["progress"] == 2 and state(api, job)["seq"] == len(events(api, job)), what="the trailing edge")


@pytest.mark.parametrize("verb, body, kind", [("complete", {}, "completed"), ("fail", {"error": "x"}, "failed"), ("output", {"chunk": "x"}, "output")])
def test_a_fact_first_commits_the_held_tick_then_itself(api, verb, body, kind):
    job = api.create(**SLOW)["job_id"]
    accepted(api.update(job, "progress", progress=1), job)
    assert api.update(job, "progress", progress=77, message="held").status == 202
    accepted(api.update(job, verb, **body), job)
    history = events(api, job)
    assert [event["event"] for event in history] == ["created", "status", "progress", "progress", kind]
    assert history[3]["progress"] == 77 and history[3]["message"] == "held"


def test_held_increments_add_up(api):
    job = api.create(**SLOW)["job_id"]
    for _ in range(5):
        assert api.update(job, "increment", amount=10).status in (200, 202)
    accepted(api.post(f"/api/v1/jobs/{job}/increment?wait=durable", {"amount": 1}), job)
    assert state(api, job)["progress"] == 51


def test_facts_above_the_rate_limit_are_refused_and_ticks_are_not(house):
    server = house.serve(f"sqlite://{house.directory}/headway.db", "--rate_limit.facts_per_second", "1", "--rate_limit.burst", "5")
    api = server.api()
    job, other = api.create()["job_id"], api.create()["job_id"]
    answers = [api.update(job, "output", chunk=f"line {number}\n") for number in range(30)]
    refused = [answer for answer in answers if answer.status != 200]
    assert [answer.status for answer in answers[:5]] == [200] * 5
    assert len(refused) >= 10 and {answer.code for answer in refused} == {"rate_limited"} and {answer.status for answer in refused} == {429}
    assert int(refused[0].headers["retry-after"]) >= 1
    assert all(api.update(job, "progress", progress=step).status in (200, 202) for step in range(1, 30))
    assert api.update(other, "output", chunk="x").status == 200  # each job has its own bucket
    outputs = [event for event in events(api, job) if event["event"] == "output"]
    assert len(outputs) == len(answers) - len(refused)


# -------------------------------------------------------------------------------------------------- what is around it


def test_the_front_door(server):
    api = Api(server.port, None)
    root = api.get("/").json
    assert root["websocket"] == "/socket.io" and root["message"] and root["version"]
    assert api.get("/health").json["status"] == "healthy"
    ready = api.get("/ready")
    assert ready.status == 200
    metrics = api.get("/metrics")
    assert metrics.headers["content-type"].startswith("text/plain")
    for name in ("headway_connections", "headway_rooms", "headway_ingest_requests_total", "headway_commits_total", "headway_commit_batch_size_bucket",
                 "headway_events_delivered_total", "headway_send_queue_bytes"):
        assert f"\n{name}" in metrics.text


def test_stats_as_the_seed_has_them(server, house):
    api = server.api()
    mine = [api.create(**UNTHROTTLED)["job_id"] for _ in range(2)]
    watcher = house.run(Watcher(server, house.logs, "counted", mine, timeout_s=30)).wait_joined()

    def stats():
        return api.get("/websocket/stats").json

    told = eventually(lambda: stats() if stats()["total_connections"] >= 1 else None, what="the connection to be counted")
    assert set(told) >= {"total_connections", "active_job_rooms", "connections"}
    connection = [line for line in told["connections"] if line["watching_jobs"] == 2][0]
    assert set(connection) >= {"sid", "user_id", "connected_at", "watching_jobs"}
    assert len(connection["sid"]) == 8 and connection["user_id"] == "1" and ISO.fullmatch(connection["connected_at"])
    assert told["active_job_rooms"] >= 2
    for job in mine:
        api.update(job, "complete")
    watcher.wait(30)
    eventually(lambda: stats()["total_connections"] == 0 and stats()["active_job_rooms"] == 0, what="the connection to be forgotten")
    check_trace(server.store_url, house.logs)


def test_what_is_not_there_and_what_is_not_allowed(api, job):
    assert api.get("/nowhere").code == "not_found"
    assert api.get("/api/v1/nowhere").code == "not_found"
    for method, path in (("DELETE", f"/api/v1/jobs/{job}"), ("PUT", "/api/v1/jobs"), ("GET", f"/api/v1/jobs/{job}/progress"), ("POST", "/health")):
        answer = api.request(method, path)
        assert (answer.status, answer.code) == (405, "method_not_allowed"), (method, path)
        assert answer.headers.get("allow"), (method, path)


def test_one_connection_serves_many_requests(server, job):
    api = server.api()
    api.get("/health")
    first = api.connection.sock
    for step in range(50):
        assert api.update(job, "progress", progress=step).status == 200
    assert api.update(job, "progress", progress="x").status == 400  # a refusal does not cost the connection
    assert api.get("/health").status == 200
    assert api.connection.sock is first and first is not None


def test_the_client_may_ask_to_close(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    connection.request("GET", "/health", headers={"Connection": "close"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200 and answer.will_close
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as peer:
        peer.sendall(b"GET /health HTTP/1.0\r\n\r\n")
        text = b""
        while more := peer.recv(4096):
            text += more
        assert b" 200 " in text.split(b"\r\n")[0]


def test_pipelined_requests_are_answered_in_order(server, job):
    def post(step):
        body = b'{"progress":%d}' % step
        return (f"POST /api/v1/jobs/{job}/progress HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    get = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        peer.sendall(b"".join(post(step) + get for step in range(1, 21)))
        reader = peer.makefile("rb")
        seqs = []
        for _ in range(20):
            for wanted in ("seq", "status"):
                status, body = read_answer(reader)
                assert status == 200 and wanted in body, body
                if wanted == "seq":
                    seqs.append(body["seq"])
    assert seqs == list(range(3, 23))


def read_answer(reader):
    status, length = int(reader.readline().split()[1]), 0
    while (line := reader.readline().strip()):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, json.loads(reader.read(length))


def test_a_request_that_comes_in_drops(server, job):
    body = b'{"progress":5}'
    data = (f"POST /api/v1/jobs/{job}/progress HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\n"
            f"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n").encode() + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            peer.sendall(bytes([byte]))
            time.sleep(0.0005)  # so that they do not arrive as one
        status, answer = read_answer(peer.makefile("rb"))
    assert status == 200 and answer["job_id"] == job
