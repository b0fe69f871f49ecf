"""A stock python-socketio client. See peer.py."""

import sys
import threading
from pathlib import Path

from peer import commands, config, tell

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from in_order import Client  # noqa: E402

sio = Client(reconnection_delay=0.1, reconnection_delay_max=0.5)
jobs, thrown_out = set(), threading.Event()


@sio.event
def connect():
    tell("connect", transport=sio.transport())
    for job in jobs:
        sio.emit("join_job", {"job_id": job})


@sio.event
def disconnect(reason):
    if reason == sio.reason.SERVER_DISCONNECT:
        thrown_out.set()
    tell("disconnect", reason=reason)


sio.on("*", lambda name, data=None: tell("event", name=name, data=data))
sio.connect(config["url"], auth={"token": config["token"]}, transports=config["transports"], wait_timeout=10)
for verb, argument in commands():
    if verb == "renew":
        sio.emit("auth", {"token": argument})
    else:
        (jobs.add if verb == "join" else jobs.discard)(argument)
        sio.emit(f"{verb}_job", {"job_id": argument})
if thrown_out.is_set():
    sio.wait()  # its own thread is disconnecting: a second one that does may wait for it, and it for the second
else:
    sio.disconnect()
