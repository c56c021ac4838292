"""The reference of P3: pgbench doing to the same tables what the product's service does, statement by statement."""

import re
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devstack.postgres import binaries

# As apps.billing.models.rules.CANONICAL_ENTRY: the trigger refuses an entry whose hash covers anything else.
DEBIT = """
\\set n :first + :client_id * :span + :taken
\\set taken :taken + 1
BEGIN;
SELECT account.id AS account, account.tenant_id AS tenant, balance_micros AS balance, held_micros AS held,
    last_seq AS seq, last_hash AS head, floor_micros AS floor, is_stopped AS stopped, credit.entry_id AS credit
FROM billing_reserveaccount account JOIN {table} credit ON credit.tenant_id = account.tenant_id
WHERE credit.n = :n FOR NO KEY UPDATE OF account \\gset
SELECT * FROM billing_reserveledgerentry
WHERE account_id = :account AND idempotency_key IN ('expiry:' || :credit::uuid);
INSERT INTO billing_reserveledgerentry (id, tenant_id, account_id, seq, kind, amount_micros, balance_after_micros,
    floor_micros, currency, idempotency_key, request_hash, expired_entry_id, description, created_at, previous_hash,
    hash)
SELECT e.*, encode(sha256(convert_to(jsonb_build_array(
    previous_hash, id, tenant_id, account_id, seq, kind, amount_micros, balance_after_micros, floor_micros, currency,
    idempotency_key, request_hash, NULL::text, NULL::text, NULL::text, NULL::text, NULL::uuid, NULL::uuid, NULL::uuid,
    expired_entry_id, NULL::uuid, description, (extract(epoch FROM created_at) * 1000000)::bigint)::text,
    'UTF8')), 'hex')
FROM (SELECT uuidv7() AS id, :tenant::uuid AS tenant_id, :account::uuid AS account_id, :seq::bigint + 1 AS seq,
    'credit_expiry' AS kind, -1000::bigint AS amount_micros, :balance::bigint - 1000 AS balance_after_micros,
    :floor::bigint AS floor_micros, 'USD' AS currency, 'expiry:' || :credit::uuid AS idempotency_key,
    repeat('a', 64) AS request_hash, :credit::uuid AS expired_entry_id, 'Bench' AS description, now() AS created_at,
    :head::text AS previous_hash) e
RETURNING seq AS next_seq, hash AS next_head, balance_after_micros AS next_balance \\gset
UPDATE billing_reserveaccount SET balance_micros = :next_balance, held_micros = :held, last_seq = :next_seq,
    last_hash = :next_head, is_stopped = :stopped, updated_at = now() WHERE id = :account;
COMMIT;
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What pgbench reports."""

    rate: float
    latency_ms: float


def run_debits(
    *, database_url: str, table: str, first: int, span: int, clients: int, protocol: str = "prepared"
) -> Outcome:
    """`span` debits by each of the connections, from its own part of the numbered credits. Raises RuntimeError."""
    variables = {"first": first, "span": span, "taken": 0}
    with tempfile.NamedTemporaryFile("w", suffix=".sql", encoding="utf-8") as script:
        script.write(DEBIT.format(table=table))
        script.flush()
        command = [
            *(str(binaries() / "pgbench"), "--no-vacuum", f"--protocol={protocol}", f"--file={script.name}"),
            *(f"--client={clients}", f"--jobs={min(clients, 2)}", f"--transactions={span}"),
            *(f"--define={name}={value}" for name, value in variables.items()),
        ]
        done = subprocess.run(command, env=_environment(database_url), capture_output=True, text=True, check=False)
    return parse(done.stdout, done.stderr)


def parse(output: str, errors: str = "") -> Outcome:
    """Reads pgbench's summary; a client that gave up means that nothing was measured."""
    rate = re.search(r"^tps = ([\d.]+)", output, re.MULTILINE)
    latency = re.search(r"^latency average = ([\d.]+) ms", output, re.MULTILINE)
    if rate is None or latency is None or "aborted" in errors:
        raise RuntimeError(f"pgbench did not measure anything:\n{output}\n{errors[-2000:]}")
    return Outcome(rate=float(rate[1]), latency_ms=float(latency[1]))


def _environment(database_url: str) -> Mapping[str, str]:
    parts = urlsplit(database_url)
    return {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": Path(parts.path).name,
        # Rows of every account are visible to the connection, so that no statement has to say whose.
        "PGOPTIONS": "-c afterresume.scope=everything",
    }
