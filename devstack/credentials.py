"""Secrets of this installation: generated once, kept in the data folder, never printed."""

import secrets

from devstack import dotenv
from devstack.config import Config

# Bytes of randomness. The Django keys are longer because the services refuse short ones.
SIZES = {
    "BACKEND_SECRET_KEY": 48,
    "FRONTEND_SECRET_KEY": 48,
    "INTERNAL_API_SECRET": 32,
    "POSTGRES_PASSWORD": 24,
    "VALKEY_PASSWORD": 24,
    "STRIPE_STANDIN_SECRET_KEY": 24,
    "STRIPE_STANDIN_WEBHOOK_SECRET": 24,
}
PREFIXES = {"STRIPE_STANDIN_SECRET_KEY": "sk_test_", "STRIPE_STANDIN_WEBHOOK_SECRET": "whsec_"}


def load_or_generate(config: Config) -> dict[str, str]:
    """Return the installation's secrets; what is missing is generated and written to `secrets.env` (mode 600)."""
    path = config.data_dir / "secrets.env"
    known = dotenv.read(path)
    missing = {name: PREFIXES.get(name, "") + secrets.token_hex(size) for name, size in SIZES.items()}
    complete = missing | known
    if complete != known:
        dotenv.write_private(path, complete)
    return complete
