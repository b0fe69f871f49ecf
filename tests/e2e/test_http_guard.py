"""The HTTP edge: what is no request, is too much of one or too slow is refused, and nothing hides behind it."""

import json
import time

import pytest
from harness import PATIENCE, eventually
from raw import SOCKETIO_WEBSOCKET, Bystander, Raw, ask, exchange, is_sound, limit, request

PAGE, STRANGER = "https://pages.example", "https://evil.example"


def serve(house, **settings):
    env = {f"HEADWAY_{name}": str(value) for name, value in settings.items()}
    server = house.serve(f"sqlite://{house.directory}/headway-{len(house.servers)}.db", env=env)
    for job in ("target", "bystander"):
        server.api().create(id=job)
    return server


@pytest.fixture(scope="module")
def server(module_house):
    server = serve(module_house, FRONTEND_URL=PAGE)
    bystander = Bystander(server, "bystander")
    yield server
    bystander.misses_nothing()
    bystander.close()
    is_sound(server)


@pytest.fixture(autouse=True)
def nothing_is_executed(server):
    yield
    assert server.api().get("/api/v1/jobs/target").json["progress"] == 0
    assert server.api().get("/health").status == 200


def behind(server):
    """A request that would do something."""
    return request("POST", "/api/v1/jobs/target/progress", {"progress": 88}, server.key)


def is_refused_and_closed(server, data, status, code=None):
    """One answer, then the end; what stands behind is neither answered nor executed."""
    answers = exchange(server, data)
    assert [answer.status for answer in answers] == [status], answers
    assert code is None or answers[0].code == code
    assert answers[0].headers["connection"] == "close"
    return answers[0]


# -------------------------------------------------------------------------------------------------------------- framing

HEAD = "POST /api/v1/jobs/target/progress HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer KEY\r\nContent-Type: application/json\r\n"
BODY = '{"progress": 77}'
CHUNKS = f"{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n"
LENGTH = f"Content-Length: {len(BODY)}\r\n"

