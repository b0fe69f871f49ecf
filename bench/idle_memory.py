"""Resident memory per idle, authenticated connection: over WebSocket, over long-polling (its poll held), on plain WebSockets.

    build/venv/bin/python bench/idle_memory.py [CONNECTIONS=5000] [BINARY=build/release/headway]

Starts a server of its own on SQLite with the limits of one address lifted. What it prints of each kind: VmRSS before and
after, and the difference per connection; then the same after all of them have gone.
"""
import asyncio
import base64
import json
import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests" / "e2e"))
from harness import SECRET, user_token  # noqa: E402

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
BINARY = sys.argv[2] if len(sys.argv) > 2 else "build/release/headway"


def rss_kib(pid):
    return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text())[1])


def masked(text):
    data = text.encode()
    length = bytes([0x80 | len(data)]) if len(data) < 126 else bytes([0xFE]) + len(data).to_bytes(2, "big")
    return b"\x81" + length + b"\0\0\0\0" + data


async def upgraded(port, target):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16)).decode()
    writer.write(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                 f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode())
    assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def websocket(port, token):
    reader, writer = await upgraded(port, "/socket.io/?EIO=4&transport=websocket")
    writer.write(masked("40" + json.dumps({"token": token})))
    await reader.readuntil(b'"connected"')
    return writer


async def plain(port, token):
    reader, writer = await upgraded(port, "/ws")
    writer.write(masked(json.dumps({"type": "auth", "token": token})))
    await reader.readuntil(b"authenticated")
    return writer


async def exchange(reader, writer, method, target, body=""):
    writer.write(f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
    head = await reader.readuntil(b"\r\n\r\n")
    return (await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))).decode()


async def polling(port, token):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = "/socket.io/?EIO=4&transport=polling"
    sid = json.loads((await exchange(reader, writer, "GET", path))[1:])["sid"]
    assert await exchange(reader, writer, "POST", f"{path}&sid={sid}", "40" + json.dumps({"token": token})) == "ok"
    assert "connected" in await exchange(reader, writer, "GET", f"{path}&sid={sid}")
    writer.write(f"GET {path}&sid={sid} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())  # held
    return writer


async def measure(name, connect, port, pid):
    before = rss_kib(pid)
    token = user_token("idle")
    open_now, gate = [], asyncio.Semaphore(50)

    async def one():
        async with gate:
            open_now.append(await connect(port, token))

    await asyncio.gather(*(one() for _ in range(COUNT)))
    await asyncio.sleep(1)
    after = rss_kib(pid)
    for writer in open_now:
        writer.transport.abort()
    await asyncio.sleep(3)
    print(f"{name:10} {COUNT} connections: {before} -> {after} KiB, {(after - before) / COUNT:.2f} KiB each; gone: {rss_kib(pid)} KiB", flush=True)


async def main():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    lifted = {f"HEADWAY_CONNECTIONS_{name}": "0" for name in ("TOTAL_MAX", "PER_ADDRESS_MAX", "PER_USER_MAX", "PER_SECOND", "PER_ADDRESS_PER_SECOND")}
    lifted |= {f"HEADWAY_HTTP_{name}": "0" for name in ("CONNECTIONS_MAX", "CONNECTIONS_PER_ADDRESS_MAX", "ACCEPTS_PER_SECOND", "ACCEPTS_PER_ADDRESS_PER_SECOND")}
    kinds = {"websocket": websocket, "polling": polling, "plain": plain}
    for name, connect in kinds.items():  # a fresh server each: freed memory would flatter the second
        with tempfile.TemporaryDirectory() as folder:
            server = subprocess.Popen([BINARY, "serve", "--port", "0", "--database-url", f"sqlite:///{folder}/idle.db"],
                                      env={**os.environ, **lifted, "JWT_SECRET": SECRET}, stderr=subprocess.PIPE, text=True)
            try:
                for line in server.stderr:
                    if "server.listening" in line:
                        break
                await measure(name, connect, json.loads(line)["port"], server.pid)
            finally:
                server.terminate()
                server.wait(15)


asyncio.run(main())
