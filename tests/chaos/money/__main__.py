"""`./taskw chaos -- --seeds 5 --seconds 60`: ends with 1 when a round failed, and says how to repeat that one."""

import argparse
import random
import sys

from tests.chaos.money.rounds import run


def main() -> int:
    """Plays the rounds and prints their figures."""
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5, help="how many rounds")
    parser.add_argument("--seconds", type=float, default=60, help="how long faults go on in each")
    parser.add_argument("--seed", action="append", default=[], help="repeat this one; may be given several times")
    wanted = parser.parse_args()
    seeds = wanted.seed or [f"{random.randrange(16**6):06x}" for _ in range(wanted.seeds)]
    print(f"seeds: {' '.join(seeds)}", flush=True)
    failed = []
    for report in run(seeds, seconds=wanted.seconds):
        print("\n".join(report.lines()), flush=True)
        if report.complaints:
            failed.append(report.seed)
    if failed:
        print(f"FAILED. Repeat with: {' '.join(f'--seed {seed}' for seed in failed)}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
