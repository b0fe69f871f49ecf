"""Bad input: each a clear error, nothing written, nobody else disturbed."""

import json
import socket
import subprocess

import jwt
import pytest
from harness import HERE, Api, Watcher, check_trace, log_head, sub_environment, user_token

BYSTANDER = "bystander"
NONE_TOKEN = jwt.encode({"sub": "1", "exp": 4_000_000_000}, None, "none")


@pytest.fixture(scope="module")
def server(module_house):
    """With a running job, an ended one, and a watcher that must notice nothing of all this."""
    server = module_house.serve(f"sqlite://{module_house.directory}/headway.db")
    api = server.api()
    api.create(id=BYSTANDER)
    api.create(id="running")
    api.update("running", "progress", progress=10)
    api.create(id="ended")
    api.update("ended", "complete")
    api.create(id="other", user_id="2")
    watcher = module_house.run(Watcher(server, module_house.logs, "bystander", [BYSTANDER], timeout_s=300)).wait_joined()
    yield server
    assert len(watcher.events("connected")) == 1
    assert api.update(BYSTANDER, "progress", progress=50).status == 200
    assert api.update(BYSTANDER, "complete").status == 200
    watcher.wait(30)
    assert [data["progress"] for _, data in watcher.events("job_update")] == [0, 0, 50, 100]
    assert server.metric("headway_actors_lost") == 0
    assert [line for line in server.log_lines() if line["level"] == "error"] == []
    check_trace(server.store_url, module_house.logs)


@pytest.fixture(autouse=True)
def nothing_is_written(server):
    before = log_head(server.store_url)
    yield
    assert log_head(server.store_url) == before
    assert server.api().get("/health").status == 200


@pytest.fixture
def api(server):
    api = server.api()
    yield api
    api.close()


def refused(answer, status, *codes):
    assert (answer.status, answer.code) in [(status, code) for code in codes], (answer.status, answer.text[:500])
    problem = answer.json
    assert problem["title"] and "type" in problem


# ------------------------------------------------------------------------------------------------------------ jobs


@pytest.mark.parametrize("method, path, body", [
    ("GET", "/api/v1/jobs/unknown", None),
    ("GET", "/api/v1/jobs/unknown/events", None),
    ("POST", "/api/v1/jobs/unknown/progress", {"progress": 1}),
    ("POST", "/api/v1/jobs/unknown/start", {}),
    ("POST", "/api/v1/jobs/unknown/heartbeat", {}),
    ("POST", "/api/v1/jobs/unknown/complete", {}),
])
def test_an_unknown_job(api, method, path, body):
    refused(api.request(method, path, body), 404, "not_found")


@pytest.mark.parametrize("path", ["", "/events"])
def test_a_job_of_another_user_looks_like_an_unknown_one(server, path):
    api = server.api(user_token("1"))
    theirs, unknown = api.get(f"/api/v1/jobs/other{path}"), api.get(f"/api/v1/jobs/vapor{path}")
    refused(theirs, 404, "not_found")
    assert theirs.status == unknown.status
    assert theirs.text.replace("other", "ID") == unknown.text.replace("vapor", "ID")
    quiet = {"date"}
    assert {k: v for k, v in theirs.headers.items() if k not in quiet} == {k: v for k, v in unknown.headers.items() if k not in quiet}
    assert server.api(user_token("2")).get(f"/api/v1/jobs/other{path}").status == 200


def test_nobody_lists_the_jobs_of_another_user(server):
    answer = server.api(user_token("1")).get("/api/v1/jobs?user_id=2")
    assert answer.status in (200, 403, 404)
    assert "other" not in answer.text
    assert "other" not in [job.get("job_id", job.get("id")) for job in server.api(user_token("1")).get("/api/v1/jobs").json["jobs"]]


