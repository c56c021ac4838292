"""The product's stores for a bench: durable, with the backend's tables, used as the services use them."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg

from devstack.postgres import ROLE, RUNTIME_ROLE
from devstack.with_servers import servers
from tests.bench.clients import ROOT, python_module

BACKEND = ROOT / "backend"
STRIPE_SECRET = "sk_test_" + secrets.token_hex(16)
WEBHOOK_SECRET = "whsec_" + secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Product:
    """Addresses of the database for the owner of the tables and for the services, and the services' environment."""

    owner_url: str
    url: str
    env: Mapping[str, str]

    def grant_reading(self, *tables: str) -> None:
        """Lets the services' role read tables that are the bench's own."""
        with psycopg.connect(self.owner_url, autocommit=True) as connection:
            for table in tables:
                connection.execute(f"GRANT SELECT ON {table} TO {RUNTIME_ROLE}".encode())

    def run_as_owner(self, module: str, *arguments: object) -> None:
        """Runs a program of `tests.bench.inside` that makes tables or reads all rows."""
        subprocess.run(
            python_module(f"tests.bench.inside.{module}", *arguments),
            env={**self.env, "DATABASE_URL": self.owner_url},
            cwd=ROOT,
            check=True,
        )


@contextmanager
def open_product() -> Iterator[Product]:
    """PostgreSQL that waits for the disk at each commit, Valkey, and all migrations."""
    with servers(environ={}, is_durable=True) as addresses:
        env = {
            **os.environ,
            **addresses,
            "BACKEND_SECRET_KEY": secrets.token_urlsafe(64),
            "DJANGO_SETTINGS_MODULE": "config.settings.dev",
            "PYTHONPATH": str(BACKEND),
            # As Celery's processes have it: one connection each.
            "DATABASE_POOL_SIZE": "0",
            "STRIPE_SECRET_KEY": STRIPE_SECRET,
            "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
            # Nobody listens there: no bench asks Stripe anything.
            "STRIPE_API_BASE": "http://127.0.0.1:9",
        }
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=BACKEND, env=env, check=True)
        owner_url = addresses["DATABASE_URL"]
        url = owner_url.replace(f"//{ROLE}:", f"//{RUNTIME_ROLE}:")
        yield Product(owner_url=owner_url, url=url, env={**env, "DATABASE_URL": url})
