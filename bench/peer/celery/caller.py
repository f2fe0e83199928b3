"""Calls sqrt(4) with delay().get(), one call after the other: a run for each JSON line
on standard input, which says how long, and a JSON line with what it gave."""

import json
import math
import signal
import sys
import time

import app


def measure(seconds):
    latencies = []
    start = now = time.perf_counter()
    while now - start < seconds:
        if app.sqrt.delay(4).get(timeout=10) != 2.0:
            sys.exit("the root of 4 is not 2")
        before, now = now, time.perf_counter()
        latencies.append(now - before)
    latencies.sort()

    def percentile(share):
        return int(1e9 * latencies[math.ceil(share * len(latencies)) - 1])

    return {
        "Requests": len(latencies),
        "Elapsed": int(1e9 * (now - start)),
        "P50": percentile(0.50),
        "P99": percentile(0.99),
    }


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("ready", flush=True)
for line in sys.stdin:
    print(json.dumps(measure(json.loads(line)["Duration"] / 1e9)), flush=True)
