"""Watches with a stock python-socketio asyncio client. See watch_log.py."""

import asyncio
import sys

import socketio
from watch_log import Watch


async def main():
    changed = asyncio.Event()
    watch = Watch(changed.set)
    sio = socketio.AsyncClient(reconnection_delay=0.1, reconnection_delay_max=0.5)

    @sio.event
    async def connect():
        watch.open(sio.transport())
        for job in watch.jobs:
            await sio.emit("join_job", {"job_id": job})

    @sio.event
    async def disconnect(reason):
        watch.close(reason)

    sio.on("*", watch.event)

    async def wait_for(condition):
        while not condition():
            left = watch.deadline - asyncio.get_running_loop().time()
            changed.clear()
            try:
                await asyncio.wait_for(changed.wait(), left)
            except asyncio.TimeoutError:
                return False
        return True

    await sio.connect(watch.config["url"], auth={"token": watch.config["token"]}, transports=watch.config["transports"], wait_timeout=10)
    in_time = await wait_for(watch.all_ended)
    code = watch.complete(in_time, sio.transport())
    if in_time:
        for job in watch.jobs:
            await sio.emit("leave_job", {"job_id": job})
        await sio.emit("ping")
        if not await wait_for(lambda: watch.all_left() and watch.ponged):
            code = 1
    await sio.disconnect()
    return code


sys.exit(asyncio.run(main()))