AMBIGUOUS = {
    "gzip and a length": HEAD + "Transfer-Encoding: gzip\r\n" + LENGTH + "\r\n" + BODY,
    "chunked, gzip": HEAD + "Transfer-Encoding: chunked, gzip\r\n\r\n" + CHUNKS,
    "gzip, chunked": HEAD + "Transfer-Encoding: gzip, chunked\r\n\r\n" + CHUNKS,
    "gzip": HEAD + "Transfer-Encoding: gzip\r\n\r\n" + CHUNKS,
    "xchunked": HEAD + "Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS,
    "chunked twice": HEAD + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunked in HTTP/1.0": HEAD.replace("HTTP/1.1", "HTTP/1.0") + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "chunked and a length": HEAD + LENGTH + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS,
    "a length and chunked": HEAD + "Transfer-Encoding: chunked\r\n" + LENGTH + "\r\n" + CHUNKS,
    "two lengths": HEAD + LENGTH + "Content-Length: 5\r\n\r\n" + BODY,
    "a length twice": HEAD + LENGTH + LENGTH + "\r\n" + BODY,
    "two lengths in one": HEAD + f"Content-Length: {len(BODY)}, {len(BODY)}\r\n\r\n" + BODY,
    "a signed length": HEAD + f"Content-Length: +{len(BODY)}\r\n\r\n" + BODY,
    "a negative length": HEAD + "Content-Length: -1\r\n\r\n" + BODY,
    "a length in hex": HEAD + "Content-Length: 0x10\r\n\r\n" + BODY,
    "two hosts": HEAD + "Host: y\r\n" + LENGTH + "\r\n" + BODY,
    "no host": HEAD.replace("Host: x\r\n", "") + LENGTH + "\r\n" + BODY,
    "an empty host": HEAD.replace("Host: x\r\n", "Host:\r\n") + LENGTH + "\r\n" + BODY,
    "two origins": HEAD + f"Origin: {PAGE}\r\nOrigin: {STRANGER}\r\n" + LENGTH + "\r\n" + BODY,
    "two tokens": HEAD + "Authorization: Bearer other\r\n" + LENGTH + "\r\n" + BODY,
    "a folded header": HEAD + "X-Folded: a\r\n b\r\n" + LENGTH + "\r\n" + BODY,
    "a folded length": HEAD + f"Content-Length:\r\n {len(BODY)}\r\n\r\n" + BODY,
    "a bare LF": HEAD + "X-A: a\nX-B: b\r\n" + LENGTH + "\r\n" + BODY,
    "a bare CR": HEAD + "X-A: a\rX-B: b\r\n" + LENGTH + "\r\n" + BODY,
    "a blank before the colon": HEAD + f"Content-Length : {len(BODY)}\r\n\r\n" + BODY,
    "a blank in a name": HEAD + "X A: a\r\n" + LENGTH + "\r\n" + BODY,
    "no colon": HEAD + "nonsense\r\n" + LENGTH + "\r\n" + BODY,
    "no name": HEAD + ": a\r\n" + LENGTH + "\r\n" + BODY,
    "NUL in a value": HEAD + "X-A: a\0b\r\n" + LENGTH + "\r\n" + BODY,
    "NUL in a name": HEAD + "X-\0A: a\r\n" + LENGTH + "\r\n" + BODY,
    "another version": HEAD.replace("HTTP/1.1", "HTTP/2.0") + LENGTH + "\r\n" + BODY,
    "a whole URL": HEAD.replace("/api", "http://x/api", 1) + LENGTH + "\r\n" + BODY,
    "a chunk that is none": HEAD + "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + BODY + "\r\n0\r\n\r\n",
    "a chunk with a sign": HEAD + f"Transfer-Encoding: chunked\r\n\r\n-{len(BODY):x}\r\n{BODY}\r\n0\r\n\r\n",
    "a chunk longer than it says": HEAD + f"Transfer-Encoding: chunked\r\n\r\n5\r\n{BODY}\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("which", AMBIGUOUS)
def test_a_request_that_two_readers_read_differently(server, which):
    first = AMBIGUOUS[which].replace("KEY", server.key).encode("latin-1")
    is_refused_and_closed(server, first + behind(server), 400, "bad_request")


def test_a_trailer_is_no_header(server):
    trailed = (f"POST /api/v1/jobs/target/progress HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
               f"Trailer: Authorization\r\nConnection: close\r\n\r\n{len(BODY):x}\r\n{BODY}\r\n0\r\nAuthorization: Bearer {server.key}\r\n\r\n")
    answers = exchange(server, trailed.encode())
    assert [(answer.status, answer.code) for answer in answers] == [(401, "auth_missing")]


# --------------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize("name, extra, path, status, code", [
    ("http.head_bytes_max", {"X_Long": "x" * 9000}, "/health", 431, "header_too_large"),
    ("http.headers_max", {f"X_{n}": "1" for n in range(70)}, "/health", 431, "header_too_large"),
    ("http.target_bytes_max", {}, "/health?" + "x" * 5000, 414, "uri_too_long"),
], ids=["head", "headers", "target"])
def test_a_head_beyond_its_limits(server, name, extra, path, status, code):
    before = limit(server, name)
    is_refused_and_closed(server, request("GET", path, **extra) + behind(server), status, code)
    assert limit(server, name) == before + 1


def test_heads_just_within_their_limits(server):
    assert ask(server, "GET", "/health", X_Long="x" * 8000).status == 200
    assert ask(server, "GET", "/health", **{f"X_{n}": "1" for n in range(63)}).status == 200
    assert ask(server, "GET", "/health?" + "x" * (4096 - len("/health?"))).status == 200


def test_a_head_without_an_end(server):
    before = limit(server, "http.head_bytes_max")
    is_refused_and_closed(server, b"GET / HTTP/1.1\r\nX-Long: " + b"x" * 20_000, 431, "header_too_large")
    assert limit(server, "http.head_bytes_max") == before + 1


@pytest.mark.parametrize("length", [262_145, 10**9, 10**18])
def test_a_body_that_is_told_to_be_too_long_is_not_read(server, length):
    before = limit(server, "http.body_bytes_max")
    head = HEAD.replace("KEY", server.key) + f"Content-Length: {length}\r\n\r\n"
    begin = time.monotonic()
    is_refused_and_closed(server, head.encode(), 413, "payload_too_large")  # of the body not a byte is sent
    assert time.monotonic() - begin < 8 * PATIENCE
    assert limit(server, "http.body_bytes_max") == before + 1


def test_chunks_that_become_too_long(server):
    before = limit(server, "http.body_bytes_max")
    head = HEAD.replace("KEY", server.key) + "Transfer-Encoding: chunked\r\n\r\n"
    answers = exchange(server, head.encode() + (b"10000\r\n" + b" " * 0x10000 + b"\r\n") * 5)
    assert [answer.status for answer in answers] in ([413], [])  # reset while still sending
    eventually(lambda: limit(server, "http.body_bytes_max") == before + 1, what="the metric")


