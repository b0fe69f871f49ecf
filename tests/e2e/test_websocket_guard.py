"""WebSocket frames that break the protocol or a limit: their own connection is closed with the right code, nobody else's."""

import struct
from pathlib import Path

import pytest
from harness import PATIENCE, eventually
from raw import (BINARY, CLOSE, PING, PONG, SOCKETIO_WEBSOCKET, TEXT, Bystander, RawWebSocket, connections, frame, is_sound, limit, plain,
                 socketio)

OPEN = {"socketio": socketio, "plain": plain}


@pytest.fixture(scope="module")
def server(module_house):
    env = {"HEADWAY_WEBSOCKET_CONTROL_FRAMES_PER_SECOND": "5", "HEADWAY_WEBSOCKET_CONTROL_FRAMES_BURST": "20",
           "HEADWAY_WEBSOCKET_CLOSE_TIMEOUT_MS": "1000", "HEADWAY_SOCKETIO_EVENTS_BURST": "100000"}
    server = module_house.serve(f"sqlite://{module_house.directory}/headway.db", env=env)
    server.api().create(id="bystander")
    server.bystander = Bystander(server, "bystander")
    yield server
    server.bystander.close()
    eventually(lambda: connections(server) == 0, what="all connections to end")
    is_sound(server)


@pytest.fixture(autouse=True)
def nobody_else_notices(server):
    yield
    server.bystander.misses_nothing()


@pytest.fixture(params=OPEN)
def peer(request, server):
    with OPEN[request.param](server) as peer:
        peer.is_plain = request.param == "plain"
        yield peer


BROKEN = {
    "not masked": frame("2", masked=False),
    "a first reserved bit": frame("2", reserved=4),
    "a second reserved bit": frame("2", reserved=2),
    "a third reserved bit": frame("2", reserved=1),
    "a reserved opcode": frame("2", opcode=3),
    "a reserved control opcode": frame("2", opcode=11),
    "a continuation of nothing": frame("2", opcode=0),
    "a message within another": frame("2", final=False) + frame("2"),
    "a ping in pieces": frame("x", opcode=PING, final=False),
    "a ping too long": bytes([0x80 | PING, 0x80 | 126]) + struct.pack(">H", 126) + b"\0\0\0\0" + b"x" * 126,
    "a length with the top bit": bytes([0x80 | BINARY, 0x80 | 127]) + struct.pack(">Q", 1 << 63) + b"\0\0\0\0",
    "all bits of a length": bytes([0x80 | TEXT, 0x80 | 127]) + b"\xff" * 8 + b"\0\0\0\0",
    "a close of one byte": frame(b"\x03", opcode=CLOSE),
}


@pytest.mark.parametrize("which", BROKEN)
def test_what_is_no_frame(peer, which):
    peer.send(BROKEN[which])
    assert peer.close_code() == 1002


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 2999])
def test_a_close_code_that_is_none(peer, code):
    peer.send(frame(struct.pack(">H", code), opcode=CLOSE))
    assert peer.close_code() == 1002


@pytest.mark.parametrize("code", [1000, 1001, 3000, 4999])
def test_a_close_is_answered(peer, code):
    peer.send(frame(struct.pack(">H", code) + b"bye", opcode=CLOSE))
    assert peer.close_code() == code


@pytest.mark.parametrize("text", [b"\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82"], ids=range(5))
def test_a_text_that_is_no_utf8(peer, text):
    peer.say(b'42["x"]' + text)
    assert peer.close_code() == 1007


def test_no_utf8_across_fragments(peer):
    peer.send(frame(b"\xe2", final=False) + frame(b"\x28\xa1", opcode=0))
    assert peer.close_code() == 1007


def test_a_message_too_long(server, peer):
    before = limit(server, "engineio.max_payload_bytes")
    peer.send(frame(b"", length=1_000_001))  # of it not a byte is sent
    assert peer.close_code() == 1009
    assert limit(server, "engineio.max_payload_bytes") == before + 1


