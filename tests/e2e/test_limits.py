"""How many may come in, how fast, how much they may say and how long they stay: each limit, on each way in."""

import json
import os
import time

import pytest
from harness import PATIENCE, eventually, user_token
from raw import (SOCKETIO_POLLING, SOCKETIO_WEBSOCKET, Bystander, Polling, Raw, RawWebSocket, ask, connections, disconnects, frame, is_sound, limit,
                 plain, refused, request, socketio)

WAYS = ["polling", "websocket", "plain", "stream"]


@pytest.fixture
def limited(house):
    """Starts servers with settings of their own; at the end of the test all of them must be sound."""
    def start(**settings):
        env = {f"HEADWAY_{name}": str(value) for name, value in settings.items()}
        server = house.serve(f"sqlite://{house.directory}/headway-{len(house.servers)}.db", env=env)
        server.api().create(id="job")
        server.api().create(id="bystander")
        return server

    yield start
    for server in house.servers:
        is_sound(server)


class Stream(Raw):
    """The job's events over HTTP."""

    def __init__(self, server, token=None, job="job", receive_buffer=None, **headers):
        super().__init__(server, receive_buffer)
        self.send(request("GET", f"/api/v1/rooms/job:{job}/events", token=token or user_token(), **headers))
        self.answer_to_handshake = self.answer(has_body=False)

    def wait_text(self, text):
        return self.take_until(text.encode())


def come(server, way, token=None, **headers):
    """Knocks; what came back is `answer_to_handshake`."""
    if way == "polling":
        return Polling(server, token=False, **headers)
    if way == "stream":
        return Stream(server, token, **headers)
    return RawWebSocket(server, SOCKETIO_WEBSOCKET if way == "websocket" else "/ws", **headers)


def is_in(peer):
    return peer.answer_to_handshake.status in (101, 200)


def is_told_to_wait(peer, status):
    answer = peer.answer_to_handshake
    code = {429: "rate_limited", 503: "overloaded"}[status]
    assert answer.status == status, answer
    assert 1 <= int(answer.headers["retry-after"]) <= 5
    if answer.text:  # of a stream only the head is read
        assert answer.code == code
    return True


def comes_in(server, way, **headers):
    """Knocks until it is let in."""
    return eventually(lambda: (lambda one: one if is_in(one) else None)(come(server, way, **headers)), what=f"a place for {way}")


def leave(peer):
    if isinstance(peer, Polling):
        peer.post("1")
        peer.poll()
    else:
        peer.close()


# ------------------------------------------------------------------------------------------------------------ coming in


@pytest.mark.parametrize("setting, reason, status", [("TOTAL_MAX", "connections", 503), ("PER_ADDRESS_MAX", "connections_per_address", 429)])
def test_as_many_as_may_be_connected(limited, setting, reason, status):
    server = limited(**{f"CONNECTIONS_{setting}": len(WAYS)})
    for _ in range(2):
        peers = [come(server, way) for way in WAYS]
        assert all(map(is_in, peers))
        before = refused(server, reason)
        for way in WAYS:
            assert is_told_to_wait(come(server, way), status), way
        assert refused(server, reason) == before + len(WAYS)
        assert server.api().get("/health").status == 200  # who only asks is no watcher
        for n, way in enumerate(WAYS):  # a place that is free again is free for any other
            leave(peers[n])
            peers[n] = comes_in(server, WAYS[n - 1])
            assert is_told_to_wait(come(server, way), status)
            leave(peers[n])
            peers[n] = comes_in(server, way)
        for peer in peers:
            leave(peer)
        eventually(lambda: connections(server) == 0, what="all to end")


def test_clients_behind_a_proxy_have_addresses_of_their_own(limited):
    server = limited(CONNECTIONS_PER_ADDRESS_MAX=1, TRUSTED_PROXIES="127.0.0.1")
    for way in WAYS:
        first = come(server, way, X_Forwarded_For="203.0.113.1")
        second = come(server, way, X_Forwarded_For="198.51.100.9, 203.0.113.2")  # what it says itself counts for nothing
        assert is_in(first) and is_in(second)
        assert is_told_to_wait(come(server, way, X_Forwarded_For="198.51.100.7, 203.0.113.2"), 429)
        assert is_told_to_wait(come(server, way, X_Forwarded_For="203.0.113.1"), 429)
        assert is_told_to_wait(come(server, way, X_Forwarded_For="203.0.113.1, 127.0.0.1"), 429)
        leave(first), leave(second)
        eventually(lambda: connections(server) == 0, what="both to end")


