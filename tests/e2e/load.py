"""A worker under load: N updates to each of some jobs, with many requests in flight over kept-alive connections.

Each update has a marker of its own and is sent once: no answer means it is in doubt, and it stays so. Only the ending
is repeated until it is answered. Where the server is gone, waits for it to come back. One JSON argument:

    {"port", "key", "jobs", "updates", "in_flight", "name", "log", "deadline_s"}

Prints "answered N" now and then, and a JSON summary at the end.
"""

import asyncio
import itertools
import json
import sys
import time


class Connection:
    """One kept-alive HTTP/1.1 connection, one request at a time."""

    def __init__(self, port, key):
        self.port, self.key, self.reader, self.writer = port, key, None, None

    async def open(self, deadline):
        while self.writer is None:
            try:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(0.05)

    async def post(self, path, body):
        """(status, body), or (None, None) where no answer came."""
        content = json.dumps(body).encode()
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n")
        try:
            self.writer.write(head.encode() + content)
            head = await self.reader.readuntil(b"\r\n\r\n")
            status, length, closes = parse_head(head)
            answer = await self.reader.readexactly(length)
            if closes:
                self.close()
            return status, json.loads(answer)
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return None, None

    def close(self):
        if self.writer:
            self.writer.close()
        self.reader = self.writer = None


def parse_head(head):
    lines = head.decode("latin-1").split("\r\n")
    fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
    return int(lines[0].split()[1]), int(fields["content-length"]), fields.get("connection", "").lower() == "close"


class Load:
    def __init__(self, config):
        self.config, self.log = config, open(config["log"], "a", buffering=1 << 16, encoding="utf-8")
        self.markers, self.answered, self.acknowledged = itertools.count(1), 0, 0
        self.deadline = time.monotonic() + config["deadline_s"]
        self.open_updates = {str(job): config["updates"] - 1 for job in config["jobs"]}  # the last one is the ending
        self.todo = iter([(job, step) for step in range(1, config["updates"]) for job in config["jobs"]])

    async def send(self, connection, job, verb, body):
        marker = f"[[{self.config['name']}.{next(self.markers):07}]]"
        body["chunk" if verb == "output" else "message"] = f"{verb} {marker}"
        await connection.open(self.deadline)
        status, answer = await connection.post(f"/api/v1/jobs/{job}/{verb}", body)
        self.log.write(json.dumps({"t": "update", "job": job, "verb": verb, "marker": marker, "status": status, "answer": answer}) + "\n")
        self.acknowledged += status == 200
        return status

    async def run(self):
        """One request in flight, over and over."""
        connection = Connection(self.config["port"], self.config["key"])
        for job, step in self.todo:
            status = await self.send(connection, job, *self.update(step))
            if status == 503:
                await asyncio.sleep(0.05)
            self.count()
            self.open_updates[str(job)] -= 1
            if self.open_updates[str(job)] == 0:
                await self.end(connection, job)
        connection.close()

    async def end(self, connection, job):
        while await self.send(connection, job, "complete", {"result": {"of": job}}) != 200:
            if time.monotonic() > self.deadline:
                raise TimeoutError(f"job {job} cannot be completed")
            await asyncio.sleep(0.05)
        self.count()

    def update(self, step):
        """Mostly ticks, some facts."""
        progress = round(step * 99 / self.config["updates"], 2)
        if step % 50 == 0:
            return "stage", {"stage": f"stage {step // 50}", "progress": progress}
        if step % 33 == 0:
            return "output", {}
        if step % 20 == 0:
            return "increment", {"amount": 0.01}
        return "progress", {"progress": progress}

    def count(self):
        self.answered += 1
        if self.answered % 100 == 0:
            print("answered", self.answered, flush=True)


async def main():
    load = Load(json.loads(sys.argv[1]))
    began = time.monotonic()
    await asyncio.gather(*(load.run() for _ in range(load.config["in_flight"])))
    seconds = time.monotonic() - began
    load.log.close()
    print(json.dumps({"answered": load.answered, "acknowledged": load.acknowledged, "seconds": round(seconds, 3)}), flush=True)


asyncio.run(main())
