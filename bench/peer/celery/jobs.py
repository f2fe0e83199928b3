"""Submits sqrt(4) with delay() from so many threads and waits until the results of all are
stored: a run for each JSON line on standard input, and a JSON line with what it gave."""

import json
import math
import os
import signal
import sys
import threading
import time

import redis

import app

store = redis.Redis.from_url(os.environ["BENCH_REDIS"])


def submit(end, latencies):
    now = time.perf_counter()
    while now < end:
        app.sqrt.delay(4)
        before, now = now, time.perf_counter()
        latencies.append(now - before)


def measure(seconds, submitters):
    # Each result is a key of its own; what else there is comes and goes with the queue.
    stored = store.dbsize()
    latencies = []
    start = time.perf_counter()
    threads = [threading.Thread(target=submit, args=(start + seconds, latencies)) for _ in range(submitters)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    while store.llen("sqrt_queue") or store.hlen("unacked") or store.dbsize() < stored + len(latencies):
        if time.perf_counter() - start > 60:
            sys.exit("the tasks have not ended")
        time.sleep(0.002)
    elapsed = time.perf_counter() - start
    latencies.sort()

    def percentile(share):
        return int(1e9 * latencies[math.ceil(share * len(latencies)) - 1])

    return {
        "Requests": len(latencies),
        "Elapsed": int(1e9 * elapsed),
        "P50": percentile(0.50),
        "P99": percentile(0.99),
    }


signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
if app.sqrt.delay(4).get(timeout=10) != 2.0:
    sys.exit("the root of 4 is not 2")
print("ready", flush=True)
for line in sys.stdin:
    run = json.loads(line)
    print(json.dumps(measure(run["Duration"] / 1e9, run["InFlight"])), flush=True)
