"""Clients over bare sockets, which say what no library would."""

import contextlib
import base64
import json
import os
import select
import socket
import struct
import threading
import time

from harness import PATIENCE, Answer, eventually, user_token

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Raw:
    """A TCP connection, read in pieces."""

    def __init__(self, server, receive_buffer=None):
        self.peer = socket.socket()
        if receive_buffer:
            self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.peer.settimeout(10 * PATIENCE)
        self.peer.connect(("127.0.0.1", server.port))
        self.come, self.ended = b"", False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()

    def close(self):
        with contextlib.suppress(OSError):
            self.peer.shutdown(socket.SHUT_RDWR)  # a thread may be reading: close() alone would wait for it
        self.peer.close()

    def send(self, data):
        """Returns whether all of it went out: the server may have answered and closed."""
        try:
            self.peer.sendall(data)
            return True
        except (BrokenPipeError, ConnectionResetError):
            return False

    def more(self):
        """Reads on; False at the end. Fails with TimeoutError where nothing comes."""
        if not self.ended:
            try:
                piece = self.peer.recv(65536)
            except (ConnectionResetError, BrokenPipeError):
                piece = b""
            self.come += piece
            self.ended = not piece
        return not self.ended

    def is_readable(self, seconds):
        return bool(self.come or select.select([self.peer], [], [], seconds)[0])

    def take(self, n):
        while len(self.come) < n:
            if not self.more():
                return None
        taken, self.come = self.come[:n], self.come[n:]
        return taken

    def take_until(self, mark):
        while mark not in self.come:
            if not self.more():
                return None
        taken, self.come = self.come.split(mark, 1)
        return taken

    def answer(self, has_body=True):
        """The next HTTP answer; None at the end."""
        head = self.take_until(b"\r\n\r\n")
        if head is None:
            return None
        lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        length = int(headers.get("content-length", 0)) if has_body else 0
        body = self.take(length)
        return Answer(status, headers, (body or b"").decode("utf-8", "replace"))

    def answers(self):
        """All HTTP answers until the server closes."""
        all_of_them = []
        while (answer := self.answer()) is not None:
            all_of_them.append(answer)
        return all_of_them

    def wait_end(self):
        """Until the server closes; returns how long that took."""
        begin = time.monotonic()
        while self.more():
            pass
        return time.monotonic() - begin


