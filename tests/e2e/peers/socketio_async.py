"""A stock python-socketio asyncio client. See peer.py."""

import asyncio

import socketio
from peer import config, run_commands, tell


async def main():
    sio = socketio.AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.5)
    jobs = set()

    @sio.event
    async def connect():
        tell("connect", transport=sio.transport())
        for job in jobs:
            await sio.emit("join_job", {"job_id": job})

    @sio.event
    async def disconnect(reason):
        tell("disconnect", reason=reason)

    async def do(verb, argument):
        if verb == "renew":
            return await sio.emit("auth", {"token": argument})
        (jobs.add if verb == "join" else jobs.discard)(argument)
        await sio.emit(f"{verb}_job", {"job_id": argument})

    sio.on("*", lambda name, data=None: tell("event", name=name, data=data))
    await sio.connect(config["url"], auth={"token": config["token"]}, transports=config["transports"], wait_timeout=10)
    await run_commands(do)
    await sio.disconnect()


asyncio.run(main())
