"""What production settings refuse to start with. Each refusal names the variable and what to do, never its value."""

import math
from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Final
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.environment import read_optional

# What stands in examples and in other people's repositories. Long words only: a random string may hold short ones.
PLACEHOLDERS: Final = (
    *("changeme", "change-me", "change_me", "replaceme", "replace-me", "replace_me", "placeholder", "insecure"),
    *("your-secret", "your_secret", "secret-key", "secret_key", "secretkey", "password", "letmein", "only-for-tests"),
    *("example", "afterresume", "topsecret", "supersecret", "donotuse", "12345678"),
)
MIN_ENTROPY_BITS: Final = 96.0
MIN_PASSWORD_LENGTH: Final = 12
SAFE_SESSION_ENGINES: Final = frozenset(
    {"django.contrib.sessions.backends.db", "django.contrib.sessions.backends.cached_db"}
)


def entropy_bits(value: str) -> float:
    """Shannon's entropy of the whole string, taken letter by letter."""
    return -sum(count * math.log2(count / len(value)) for count in Counter(value).values())


def is_guessable(value: str) -> bool:
    """A known placeholder, a repeated piece, or an alphabet written down in order."""
    if any(word in value.lower() for word in PLACEHOLDERS):
        return True
    if value in (value + value)[1:-1]:
        return True
    steps = [ord(after) - ord(before) for before, after in pairwise(value)]
    return sum(step in {-1, 0, 1} for step in steps) > 0.75 * len(steps)


def check_secret(name: str, value: str, *, minimum: int) -> None:
    """A random string of at least `minimum` characters."""
    if len(value) < minimum or entropy_bits(value) < MIN_ENTROPY_BITS or is_guessable(value):
        raise ImproperlyConfigured(f"{name} is too weak: it needs at least {minimum} random characters.")


def check_different(**secrets: str) -> None:
    """No secret stands in for another: who learns one must not have learnt two."""
    names = sorted(secrets)
    if len(set(secrets.values())) < len(names):
        raise ImproperlyConfigured(f"{', '.join(names)} must differ from each other.")


def check_url_password(name: str, url: str) -> None:
    """An address of a server on the network carries a password that is none of the usual ones."""
    parts = urlsplit(url)
    password = unquote(parts.password or "")
    is_socket = not parts.hostname or parts.scheme == "unix"
    if is_socket and not password:
        return
    if len(password) < MIN_PASSWORD_LENGTH or len(set(password)) < 6 or is_guessable(password):
        raise ImproperlyConfigured(
            f"{name} needs a password of at least {MIN_PASSWORD_LENGTH} random characters in its address."
        )


def check_hosts(hosts: Iterable[str]) -> list[str]:
    """The exact names that are answered, and at least one."""
    exact = [host.strip() for host in hosts if host.strip()]
    if not exact or any("*" in host or host.startswith(".") for host in exact):
        raise ImproperlyConfigured("ALLOWED_HOSTS must list exact host names: no pattern, and at least one.")
    return exact


def check_origins(origins: Iterable[str]) -> list[str]:
    """Other origins whose forms are accepted: by name, over TLS."""
    exact = [origin.strip() for origin in origins if origin.strip()]
    if any(not origin.startswith("https://") or "*" in origin for origin in exact):
        raise ImproperlyConfigured("CSRF_TRUSTED_ORIGINS must list exact origins that begin with https://.")
    return exact


def check_public_url(name: str, url: str) -> str:
    """An address that people are sent to. Links in mails carry secrets, so it is always TLS."""
    if not url.startswith("https://") or not urlsplit(url).hostname:
        raise ImproperlyConfigured(f"{name} must begin with https:// in production.")
    return url.rstrip("/")


def check_session_engine(engine: str) -> None:
    """Sessions can be ended on the server and survive a restart of the cache."""
    if engine not in SAFE_SESSION_ENGINES:
        raise ImproperlyConfigured(
            "SESSION_ENGINE must keep sessions in the database: neither in cookies nor in a cache."
        )


def refuse_switches() -> None:
    """Switches of development that somebody has left on."""
    for name in ("DEBUG", "FAILPOINTS"):
        if read_optional(name).lower() not in {"", "0", "false", "no", "off"}:
            raise ImproperlyConfigured(f"{name} must not be set in production.")
