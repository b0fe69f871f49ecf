"""A server that is out of descriptors: who is in stays in, and as soon as there are some it serves again."""

import os
import resource
import subprocess
import time

import harness
from harness import PATIENCE, Server, eventually
from raw import Bystander, Raw, is_sound, request

DESCRIPTORS = 64


class PoorServer(Server):
    """May open only so many descriptors."""

    def start(self):
        def with_few(command, **options):
            return popen(command, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)), **options)

        popen, harness.subprocess.Popen = subprocess.Popen, with_few
        try:
            return super().start()
        finally:
            harness.subprocess.Popen = popen


def open_descriptors(server):
    return len(os.listdir(f"/proc/{server.process.pid}/fd"))


def serves(peer):
    """Whether this connection is answered in half a second."""
    if not peer.send(request("GET", "/health")):
        return False
    return peer.is_readable(0.5 * PATIENCE) and peer.answer() is not None


def test_out_of_descriptors(house):
    server = PoorServer(f"sqlite://{house.directory}/headway.db", house.directory)
    house.servers.append(server)
    server.start()
    server.api().create(id="bystander")
    bystander = Bystander(server, "bystander")
    worker = server.api()  # a worker's connection, opened while there was room
    assert worker.get("/health").status == 200
    bystander.server = type("OneConnection", (), {"api": lambda _: worker})()

    for storm in range(3):
        peers = []
        while not peers or serves(peers[-1]):
            peers.append(Raw(server))
            assert len(peers) <= DESCRIPTORS
        peers += [Raw(server) for _ in range(30)]  # those wait in the kernel, or are closed
        for _ in range(3):
            bystander.misses_nothing()
        failures = next(float(line.split()[1]) for line in worker.get("/metrics").text.splitlines()
                        if line.startswith("headway_accept_failures_total "))
        assert failures > 0
        assert open_descriptors(server) <= DESCRIPTORS

        for peer in peers:
            peer.close()
        begin = time.monotonic()
        eventually(lambda: is_served_anew(server), 2, "a new connection to be served")
        assert time.monotonic() - begin < 2 * PATIENCE
    bystander.misses_nothing()
    bystander.close()
    is_sound(server)


def is_served_anew(server):
    with Raw(server) as peer:
        return serves(peer)