def test_nobody_else_is_believed_an_address(limited):
    server = limited(CONNECTIONS_PER_ADDRESS_MAX=1)
    peer = come(server, "plain", X_Forwarded_For="203.0.113.1")
    assert is_in(peer)
    assert is_told_to_wait(come(server, "plain", X_Forwarded_For="203.0.113.2"), 429)
    peer.close()


def test_as_many_as_one_user_may_have(limited):
    server = limited(CONNECTIONS_PER_USER_MAX=3)
    peers = [socketio(server), plain(server, job="job"), Polling(server)]

    late = socketio(server, token=False)
    late.say("40" + json.dumps({"token": user_token()}))
    refusal = json.loads(late.wait_text(lambda text: text.startswith("44"))[2:])
    assert refusal["data"]["code"] == "rate_limited"
    late.close()
    late = Polling(server, token=False)
    late.post("40" + json.dumps({"token": user_token()}))
    assert '"rate_limited"' in late.wait_text(lambda text: text.startswith("44"))
    leave(late)
    late = plain(server, token=False)
    late.say({"type": "auth", "token": user_token()})
    assert json.loads(late.wait_text(lambda text: True))["code"] == "rate_limited"
    late.close()
    assert is_told_to_wait(Stream(server), 429)
    assert refused(server, "connections_per_user") == 4

    other = plain(server, user_token("2"))  # another one is not concerned
    for n, peer in enumerate(peers):
        leave(peer)
        eventually(lambda: connections(server) == 3, what="it to end")  # two of the first user, and the other
        peers[n] = plain(server)
    for peer in [*peers, other]:
        leave(peer)


@pytest.mark.parametrize("setting, reason, status", [("PER_SECOND", "connection_rate", 503),
                                                     ("PER_ADDRESS_PER_SECOND", "connection_rate_per_address", 429)])
def test_as_many_as_may_come_in_a_second(limited, setting, reason, status):
    server = limited(**{f"CONNECTIONS_{setting}": 2})
    peers = []
    for way in WAYS:
        peers.append(comes_in(server, way))
        newcomers = [come(server, way) for _ in range(6)]
        outside = [one for one in newcomers if not is_in(one)]
        assert outside and all(is_told_to_wait(one, status) for one in outside)
        peers += newcomers
    assert refused(server, reason) >= len(WAYS)
    for peer in peers:
        if is_in(peer):
            leave(peer)


@pytest.mark.parametrize("setting, reason, status", [("CONNECTIONS_MAX", "tcp_connections", 503),
                                                     ("CONNECTIONS_PER_ADDRESS_MAX", "tcp_connections_per_address", 429)])
def test_as_many_tcp_connections_as_may_be(limited, setting, reason, status):
    server = limited(**{f"HTTP_{setting}": 6})
    eventually(lambda: ask(server, "GET", "/health") is not None, what="the harness's connections to go")
    bystander = Bystander(server, "bystander")
    worker = server.api()
    bystander.server = type("OneConnection", (), {"api": lambda _: worker})()
    bystander.misses_nothing()
    with Raw(server) as a, Raw(server) as b, Raw(server) as c, Raw(server) as d:
        for peer in (a, b, c, d):
            peer.send(request("GET", "/health"))
            assert peer.answer().status == 200
        for _ in range(5):
            with Raw(server) as late:
                late.send(request("GET", "/health"))
                answer = late.answer()
                assert answer is None or (answer.status == status and int(answer.headers["retry-after"]) in range(1, 6))
                late.wait_end()
        bystander.misses_nothing()
    eventually(lambda: (answer := ask(server, "GET", "/health")) and answer.status == 200, what="a place")
    assert refused(server, reason) >= 5
    bystander.close()


