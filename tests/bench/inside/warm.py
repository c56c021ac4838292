"""Spends and meters a little, then lets PostgreSQL look at its tables.

A connection keeps the plans of triggers and prepared statements: made on empty tables, they would read whole tables for
as long as the bench lasts. A running product is past that.
"""

from django.db import connection

from tests.bench.inside.calls import spend
from tests.bench.inside.client import parse_arguments
from tests.bench.inside.debits import load_credits
from tests.bench.inside.uses import meter

CALLS = 100


def main() -> None:
    """Meters a batch of `size` uses for each of the first `accounts` credits."""
    arguments = parse_arguments("accounts", "size")
    for number, (tenant, _) in enumerate(load_credits("bench_many", first=0, count=arguments.accounts)):
        meter(tenant, size=arguments.size)
        if number < CALLS:
            spend(tenant)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


if __name__ == "__main__":
    main()
