"""The Python side of celery.ts: the task, and a caller that takes one JSON line per request and answers each with one."""

import json
import os
import sys
import time

from celery import Celery

app = Celery("bench", broker=os.environ["BENCH_REDIS_URL"], backend=os.environ["BENCH_REDIS_URL"])
app.conf.update(
    task_default_queue=os.environ["BENCH_ROOM"],
    worker_prefetch_multiplier=16,
    worker_hijack_root_logger=False,
    task_ignore_result=False,
    # Redis keeps the order of the lists it is asked for: the first is the most urgent.
    broker_transport_options={"queue_order_strategy": "priority", "priority_steps": [0, 9]},
)


@app.task(name="work")
def work(payload, ms=0):
    at = time.monotonic_ns() / 1e6
    if ms:
        time.sleep(ms / 1000)
    return {"n": payload["n"], "at": at}


def main():
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if request["op"] == "add":
                value = [
                    work.apply_async((a["payload"],), countdown=a.get("delayMs", 0) / 1000 or None).id
                    for a in request["additions"]
                ]
            else:
                value = app.AsyncResult(request["id"]).get(timeout=10)
            answer = {"value": value}
        except Exception as error:  # told to the parent, which fails the round
            answer = {"error": repr(error)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
