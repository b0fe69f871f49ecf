"""Engine.IO 4 as it goes over the wire: handshake, polling, WebSocket, heartbeat, closing and the upgrade, against a bare echo."""

import http.client
import json
import socket
import time

import pytest
import websocket
from echo import PATIENT, QUICK, SEPARATOR, UNKNOWN, Client, Echo, Polling, Request, Socket, read_until, refusal, text_frame, upgrade_request
from harness import PATIENCE, eventually

KEYS = {"sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"}
PAYLOAD_MAX = 1_000_000
BAD_REQUEST = (400, '{"code":3,"message":"Bad request"}')


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    """Of a server whose heartbeat stays out of the way."""
    echo = Echo(tmp_path_factory.mktemp("echo"), PATIENT)
    yield echo.port
    echo.stop()


@pytest.fixture(scope="module")
def quick(tmp_path_factory):
    """A server with a heartbeat that can be waited for."""
    echo = Echo(tmp_path_factory.mktemp("quick"), QUICK)
    yield echo
    echo.stop()


@pytest.fixture
def polling(port):
    return Polling(port)


def told(answer):
    return answer.status, answer.text


def packets(*parts):
    return SEPARATOR.join(parts)


# ------------------------------------------------------------------------------------------------------------ handshake


def test_a_session_opens_by_polling(port):
    session = Polling(port)
    assert session.handshake.keys() == KEYS
    assert session.handshake["upgrades"] == ["websocket"]
    assert (session.handshake["pingInterval"], session.handshake["pingTimeout"]) == (PATIENT["ping_interval_ms"], PATIENT["ping_timeout_ms"])
    assert session.handshake["maxPayload"] == PAYLOAD_MAX
    headers = session.opened.headers
    assert headers["content-type"] == "text/plain; charset=UTF-8" and headers["cache-control"] == "no-store"
    assert "set-cookie" not in headers and not [name for name in headers if name.startswith("access-control-")]


def test_a_session_opens_on_a_websocket(port):
    client = Client(port)
    assert client.handshake.keys() == KEYS and client.handshake["upgrades"] == []
    client.close()


def test_ids_are_long_and_never_the_same(port):
    sids = [Polling(port).sid for _ in range(20)]
    assert len(set(sids)) == 20 and all(len(sid) >= 20 for sid in sids)
    assert len({sid[:8] for sid in sids}) == 20


@pytest.mark.parametrize("target", ["/engine.io?EIO=4&transport=polling", "/engine.io/?EIO=%34&transport=pol%6cing", "/engine.io/?transport=polling&t=x1&EIO=4",
                                    "/engine.io/?EIO=3&EIO=4&transport=abc&transport=polling", "/engine.io/?EIO=4&transport=polling&sid=", "/engine.io/?EIO=4&transport=polling&token=a+b"])
def test_a_handshake_may_be_written_in_many_ways(port, target):
    answer = Request(port, "GET", target).answer()
    assert answer.status == 200 and json.loads(answer.text[1:]).keys() == KEYS


REFUSED = [  # method, query, code
    ("GET", "EIO=4", 0), ("GET", "EIO=4&transport=abc", 0), ("GET", "EIO=4&transport=", 0), ("GET", "", 0),
    ("GET", "EIO=4&transport=polling&sid=unknown", 1), ("POST", "EIO=4&transport=polling&sid=unknown", 1), ("GET", "EIO=4&transport=polling&sid=%00", 1),
    ("POST", "EIO=4&transport=polling", 2), ("PUT", "EIO=4&transport=polling", 2), ("DELETE", "EIO=4&transport=polling", 2),
    ("GET", "EIO=4&transport=websocket", 3),
    ("GET", "transport=polling", 5), ("GET", "EIO=abc&transport=polling", 5), ("GET", "EIO=3&transport=polling", 5), ("GET", "EIO=5&transport=polling", 5),
    ("GET", "EIO=04&transport=polling", 5),
    # Where several things are wrong, the first check has the word.
    ("POST", "EIO=3&transport=abc&sid=unknown", 0), ("POST", "EIO=3&transport=polling&sid=unknown", 1), ("POST", "EIO=3&transport=polling", 2),
    ("GET", "EIO=3&transport=websocket", 3),
]
MESSAGES = {0: "Transport unknown", 1: "Session ID unknown", 2: "Bad handshake method", 3: "Bad request", 4: "Forbidden", 5: "Unsupported protocol version"}


