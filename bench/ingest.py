"""Ingest: updates committed per second with many requests in flight, throttle off, against a bare libpqxx loop.

    build/venv/bin/python bench/ingest.py [sqlite|postgres] [--in-flight 64] [--seconds 10] [--jobs 20]

Wants wrk (Debian package), scripts/bootstrap --tests, and the release build with store_commit_bench:
cmake --build build/release --target headway store_commit_bench
"""

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "e2e"))
os.environ.setdefault("HEADWAY_BINARY", str(ROOT / "build" / "release" / "headway"))
import harness  # noqa: E402


def cpu_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measure(store_url, options, folder):
    server = harness.Server(store_url, folder, "--throttle.min_interval_ms", "0", "--rate_limit.facts_per_second", "0")
    server.start()
    try:
        api = server.api()
        for job in range(1, options.jobs + 1):
            api.create(id=job)
            api.update(job, "start")
        counted = {name: server.metric(f"headway_commit_batch_size_{name}") for name in ("sum", "count")}
        cpu = cpu_seconds(server.process.pid)
        wrk = subprocess.run(
            ["wrk", "-t1", f"-c{options.in_flight}", f"-d{options.seconds}s", "-s", str(ROOT / "bench" / "ingest.lua"), server.url,
             "--", server.key, str(options.jobs)], capture_output=True, text=True, check=True).stdout
        cpu = cpu_seconds(server.process.pid) - cpu
        updates, commits = (server.metric(f"headway_commit_batch_size_{name}") - counted[name] for name in ("sum", "count"))
        refused = [line for line in wrk.splitlines() if "Non-2xx" in line or "Socket errors" in line]
        print(f"{options.store}, {options.in_flight} in flight, {options.jobs} jobs: {updates / options.seconds:.0f} updates/s committed, "
              f"mean batch {updates / commits:.1f}, {1e6 * cpu / updates:.1f} us of server CPU each{'; ' + '; '.join(refused) if refused else ''}")
        return updates / commits
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("store", nargs="?", default="postgres", choices=["sqlite", "postgres"])
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="headway-ingest-") as folder:
        if options.store == "sqlite":
            measure(f"sqlite://{folder}/ingest.db", options, Path(folder))
            return
        cluster = harness.Postgres()
        try:
            batch = measure(cluster.create_database(), options, Path(folder))
        finally:
            cluster.stop()
        bench = ROOT / "build" / "release" / "bench" / "store_commit_bench"
        subprocess.run([str(bench), str(max(1, round(batch))), str(options.jobs), "3"], check=True)


if __name__ == "__main__":
    main()