def test_a_chunk_with_a_long_extension(server):
    head = HEAD.replace("KEY", server.key) + "Transfer-Encoding: chunked\r\n\r\n"
    for size in (2_000, 1_000_000):
        answers = exchange(server, head.encode() + b"10;x=" + b"y" * size + b"\r\n" + BODY.encode() + b"\r\n0\r\n\r\n" + behind(server))
        assert [answer.status for answer in answers] in ([400], []), answers  # reset while still sending


def test_a_compressed_body(server):
    for encoding in ("gzip", "deflate", "br"):
        answer = ask(server, "POST", "/api/v1/jobs/target/progress", {"progress": 77}, server.key, Content_Encoding=encoding)
        assert (answer.status, answer.code) == (415, "unsupported_media_type")


# -------------------------------------------------------------------------------------------------------------- methods


@pytest.mark.parametrize("method", ["TRACE", "BREW", "PROPFIND", "get", "X" * 32])
def test_an_unknown_method(server, method):
    answer = ask(server, method, "/api/v1/jobs/target", token=server.key, X_Secret="echo")
    assert answer.status in (400, 405, 501) and "echo" not in answer.text


@pytest.mark.parametrize("target", ["x:443", "/", "/api/v1/jobs/target"])
def test_no_tunnel(server, target):
    with Raw(server) as peer:
        peer.send(request("CONNECT", target, token=server.key))
        assert peer.answer().status in (400, 405, 501)


# ----------------------------------------------------------------------------------------------------------- pipelining


@pytest.mark.parametrize("requests", [17, 100])
def test_pipelined_requests_are_answered_in_order(server, requests):
    with Raw(server) as peer:
        peer.send(b"".join(request("GET", f"/api/v1/jobs/unknown-{n}" if n % 2 else "/health", token=server.key) for n in range(requests)))
        for n in range(requests):
            answer = peer.answer()
            assert answer.status == (404 if n % 2 else 200)
            assert n % 2 == 0 or f"unknown-{n}" in answer.text or answer.code == "not_found"


def test_pipelined_updates_take_effect_in_order(server):
    server.api().create(id="pipelined")
    with Raw(server) as peer:
        peer.send(b"".join(request("POST", "/api/v1/jobs/pipelined/output", {"chunk": f"<{n}>"}, server.key) for n in range(40)))
        assert [peer.answer().status for _ in range(40)] == [200] * 40
    events = json.dumps(server.api().get("/api/v1/jobs/pipelined/events").json)
    assert sorted(range(40), key=lambda n: events.index(f"<{n}>")) == list(range(40))


HANDSHAKE = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13", "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA=="}


@pytest.mark.parametrize("path, extra, status", [
    ("/ws", {"Origin": STRANGER}, 403),
    (SOCKETIO_WEBSOCKET, {"Origin": STRANGER}, 403),
    (SOCKETIO_WEBSOCKET.replace("EIO=4", "EIO=3"), {}, 400),
    (SOCKETIO_WEBSOCKET + "&sid=unknown", {}, 400),
    ("/api/v1/jobs/target", {}, 404),
    ("/nowhere", {}, 404),
])
def test_behind_a_refused_upgrade_nothing_runs(server, path, extra, status):
    is_refused_and_closed(server, request("GET", path, **HANDSHAKE, **extra) + behind(server), status)


def test_behind_a_last_request_nothing_runs(server):
    is_refused_and_closed(server, request("GET", "/health", Connection="close") + behind(server), 200)


# ----------------------------------------------------------------------------------------------------------------- CORS


def cors(answer):
    return {name: value for name, value in answer.headers.items() if name.startswith("access-control-")}


def test_a_listed_page_may_ask(server):
    answer = ask(server, "OPTIONS", "/api/v1/jobs/target", Origin=PAGE, Access_Control_Request_Method="GET",
                 Access_Control_Request_Headers="authorization")
    assert answer.status == 204
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "GET" in answer.headers["access-control-allow-methods"]
    assert answer.headers["access-control-allow-headers"] == "authorization"


