"""Secrets that a page shows once: sealed in the session from the form that made them to the page that shows them."""

import json
from typing import Any, Final

from django.http import HttpRequest

from apps.accounts.sealing import BrokenSeal, seal, unseal

RECOVERY_CODES: Final = "recovery_codes"
NEW_TOKEN: Final = "new_token"  # noqa: S105 - the name of a place, not a secret
TOTP_SECRET: Final = "totp_secret"  # noqa: S105
RESET_LINK: Final = "reset_link"
KEY_CHALLENGE: Final = "key_challenge"


def keep(request: HttpRequest, name: str, value: Any) -> None:
    """Keep `value` (anything that JSON can say) under `name`, in the place of what was there."""
    request.session[f"once:{name}"] = seal(json.dumps(value))


def peek(request: HttpRequest, name: str) -> Any:
    """What is kept, which stays; None when there is nothing."""
    sealed = request.session.get(f"once:{name}")
    if sealed is None:
        return None
    try:
        return json.loads(unseal(sealed))
    except BrokenSeal:
        return None


def take(request: HttpRequest, name: str) -> Any:
    """What is kept, for the last time; None when there is nothing."""
    value = peek(request, name)
    request.session.pop(f"once:{name}", None)
    return value
