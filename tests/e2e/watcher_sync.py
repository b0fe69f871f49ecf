"""Watches with a stock python-socketio client. See watch_log.py."""

import sys
import threading
import time

from in_order import Client
from watch_log import Watch


def main():
    changed = threading.Condition()

    def on_change():
        with changed:
            changed.notify_all()

    watch = Watch(on_change)
    sio = Client(reconnection_delay=0.1, reconnection_delay_max=0.5)

    @sio.event
    def connect():
        watch.open(sio.transport())
        for job in watch.jobs:
            sio.emit("join_job", {"job_id": job})

    @sio.event
    def disconnect(reason):
        watch.close(reason)

    sio.on("*", watch.event)

    def wait_for(condition):
        with changed:
            return changed.wait_for(condition, max(0.0, watch.deadline - time.monotonic()))

    sio.connect(watch.config["url"], auth={"token": watch.config["token"]}, transports=watch.config["transports"], wait_timeout=10)
    in_time = wait_for(watch.all_ended)
    code = watch.complete(in_time, sio.transport())
    if in_time:
        for job in watch.jobs:
            sio.emit("leave_job", {"job_id": job})
        sio.emit("ping")
        if not wait_for(lambda: watch.all_left() and watch.ponged):
            code = 1
    sio.disconnect()
    return code


sys.exit(main())
