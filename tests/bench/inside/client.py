"""How a client process starts, begins with the others, and says what it got done."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator


def parse_arguments(*names: str) -> argparse.Namespace:
    """Whole numbers given in this order."""
    parser = argparse.ArgumentParser()
    for name in names:
        parser.add_argument(name, type=int)
    return parser.parse_args()


def run(acts: Iterator[Callable[[], int]], *, seconds: float) -> None:
    """Performs acts until the time is over or none is left, and prints how many things they got done."""
    print("ready", flush=True)
    sys.stdin.readline()
    latencies, done = [], 0
    began = now = time.perf_counter()
    for act in acts:
        done += act()
        then, now = now, time.perf_counter()
        latencies.append(round((now - then) * 1000, 3))
        if now - began >= seconds:
            break
    else:
        print("The client ran out of things to do: seed more.", file=sys.stderr)
    print(json.dumps({"done": done, "seconds": now - began, "latencies_ms": latencies}))
