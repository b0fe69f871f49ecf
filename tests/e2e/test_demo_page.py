"""The first minute of a newcomer: the demo page in a real browser, on a server started with --dev."""

import json
import subprocess

from harness import HERE, PATIENCE


def test_the_bar_of_the_demo_job_moves(house):
    server = house.serve(f"sqlite://{house.directory}/headway.db", "--dev")
    done = subprocess.run(["node", HERE / "demo_page.mjs", server.url], capture_output=True, text=True, timeout=90 * PATIENCE)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["then"] > seen["first"]
    assert seen["status"] == "running"
    assert not seen["complaints"]