@pytest.mark.parametrize("verb, body", [
    ("start", {}), ("progress", {"progress": 20}), ("increment", {"amount": 1}), ("stage", {"stage": "late"}), ("output", {"chunk": "late"}),
    ("fail", {"error": "late"}), ("cancel", {}), ("block", {"error": "late"}), ("heartbeat", {}),
])
def test_an_update_after_the_end(api, verb, body):
    refused(api.update("ended", verb, **body), 409, "job_ended")


def test_a_job_that_exists(api):
    refused(api.post("/api/v1/jobs", {"id": "running", "user_id": "1"}), 409, "job_exists")


# --------------------------------------------------------------------------------------------------------- progress


@pytest.mark.parametrize("body, status, codes", [
    (b'{"progress": -1}', 422, ["out_of_range"]),
    (b'{"progress": -0.001}', 422, ["out_of_range"]),
    (b'{"progress": 101}', 422, ["out_of_range"]),
    (b'{"progress": 100.5}', 422, ["out_of_range"]),
    (b'{"progress": "x"}', 400, ["invalid_field"]),
    (b'{"progress": "50"}', 400, ["invalid_field"]),
    (b'{"progress": null}', 400, ["invalid_field"]),
    (b'{"progress": true}', 400, ["invalid_field"]),
    (b'{"progress": [50]}', 400, ["invalid_field"]),
    (b'{}', 400, ["invalid_field"]),
    (b'{"progress": 1e999}', 400, ["bad_json"]),
    (b'{"progress": NaN}', 400, ["bad_json"]),
    (b'{"progress": 50, "message": 5}', 400, ["invalid_field"]),
    (b'{"progress": 50, "stage": {}}', 400, ["invalid_field"]),
])
def test_a_progress_that_is_none(api, body, status, codes):
    refused(api.post("/api/v1/jobs/running/progress", raw=body), status, *codes)


@pytest.mark.parametrize("verb, body, status, code", [
    ("increment", {}, 400, "invalid_field"),
    ("increment", {"amount": -1}, 422, "out_of_range"),
    ("increment", {"amount": 101}, 422, "out_of_range"),
    ("increment", {"amount": "x"}, 400, "invalid_field"),
    ("stage", {}, 400, "invalid_field"),
    ("stage", {"stage": 5}, 400, "invalid_field"),
    ("stage", {"stage": "x", "progress": 101}, 422, "out_of_range"),
    ("output", {}, 400, "invalid_field"),
    ("output", {"chunk": 5}, 400, "invalid_field"),
    ("fail", {"error": 5}, 400, "invalid_field"),
    ("fail", {"error": {"message": 5}}, 400, "invalid_field"),
    ("complete", {"message": []}, 400, "invalid_field"),
])
def test_a_verb_that_misses_its_value(api, verb, body, status, code):
    refused(api.update("running", verb, **body), status, code)


def test_an_unknown_verb(api):
    refused(api.update("running", "explode"), 404, "not_found")


# ------------------------------------------------------------------------------------------------------------- bodies


@pytest.mark.parametrize("path", ["/api/v1/jobs", "/api/v1/jobs/running/progress"])
@pytest.mark.parametrize("body, status, codes", [
    (b"", 400, ["bad_json", "invalid_field"]),
    (b"{", 400, ["bad_json"]),
    (b'{"progress": 50', 400, ["bad_json"]),
    (b'{"progress": 50} x', 400, ["bad_json"]),
    (b'{"progress": 50, "progress": 60}', 400, ["bad_json"]),
    (b"progress=50", 400, ["bad_json"]),
    (b'{"progress": 50, "message": "\xff\xfe"}', 400, ["bad_json"]),
    (b'{"progress": 50, "message": "\xc0\x80"}', 400, ["bad_json"]),
    (b'{"progress": 50, "message": "\xed\xa0\x80"}', 400, ["bad_json"]),
    (b'{"progress": 50, "message": "\\ud800"}', 400, ["bad_json"]),
    (b'{"progress": 50, "message": "\\u0000"}', 400, ["bad_json"]),
    (b"[" * 100_000 + b"]" * 100_000, 400, ["json_limit"]),
    (b'{"a":' * 40_000 + b"1" + b"}" * 40_000, 400, ["json_limit"]),
    (b"[" * 100_000, 400, ["json_limit", "bad_json"]),
    (b"[]", 400, ["invalid_field", "bad_request"]),
    (b'"progress"', 400, ["invalid_field", "bad_request"]),
    (b"null", 400, ["invalid_field", "bad_request"]),
    (b'{"progress": 50, "message": "' + b"x" * 200_000 + b'"}', 400, ["json_limit"]),
], ids=lambda value: str(value[:24]) if isinstance(value, bytes) else None)
def test_a_body_that_is_none(api, path, body, status, codes):
    refused(api.post(path, raw=body), status, *codes)


