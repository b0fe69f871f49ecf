"""The clients of dialect A's existing users, as their documents have them, see a bar reach 100."""

import asyncio
import json
from datetime import datetime

import pytest
import socketio
from harness import HERE, PATIENCE, Program, Worker, check_trace, user_token


@pytest.fixture(scope="module")
def server(module_house):
    return module_house.serve(f"sqlite://{module_house.directory}/headway.db")


def test_their_typescript_sees_the_bar_reach_100(house, server):
    job = 123
    worker = Worker(server, house.logs)
    worker.create(job)
    client = house.run(Program(["node", str(HERE / "seed_a_client.mjs"), server.url, user_token("1"), str(job)], house.logs / "seed.err"))
    client.wait_line(lambda line: '"job_id"' in line, 20, "the client to join")
    for progress in (10, 35.5, 60):
        worker.update(job, "progress", progress=progress, wait=True)
    worker.update(job, "complete", result={"url": "https://example.com/report"})
    client.wait(20)

    drawn = [json.loads(line) for line in client.lines if line.startswith("{")]
    pong = drawn.pop()
    assert pong["connected"] and pong["pong"]["timestamp"]
    assert drawn[0]["message"] == "Subscribed to job 123" and drawn[0]["status"] == "queued"
    assert all(data["job_id"] == 123 for data in drawn)
    assert [data["bar"] for data in drawn if data["progress"] in (10, 35.5, 60)] == ["width: 10%", "width: 35.5%", "width: 60%"]
    assert drawn[-1]["bar"] == "width: 100%" and drawn[-1]["status"] == "completed" and drawn[-1]["result"] == {"url": "https://example.com/report"}
    bar = [data["progress"] for data in drawn]
    assert bar == sorted(bar)
    assert len({json.dumps(data, sort_keys=True) for data in drawn}) == len(drawn)
    for data in drawn[1:]:
        datetime.fromisoformat(data["timestamp"].replace("Z", "+00:00"))
    check_trace(server.store_url, house.logs)


def test_their_typescript_sees_a_page_opened_late(house, server):
    job = 124
    worker = Worker(server, house.logs)
    worker.create(job)
    worker.update(job, "complete", result={"n": 1})
    client = house.run(Program(["node", str(HERE / "seed_a_client.mjs"), server.url, user_token("1"), str(job)], house.logs / "seed.err"))
    client.wait(20)
    assert any('"width: 100%"' in line and '"completed"' in line for line in client.lines)
    check_trace(server.store_url, house.logs)


def test_their_python_connects_as_in_their_test(server):
    async def run():
        sio_client = socketio.AsyncClient()
        connected, told = asyncio.Event(), {}

        @sio_client.on("connected")
        async def on_connected(data):  # one argument: a second one would be a TypeError
            told.update(data)
            connected.set()

        await sio_client.connect(server.url, auth={"token": user_token("1")}, socketio_path="/socket.io")
        await asyncio.wait_for(connected.wait(), 10 * PATIENCE)
        await sio_client.disconnect()
        return told

    told = asyncio.run(run())
    assert told["user_id"] == "1" and told["message"] and told["timestamp"]


def test_a_blocking_python_client_follows_a_job(house, server):
    job = 125
    worker = Worker(server, house.logs)
    worker.create(job)
    with socketio.SimpleClient() as client:
        client.connect(server.url, auth={"token": user_token("1")}, socketio_path="/socket.io")
        client.emit("join_job", {"job_id": job})
        names, last = [], None
        posted = False
        while last is None or last.get("status") != "completed":
            name, data = client.receive(timeout=10 * PATIENCE)
            names.append(name)
            if name in ("job_status", "job_update"):
                last = data
            if name == "job_update" and not posted:
                posted = True
                worker.update(job, "progress", progress=50)
                worker.update(job, "complete")
        assert last["progress"] == 100
        assert names.index("connected") < names.index("job_status") < names.index("job_update")
    check_trace(server.store_url, house.logs)
