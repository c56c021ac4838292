"""Typed readers of the process environment: each failure names the variable and says what to do, never its value."""

import re
from collections.abc import Sequence
from typing import Any, Final

import environ
from django.core.exceptions import ImproperlyConfigured

env: Final = environ.Env()

# Shorter secrets can be guessed off line from one signed cookie.
MIN_SECRET_LENGTH: Final = 50


def read_required(name: str, *, hint: str) -> str:
    """The variable's value; raises ImproperlyConfigured when it is unset or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def read_optional(name: str) -> str:
    """The variable's value without blanks around it, or an empty string."""
    value: str = env.str(name, default="")
    return value.strip()


def read_secret(name: str) -> str:
    """A secret of at least MIN_SECRET_LENGTH characters, not made of a few repeated ones."""
    value = read_required(name, hint="Generate one: python -c 'import secrets; print(secrets.token_urlsafe(64))'")
    _check_strength(name, value)
    return value


def read_secrets(name: str) -> list[str]:
    """Secrets separated by commas, each as strong as one alone; none when the variable is unset."""
    values = [value.strip() for value in env.list(name, default=[]) if value.strip()]
    for value in values:
        _check_strength(name, value)
    return values


def _check_strength(name: str, value: str) -> None:
    if len(value) < MIN_SECRET_LENGTH or len(set(value)) < 10:
        raise ImproperlyConfigured(f"{name} is too weak: it needs {MIN_SECRET_LENGTH} random characters.")


def read_choice(name: str, *, choices: Sequence[str], default: str) -> str:
    """One of a few words; raises ImproperlyConfigured for any other."""
    value: str = env.str(name, default=default).strip()
    if value not in choices:
        raise ImproperlyConfigured(f"{name} must be one of: {', '.join(choices)}.")
    return value


def read_int(name: str, *, default: int, minimum: int = -(10**15), maximum: int = 10**15) -> int:
    """A whole number within bounds; raises ImproperlyConfigured for anything else."""
    try:
        value: int = env.int(name, default=default)
    except ValueError:
        # Without its cause, which would show the value.
        raise ImproperlyConfigured(f"{name} must be a whole number.") from None
    if not minimum <= value <= maximum:
        raise ImproperlyConfigured(f"{name} must lie between {minimum} and {maximum}.")
    return value


def read_limits(name: str) -> dict[str, tuple[int, int]]:
    """`login_account=10/900,api_token=600/60`: other amounts and windows (seconds) for limits, by their names."""
    changes: dict[str, tuple[int, int]] = {}
    for item in filter(None, (part.strip() for part in env.str(name, default="").split(","))):
        match = re.fullmatch(r"([a-z_]+)=([1-9]\d{0,6})/([1-9]\d{0,6})", item)
        if match is None:
            raise ImproperlyConfigured(f"{name} must look like login_account=10/900,api_token=600/60.")
        changes[match[1]] = (int(match[2]), int(match[3]))
    return changes


def read_database(name: str) -> dict[str, Any]:
    """A Django database dictionary from a postgres:// address."""
    url = read_required(name, hint="Example: postgres://user:password@127.0.0.1:5432/afterresume")
    if not url.startswith(("postgres://", "postgresql://")):
        raise ImproperlyConfigured(f"{name} must be a postgres:// address: the ledger's rules live in PostgreSQL.")
    return dict(env.db_url_config(url))
