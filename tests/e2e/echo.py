"""The server of tests/echo, and clients that speak raw Engine.IO to it."""

import base64
import http.client
import json
import os
import select
import signal
import socket
import struct
from pathlib import Path

import websocket
from harness import PATIENCE, Answer, Program

PATIENT = {"ping_interval_ms": 25_000, "ping_timeout_ms": 20_000, "connect_timeout_ms": 60_000}  # no time plays a part
QUICK = {"ping_interval_ms": int(300 * PATIENCE), "ping_timeout_ms": int(200 * PATIENCE), "connect_timeout_ms": int(1000 * PATIENCE)}
SEPARATOR = "\x1e"


class Echo(Program):
    """`headway_echo` on a free port. `QUICK` has times worth waiting for."""

    def __init__(self, directory, times=None):
        binary = os.environ.get("HEADWAY_ECHO_BINARY")
        assert binary and os.access(binary, os.X_OK), "HEADWAY_ECHO_BINARY must name the echo server's binary"
        self.times = times or PATIENT
        options = [word for name, ms in self.times.items() for word in ("--" + name.removesuffix("_ms").replace("_", "-"), str(ms))]
        super().__init__([binary, "--port", "0", *options], Path(directory) / "echo.err")
        self.port = int(self.wait_line(lambda line: line.startswith("listening on "), 30, "the echo server to listen").rsplit(":", 1)[1])

    def stop(self):
        """SIGTERM; ends in time, with exit code 0 and without a word from a sanitizer."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.wait(10)
        finally:
            self.kill()
        said = self.stderr_path.read_text(errors="replace")
        assert "Sanitizer" not in said and "runtime error:" not in said, said[-4000:]


class Request:
    """An HTTP request under way, on a connection of its own."""

    def __init__(self, port, method, target, body=None, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10 * PATIENCE)
        headers = headers or {}
        self.connection.request(method, target, body=body.encode() if isinstance(body, str) else body, headers=headers,
                                encode_chunked="Transfer-Encoding" in headers)

    def answer(self):
        response = self.connection.getresponse()
        text = response.read().decode()
        self.connection.close()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, text)

    def is_held(self, seconds=0.1):
        """No answer comes in that time."""
        return not select.select([self.connection.sock], [], [], seconds)[0]

    def abort(self):
        self.connection.close()


class Polling:
    """A session opened by a poll."""

    def __init__(self, port, path="/engine.io/", query=""):
        self.port, self.path = port, path
        opened = Request(port, "GET", f"{path}?EIO=4&transport=polling{query}").answer()
        assert opened.status == 200 and opened.text.startswith("0"), (opened.status, opened.text)
        self.opened, self.handshake = opened, json.loads(opened.text[1:])
        self.sid = self.handshake["sid"]
        self.target = f"{path}?EIO=4&transport=polling&sid={self.sid}"

    def poll(self):
        return Request(self.port, "GET", self.target)

    def get(self):
        """What the next poll brings."""
        answer = self.poll().answer()
        assert answer.status == 200, (answer.status, answer.text)
        return answer.text

    def send(self, body, **headers):
        """A POST, whatever comes of it."""
        return Request(self.port, "POST", self.target, body, {"Content-Type": "text/plain;charset=UTF-8", **headers}).answer()

    def post(self, body):
        answer = self.send(body)
        assert (answer.status, answer.text) == (200, "ok"), (answer.status, answer.text)

    def probe(self):
        """A WebSocket that wants to take over."""
        return Socket(self.port, self.path, f"&sid={self.sid}")

    def upgrade(self):
        probe = self.probe()
        probe.send("2probe")
        assert probe.receive() == "3probe"
        probe.send("5")
        return probe

    def is_over(self):
        answer = self.poll().answer()
        return (answer.status, answer.text) == UNKNOWN


UNKNOWN = (400, '{"code":1,"message":"Session ID unknown"}')


class Socket:
    """A WebSocket, without a word about what goes over it."""

    def __init__(self, port, path="/engine.io/", query="", **options):
        self.connection = websocket.create_connection(f"ws://127.0.0.1:{port}{path}?EIO=4&transport=websocket{query}", timeout=10 * PATIENCE,
                                                      suppress_origin=True, **options)

    def send(self, *messages):
        for message in messages:
            if isinstance(message, bytes):
                self.connection.send_binary(message)
            else:
                self.connection.send(message)

    def receive(self, count=None):
        """The next message, or the next `count`: texts as `str`, binary ones as `bytes`."""
        if count is not None:
            return [self.receive() for _ in range(count)]
        opcode, data = self.connection.recv_data()
        assert opcode != websocket.ABNF.OPCODE_CLOSE, f"closed, where a message was expected: {data}"
        return data.decode() if opcode == websocket.ABNF.OPCODE_TEXT else data

    def closed(self):
        """What came before the server closed it: (messages, close code); the code is None where the close had none, "cut" where there was no close."""
        came = []
        while True:
            try:
                opcode, data = self.connection.recv_data()
            except (websocket.WebSocketConnectionClosedException, ConnectionError):
                return came, "cut"
            if opcode == websocket.ABNF.OPCODE_CLOSE:
                self.connection.shutdown()
                return came, struct.unpack("!H", data[:2])[0] if len(data) >= 2 else None
            came.append(data.decode() if opcode == websocket.ABNF.OPCODE_TEXT else data)

    def close(self):
        self.connection.close(timeout=10 * PATIENCE)

    def cut(self):
        self.connection.shutdown()


class Client(Socket):
    """A session opened on a WebSocket."""

    def __init__(self, port, path="/engine.io/", query="", **options):
        super().__init__(port, path, query, **options)
        opened = self.receive()
        assert opened.startswith("0"), opened
        self.handshake = json.loads(opened[1:])
        self.sid = self.handshake["sid"]


def refusal(port, target, **headers):
    """How the server refuses a WebSocket: status, headers and body, read from the socket itself."""
    with socket.create_connection(("127.0.0.1", port), timeout=10 * PATIENCE) as raw:
        raw.sendall(upgrade_request(port, target, **headers))
        head, _, body = read_until(raw, b"(never)").decode().partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    return Answer(int(first.split()[1]), {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}, body)


def upgrade_request(port, target, **headers):
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [f"GET {target} HTTP/1.1", f"Host: 127.0.0.1:{port}", "Upgrade: websocket", "Connection: Upgrade", f"Sec-WebSocket-Key: {key}",
             "Sec-WebSocket-Version: 13", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def text_frame(text):
    return websocket.ABNF.create_frame(text, websocket.ABNF.OPCODE_TEXT).format()


def read_until(raw, end):
    """What comes until these bytes have come, or the server closes."""
    received = b""
    while end not in received and (chunk := raw.recv(65536)):
        received += chunk
    return received
