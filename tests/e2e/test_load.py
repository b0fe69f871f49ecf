"""1,000 updates to each of 20 jobs, 64 requests in flight, throttle off, while stock clients watch."""

from harness import UPDATES, Load, Watcher, check_trace

JOBS = list(range(1, 21))
OPTIONS = ("--throttle.min_interval_ms", "0", "--rate_limit.facts_per_second", "0")
WATCHERS = [  # name, jobs, client, transport
    ("all", JOBS, "socket.io-client", "websocket"),
    ("node-polling", JOBS[:5], "socket.io-client", "polling"),
    ("node-upgrade", JOBS[5:8], "socket.io-client", "upgrade"),
    ("asyncio-websocket", JOBS[8:12], "python-socketio-asyncio", "websocket"),
    ("asyncio-polling", JOBS[12:14], "python-socketio-asyncio", "polling"),
    ("sync-websocket", JOBS[14:16], "python-socketio", "websocket"),
    ("sync-polling", JOBS[:2], "python-socketio", "polling"),
]


def start_watchers(house, server, watchers):
    watchers = [house.run(Watcher(server, house.logs, name, jobs, client, transport, timeout_s=150))
                for name, jobs, client, transport in watchers]
    for watcher in watchers:
        watcher.wait_joined(60)
    return watchers


def test_under_load_every_watcher_gets_everything_in_order(house, store_url):
    server = house.serve(store_url, *OPTIONS)
    api = server.api()
    for job in JOBS:
        api.create(id=job)
    watchers = start_watchers(house, server, WATCHERS)
    load = house.run(Load(server, house.logs, JOBS))

    load.wait_share(0.3)
    late = house.run(Watcher(server, house.logs, "late", JOBS, "socket.io-client", "websocket", timeout_s=150))  # joins in the middle

    result = load.result()
    for watcher in [*watchers, late]:
        watcher.wait(60)

    commits, updates = server.metric("headway_commit_batch_size_count"), server.metric("headway_commit_batch_size_sum")
    print(f"\n{store_url.partition(':')[0]}: {result['acknowledged'] / result['seconds']:.0f} updates/s, mean commit batch {updates / commits:.1f}")
    assert server.metric("headway_actors_lost") == 0
    assert result["acknowledged"] == result["answered"] == len(JOBS) * UPDATES
    server.stop()
    report = check_trace(store_url, house.logs)
    assert report.counts["acknowledged"] == len(JOBS) * UPDATES
    assert report.counts["watchers"] == report.counts["connections"] == len(WATCHERS) + 1  # nobody was thrown out


def test_joining_and_leaving_under_load_has_no_seam(house, store_url):
    server = house.serve(store_url, *OPTIONS)
    api = server.api()
    for job in JOBS[:10]:
        api.create(id=job)
    watchers = [house.run(Watcher(server, house.logs, f"restless-{transport}", jobs, "socket.io-client", transport, timeout_s=120, churn=4)).wait_joined()
                for jobs, transport in ((JOBS[:5], "websocket"), (JOBS[5:10], "upgrade"))]
    house.run(Load(server, house.logs, JOBS[:10], updates=max(UPDATES // 4, 50))).result()
    for watcher in watchers:
        watcher.wait(60)
        assert len(watcher.events("job_status")) > 50 * UPDATES // 1000  # a sanitized server gets a shorter load
    server.stop()
    check_trace(store_url, house.logs)
