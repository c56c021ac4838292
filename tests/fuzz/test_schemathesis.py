"""The API under generated input: it never breaks, and every answer is one that the contract describes.

The last file of the folder: what one person has seen, schemathesis types in as another, and so the marks of the tenants
get about.
"""

from pathlib import Path

import pytest

from tests.fuzz.contract import OPERATIONS
from tests.fuzz.product import Product
from tests.fuzz.runs import SEED, Run, fuzz


def report(run: Run, what: str) -> None:
    cases = run.summary["test_cases"]["generated"]
    seconds = run.summary["running_time"]
    print(f"{what}: {run.summary['operations']['tested']} operations, {cases} cases, {seconds:.0f} s, seed {SEED}")


@pytest.mark.failure("D15", "D16", "T03")
@pytest.mark.parametrize("phase", ["coverage", "fuzzing", "stateful"])
def test_no_input_breaks_it_and_every_answer_is_as_described(product: Product, phase: str, tmp_path: Path) -> None:
    run = fuzz(product, phase=phase, folder=tmp_path)
    assert run.code == 0, run.explain()
    report(run, phase)
    if phase != "stateful":
        assert run.summary["operations"]["tested"] == len(OPERATIONS)
    assert run.summary["test_cases"]["generated"] > 100


def test_nothing_crashed_meanwhile(product: Product) -> None:
    log = product.stack.logs("backend")
    assert '"code": 500' not in log
    assert "Traceback" not in log


@pytest.mark.failure("D16")
def test_a_call_that_takes_too_long_is_a_finding(product: Product, tmp_path: Path) -> None:
    """The judge itself: with a bound that no call can keep, the run fails."""
    options = ("--max-response-time", "0.0001", "--include-path", "/api/healthz/")
    run = fuzz(product, phase="fuzzing", folder=tmp_path, options=options)
    assert run.code == 1
    assert "Response time" in run.text
