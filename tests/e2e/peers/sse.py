"""Server-Sent Events by aiohttp: a request for each job, which comes back with its Last-Event-ID. See peer.py.

To leave is to go away; a renewed token opens each stream again. {"t": "over"}: it was told to come no more (204).
"""

import asyncio
import json

import aiohttp
from peer import RETRY_S, config, run_commands, tell


class Stream:
    def __init__(self, session, job):
        self.session, self.job, self.last_id, self.is_over = session, job, None, False
        self.open()

    def open(self):
        self.task = asyncio.create_task(self.run())

    async def close(self):
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def run(self):
        while not self.is_over:
            headers = {"Authorization": f"Bearer {config['token']}", "Accept": "text/event-stream"}
            if self.last_id is not None:
                headers["Last-Event-ID"] = self.last_id
            try:
                async with self.session.get(f"{config['url']}/api/v1/jobs/{self.job}/events", headers=headers) as answer:
                    if answer.status == 204:
                        return tell("over", job=self.job)
                    answer.raise_for_status()
                    tell("connect", transport="sse", job=self.job)
                    await self.read(answer.content)
                    tell("disconnect", reason="end of the stream", job=self.job)
            except aiohttp.ClientPayloadError:
                tell("disconnect", reason="cut", job=self.job)
            except aiohttp.ClientError:
                await asyncio.sleep(RETRY_S)

    async def read(self, content):
        fields = {}
        async for line in content:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name and value:
                fields[name] = value
                continue
            if "event" in fields:
                data = json.loads(fields["data"])
                self.last_id = fields.get("id", self.last_id)
                self.is_over = self.is_over or (fields["event"] == "error" and data["code"] == "auth_expired")
                tell("event", name=fields["event"], data=data)
            fields = {}


async def main():
    streams = {}
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None)) as session:

        async def do(verb, argument):
            if verb == "join":
                streams[argument] = Stream(session, argument)
            elif verb == "leave":
                await streams.pop(argument).close()
                tell("event", name="left", data={"room": f"job:{argument}"})
            else:
                config["token"] = argument
                for stream in streams.values():
                    await stream.close()
                    stream.open()

        await run_commands(do)
        for stream in streams.values():
            await stream.close()


asyncio.run(main())
