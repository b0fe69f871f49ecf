"""A plain WebSocket by aiohttp: JSON and nothing else. It goes on from the last position it saw. See peer.py."""

import asyncio

import aiohttp
from peer import RETRY_S, config, run_commands, tell


class Peer:
    def __init__(self):
        self.jobs, self.position, self.socket, self.thrown_out = set(), None, None, False

    async def run(self):
        async with aiohttp.ClientSession() as session:
            while not self.thrown_out:
                try:
                    async with session.ws_connect(config["url"] + "/ws") as self.socket:
                        await self.watch()
                except aiohttp.ClientError:
                    await asyncio.sleep(RETRY_S)

    async def watch(self):
        await self.socket.send_json({"type": "auth", "token": config["token"]})
        is_known = False
        async for frame in self.socket:
            data = frame.json()
            name = data.pop("type")
            if name == "authenticated" and not is_known:
                is_known = True
                tell("connect", transport="plain")
                for job in self.jobs:
                    await self.socket.send_json({"type": "join", "room": f"job:{job}", "after": self.position})
                continue
            self.position = max(self.position or 0, data.get("position", 0)) or None
            self.thrown_out = self.thrown_out or (name == "error" and data["code"] == "auth_expired")
            tell("event", name=name, data=data)
        tell("disconnect", reason=self.socket.close_code)

    async def do(self, verb, argument):
        if verb == "renew":
            return await self.socket.send_json({"type": "auth", "token": argument})
        (self.jobs.add if verb == "join" else self.jobs.discard)(argument)
        await self.socket.send_json({"type": verb, "room": f"job:{argument}"})


async def main():
    peer = Peer()
    watching = asyncio.create_task(peer.run())
    await run_commands(peer.do)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


asyncio.run(main())