@pytest.mark.parametrize("method, query, code", REFUSED)
def test_a_handshake_is_refused_with_its_code(port, method, query, code):
    answer = Request(port, method, f"/engine.io/?{query}").answer()
    assert told(answer) == (400, json.dumps({"code": code, "message": MESSAGES[code]}, separators=(",", ":")))
    assert answer.headers["content-type"] == "application/json"


def test_an_origin_with_control_characters_is_a_bad_request(port):
    answer = refusal(port, "/engine.io/?EIO=4&transport=polling&sid=unknown", Origin="http://a\x01b")
    assert answer.status == 400


@pytest.mark.parametrize("query, code", [("transport=websocket", 5), ("EIO=abc&transport=websocket", 5), ("EIO=4", 0), ("EIO=4&transport=abc", 0),
                                         ("EIO=4&transport=websocket&sid=unknown", 1)])
def test_a_websocket_is_refused_before_it_opens(port, query, code):
    answer = refusal(port, f"/engine.io/?{query}")
    assert answer.status == 400 and MESSAGES[code] in answer.text and answer.headers["connection"].lower() == "close"


def test_strangers_origins_get_in_nowhere(port):
    stranger = "https://evil.example"
    answer = Request(port, "GET", "/engine.io/?EIO=4&transport=polling", headers={"Origin": stranger}).answer()
    assert told(answer) == (403, '{"code":4,"message":"Forbidden"}')
    assert "access-control-allow-origin" not in answer.headers
    assert refusal(port, "/engine.io/?EIO=4&transport=websocket", Origin=stranger).status == 403
    session = Polling(port)
    assert told(Request(port, "GET", session.target, headers={"Origin": stranger}).answer()) == UNKNOWN
    session.post("4mine")
    assert session.get() == "4mine"


def test_its_own_origin_gets_in(port):
    own = f"http://127.0.0.1:{port}"
    assert Request(port, "GET", "/engine.io/?EIO=4&transport=polling", headers={"Origin": own}).answer().status == 200
    connection = websocket.create_connection(f"ws://127.0.0.1:{port}/engine.io/?EIO=4&transport=websocket", origin=own, timeout=10 * PATIENCE)
    assert connection.recv().startswith("0")
    connection.close()


def test_a_preflight_is_answered_without_a_session(port):
    answer = Request(port, "OPTIONS", "/engine.io/?EIO=4&transport=polling", headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}).answer()
    assert told(answer) == (204, "") and "access-control-allow-origin" not in answer.headers


def test_an_unknown_method_on_a_session_is_405_and_does_no_harm(polling):
    assert Request(polling.port, "PUT", polling.target, "4a").answer().status == 405
    polling.post("4b")
    assert polling.get() == "4b"


def test_a_session_is_known_at_its_own_path_only(polling):
    assert told(Request(polling.port, "GET", polling.target.replace("/engine.io/", "/socket.io/")).answer()) == UNKNOWN


# -------------------------------------------------------------------------------------------------- messages by polling

ECHOED = {
    "text": "4hello", "empty": "4", "three": packets("4test1", "4test2", "4test3"), "text and binary": packets("4hello", "bAQIDBA=="),
    "only binary": "bAAEC/f7/", "empty binary": packets("4a", "b", "4b"), "unicode": "4äöü € 𝄞 \u2028", "looks like packets": "44\\x1e4",
}


@pytest.mark.parametrize("which", ECHOED)
def test_what_is_posted_comes_back_by_the_next_poll(polling, which):
    answer = polling.send(ECHOED[which])
    assert told(answer) == (200, "ok")
    assert answer.headers["content-type"].startswith("text/html") and answer.headers["cache-control"] == "no-store"
    answer = polling.poll().answer()
    assert told(answer) == (200, ECHOED[which])
    assert answer.headers["content-type"] == "text/plain; charset=UTF-8" and answer.headers["cache-control"] == "no-store"