def test_a_message_too_long_in_pieces(server, peer):
    before = limit(server, "engineio.max_payload_bytes")
    peer.send(frame(b"x" * 600_000, final=False) + frame(b"x" * 600_000, opcode=0))
    assert peer.close_code() in (1009, None)  # reset while still sending
    eventually(lambda: limit(server, "engineio.max_payload_bytes") == before + 1, what="the metric")


def test_a_message_in_too_many_pieces(server, peer):
    before = limit(server, "websocket.fragments_max")
    peer.send(frame(b"2", final=False) + frame(b"x", opcode=0, final=False) * 127 + frame(b"", opcode=0))
    assert peer.close_code() == 1008
    assert limit(server, "websocket.fragments_max") == before + 1


def test_as_many_pieces_as_may_be(server):
    with plain(server) as peer:
        text = b'{"type":"ping"}' + b" " * 113
        peer.send(frame(text[:1], final=False) + b"".join(frame(text[n:n + 1], opcode=0, final=n == 127) for n in range(1, 128)))
        assert "pong" in peer.wait_text(lambda text: True)


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_too_many_control_frames(server, peer, opcode):
    before = limit(server, "websocket.control_frames_per_second")
    peer.send(frame(b"x", opcode=opcode) * 200)
    assert peer.close_code() == 1008
    assert limit(server, "websocket.control_frames_per_second") == before + 1


def test_some_pings_are_answered(server, peer):
    peer.send(frame(b"now", opcode=PING) * 10)
    pongs = (one for one in iter(peer.read, None) if one[0] == PONG)
    assert [next(pongs) for _ in range(10)] == [(PONG, b"now")] * 10


def memory(server):
    """VmRSS in bytes."""
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


@pytest.mark.parametrize("kind", OPEN)
def test_peers_that_ping_and_do_not_read(module_house, kind):
    """Without a limit of pings: what bounds the pongs is the queue."""
    env = {"HEADWAY_WEBSOCKET_CONTROL_FRAMES_PER_SECOND": "0", "HEADWAY_QUEUE_BYTES_MAX": "65536", "HEADWAY_WEBSOCKET_CLOSE_TIMEOUT_MS": "1000"}
    server = module_house.serve(f"sqlite://{module_house.directory}/{kind}.db", env=env)
    server.api().create(id="bystander")
    bystander = Bystander(server, "bystander")
    peers = [OPEN[kind](server, receive_buffer=4096) for _ in range(3)]
    before = memory(server)
    pings = frame(b"x" * 125, opcode=PING) * 500
    sent = 0
    for peer in peers:
        peer.peer.settimeout(1)
        try:
            for _ in range(300):  # 19 MB each
                if not peer.send(pings):
                    break
                sent += len(pings)
        except TimeoutError:
            pass  # it reads no more
    assert memory(server) - before < 24_000_000 * PATIENCE, f"after {sent} bytes of pings"
    bystander.misses_nothing()
    for peer in peers:
        peer.close()
    eventually(lambda: connections(server) == 1, 10, "their connections to end")
    bystander.close()
    is_sound(server)


@pytest.mark.parametrize("path", ["/ws", SOCKETIO_WEBSOCKET])
def test_another_version_of_websocket(server, path):
    with RawWebSocket(server, path, Sec_WebSocket_Version="12") as peer:
        assert peer.answer_to_handshake.status in (400, 426)
        peer.wait_end()


def test_nothing_is_compressed(server):
    for path in ("/ws", SOCKETIO_WEBSOCKET):
        with RawWebSocket(server, path, Sec_WebSocket_Extensions="permessage-deflate; client_max_window_bits") as peer:
            assert peer.answer_to_handshake.status == 101
            assert "sec-websocket-extensions" not in peer.answer_to_handshake.headers


def test_a_peer_that_does_not_answer_the_close_is_cut(server, peer):
    peer.send(BROKEN["not masked"])
    assert (CLOSE, struct.pack(">H", 1002)) in iter(peer.read, None)
    assert peer.wait_end() < 6 * PATIENCE  # close_timeout is 1 s