def request(method, path, body=None, token=None, host="x", **headers):
    """The text of a request as it should be; headers with _ for -."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body is not None:
        body = json.dumps(body).encode() if not isinstance(body, bytes) else body
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


def exchange(server, data):
    """What one who sends this is answered until the server closes."""
    with Raw(server) as peer:
        peer.send(data)
        return peer.answers()


def ask(server, *arguments, **more):
    """The answer to one request over a connection of its own."""
    with Raw(server) as peer:
        peer.send(request(*arguments, **more))
        return peer.answer()


def frame(payload, opcode=TEXT, final=True, reserved=0, masked=True, length=None):
    """A client's frame; `length` lies about the payload's."""
    payload = payload.encode() if isinstance(payload, str) else payload
    size = len(payload) if length is None else length
    mask = 0x80 if masked else 0
    head = bytes([(0x80 if final else 0) | reserved << 4 | opcode])
    if size < 126:
        head += bytes([mask | size])
    elif size < 65536:
        head += bytes([mask | 126]) + struct.pack(">H", size)
    else:
        head += bytes([mask | 127]) + struct.pack(">Q", size)
    return head + (b"\0\0\0\0" if masked else b"") + payload  # a mask of zeros leaves it as it is


class RawWebSocket(Raw):
    """A WebSocket by hand. `answer_to_handshake.status` is 101, or it was refused."""

    def __init__(self, server, path, receive_buffer=None, **headers):
        super().__init__(server, receive_buffer)
        self.answers_pings = True
        self.send(request("GET", path, **{"Upgrade": "websocket", "Connection": "Upgrade", "Sec_WebSocket_Version": "13",
                                          "Sec_WebSocket_Key": base64.b64encode(os.urandom(16)).decode(), **headers}))
        self.answer_to_handshake = self.answer()

    def say(self, payload, **more):
        return self.send(frame(payload if isinstance(payload, (str, bytes)) else json.dumps(payload), **more))

    def read(self):
        """The next frame as (opcode, payload); None at the end."""
        head = self.take(2)
        if head is None:
            return None
        size = head[1] & 0x7F
        if size == 126:
            size = struct.unpack(">H", self.take(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.take(8))[0]
        payload = self.take(size)
        if payload is None:
            return None
        if head[0] & 0x0F == PING and self.answers_pings:
            self.send(frame(payload, PONG))
        return head[0] & 0x0F, payload

    def messages(self):
        """Text messages as they come, until the end."""
        while (one := self.read()) is not None:
            if one[0] == CLOSE:
                self.code = struct.unpack(">H", one[1][:2])[0] if len(one[1]) >= 2 else 0
                self.send(frame(one[1], CLOSE))
            elif one[0] == TEXT:
                yield one[1].decode()

    def wait_text(self, accept):
        """The first message that `accept`s; fails at the end."""
        seen = []
        for text in self.messages():
            if accept(text):
                return text
            seen.append(text)
        raise AssertionError(f"the connection ended with {getattr(self, 'code', None)} after {seen}")

    def close_code(self):
        """Reads to the end; the code of the close frame, 0 where it had none; None where there was no such frame."""
        self.code = None
        self.heard = list(self.messages())
        return self.code


def plain(server, token=None, job=None, **options):
    """A plain WebSocket that is let in; with `job` it has joined it."""
    peer = RawWebSocket(server, "/ws", **options)
    assert peer.answer_to_handshake.status == 101, peer.answer_to_handshake
    if token is not False:
        peer.say({"type": "auth", "token": token or user_token()})
        peer.wait_text(lambda text: json.loads(text)["type"] == "authenticated")
    if job:
        peer.say({"type": "join", "job_id": job})
        peer.wait_text(lambda text: json.loads(text)["type"] == "state")
    return peer


SOCKETIO_WEBSOCKET = "/socket.io/?EIO=4&transport=websocket"
SOCKETIO_POLLING = "/socket.io/?EIO=4&transport=polling"


def socketio(server, token=None, job=None, **options):
    """A Socket.IO client over a WebSocket of its own. The session's pings are the caller's business."""
    peer = RawWebSocket(server, SOCKETIO_WEBSOCKET, **options)
    assert peer.answer_to_handshake.status == 101, peer.answer_to_handshake
    peer.open = json.loads(peer.wait_text(lambda text: text.startswith("0"))[1:])
    if token is not False:
        peer.say("40" + json.dumps({"token": token or user_token()}))
        peer.wait_text(lambda text: text.startswith("40"))
    if job:
        peer.say("42" + json.dumps(["join_job", {"job_id": job}]))
        peer.wait_text(lambda text: text.startswith('42["job_status"'))
    return peer


class Polling:
    """A Socket.IO client by long polling, each request over a connection of its own."""

    def __init__(self, server, token=None, **headers):
        self.server, self.headers = server, headers
        self.answer_to_handshake = ask(server, "GET", SOCKETIO_POLLING, **headers)
        if self.answer_to_handshake.status != 200:
            return
        self.open = json.loads(self.answer_to_handshake.text[1:])
        self.path = f"{SOCKETIO_POLLING}&sid={self.open['sid']}"
        if token is not False:
            assert self.post("40" + json.dumps({"token": token or user_token()})).status == 200
            self.wait_text(lambda text: text.startswith("40"))

    def poll(self):
        return ask(self.server, "GET", self.path, **self.headers)

    def post(self, text):
        body = text if isinstance(text, bytes) else text.encode()
        with Raw(self.server) as peer:
            head = request("POST", self.path, Content_Type="text/plain;charset=UTF-8", Content_Length=len(body), **self.headers)
            peer.send(head + body)
            return peer.answer()

    def wait_text(self, accept):
        """The first packet that `accept`s; pings are answered; fails where the session ended."""
        seen = []
        while (answer := self.poll()).status == 200:
            for packet in answer.text.split("\x1e"):
                if accept(packet):
                    return packet
                seen.append(packet)
                if packet == "2":
                    self.post("3")
        raise AssertionError(f"the session ended with {answer.status} {answer.text} after {seen}")


class Bystander(threading.Thread):
    """A well-behaved watcher on /ws that must notice nothing of what others do."""

    def __init__(self, server, job):
        super().__init__(daemon=True)
        self.server, self.job, self.seen, self.progress = server, job, [], 0
        self.peer = plain(server, job=job)
        self.peer.peer.settimeout(600)
        self.start()

    def run(self):
        try:
            for text in self.peer.messages():
                self.seen.append(json.loads(text))
        except OSError:
            pass  # closed by ourselves

    def misses_nothing(self):
        """An update made now arrives."""
        assert self.is_alive(), f"the bystander was closed with {getattr(self.peer, 'code', None)}: {self.seen[-3:]}"
        self.progress += 0.25
        assert self.server.api().update(self.job, "progress", progress=self.progress).status in (200, 202)  # 202: held for its turn
        eventually(lambda: any(self.progress in (one.get("progress"), (one.get("job") or {}).get("progress")) for one in self.seen), 10,
                   f"progress {self.progress} at the bystander, who saw {self.seen[-3:]}")

    def close(self):
        self.peer.close()


def limit(server, name):
    """How often that limit was met."""
    return server.metric(f'headway_limit_exceeded_total{{limit="{name}"}}')


def refused(server, reason):
    return server.metric(f'headway_refused_total{{reason="{reason}"}}')


def disconnects(server, reason):
    return server.metric(f'headway_disconnects_total{{reason="{reason}"}}')


def connections(server):
    """Watchers' sessions, of all transports."""
    lines = server.api().get("/metrics").text.splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("headway_connections{"))


def is_sound(server):
    """It runs, and nothing in it broke."""
    assert server.process.poll() is None
    assert server.metric("headway_actors_lost") == 0
    assert server.metric("headway_handler_exceptions_total") == 0
    assert [line for line in server.log_lines() if line["level"] == "error"] == []