def test_a_poll_waits_for_a_message(polling):
    for text in ("4one", "4two"):
        poll = polling.poll()
        assert poll.is_held()
        polling.post(text)
        assert told(poll.answer()) == (200, text)


def test_messages_of_several_posts_leave_in_order(polling):
    for n in range(5):
        polling.post(f"4{n}")
    assert polling.get() == packets("40", "41", "42", "43", "44")


def test_one_connection_serves_many_requests_and_long_queries(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * PATIENCE)
    target = f"/engine.io/?EIO=4&transport=polling&token={'x' * 3000}"

    def ask(method, query="", body=None):
        connection.request(method, target + query, body)
        return connection.getresponse().read().decode()

    sid = json.loads(ask("GET")[1:])["sid"]
    for n in range(20):
        assert ask("POST", f"&sid={sid}", f"4{n}") == "ok"
        assert ask("GET", f"&sid={sid}") == f"4{n}"
    connection.close()


def test_a_body_may_come_in_chunks_and_without_a_type(polling):
    chunks = (part for part in (b"4he", b"llo"))
    answer = Request(polling.port, "POST", polling.target, chunks, {"Transfer-Encoding": "chunked"}).answer()
    assert told(answer) == (200, "ok") and polling.get() == "4hello"


@pytest.mark.parametrize("body", ["abc", "", "7", "4a" + SEPARATOR, SEPARATOR + "4a", "4a" + SEPARATOR * 2 + "4b", packets("4a", "xyz"), "b$$$$", "bA", b"4\xff\xfe"])
def test_a_payload_that_is_none_ends_the_session(polling, body):
    assert told(polling.send(body)) == (400, "")
    assert told(polling.poll().answer()) == UNKNOWN
    assert told(polling.send("4a")) == UNKNOWN


def test_a_held_poll_hears_of_a_bad_payload(polling):
    poll = polling.poll()
    assert poll.is_held()
    polling.send("abc")
    assert told(poll.answer()) == (200, "1") and polling.is_over()


def test_an_octet_stream_is_no_payload(polling):
    assert told(polling.send("4a", **{"Content-Type": "application/octet-stream"})) == (400, "")
    assert polling.is_over()


def test_packets_that_clients_do_not_send_are_ignored(polling):
    polling.post(packets("0", "5", "6", "3", "4a"))
    assert polling.get() == "4a"


def test_two_polls_at_once_end_the_session(polling):
    answers = sorted(told(poll.answer()) for poll in (polling.poll(), polling.poll()))
    assert answers == [(200, "1"), (400, "")]
    assert polling.is_over()


def test_a_cancelled_poll_ends_the_session(polling):
    poll = polling.poll()
    assert poll.is_held()
    poll.abort()
    assert polling.poll().answer().status == 400
    assert polling.is_over()


def test_a_connection_that_goes_between_polls_ends_nothing(polling):
    for n in range(3):  # each request has a connection of its own
        polling.post(f"4{n}")
        assert polling.get() == f"4{n}"


def test_a_post_that_breaks_off_ends_the_session(polling):
    poll = polling.poll()
    assert poll.is_held()
    with socket.create_connection(("127.0.0.1", polling.port)) as raw:
        raw.sendall(f"POST {polling.target} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n4half".encode())
    assert told(poll.answer()) == (200, "1") and polling.is_over()


def test_an_answer_has_at_most_16_packets(polling):
    sent = [f"4{n}" for n in range(40)]
    polling.post(packets(*sent))
    came = [polling.get().split(SEPARATOR) for _ in range(3)]
    assert [len(part) for part in came] == [16, 16, 8] and sum(came, []) == sent


def test_an_answer_is_bounded_by_the_payload_too(polling):
    sent = [f"4{n}" + "x" * 340_000 for n in range(3)]
    for message in sent:
        polling.post(message)
    first, second = polling.get().split(SEPARATOR), polling.get().split(SEPARATOR)
    assert first == sent[:2] and second == sent[2:]