@pytest.mark.parametrize("setting, reason, status", [("ACCEPTS_PER_SECOND", "accept_rate", 503),
                                                     ("ACCEPTS_PER_ADDRESS_PER_SECOND", "accept_rate_per_address", 429)])
def test_as_many_tcp_connections_as_may_come_in_a_second(limited, setting, reason, status):
    server = limited(**{f"HTTP_{setting}": 20})
    answers = [ask(server, "GET", "/health") for _ in range(60)]
    outside = [answer for answer in answers if answer is None or answer.status != 200]
    assert outside and all(answer is None or answer.status == status for answer in outside)
    assert any(answer and answer.status == 200 for answer in answers)
    eventually(lambda: (answer := ask(server, "GET", "/health")) and answer.status == 200, what="its turn")
    eventually(lambda: refused(server, reason) >= len(outside), what="the metric")


# --------------------------------------------------------------------------------------------------------------- tokens


def test_wrong_tokens_from_one_address(limited):
    server = limited(AUTH_FAILURES_PER_MINUTE=3, TRUSTED_PROXIES="127.0.0.1")
    here, there = {"X_Forwarded_For": "203.0.113.1"}, {"X_Forwarded_For": "203.0.113.2"}

    def try_with(token, address):
        return ask(server, "GET", "/api/v1/jobs/job", token=token, **address)

    statuses = [try_with("nonsense", here).status for _ in range(12)]
    assert statuses[:3] == [401] * 3 and 429 in statuses
    refusals = [try_with(token, here) for _ in range(3) for token in ("nonsense", user_token())]
    waiting = [answer for answer in refusals if answer.status == 429]
    assert waiting and all(answer.code == "rate_limited" and "retry-after" in answer.headers for answer in waiting)
    assert refused(server, "logins") >= len(waiting)
    assert try_with(user_token(), there).status == 200  # nobody else is locked out, not even by the same name
    eventually(lambda: try_with(user_token(), here).status == 200, 10, "an attempt to be let through")


def test_wrong_tokens_over_socketio(limited):
    server = limited(AUTH_FAILURES_PER_MINUTE=2)
    codes = []
    for _ in range(8):
        with socketio(server, token=False) as peer:
            peer.say("40" + json.dumps({"token": "nonsense"}))
            codes.append(json.loads(peer.wait_text(lambda text: text.startswith("44"))[2:])["data"]["code"])
    assert codes[:2] == ["auth_invalid"] * 2 and "rate_limited" in codes
    eventually(lambda: server.api().get("/api/v1/jobs").status == 200, 10, "the worker's turn")


def test_a_missing_or_expired_token_is_not_counted(limited):
    server = limited(AUTH_FAILURES_PER_MINUTE=2)
    for _ in range(10):
        assert ask(server, "GET", "/api/v1/jobs/job").status == 401
        assert ask(server, "GET", "/api/v1/jobs/job", token=user_token(seconds=-60)).status == 401
    assert ask(server, "GET", "/api/v1/jobs/job", token=user_token()).status == 200


def test_whose_token_expires_is_out(limited):
    server = limited()
    token = user_token(seconds=2)
    begin = time.monotonic()
    polling, websocket, lone = Polling(server, token), socketio(server, token), plain(server, token, job="job")
    assert "auth_expired" in websocket.wait_text(lambda text: '"error"' in text)
    assert websocket.close_code() is not None
    assert "auth_expired" in lone.wait_text(lambda text: '"error"' in text)
    assert lone.close_code() == 1008
    assert "auth_expired" in polling.wait_text(lambda text: '"error"' in text)
    eventually(lambda: polling.poll().status == 400, what="the polling session to end")
    eventually(lambda: connections(server) == 0, 5, "all to end")
    assert time.monotonic() - begin < 7 * PATIENCE
    assert disconnects(server, "token expired") == 3
    websocket.close(), lone.close()


def test_a_stream_ends_with_its_token(limited):
    server = limited()
    with Stream(server, user_token(seconds=2)) as stream:
        assert is_in(stream)
        assert stream.wait_text("auth_expired") is not None
        stream.wait_end()
    eventually(lambda: connections(server) == 0, 5, "it to end")
    assert disconnects(server, "token expired") == 1


