"""Addresses in mails: always below the configured host, never from a request."""

from urllib.parse import quote

from django.conf import settings


def frontend_link(*parts: object) -> str:
    """A page of the frontend: `frontend_link("accounts", "login")` is `https://.../accounts/login/`."""
    path = "".join(f"{quote(str(part), safe='')}/" for part in parts)
    return f"{settings.FRONTEND_BASE_URL.rstrip('/')}/{path}"
