"""Settings of production: everything from the environment, and a refusal to start rather than a weak default."""

from django.core.exceptions import ImproperlyConfigured

from config.environment import env, read_required
from config.mail import check_sender, read_transport
from config.settings.base import *  # noqa: F403
from config.settings.base import CELERY_TASK_SOFT_TIME_LIMIT, HOLD_LEASE_SECONDS, LLM_TOTAL_DEADLINE_SECONDS

DEBUG = False
ALLOWED_HOSTS = [host.strip() for host in env.list("ALLOWED_HOSTS", default=[]) if host.strip()]
if not ALLOWED_HOSTS or "*" in ALLOWED_HOSTS:
    raise ImproperlyConfigured("ALLOWED_HOSTS must list the exact host names of the backend.")
FRONTEND_BASE_URL = read_required("FRONTEND_BASE_URL", hint="The public address of the frontend.")
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
DEFAULT_FROM_EMAIL = check_sender(
    read_required("DEFAULT_FROM_EMAIL", hint="Example: AfterResume <no-reply@example.org>")
)
if not read_transport().is_configured:
    raise ImproperlyConfigured("EMAIL_URL (or EMAIL_PROVIDER) must say how mail leaves: see .env.example.")
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# TLS ends at the reverse proxy, which sets this header and drops what the client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
# The API is called without TLS inside the network, by the frontend and by health checks; from outside, the proxy has
# already redirected. A redirect would be of no use to a program, whose token has been sent in the clear by then.
SECURE_REDIRECT_EXEMPT = [r"^api/"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
# The sweeper gives up a call whose lease has run out: one that may still be answered would be paid by the house.
if 2 * LLM_TOTAL_DEADLINE_SECONDS > HOLD_LEASE_SECONDS or LLM_TOTAL_DEADLINE_SECONDS >= CELERY_TASK_SOFT_TIME_LIMIT:
    raise ImproperlyConfigured(
        "LLM_TOTAL_DEADLINE_SECONDS may be at most half of HOLD_LEASE_SECONDS"
        f" and must be below {CELERY_TASK_SOFT_TIME_LIMIT}, the limit of a task."
    )