def test_streams_go_on(limited):
    server = limited()
    streams = [Stream(server) for _ in range(60)]
    assert all(map(is_in, streams))
    assert server.api().update("job", "progress", progress=50).status == 200
    for stream in streams:
        assert stream.wait_text('"progress":50') is not None
        stream.close()


def test_a_renewed_token_stays_in(limited):
    server = limited()
    token, renewed = user_token(seconds=3), user_token(seconds=3600)
    with socketio(server, token, job="job") as websocket, plain(server, token, job="job") as lone, plain(server, token) as lazy:
        websocket.say("42" + json.dumps(["auth", {"token": renewed}]))
        websocket.wait_text(lambda text: text.startswith('42["authenticated"'))
        lone.say({"type": "auth", "token": renewed})
        lone.wait_text(lambda text: '"authenticated"' in text)
        lone.say({"type": "auth", "token": user_token("2")})  # of another user
        assert json.loads(lone.wait_text(lambda text: '"error"' in text))["code"] == "forbidden"
        assert lazy.close_code() == 1008  # now the first token is out of date
        assert server.api().update("job", "complete").status == 200
        websocket.wait_text(lambda text: text.startswith('42["job_update"') and '"completed"' in text)
        lone.wait_text(lambda text: '"completed"' in text)


# ------------------------------------------------------------------------------------------------------- what they say


def test_events_too_fast_over_a_websocket(limited):
    server = limited(SOCKETIO_EVENTS_PER_SECOND=1, SOCKETIO_EVENTS_BURST=10)
    bystander = Bystander(server, "bystander")
    with socketio(server) as peer:
        peer.send(frame('42["ping_job",{}]') * 60)
        assert peer.close_code() == 1008
        errors = [json.loads(text[2:])[1] for text in peer.heard if text.startswith('42["error"')]
        assert [error["code"] for error in errors] == ["rate_limited"] * 3
    assert limit(server, "socketio.events_per_second") >= 4
    with plain(server) as peer:
        peer.send(frame('{"type":"ping"}') * 60)
        assert peer.close_code() == 1008
        assert sum("rate_limited" in text for text in peer.heard) in (3, 4)
    eventually(lambda: connections(server) == 1, what="both to end")
    assert disconnects(server, "rate limited") == 2
    bystander.misses_nothing()
    bystander.close()


def test_events_too_fast_over_polling(limited):
    server = limited(SOCKETIO_EVENTS_PER_SECOND=1, SOCKETIO_EVENTS_BURST=10)
    peer = Polling(server)
    peer.post("\x1e".join(['42["ping_job",{}]'] * 60))
    eventually(lambda: peer.poll().status == 400, what="the session to end")
    assert peer.post('42["ping_job",{}]').status == 400
    eventually(lambda: connections(server) == 0, what="it to end")
    assert disconnects(server, "rate limited") == 1


def test_too_many_packets_in_a_post(limited):
    server = limited(ENGINEIO_PACKETS_PER_POST_MAX=8)
    peer = Polling(server)
    assert peer.post("\x1e".join(['42["ping_job",{}]'] * 8)).status == 200
    assert peer.post("\x1e".join(['42["ping_job",{}]'] * 9)).status == 400
    eventually(lambda: peer.poll().status == 400, what="the session to end")
    assert limit(server, "engineio.packets_per_post_max") == 1


def test_a_post_too_long(limited):
    server = limited(ENGINEIO_MAX_PAYLOAD_BYTES=10_000)
    peer = Polling(server)
    assert peer.open["maxPayload"] == 10_000
    answer = peer.post('42["x","' + "x" * 11_000 + '"]')
    assert answer is None or answer.status == 413
    still_lives(peer)


