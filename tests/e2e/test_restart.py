"""SIGTERM and kill -9 in the middle of the load: nothing acknowledged is lost, watchers come back by themselves."""

from harness import Load, Watcher, check_trace
from test_load import JOBS, OPTIONS, start_watchers

WATCHERS = [
    ("all", JOBS, "socket.io-client", "websocket"),
    ("node-polling", JOBS[:4], "socket.io-client", "polling"),
    ("node-upgrade", JOBS[4:7], "socket.io-client", "upgrade"),
    ("asyncio-websocket", JOBS[7:10], "python-socketio-asyncio", "websocket"),
    ("sync-polling", JOBS[10:12], "python-socketio", "polling"),
]


def test_nothing_acknowledged_is_lost(house, store_url):
    server = house.serve(store_url, *OPTIONS)
    api = server.api()
    for job in JOBS:
        api.create(id=job)
    api.close()
    watchers = start_watchers(house, server, WATCHERS)
    load = house.run(Load(server, house.logs, JOBS))

    for share, how in ((0.2, server.stop), (0.4, server.kill), (0.6, server.kill), (0.8, server.stop)):
        load.wait_share(share)
        how()
        server.start()

    load.result()
    for watcher in watchers:
        watcher.wait(60)
    assert server.metric("headway_actors_lost") == 0
    server.stop()
    report = check_trace(store_url, house.logs)
    assert report.counts["connections"] > report.counts["watchers"]


def test_a_stop_while_idle_ends_cleanly_and_keeps_everything(house, store_url):
    server = house.serve(store_url)
    api = server.api()
    before = [api.create(id="kept", metadata={"a": [1, 2, 3]}), api.update("kept", "progress", progress=12.5, message="half of a quarter").json]
    state = api.get("/api/v1/jobs/kept").json
    api.close()
    watcher = house.run(Watcher(server, house.logs, "idle", ["kept"], timeout_s=60)).wait_joined()
    server.stop()

    server.start()
    assert server.api().get("/api/v1/jobs/kept").json == state
    after = server.api().update("kept", "complete").json
    assert after["seq"] == before[-1]["seq"] + 1 and after["position"] == before[-1]["position"] + 1
    watcher.wait(60)
    assert len(watcher.events("connected")) == 2
    server.stop()
    check_trace(store_url, house.logs)
