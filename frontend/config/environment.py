"""Small typed readers of the environment that fail with a hint instead of a traceback from the depths."""

import re
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

MIN_SECRET_LENGTH = 32
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(?::\d{1,5})?")


def read_required(name: str, *, hint: str) -> str:
    """The value of `name`; ImproperlyConfigured with `hint` when it is absent or empty."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {hint}")
    return value


def read_optional(name: str) -> str:
    """The value without blanks around it, or an empty string."""
    value: str = env.str(name, default="")
    return value.strip()


def read_secret(name: str) -> str:
    """A secret of at least 32 characters. There is no default in any environment."""
    value = read_required(
        name, hint="`./taskw up` makes one; in production put a random string of 50 characters in it."
    )
    if len(value) < MIN_SECRET_LENGTH or len(set(value)) < 10:
        raise ImproperlyConfigured(f"{name} is too weak: it needs at least {MIN_SECRET_LENGTH} random characters.")
    return value


def read_base_url(name: str, *, hint: str) -> str:
    """An http or https address without a slash at its end."""
    value = read_required(name, hint=hint).rstrip("/")
    if not value.startswith(("http://", "https://")):
        raise ImproperlyConfigured(f"{name} must begin with http:// or https://. {hint}")
    return value


def read_origins(name: str, *, default: tuple[str, ...]) -> list[str]:
    """Origins (scheme, host, port) separated by blanks. Each becomes a word of the page policy, so nothing else may
    stand there."""
    origins: list[str] = env.str(name, default="").split() or list(default)
    for origin in origins:
        if not _ORIGIN.fullmatch(origin):
            raise ImproperlyConfigured(
                f"{name} must be origins such as https://checkout.stripe.com, separated by blanks; {origin!r} is none."
            )
    return origins


def read_database(name: str) -> dict[str, Any]:
    """Django's settings of the PostgreSQL database that the URL in `name` points to."""
    hint = "Example: postgresql://user:secret@127.0.0.1:5432/afterresume_frontend"
    parsed: dict[str, Any] = dict(env.db_url_config(read_required(name, hint=hint)))
    if parsed.get("ENGINE") != "django.db.backends.postgresql":
        raise ImproperlyConfigured(f"{name} must be a postgresql:// address. {hint}")
    return parsed
