"""Faults planted in the server itself (a build for tests only): the trace checker notices each."""

import os

import pytest
from harness import PATIENCE, Load, Watcher, checker

JOBS = list(range(1, 5))
OPTIONS = ("--throttle.min_interval_ms", "0", "--rate_limit.facts_per_second", "0")
NOTICED_AS = {
    None: set(),
    "broadcast_before_commit": {"seen before its commit", "seen but not stored"},
    "lose_event": {"lost", "no snapshot"},
    "swap_order": {"doubled or out of order", "position fell"},
}


@pytest.mark.parametrize("fault", NOTICED_AS)
def test_a_planted_fault_is_noticed(house, store_url, fault):
    program = os.environ.get("HEADWAY_FAULTY_BINARY")
    assert program, "HEADWAY_FAULTY_BINARY must name the build with faults"
    server = house.serve(store_url, *OPTIONS, program=program, env={"HEADWAY_FAULT": fault} if fault else {})
    api = server.api()
    for job in JOBS:
        api.create(id=job)
    api.close()
    watchers = [house.run(Watcher(server, house.logs, name, JOBS, client, "websocket", timeout_s=20, **options)) for name, client, options in (
        ("plain", "socket.io-client", {}), ("looks-into-the-store", "python-socketio-asyncio", {"verify_store": store_url}))]
    for watcher in watchers:
        watcher.wait_line(lambda line: line in ("joined", "timed out"), 30, "the watcher to join")
    house.run(Load(server, house.logs, JOBS, updates=150, in_flight=16)).result()
    for watcher in watchers:  # one that waits in vain for a lost ending says so, and the checker knows
        watcher.process.wait(60 * PATIENCE)
    server.kill()

    report = checker.check(checker.read_store(store_url), checker.read_logs(house.logs))
    print(report)
    if fault is None:
        assert not report.violations
    else:
        assert report.rules & NOTICED_AS[fault], str(report)
