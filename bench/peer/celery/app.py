"""The Celery application that Heddle is measured against: one queue for each kind of
task, as in the book, with Redis as broker and as result backend."""

import math
import os

from celery import Celery

redis = os.environ["BENCH_REDIS"]
app = Celery("app", broker=redis, backend=redis)
app.conf.task_routes = {
    "app.sqrt": {"queue": "sqrt_queue"},
    "app.fibo": {"queue": "fibo_queue"},
}


@app.task(name="app.sqrt")
def sqrt(value):
    return math.sqrt(value)


@app.task(name="app.fibo")
def fibo(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a
