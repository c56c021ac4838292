"""How mail leaves the house: an SMTP server by EMAIL_URL (or EMAIL_HOST), or a provider's API by EMAIL_PROVIDER.

Failures name the variable, never its value.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any, Final
from urllib.parse import SplitResult, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

from config.environment import env, read_int

# Seconds that one step of a conversation with a mail server, or one call of a provider, may take.
TIMEOUT_SECONDS: Final = 10

_SMTP: Final = "django.core.mail.backends.smtp.EmailBackend"
_CONSOLE: Final = "django.core.mail.backends.console.EmailBackend"
# Scheme: port, STARTTLS, TLS from the first byte.
_SCHEMES: Final[Mapping[str, tuple[int, bool, bool]]] = {
    "smtp": (25, False, False),
    "smtp+tls": (587, True, False),
    "smtps": (465, False, True),
}
# Anymail's backend: the name under which it takes the key. Amazon's takes AWS_ACCESS_KEY_ID and the like instead.
_PROVIDERS: Final[Mapping[str, str]] = {
    "amazon_ses": "",
    "brevo": "BREVO_API_KEY",
    "mailersend": "MAILERSEND_API_TOKEN",
    "mailgun": "MAILGUN_API_KEY",
    "mailjet": "MAILJET_API_KEY",
    "mailtrap": "MAILTRAP_API_TOKEN",
    "mandrill": "MANDRILL_API_KEY",
    "postal": "POSTAL_API_KEY",
    "postmark": "POSTMARK_SERVER_TOKEN",
    "resend": "RESEND_API_KEY",
    "scaleway": "SCALEWAY_SECRET_KEY",
    "sendgrid": "SENDGRID_API_KEY",
    "sparkpost": "SPARKPOST_API_KEY",
    "unisender_go": "UNISENDER_GO_API_KEY",
}


@dataclass(frozen=True, kw_only=True)
class MailTransport:
    """What Django's (and anymail's) settings of mail are made of."""

    backend: str = _CONSOLE
    host: str = ""
    port: int = 25
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    starts_tls: bool = False
    is_tls: bool = False
    timeout_seconds: int = TIMEOUT_SECONDS
    anymail: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def is_configured(self) -> bool:
        """Whether mail leaves at all: without configuration it is printed."""
        return self.backend != _CONSOLE


def read_transport() -> MailTransport:
    """EMAIL_PROVIDER, else EMAIL_URL, else EMAIL_HOST and EMAIL_PORT, else mails are printed."""
    provider: str = env.str("EMAIL_PROVIDER", default="").strip()
    if provider:
        return _read_provider(provider)
    url: str = env.str("EMAIL_URL", default="").strip()
    if url:
        return _read_url(url)
    host: str = env.str("EMAIL_HOST", default="").strip()
    if host:
        return MailTransport(backend=_SMTP, host=host, port=read_int("EMAIL_PORT", default=25, minimum=1))
    return MailTransport()


def check_sender(address: str) -> str:
    """The address that mails come from, as `Name <name@example.org>` or alone; raises ImproperlyConfigured."""
    try:
        validate_email(parseaddr(address)[1])
    except ValidationError:
        raise ImproperlyConfigured(
            "DEFAULT_FROM_EMAIL must be an address: AfterResume <no-reply@example.org>"
        ) from None
    return address


def _read_provider(provider: str) -> MailTransport:
    if provider not in _PROVIDERS:
        raise ImproperlyConfigured(f"EMAIL_PROVIDER must be one of: {', '.join(_PROVIDERS)}.")
    anymail: dict[str, Any] = {"REQUESTS_TIMEOUT": TIMEOUT_SECONDS, **_read_options()}
    key: str = env.str("EMAIL_PROVIDER_KEY", default="").strip()
    if name := _PROVIDERS[provider]:
        if not key:
            raise ImproperlyConfigured(f"EMAIL_PROVIDER_KEY is not set, and {provider} needs a key.")
        anymail[name] = key
    return MailTransport(backend=f"anymail.backends.{provider}.EmailBackend", anymail=anymail)


def _read_options() -> dict[str, str]:
    """EMAIL_PROVIDER_OPTIONS: further settings of anymail, as `MAILGUN_SENDER_DOMAIN=mg.example.org,...`."""
    options: list[str] = env.list("EMAIL_PROVIDER_OPTIONS", default=[])
    pairs = [option.partition("=") for option in options if option.strip()]
    if any(not separator for _, separator, _ in pairs):
        raise ImproperlyConfigured("EMAIL_PROVIDER_OPTIONS must be NAME=value pairs, separated by commas.")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _read_url(url: str) -> MailTransport:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ImproperlyConfigured(
            "EMAIL_URL is no address. Example: smtp+tls://user:password@mail.example.org"
        ) from None
    if parts.scheme == "console":
        return MailTransport()
    if parts.scheme not in _SCHEMES or not parts.hostname:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES)
        raise ImproperlyConfigured(f"EMAIL_URL must start with one of {known} and name a host, or be console://")
    usual_port, starts_tls, is_tls = _SCHEMES[parts.scheme]
    _check_password_is_safe(parts)
    return MailTransport(
        backend=_SMTP,
        host=parts.hostname,
        port=port or usual_port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starts_tls=starts_tls,
        is_tls=is_tls,
    )


def _check_password_is_safe(parts: SplitResult) -> None:
    if parts.password and parts.scheme == "smtp" and parts.hostname not in {"127.0.0.1", "localhost", "::1"}:
        raise ImproperlyConfigured(
            "EMAIL_URL has a password that would cross the network in the clear: use smtp+tls:// or smtps://"
        )