def exchange(server, data, parts=1):
    """Sends bytes over a connection of its own and reads until the server closes or `parts` answers came."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as peer:
        try:
            peer.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has answered and closed before it took all
        answer = b""
        while answer.count(b"HTTP/1.1 ") < parts or b"}" not in answer:
            try:
                more = peer.recv(65536)
            except ConnectionResetError:
                break
            if not more:
                break
            answer += more
    return answer.decode()


def head(server, length=None, path="/api/v1/jobs/running/progress", content_type="application/json", extra=""):
    size = f"Content-Length: {length}\r\n" if length is not None else ""
    return (f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {server.key}\r\nContent-Type: {content_type}\r\n{size}{extra}\r\n").encode()


def test_a_body_that_announces_too_much(server):
    answer = exchange(server, head(server, 10**9))
    assert answer.startswith("HTTP/1.1 413 ") and '"payload_too_large"' in answer


def test_a_body_that_is_too_much(server):
    body = b'{"progress":1,"message":"' + b"x" * 8_000_000 + b'"}'
    answer = exchange(server, head(server, len(body)) + body)
    assert answer == "" or answer.startswith("HTTP/1.1 413 ")  # "": reset while still sending


def test_chunks_that_grow_too_much(server):
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    answer = exchange(server, head(server, extra="Transfer-Encoding: chunked\r\n") + chunk * 200)
    assert answer == "" or answer.startswith("HTTP/1.1 413 ")


@pytest.mark.parametrize("headers", [{"Content-Type": "text/plain"}, {"Content-Type": "application/x-www-form-urlencoded"},
                                     {"Content-Type": "application/jsonx"}, {"Content-Encoding": "gzip"}, {"Content-Type": None}])
def test_another_content_type(api, headers):
    refused(api.post("/api/v1/jobs/running/progress", {"progress": 50}, headers=headers), 415, "unsupported_media_type")


@pytest.mark.parametrize("request_text", ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n",
                                          "GET / HTTP/1.1\r\nHost: x\r\n" + "X-Long: " + "x" * 100_000 + "\r\n\r\n",
                                          "GET /" + "x" * 100_000 + " HTTP/1.1\r\nHost: x\r\n\r\n"], ids=range(5))
def test_what_is_no_http(server, request_text):
    answer = exchange(server, request_text.encode("latin-1"))
    assert answer == "" or answer.startswith("HTTP/1.1 4") or answer.startswith("HTTP/1.1 505")


# ---------------------------------------------------------------------------------------------------------------- ids


@pytest.mark.parametrize("job", ["a/b", "../x", "x" * 200, "x" * 129, "", "a b", "ä", "a\nb", "<b>", -1, 2**53, 1.5, 1e300, True, [], {}])
def test_an_id_that_is_none(api, job):
    refused(api.post("/api/v1/jobs", {"id": job, "user_id": "1"}), 400, "invalid_job_id")


@pytest.mark.parametrize("path", ["a%2Fb", "a/b", "x" * 200, "%00", "%ff", "%zz", "..%2f..%2fetc", "a%20b"])
def test_a_path_with_an_id_that_is_none(api, path):
    for verb, method in (("", "GET"), ("/events", "GET"), ("/progress", "POST")):
        answer = api.request(method, f"/api/v1/jobs/{path}{verb}", {"progress": 1} if method == "POST" else None)
        assert (answer.status, answer.code) in [(400, "invalid_job_id"), (400, "bad_request"), (404, "not_found"), (405, "method_not_allowed")], answer.text


@pytest.mark.parametrize("body", [{}, {"user_id": None}, {"user_id": ""}, {"user_id": []}, {"user_id": "1", "tags": "x"}, {"user_id": "1", "tags": [1]},
                                  {"user_id": "1", "metadata": []}, {"user_id": "1", "type": 5}, {"user_id": "1", "throttle": 5},
                                  {"user_id": "1", "throttle": {"min_interval_ms": "x"}}, {"user_id": "1", "project_id": {}}])
def test_a_job_with_a_wrong_field(api, body):
    answer = api.post("/api/v1/jobs", {"id": "fresh", **body})
    assert answer.status in (400, 422) and answer.code in ("invalid_field", "out_of_range"), answer.text


@pytest.mark.parametrize("query", ["status=nope", "limit=x", "limit=-1", "cursor=nonsense", "cursor=%00"])
def test_a_list_asked_for_wrongly(api, query):
    answer = api.get(f"/api/v1/jobs?{query}")
    assert answer.status in (400, 422) and answer.code in ("bad_request", "invalid_field", "out_of_range"), answer.text


@pytest.mark.parametrize("query", ["after=x", "after=-1", "limit=x"])
def test_events_asked_for_wrongly(api, query):
    answer = api.get(f"/api/v1/jobs/running/events?{query}")
    assert answer.status in (400, 422) and answer.code in ("bad_request", "invalid_field", "out_of_range"), answer.text


# ------------------------------------------------------------------------------------------------------------- tokens

BAD_TOKENS = {
    "nonsense": ("nonsense", "auth_invalid"),
    "dots": ("a.b.c", "auth_invalid"),
    "unknown key": ("hw_" + "0" * 64, "auth_invalid"),
    "other secret": (user_token(secret="another-secret-of-more-than-32-bytes!"), "auth_invalid"),
    "algorithm none": (NONE_TOKEN, "auth_invalid"),
    "algorithm none, signed": (NONE_TOKEN + user_token().rsplit(".", 1)[1], "auth_invalid"),
    "another algorithm": (jwt.encode({"sub": "1", "exp": 4_000_000_000}, "end-to-end-secret-of-more-than-32-bytes" * 2, "HS512"), "auth_invalid"),
    "no exp": (jwt.encode({"sub": "1"}, "end-to-end-secret-of-more-than-32-bytes", "HS256"), "auth_invalid"),
    "no sub": (jwt.encode({"exp": 4_000_000_000}, "end-to-end-secret-of-more-than-32-bytes", "HS256"), "auth_invalid"),
    "expired": (user_token(seconds=-60), "auth_expired"),
    "cut": (user_token()[:-5], "auth_invalid"),
    "too long": ("x" * 7000, "auth_invalid"),
}


@pytest.mark.parametrize("which", BAD_TOKENS)
def test_a_bad_token_over_http(server, which):
    token, code = BAD_TOKENS[which]
    for method, path in (("GET", "/api/v1/jobs/running"), ("POST", "/api/v1/jobs/running/progress"), ("GET", "/websocket/stats"), ("POST", "/api/v1/jobs")):
        answer = Api(server.port, token).request(method, path, {"progress": 50} if method == "POST" else None)
        refused(answer, 401, code)
        assert answer.headers["www-authenticate"].startswith("Bearer")


def test_no_token(server):
    api = Api(server.port, None)
    for method, path in (("GET", "/api/v1/jobs/running"), ("GET", "/api/v1/jobs"), ("POST", "/api/v1/jobs/running/progress"), ("POST", "/api/v1/jobs"),
                         ("GET", "/websocket/stats")):
        refused(api.request(method, path, {"progress": 50} if method == "POST" else None), 401, "auth_missing")
    refused(api.get("/api/v1/jobs/running", headers={"Authorization": "Basic dXNlcjpwYXNz"}), 401, "auth_missing", "auth_invalid")


def test_a_user_writes_nothing(server):
    api = server.api(user_token("1"))
    refused(api.post("/api/v1/jobs", {"id": "mine", "user_id": "1"}), 403, "forbidden")
    for verb in ("start", "progress", "increment", "stage", "output", "complete", "fail", "cancel", "block", "heartbeat"):
        body = {"progress": 50, "amount": 1, "stage": "x", "chunk": "x", "error": "x"}
        refused(api.post(f"/api/v1/jobs/running/{verb}", body), 403, "forbidden")
        refused(api.post(f"/api/v1/jobs/vapor/{verb}", body), 403, "forbidden")  # also where there is no such job


# ---------------------------------------------------------------------------------------------------------- Socket.IO


def ask(server, auth, *emits, answers=0, transport="websocket"):
    """What a stock client is told: {"connected", "connect_error", "events"}; it waits for so many answers."""
    config = {"url": server.url, "auth": auth, "emits": emits, "answers": answers, "transport": transport}
    done = subprocess.run(["node", str(HERE / "ask.mjs"), json.dumps(config)], env=sub_environment(), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("transport", ["websocket", "polling"])
@pytest.mark.parametrize("which", ["nonsense", "algorithm none", "expired", "unknown key", "too long"])
def test_a_bad_token_over_socketio(server, which, transport):
    token, code = BAD_TOKENS[which]
    told = ask(server, {"token": token}, transport=transport)
    assert not told["connected"] and told["connect_error"]["message"] and told["connect_error"]["data"]["code"] == code


@pytest.mark.parametrize("auth", [{}, None, {"token": ""}, {"token": None}, {"token": 5}, {"token": {}}, {"token": []}])
def test_no_token_over_socketio(server, auth):
    told = ask(server, auth)
    assert not told["connected"] and told["connect_error"]["data"]["code"] in ("auth_missing", "auth_invalid")


def join_error(told):
    assert told["connected"]
    return [data for name, data in told["events"] if name == "error"]


def test_a_job_of_another_user_cannot_be_joined_and_looks_like_an_unknown_one(server):
    told = ask(server, {"token": user_token("1")}, ["join_job", {"job_id": "other"}], ["join_job", {"job_id": "vapor"}], answers=2)
    theirs, unknown = sorted(join_error(told), key=lambda data: data["message"])
    assert theirs["message"] == "Job other not found or access denied" and unknown["message"] == "Job vapor not found or access denied"
    assert {**theirs, "message": "", "seq": 0} == {**unknown, "message": "", "seq": 0}
    assert not [name for name, _ in told["events"] if name.startswith("job_")]


@pytest.mark.parametrize("args, message", [
    ([], "job_id is required"), ([None], "job_id is required"), ([{}], "job_id is required"), (["x"], "job_id is required"),
    ([{"job_id": None}], "job_id is required"), ([{"job_id": ""}], "job_id is required"),
    ([{"job_id": 424242}], "Job 424242 not found or access denied"), ([{"job_id": -1}], None), ([{"job_id": 1.5}], None),
    ([{"job_id": "a/b"}], None), ([{"job_id": "x" * 200}], None), ([{"job_id": []}], None), ([{"job_id": {}}], None), ([{"job_id": True}], None),
])
def test_a_join_that_asks_for_nothing(server, args, message):
    told = ask(server, {"token": user_token("1")}, ["join_job", *args], answers=1)
    errors = join_error(told)
    assert len(errors) == 1 and isinstance(errors[0]["message"], str)
    assert message is None or errors[0]["message"] == message


def test_leaving_what_was_not_joined_and_unknown_events_harm_nobody(server):
    told = ask(server, {"token": user_token("1")}, ["leave_job", {"job_id": "other"}], ["leave_job", {}], ["nonsense", 1, 2, 3], ["join_room"],
               ["join_job", {"job_id": BYSTANDER}], answers=2)  # one is for the empty leave_job
    assert "job_status" in [name for name, _ in told["events"]]