def test_a_payload_may_be_as_large_as_was_said_and_no_larger(polling):
    exact = "4" + "x" * (PAYLOAD_MAX - 1)
    polling.post(exact)
    assert polling.get() == exact
    assert told(polling.send(exact + "x")) == (413, "")
    polling.post("4alive")
    assert polling.get() == "4alive"


# ------------------------------------------------------------------------------------------------ messages by WebSocket


@pytest.mark.parametrize("message", ["4hello", "4", "4äöü € 𝄞", b"\x01\x02\x03\x04", b"", bytes(range(256)) * 300, "4" + "x" * 70_000])
def test_what_is_sent_comes_back(port, message):
    client = Client(port)
    client.send(message)
    assert client.receive() == message
    client.close()


def test_many_messages_keep_their_order(port):
    client = Client(port)
    sent = [f"4{n}" if n % 3 else bytes([n]) for n in range(100)]
    client.send(*sent)
    assert client.receive(100) == sent
    client.close()


def test_a_message_may_come_in_fragments(port):
    client = Client(port)
    for data, opcode, last in (("4he", websocket.ABNF.OPCODE_TEXT, 0), ("l", websocket.ABNF.OPCODE_CONT, 0), ("lo", websocket.ABNF.OPCODE_CONT, 1)):
        client.connection.send_frame(websocket.ABNF.create_frame(data, opcode, last))
    assert client.receive() == "4hello"
    client.close()


def test_control_frames_come_between_and_are_answered(port):
    client = Client(port)
    client.connection.send_frame(websocket.ABNF.create_frame("4he", websocket.ABNF.OPCODE_TEXT, 0))
    client.connection.ping(b"between")
    client.connection.send_frame(websocket.ABNF.create_frame("llo", websocket.ABNF.OPCODE_CONT, 1))
    assert client.connection.recv_data(control_frame=True) == (websocket.ABNF.OPCODE_PONG, b"between")
    assert client.receive() == "4hello"
    client.close()


def test_compression_is_not_taken(port):
    client = Client(port, header={"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits"})
    assert "sec-websocket-extensions" not in client.connection.getheaders()
    client.send("4hello")
    assert client.receive() == "4hello"
    client.close()


def test_a_frame_that_is_not_masked_closes_with_1002(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10 * PATIENCE) as raw:
        raw.sendall(upgrade_request(port, "/engine.io/?EIO=4&transport=websocket"))
        assert b'0{"sid"' in read_until(raw, b'0{"sid"')
        raw.sendall(b"\x81\x064hello")
        assert read_until(raw, b"\x88\x02\x03\xea").endswith(b"\x88\x02\x03\xea")


def test_base64_in_a_text_is_binary_and_comes_so_to_whom_asks_for_it(port):
    client = Client(port)
    client.send("bAQIDBA==")
    assert client.receive() == b"\x01\x02\x03\x04"
    client.close()
    client = Client(port, query="&b64=1")
    client.send(b"\x01\x02\x03\x04")
    assert client.receive() == "bAQIDBA=="
    client.close()


def test_what_is_written_right_behind_the_handshake_is_heard(port):
    with socket.create_connection(("127.0.0.1", port), timeout=10 * PATIENCE) as raw:
        raw.sendall(upgrade_request(port, "/engine.io/?EIO=4&transport=websocket") + text_frame("4early"))
        received = read_until(raw, b"4early")
    assert received.startswith(b"HTTP/1.1 101 ") and received.index(b'0{"sid"') < received.index(b"4early")


@pytest.mark.parametrize("message, code", [("abc", 1002), ("", 1002), ("7", 1002), ("b$$$$", 1002), ("2", None), ("2probe", None)])
def test_a_packet_that_is_none_closes(port, message, code):
    client = Client(port)
    client.send(message)
    assert client.closed() == ([], code)
    assert refusal(port, f"/engine.io/?EIO=4&transport=websocket&sid={client.sid}").status == 400


def test_text_that_is_no_utf8_closes_with_1007(port):
    client = Client(port)
    client.connection.send(b"4\xff\xfe", websocket.ABNF.OPCODE_TEXT)
    assert client.closed() == ([], 1007)


