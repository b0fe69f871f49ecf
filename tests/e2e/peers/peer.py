"""What the peers of test_matrix.py share. Each is one client library; all are told and tell the same.

stdin, a line each:   join JOB | leave JOB | renew TOKEN; at its end the peer goes
stdout, JSON lines:   {"t": "connect", "transport"} {"t": "event", "name", "data"} {"t": "disconnect", "reason"}

A peer comes back by itself after a cut and joins again what it was in; a peer that was thrown out stays away.
"""

import asyncio
import json
import sys

RETRY_S = 0.1

config = json.loads(sys.argv[1])  # {"url", "token", "transports"}


def tell(t, **line):
    print(json.dumps({"t": t, **line}), flush=True)


def commands():
    for line in sys.stdin:
        yield line.split()


async def run_commands(do):
    """Awaits `do(verb, argument)` for each."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        await do(*line.split())
