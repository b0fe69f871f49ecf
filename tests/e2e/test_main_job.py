"""The main job: a worker with nothing but urllib reports, stock clients watch, over every transport, on both stores."""

import pytest
from harness import CLIENTS, TRANSPORTS, Watcher, Worker, check_trace, checker, eventually


@pytest.fixture(scope="module")
def server(module_house, module_store_url):
    return module_house.serve(module_store_url)


jobs = iter(range(1, 1000))


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_stock_client_watches_a_job_from_its_start_to_its_end(house, server, client, transport):
    job = next(jobs)
    worker = Worker(server, house.logs)
    status, answer = worker.create(job, type="report")
    assert (status, answer["job_id"], answer["seq"]) == (201, job, 1)

    watcher = house.run(Watcher(server, house.logs, "it", [job], client, transport, timeout_s=30)).wait_joined()
    assert worker.update(job, "start")[0] == 200
    told = 1
    for step in range(1, 10):
        status, answer = worker.update(job, "progress", progress=step * 10, wait=step % 3 == 0)
        assert status in (200, 202)
        if status == 202:
            assert answer == {"job_id": job, "held": True}
        elif step % 3 == 0:  # it has been told of every step so far: the bar moves while the job runs
            told = answer["seq"]
            eventually(lambda: watcher.events("job_update")[-1][1]["seq"] >= told, what="the bar to move")
    status, answer = worker.update(job, "complete", result={"rows": 3})
    assert status == 200
    watcher.wait(30)

    events = watcher.events()
    assert [name for name, _ in events[:3]] == ["connected", "job_status", "job_update"] or "connected" in [name for name, _ in events[:3]]
    connected = watcher.events("connected")[0][1]
    assert connected["user_id"] == "1" and connected["message"] and connected["timestamp"].endswith("Z")
    joined = watcher.events("job_status")
    assert joined == [("job_status", {"job_id": job, "status": "queued", "progress": 0, "message": f"Subscribed to job {job}", "seq": 1,
                                      **{k: v for k, v in joined[0][1].items() if k == "timestamp"}})]

    updates = [data for name, data in events if name == "job_update"]
    assert all(data["job_id"] == job and type(data["job_id"]) is int for data in updates)
    assert [data["status"] for data in updates][:2] == ["queued", "running"]
    bar = [data["progress"] for data in updates]
    assert bar == sorted(bar) and bar[-1] == 100 and 90 in bar
    assert updates[-1]["status"] == "completed" and updates[-1]["result"] == {"rows": 3}
    assert updates[-1]["seq"] == answer["seq"]
    assert all(data["timestamp"].endswith("Z") for data in updates)

    left = watcher.events("job_unsubscribed")
    assert [data["job_id"] for _, data in left] == [job] and left[0][1]["message"] == f"Unsubscribed from job {job}"
    pongs = watcher.events("pong")
    assert isinstance(pongs[-1][1]["timestamp"], str) and pongs[-1][1]["timestamp"].endswith("Z")  # ISO after join_job
    assert not any("more" in line for line in checker.read_lines(watcher.log) if line["t"] == "event")

    end = {line["t"]: line for line in checker.read_lines(watcher.log)}
    assert end["complete"]["transport"] == ("polling" if transport == "polling" else "websocket")
    assert "lingered" not in end  # a poll that is open when the client leaves is answered at once
    report = check_trace(server.store_url, house.logs)
    assert report.counts["acknowledged"] >= 5 and report.counts["steps"] >= 4


ENDINGS = {
    "fail": ({"error": "out of memory"}, {"status": "failed", "progress": 40, "error": "out of memory", "message": "Job failed: out of memory"}),
    "cancel": ({}, {"status": "cancelled", "progress": 40}),
    "block": ({"error": {"message": "no quota", "code": "quota", "retryable": True}}, {"status": "failed", "progress": 40, "error": "no quota", "message": "Job failed: no quota"}),  # A has no other word for it
}


@pytest.mark.parametrize("verb", ENDINGS)
def test_every_ending_reaches_the_watchers_and_those_who_come_late(house, server, verb):
    job, (body, expected) = f"ends-with-{verb}-{next(jobs)}", ENDINGS[verb]
    worker = Worker(server, house.logs)
    worker.create(job)
    watcher = house.run(Watcher(server, house.logs, "early", [job], transport="polling", timeout_s=30)).wait_joined()
    assert worker.update(job, "progress", progress=40)[0] == 200
    assert worker.update(job, verb, **body)[0] == 200
    watcher.wait(30)
    late = house.run(Watcher(server, house.logs, "late", [job], timeout_s=30))
    late.wait(30)

    for who in (watcher, late):
        ending = who.events("job_update")[-1][1]
        assert {key: ending.get(key) for key in expected} == expected
        assert ending["job_id"] == job
    assert late.events("job_status")[0][1]["status"] == expected["status"]
    assert len(late.events("job_update")) == 1
    check_trace(server.store_url, house.logs)


def test_ids_come_back_in_the_type_they_were_joined_with(house, server):
    job = next(jobs)
    worker = Worker(server, house.logs)
    worker.create(job)
    number = house.run(Watcher(server, house.logs, "number", [job], timeout_s=30)).wait_joined()
    text = house.run(Watcher(server, house.logs, "text", [str(job)], timeout_s=30)).wait_joined()
    worker.update(job, "complete")
    number.wait(30)
    text.wait(30)
    assert {data["job_id"] for _, data in number.events("job_update")} == {job}
    assert {data["job_id"] for _, data in text.events("job_update")} == {str(job)}
    check_trace(server.store_url, house.logs)


def test_one_client_watches_many_jobs(house, server):
    mine = [next(jobs) for _ in range(12)]
    worker = Worker(server, house.logs)
    for job in mine:
        worker.create(job)
    watchers = [house.run(Watcher(server, house.logs, f"{client}-{transport}", mine, client, transport, timeout_s=30)).wait_joined()
                for client, transport in (("socket.io-client", "upgrade"), ("python-socketio", "polling"), ("python-socketio-asyncio", "websocket"))]
    for step in range(1, 4):
        for job in mine:
            worker.update(job, "stage", stage=f"stage {step}", progress=step * 30)
    for job in mine:
        worker.update(job, "complete")
    for watcher in watchers:
        watcher.wait(30)
    check_trace(server.store_url, house.logs)
