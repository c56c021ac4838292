"""Runs of schemathesis: the command, its surroundings, and what came of it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.fuzz.product import PASSWORD, Product, token_of

FOLDER: Final = Path(__file__).parent
CONTRACT: Final = FOLDER.parents[1] / "contracts" / "openapi.yaml"
SEED: Final = os.environ.get("FUZZ_SEED", "20261123")
# Cases of each operation: enough to see what every change breaks. A longer look: FUZZ_EXAMPLES=200 task test:fuzz
EXAMPLES: Final = int(os.environ.get("FUZZ_EXAMPLES", "3"))
TIMEOUT_S: Final = 150 + 60 * EXAMPLES


@dataclass(frozen=True)
class Run:
    """A finished run. `text` is what a person reads, `summary` what a program does."""

    code: int
    text: str
    summary: Mapping[str, Any]

    def explain(self) -> str:
        """The message of a failed test: the findings, and how to see them again."""
        again = f"FUZZ_SEED={SEED} FUZZ_EXAMPLES={EXAMPLES} ./taskw test:fuzz"
        return f"{self.text}\nSeed {SEED}, {EXAMPLES} examples. Again: {again}"


def describe_callers(product: Product) -> dict[str, str]:
    """Whom hooks.py may send, as environment variables."""
    staff_id = product.staff.call("GET", "/api/me/", expect=200)["id"]
    owners = (product.a.ids["owner_id"], product.b.ids["owner_id"])
    keep = (*owners, product.leaver.ids["user_id"], product.risky.ids["user_id"], staff_id)
    return {
        "FUZZ_URL": product.url,
        "FUZZ_TOKEN": token_of(product.a.owner),
        "FUZZ_STAFF_TOKEN": token_of(product.staff),
        "FUZZ_RISKY_TOKEN": token_of(product.risky.owner),
        "FUZZ_LEAVER": product.leaver.name,
        "FUZZ_PASSWORD": PASSWORD,
        "FUZZ_KEEP": ",".join(keep),
        "FUZZ_TARGET": product.a.ids["user_id"],
    }


def fuzz(product: Product, *, phase: str, folder: Path, options: tuple[str, ...] = ()) -> Run:
    """One run over the whole contract. The seed decides what is sent."""
    report = folder / "report.json"
    # A case of the last phase is a sequence of calls over all operations, not one call of each.
    is_sequence = phase == "stateful"
    examples = EXAMPLES * 10 if is_sequence else EXAMPLES
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(FOLDER / "schemathesis.toml")),
        *(
            "run",
            str(CONTRACT),
            "--url",
            product.url,
            "--no-color",
            "--workers",
            "2",
            "--phases",
            phase,
            "--seed",
            SEED,
        ),
        *("--max-examples", str(examples), "--report", "json", "--report-json-path", str(report), *options),
    ]
    environment = {
        **os.environ,
        **describe_callers(product),
        "FUZZ_PLAIN": "yes" if is_sequence else "",
        "SCHEMATHESIS_HOOKS": "tests.fuzz.hooks",
        "PYTHONPATH": str(FOLDER.parents[1]),
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    summary = json.loads(report.read_text()) if report.exists() else {}
    return Run(code=done.returncode, text=done.stdout + done.stderr, summary=summary)