def test_too_many_subscriptions(limited):
    server = limited(SUBSCRIPTIONS_PER_CONNECTION_MAX=2)
    for job in ("second", "third"):
        server.api().create(id=job)
    with socketio(server, job="job") as websocket, plain(server, job="job") as lone:
        for job in ("second", "third"):
            websocket.say("42" + json.dumps(["join_job", {"job_id": job}]))
            lone.say({"type": "join", "job_id": job})
        assert '"too_many_subscriptions"' in lone.wait_text(lambda text: '"error"' in text)
        websocket.wait_text(lambda text: text.startswith('42["error"'))
        websocket.say("42" + json.dumps(["join_job", {"job_id": "job"}]))  # what it has it may have again
        websocket.wait_text(lambda text: text.startswith('42["job_status"') and '"job"' in text)
        assert server.api().update("job", "complete").status == 200
        websocket.wait_text(lambda text: text.startswith('42["job_update"') and '"completed"' in text)
        lone.wait_text(lambda text: '"completed"' in text)
        assert limit(server, "subscriptions.per_connection_max") == 2


@pytest.mark.parametrize("packet", ['455-["x",' + ",".join('{"_placeholder":true,"num":%d}' % n for n in range(5)) + "]", '4599999999999-["x"]',
                                    '451-["x",{"_placeholder":true,"num":7}]'])
def test_attachments_too_many(limited, packet):
    server = limited()
    with socketio(server) as peer:
        peer.say(packet)
        peer.send(frame(b"a", opcode=2))
        assert peer.close_code() == 1002


