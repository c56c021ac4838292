"""Which keys of the payment provider an environment may hold. Settings call this; nothing is sent anywhere."""

from typing import Final

from django.core.exceptions import ImproperlyConfigured

from config.environment import read_optional

_LIVE: Final = ("sk_live_", "rk_live_")
_WEBHOOK: Final = "whsec_"
_MIN_LENGTH: Final = 24


def check_live_keys() -> None:
    """In production: no key at all, or live ones, with the secret that signs the provider's messages."""
    key, secret = read_optional("STRIPE_SECRET_KEY"), read_optional("STRIPE_WEBHOOK_SECRET")
    if not key and not secret:
        return
    if not key.startswith(_LIVE) or len(key) < _MIN_LENGTH:
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must be a live key in production (sk_live_ or rk_live_).")
    if not secret.startswith(_WEBHOOK) or len(secret) < _MIN_LENGTH:
        raise ImproperlyConfigured("STRIPE_WEBHOOK_SECRET must be the endpoint's signing secret (whsec_).")
    if read_optional("STRIPE_API_BASE"):
        raise ImproperlyConfigured("STRIPE_API_BASE must not be set in production: it leads elsewhere.")


def check_no_live_keys() -> None:
    """On a machine of development nobody's real card is charged."""
    if read_optional("STRIPE_SECRET_KEY").startswith(_LIVE):
        raise ImproperlyConfigured("STRIPE_SECRET_KEY must not be a live key outside production.")