@pytest.mark.parametrize("path, token, status", [("/api/v1/jobs/target", True, 200), ("/api/v1/jobs/target", False, 401),
                                                 ("/api/v1/jobs/unknown", True, 404), ("/socket.io/?EIO=3&transport=polling", False, 400),
                                                 ("/socket.io/?EIO=4&transport=polling", False, 200)])
def test_answers_and_errors_are_readable_by_a_listed_page_alone(server, path, token, status):
    listed = ask(server, "GET", path, token=server.key if token else None, Origin=PAGE)
    assert (listed.status, listed.headers.get("access-control-allow-origin")) == (status, PAGE)
    assert "Origin" in listed.headers["vary"]
    stranger = ask(server, "GET", path, token=server.key if token else None, Origin=STRANGER)
    assert cors(stranger) == {}


def test_a_strange_page_may_not_ask(server):
    for origin in (STRANGER, PAGE + ".evil.example", PAGE.upper(), PAGE + ":8443", "http://pages.example", "null"):
        answer = ask(server, "OPTIONS", "/api/v1/jobs/target", Origin=origin, Access_Control_Request_Method="POST")
        assert cors(answer) == {}


# ------------------------------------------------------------------------------------------------------------ deadlines


@pytest.fixture(scope="module")
def hurried(module_house):
    server = serve(module_house, HTTP_HEAD_TIMEOUT_MS=500, HTTP_BODY_TIMEOUT_MS=700, HTTP_IDLE_TIMEOUT_MS=900)
    bystander = Bystander(server, "bystander")
    yield server
    bystander.misses_nothing()
    bystander.close()
    is_sound(server)


def trickle(peer, data, seconds):
    """Sends a byte every 50 ms until an answer comes."""
    begin = time.monotonic()
    for byte in data:
        if peer.is_readable(0.05):
            return time.monotonic() - begin
        peer.send(bytes([byte]))
        assert time.monotonic() - begin < seconds * PATIENCE
    raise AssertionError("took it all")


def test_a_head_that_trickles(hurried):
    before = limit(hurried, "http.head_timeout_ms")
    with Raw(hurried) as peer:
        assert 0.4 < trickle(peer, b"GET /health HTTP/1.1\r\nX-Slow: " + b"x" * 1000, 5)
        answers = peer.answers()
        assert [(answer.status, answer.code) for answer in answers] == [(408, "request_timeout")]
    assert limit(hurried, "http.head_timeout_ms") == before + 1


def test_a_second_head_that_trickles(hurried):
    with Raw(hurried) as peer:
        peer.send(request("GET", "/health"))
        assert peer.answer().status == 200
        assert 0.4 < trickle(peer, b"GET /health HTTP/1.1\r\nX-Slow: " + b"x" * 1000, 5)
        assert [answer.status for answer in peer.answers()] == [408]


@pytest.mark.parametrize("framing", ["Content-Length: 1000", "Transfer-Encoding: chunked"])
def test_a_body_that_trickles(hurried, framing):
    before = limit(hurried, "http.body_timeout_ms")
    with Raw(hurried) as peer:
        peer.send((HEAD.replace("KEY", hurried.key) + framing + "\r\n\r\n").encode() + (b"3e8\r\n" if "chunked" in framing else b""))
        assert 0.5 < trickle(peer, b"{" + b" " * 1000, 5)
        answers = peer.answers()
        assert [(answer.status, answer.code) for answer in answers] == [(408, "request_timeout")]
    assert limit(hurried, "http.body_timeout_ms") == before + 1


def test_an_idle_connection_is_closed(hurried):
    with Raw(hurried) as silent, Raw(hurried) as idle:
        begin = time.monotonic()
        idle.send(request("GET", "/health"))
        assert idle.answer().status == 200
        idle.wait_end()
        assert 0.8 < time.monotonic() - begin < 8 * PATIENCE
        silent.wait_end()
        assert idle.come == silent.come == b""  # without a word


def test_a_body_slower_than_the_least_rate(module_house):
    server = serve(module_house, HTTP_BODY_BYTES_PER_SECOND_MIN=1000, HTTP_BODY_TIMEOUT_MS=60_000)
    with Raw(server) as peer:
        begin = time.monotonic()
        peer.send((HEAD.replace("KEY", server.key) + "Content-Length: 1000\r\n\r\n{").encode())
        answers = peer.answers()  # 5 s are free, and 1000 bytes may take 1 s
        assert [answer.status for answer in answers] == [408]
        assert 5 < time.monotonic() - begin < 20 * PATIENCE
    is_sound(server)