def test_a_message_may_be_as_large_as_was_said_and_no_larger(port):
    client = Client(port)
    for exact in ("4" + "x" * (PAYLOAD_MAX - 1), b"x" * PAYLOAD_MAX):
        client.send(exact)
        assert client.receive() == exact
    client.send("4" + "x" * PAYLOAD_MAX)
    assert client.closed() == ([], 1009)


# ------------------------------------------------------------------------------------------------------------ heartbeat


def seconds(ms):
    return ms / 1000


def test_polls_bring_pings_and_posts_take_pongs(quick):
    session, began = Polling(quick.port), time.monotonic()
    assert (session.handshake["pingInterval"], session.handshake["pingTimeout"]) == (QUICK["ping_interval_ms"], QUICK["ping_timeout_ms"])
    for _ in range(3):
        assert session.get() == "2"
        session.post("3")
    assert time.monotonic() - began >= seconds(3 * QUICK["ping_interval_ms"]) - 0.05


def test_a_websocket_is_pinged(quick):
    client, began = Client(quick.port), time.monotonic()
    for _ in range(3):
        assert client.receive() == "2"
        client.send("3")
    assert time.monotonic() - began >= seconds(3 * QUICK["ping_interval_ms"]) - 0.05
    client.close()


def test_a_client_that_does_not_poll_is_given_up(quick):
    session = Polling(quick.port)
    time.sleep(seconds(QUICK["ping_interval_ms"] + QUICK["ping_timeout_ms"]))
    assert told(session.poll().answer()) == UNKNOWN


def test_a_client_that_polls_and_does_not_pong_is_given_up(quick):
    session = Polling(quick.port)
    assert session.get() == "2"
    assert session.get() == "1"
    assert session.is_over()


def test_a_websocket_without_pongs_is_closed(quick):
    client, began = Client(quick.port), time.monotonic()
    assert client.closed() == (["2"], "cut")  # nobody is there to shake hands with
    assert time.monotonic() - began >= seconds(QUICK["ping_interval_ms"] + QUICK["ping_timeout_ms"]) - 0.05


def test_the_heartbeat_goes_on_after_the_upgrade(quick):
    live = Polling(quick.port).upgrade()
    for _ in range(2):
        assert live.receive() == "2"
        live.send("3")
    assert live.closed() == (["2"], "cut")


def test_a_ping_of_the_client_ends_the_session(polling):
    assert polling.send("2").status == 400
    assert polling.is_over()


# -------------------------------------------------------------------------------------------------------------- closing


def test_a_client_closes_by_a_post_and_its_poll_ends(port):
    for _ in range(10):  # they run against each other
        session = Polling(port)
        poll = session.poll()
        session.post("1")
        assert told(poll.answer()) == (200, "6")
        assert session.is_over()


def test_a_poll_that_comes_after_its_clients_close_is_answered_once(polling):
    polling.post(packets("1", "4dropped"))
    assert polling.get() == "6"
    assert polling.is_over()


def test_a_close_packet_closes_a_websocket(port):
    client = Client(port)
    client.send("1")
    assert client.closed() == ([], None)


def test_a_websocket_that_closes_ends_its_session(port):
    session = Polling(port)
    live = session.upgrade()
    live.send("4a")
    assert live.receive() == "4a"
    live.close()
    eventually(session.is_over, what="the session to end")


def test_a_websocket_that_is_lost_ends_its_session(port):
    session = Polling(port)
    live = session.upgrade()
    live.cut()
    eventually(session.is_over, what="the session to end")


def test_a_server_that_stops_closes_websockets_and_tells_pollers_503(tmp_path):
    echo = Echo(tmp_path)
    client, session = Client(echo.port), Polling(echo.port)
    poll = session.poll()
    assert poll.is_held(0.3 * PATIENCE)
    echo.stop()
    assert poll.answer().status == 503
    assert client.closed() == ([], 1001)


# -------------------------------------------------------------------------------------------------------------- upgrade


def test_an_upgrade_ends_polls_with_noops_and_goes_on_over_the_websocket(polling):
    held = polling.poll()
    assert held.is_held()
    probe = polling.probe()
    probe.send("2probe")
    assert probe.receive() == "3probe"
    assert told(held.answer()) == (200, "6")
    assert [polling.get() for _ in range(3)] == ["6", "6", "6"]  # one is not enough: the client may have polled again
    probe.send("5", "4hello")
    assert probe.receive() == "4hello"
    probe.send(b"\x01")
    assert probe.receive() == b"\x01"
    probe.close()


