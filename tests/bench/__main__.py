"""`python -m tests.bench p3 p7`: measures, prints a table, and writes results/<bench>.json and .md."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import environment, p3, p7
from tests.bench.figures import Figure, render_environment, render_table
from tests.bench.product import open_product

RESULTS = Path(__file__).resolve().parent / "results"
BENCHES: dict[str, Callable[..., list[Figure]]] = {"p3": p3.run, "p7": p7.run}


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the benches named, each on servers of its own."""
    parser = argparse.ArgumentParser(prog="tests.bench", description=__doc__)
    parser.add_argument("benches", nargs="*", choices=[[], *BENCHES], help="default: all")
    names = parser.parse_args(arguments).benches or list(BENCHES)
    tables = [measure(name) for name in names]
    print("\n\n".join(["", *tables]))
    return 0


def measure(name: str) -> str:
    """One bench: its results are written and given back as Markdown."""
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    with open_product() as product:
        described = environment.describe(database_url=product.owner_url)
        figures = BENCHES[name](product, say=_say)
    content = {
        "bench": name,
        "at": at,
        "environment": described,
        "figures": [figure.to_json() for figure in figures],
    }
    markdown = f"{render_table(figures)}\n\nMeasured {at} on:\n\n{render_environment(described)}\n"
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(markdown)
    return markdown


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
