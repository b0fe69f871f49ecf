"""Every client library over every transport goes the same way: join, updates, leave, a cut, the ending, thrown out."""

import json
import socket
import subprocess
import sys
import threading
import time

import pytest
from harness import HERE, PATIENCE, TRANSPORTS, Program, eventually, user_token

PEERS = HERE / "peers"
PYTHON = sys.executable
LIBRARIES = {
    "socket.io-client": ["node", str(PEERS / "socketio.mjs")],
    "python-socketio": [PYTHON, str(PEERS / "socketio_sync.py")],
    "python-socketio-asyncio": [PYTHON, str(PEERS / "socketio_async.py")],
    "plain": [PYTHON, str(PEERS / "plain.py")],
    "sse": [PYTHON, str(PEERS / "sse.py")],
}
CASES = [(library, transport) for library in LIBRARIES if "io" in library for transport in TRANSPORTS] + [("plain", "plain"), ("sse", "sse")]


class Proxy:
    """Passes TCP connections on to a port, and cuts them all when asked to."""

    def __init__(self, port):
        self.port, self.lock, self.pairs, self.is_cut = port, threading.Lock(), [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def cut(self):
        """Drops what is open; what comes is dropped, too, until `mend`."""
        with self.lock:
            self.is_cut = True
            for one in self.pairs:
                self._shut(one)
            self.pairs.clear()

    def mend(self):
        with self.lock:
            self.is_cut = False

    def close(self):
        self.cut()
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                if self.is_cut:
                    client.close()
                    continue
                server = socket.create_connection(("127.0.0.1", self.port))
                self.pairs += [client, server]
            for one, other in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _shut(one):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # it went by itself

    def _pump(self, one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            self._shut(end)


class Peer(Program):
    """A client library in a process of its own; see peers/peer.py. What it is told, in the words of all of them."""

    def __init__(self, library, transport, url, logs):
        config = {"url": url, "token": user_token("1"), "transports": TRANSPORTS.get(transport)}
        super().__init__([*LIBRARIES[library], json.dumps(config)], logs / f"{library}-{transport}.err", stdin=subprocess.PIPE)

    def tell(self, verb, argument):
        self.process.stdin.write(f"{verb} {argument}\n")
        self.process.stdin.flush()

    def go(self):
        self.process.stdin.close()
        self.wait(10)

    def heard(self):
        """[(what, job or None, more)]: ("state", job, seq) ("update", job, (seq, status)) ("left", job, None) ..."""
        with self.news:
            lines = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [self._understood(line) for line in lines]

    @staticmethod
    def _understood(line):
        if line["t"] != "event":
            return (line["t"], line.get("job"), line.get("reason") or line.get("transport"))
        name, data = line["name"], line["data"] if isinstance(line["data"], dict) else {}
        job = data.get("job_id") or (data["room"].removeprefix("job:") if "room" in data else None)
        if name in ("job_status", "state"):
            return ("state", job, data["seq"] if name == "job_status" else data["job"]["seq"])
        if name in ("job_unsubscribed", "left"):
            return ("left", job, None)
        if "seq" in data:
            return ("update", job, (data["seq"], data["status"]))
        return (name, job, data.get("code"))

    def hears(self, accept, what, since=0, seconds=20):
        """The index of the first one that `accept`s it, from `since` on."""
        deadline = time.monotonic() + seconds * PATIENCE
        while True:
            count = len(self.lines)  # before it is read: nothing comes by unseen
            heard = self.heard()
            for at in range(since, len(heard)):
                if accept(heard[at]):
                    return at
            left = deadline - time.monotonic()
            with self.news:
                assert "(end)" not in self.lines, f"ended before {what}: {self.trouble()}"
                assert left > 0 and self.news.wait_for(lambda: len(self.lines) > count, left), \
                    f"waited in vain for {what}; heard {heard[-8:]}; {self.trouble()}"

    def hears_seq(self, job, seq, since=0):
        return self.hears(lambda heard: heard[0] == "update" and heard[1] == job and heard[2][0] == seq, f"seq {seq} of {job}", since)


def seqs(heard, job):
    return [more[0] for what, of, more in heard if what == "update" and of == job]


class Jobs:
    """Workers' side: each update is committed as it is."""

    def __init__(self, server, *names):
        self.api = server.api()
        for name in names:
            self.api.create(id=name, throttle={"min_interval_ms": 0, "min_delta": 0})

    def update(self, job, verb="progress", **body):
        answer = self.api.update(job, verb, **body)
        assert answer.status == 200, (answer.status, answer.text)
        return answer.json["seq"]


@pytest.fixture(scope="module")
def server(module_house):
    return module_house.serve(f"sqlite://{module_house.directory}/headway.db")


@pytest.fixture
def proxy(server):
    made = Proxy(server.port)
    yield made
    made.close()


@pytest.mark.parametrize(("library", "transport"), CASES)
def test_matrix(house, server, proxy, library, transport):
    is_socketio, name = "io" in library, f"{library}-{transport}"
    a, b, c = f"{name}.a", f"{name}.b", f"{name}.c"
    jobs = Jobs(server, a, b, c)
    peer = house.run(Peer(library, transport, proxy.url, house.logs))
    if library != "sse":  # which connects by joining
        peer.hears(lambda heard: heard[0] == "connect", "the connection")
    if library == "socket.io-client" and transport == "upgrade":
        peer.hears(lambda heard: heard[0] == "upgrade", "the upgrade")

    # It joins, and gets every update in order, none twice.
    peer.tell("join", a)
    at = peer.hears(lambda heard: heard[:2] == ("state", a), "the state")
    assert peer.heard()[at] == ("state", a, 1)
    for progress in range(1, 21):
        last = jobs.update(a, progress=progress)
    peer.hears_seq(a, last)
    first = 1 if is_socketio else 2  # there the state comes as an update, too
    assert seqs(peer.heard(), a) == list(range(first, last + 1))

    # After it left there is no more: what comes in the other room later is behind it.
    peer.tell("join", b)
    peer.hears(lambda heard: heard[:2] == ("state", b), "the state")
    peer.hears_seq(b, jobs.update(b, progress=1))
    peer.tell("leave", b)
    left = peer.hears(lambda heard: heard[:2] == ("left", b), "that it left")
    jobs.update(b, progress=2)
    last = jobs.update(a, progress=30)
    peer.hears_seq(a, last)
    assert not [heard for heard in peer.heard()[left + 1:] if heard[1] == b]

    # It comes back after a cut, and knows what happened meanwhile.
    before = len(peer.heard())
    proxy.cut()
    cut = peer.hears(lambda heard: heard[0] == "disconnect", "the cut", before)
    missed = [jobs.update(a, progress=progress) for progress in (40, 41, 42)]
    proxy.mend()
    back = peer.hears(lambda heard: heard[0] == "connect", "the reconnection", cut)
    peer.hears(lambda heard: heard[:2] == ("state" if is_socketio else "resumed", a), "how it stands", back)
    last = jobs.update(a, progress=50)
    peer.hears_seq(a, last, back)
    got = seqs(peer.heard()[back:], a)
    assert got == ([missed[-1], last] if is_socketio else [*missed, last])
    if not is_socketio:
        assert seqs(peer.heard(), a) == list(range(first, last + 1)), "as if there had been no cut"

    # The ending arrives.
    last = jobs.update(a, "complete", result={"rows": 7})
    at = peer.hears_seq(a, last, back)
    assert peer.heard()[at] == ("update", a, (last, "completed"))
    if library == "sse":
        peer.hears(lambda heard: heard[:2] == ("over", a), "204")

    # Its token expires: it is told why, thrown out, and stays away.
    peer.tell("join", c)
    before = peer.hears(lambda heard: heard[:2] == ("state", c), "the state")
    peer.tell("renew", user_token("1", max(4, int(4 * PATIENCE))))
    told = peer.hears(lambda heard: heard[0] == "error", "the reason", before)
    assert peer.heard()[told][2] == "auth_expired"
    gone = peer.hears(lambda heard: heard[0] == "disconnect", "the end", told)
    expected = {"socket.io-client": "io server disconnect", "python-socketio": "server disconnect",
                "python-socketio-asyncio": "server disconnect", "plain": 1008, "sse": "end of the stream"}
    assert peer.heard()[gone][2] == expected[library]
    peer.go()
    assert not [heard for heard in peer.heard()[gone:] if heard[0] == "connect"]


def test_nobody_is_left(server):
    for kind in ("websocket", "polling", "plain", "sse"):
        eventually(lambda kind=kind: server.metric(f'headway_connections{{transport="{kind}"}}') == 0, 30, f"the {kind} connections to end")


def test_the_examples_of_the_protocol_page_work(house, server, proxy):
    jobs = Jobs(server, "page")
    page = HERE.parent.parent / "docs" / "protocol.md"
    command = ["node", "--experimental-websocket", str(HERE / "protocol_page.mjs"), str(page), proxy.url, user_token("1"), "page"]
    program = house.run(Program(command, house.logs / "page.err"))
    for example in ("socket", "fetch"):
        program.wait_line(lambda line, example=example: line.startswith(f'["{example}","state"'), 20, f"the {example} to join")
    jobs.update("page", progress=10)
    proxy.cut()
    jobs.update("page", progress=20)
    proxy.mend()
    for example in ("socket", "fetch"):
        program.wait_line(lambda line, example=example: line.startswith(f'["{example}","resumed"'), 20, f"the {example} to come back")
    jobs.update("page", "complete")
    program.wait(20)
    told = [json.loads(line) for line in program.lines if line != "(end)"]
    for example in ("socket", "fetch"):
        assert [data["seq"] for by, _, data in told if by == example and "seq" in data] == [2, 3, 4, 5]