def test_attachments_that_do_not_come(limited):
    server = limited(SOCKETIO_ATTACHMENTS_TIMEOUT_MS=300)
    with socketio(server) as peer:
        peer.say('452-["x",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
        peer.send(frame(b"a", opcode=2))
        assert peer.close_code() is not None
    assert limit(server, "socketio.attachments_timeout_ms") == 1


@pytest.mark.parametrize("packet", [
    "42" + json.dumps(["x" * 65]),
    "42" + json.dumps(["x", 1, 2, 3, 4, 5]),
    "42" + json.dumps(["x", [1] * 100_000]),
    "42[" + "[" * 100_000 + "]" * 100_000 + "]",
    "40/" + "x" * 65 + ",",
    "42" + "1" * 16 + '["x"]',
], ids=["name", "arguments", "elements", "depth", "namespace", "acknowledgement"])
def test_a_packet_beyond_its_limits(limited, packet):
    server = limited()
    with socketio(server) as peer:
        peer.say(packet)
        assert peer.close_code() == 1002


# ------------------------------------------------------------------------------------------------------------ the silent


def test_who_does_not_say_who_he_is(limited):
    server = limited(ENGINEIO_CONNECT_TIMEOUT_MS=300)
    polling, websocket, lone = Polling(server, token=False), socketio(server, token=False), plain(server, token=False)
    eventually(lambda: polling.poll().status == 400, what="the polling session to end")
    eventually(lambda: connections(server) == 0, 5, "all to end")
    assert websocket.close_code() is not None
    assert "auth_missing" in lone.wait_text(lambda text: '"error"' in text)
    assert lone.close_code() == 1008
    assert limit(server, "engineio.connect_timeout_ms") >= 2
    websocket.close(), lone.close()


def descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def test_half_open_peers(limited):
    """Their machines went away without a word: their sockets stay open, and nothing comes."""
    server = limited(ENGINEIO_PING_INTERVAL_MS=300, ENGINEIO_PING_TIMEOUT_MS=200)
    eventually(lambda: server.metric("headway_http_connections") <= 1, what="the harness's connections to go")
    baseline = descriptors(server)
    dead = []
    for _ in range(3):
        websocket, lone = socketio(server, job="job"), plain(server, job="job")
        lone.answers_pings = False
        polling = Polling(server)
        held = Raw(server)
        held.send(request("GET", polling.path))
        dead += [websocket, lone, held]
    eventually(lambda: connections(server) == 0, 8, "the dead to be noticed")
    eventually(lambda: server.metric("headway_subscriptions") == 0, what="their rooms to be left")
    for peer in dead:
        if isinstance(peer, RawWebSocket):
            peer.wait_end()
    eventually(lambda: descriptors(server) <= baseline + 3, 10, "their descriptors to be given back")  # held polls are answered: HTTP goes on
    for peer in dead:
        peer.close()
    eventually(lambda: descriptors(server) <= baseline, 10, "all descriptors to be given back")
    assert disconnects(server, "ping timeout") >= 6


@pytest.mark.parametrize("way", ["websocket", "plain", "stream", "polling"])
def test_a_reader_that_does_not_read(limited, way):
    server = limited(QUEUE_BYTES_MAX=65_536, WEBSOCKET_CLOSE_TIMEOUT_MS=500, RATE_LIMIT_FACTS_PER_SECOND=0, THROTTLE_MIN_INTERVAL_MS=0)
    bystander = Bystander(server, "bystander")
    if way == "stream":
        slow = Stream(server, job="job", receive_buffer=4096)
        assert is_in(slow)
    elif way == "polling":
        slow = Polling(server)
        slow.post("42" + json.dumps(["join_job", {"job_id": "job"}]))
        slow.wait_text(lambda text: text.startswith('42["job_status"'))
    else:
        slow = {"websocket": socketio, "plain": plain}[way](server, job="job", receive_buffer=4096)
    api = server.api()
    for n in range(8000):
        assert api.update("job", "progress", progress=n / 100, message=f"{n} " + "x" * 4000).status in (200, 202)
        if n % 20 == 0 and disconnects(server, "slow consumer") == 1:
            break
    assert disconnects(server, "slow consumer") == 1
    bystander.misses_nothing()
    if way in ("websocket", "plain"):
        assert slow.close_code() in (1013, None)  # None: it was cut
    elif way == "stream":
        slow.wait_end()
    else:
        eventually(lambda: slow.poll().status == 400, what="the session to end")
    eventually(lambda: connections(server) == 1, what="it to be gone")
    bystander.close()


# ------------------------------------------------------------------------------------------------------ others' sessions


def still_lives(owner):
    """A session by polling is asked and answers."""
    assert owner.post("42" + json.dumps(["join_job", {"job_id": "job"}])).status == 200
    assert owner.wait_text(lambda text: text.startswith('42["job_status"'))


def upgrade(server, owner, **headers):
    return RawWebSocket(server, f"{SOCKETIO_WEBSOCKET}&sid={owner.open['sid']}", **headers)


@pytest.mark.parametrize("headers", [{"Origin": "https://evil.example"}, {"Authorization": "Bearer another"},
                                     {"Origin": "https://evil.example", "Authorization": "Bearer another"}])
def test_a_session_is_not_taken_over_by_who_knows_its_id(limited, headers):
    server = limited()
    owner = Polling(server, Authorization="Bearer of-the-owner")
    with upgrade(server, owner, **headers) as thief:
        assert thief.answer_to_handshake.status == 400
    assert ask(server, "GET", owner.path, **headers).status == 400
    still_lives(owner)
    assert server.metric('headway_dropped_events_total{reason="foreign_session"}') == 2


def test_a_second_websocket_on_a_session(limited):
    server = limited()
    owner = Polling(server)
    first = upgrade(server, owner)
    assert first.answer_to_handshake.status == 101
    first.say("2probe")
    assert first.wait_text(lambda text: True) == "3probe"
    with upgrade(server, owner) as second:
        if second.answer_to_handshake.status == 101:
            assert "3probe" not in list(second.messages())
    first.say("5")
    first.say("42" + json.dumps(["join_job", {"job_id": "job"}]))
    first.wait_text(lambda text: text.startswith('42["job_status"'))
    with upgrade(server, owner) as third:
        if third.answer_to_handshake.status == 101:
            third.say("2probe")
            assert list(third.messages()) == []
    assert server.api().update("job", "complete").status == 200
    first.wait_text(lambda text: text.startswith('42["job_update"') and '"completed"' in text)
    first.close()


def test_an_upgrade_that_is_not_finished(limited):
    server = limited(ENGINEIO_UPGRADE_TIMEOUT_MS=300)
    owner = Polling(server)
    with upgrade(server, owner) as probe:
        probe.say("2probe")
        assert list(probe.messages()) == ["3probe"]
    still_lives(owner)
    assert limit(server, "engineio.upgrade_timeout_ms") == 1