def test_polling_is_live_until_the_upgrade_is_complete(polling):
    probe = polling.probe()
    probe.send("2probe")
    assert probe.receive() == "3probe"
    polling.post(packets("4a", "4b"))
    assert polling.get() == packets("4a", "4b")
    polling.post("4c")
    probe.send("5", "4d")
    assert probe.receive(2) == ["4c", "4d"]
    probe.close()


def test_order_is_kept_across_the_upgrade(polling):
    sent = [f"4{n}" for n in range(60)]
    polling.post(packets(*sent[:20]))
    assert polling.get() == packets(*sent[:16])
    probe = polling.probe()
    polling.post(packets(*sent[20:40]))
    probe.send("2probe")
    assert probe.receive() == "3probe"
    probe.send("5", *sent[40:])
    assert probe.receive(44) == sent[16:]
    probe.close()


def test_http_is_refused_after_the_upgrade_and_the_websocket_goes_on(polling):
    live = polling.upgrade()
    assert told(polling.poll().answer()) == BAD_REQUEST
    assert told(polling.send("4a")) == BAD_REQUEST
    live.send("4hello")
    assert live.receive() == "4hello"
    live.close()


def test_a_poll_right_behind_the_whole_upgrade_comes_too_late(port):
    for _ in range(10):  # over two connections, which may be read by two threads
        session = Polling(port)
        probe = session.probe()
        probe.send("2probe", "5")
        assert told(session.poll().answer()) == BAD_REQUEST
        assert probe.receive() == "3probe"
        probe.send("4hello")
        assert probe.receive() == "4hello"
        probe.close()


def test_the_upgrade_packet_alone_is_enough(polling):
    probe = polling.probe()
    probe.send("5", "4hello")
    assert probe.receive() == "4hello"
    probe.close()


@pytest.mark.parametrize("how_far", ["opened", "probed", "upgraded"])
def test_a_second_websocket_is_closed_and_does_no_harm(polling, how_far):
    first = polling.probe()
    if how_far != "opened":
        first.send("2probe")
        assert first.receive() == "3probe"
    if how_far == "upgraded":
        first.send("5")
    else:  # so that the first is known to be the first
        polling.post("4a")
        assert polling.get() == "4a"
    second = polling.probe()
    assert second.closed() == ([], None)
    if how_far == "opened":
        first.send("2probe")
        assert first.receive() == "3probe"
    if how_far != "upgraded":
        first.send("5")
    first.send("4hello")
    assert first.receive() == "4hello"
    first.close()


@pytest.mark.parametrize("message", ["4a", "2foo", "2", "3probe", "abc", "", b"2probe"])
def test_a_websocket_that_says_something_else_is_closed_and_the_session_goes_on(polling, message):
    probe = polling.probe()
    probe.send(message)
    assert probe.closed() == ([], None)
    polling.post("4alive")
    assert polling.get() == "4alive"


@pytest.mark.parametrize("end", [Socket.close, Socket.cut])
@pytest.mark.parametrize("is_probed", [False, True])
def test_an_upgrade_that_is_given_up_may_be_tried_again(polling, end, is_probed):
    probe = polling.probe()
    if is_probed:
        probe.send("2probe")
        assert probe.receive() == "3probe"
    end(probe)
    polling.post("4alive")
    assert polling.get() == "4alive"

    def tries_again():  # until the server has seen that the first is gone, it is the one
        again = polling.probe()
        again.send("2probe", "5", "4hello")
        try:
            return again.receive(2) == ["3probe", "4hello"]
        except (AssertionError, websocket.WebSocketException, OSError):
            return False

    eventually(tries_again, what="a second upgrade")
    assert told(polling.poll().answer()) == BAD_REQUEST


def test_a_client_may_probe_before_its_first_poll(port):
    session = Polling(port)
    live = session.upgrade()
    live.send("4a")
    assert live.receive() == "4a"
    live.close()
