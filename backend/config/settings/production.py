"""Settings of production: everything from the environment, and a refusal to start rather than a weak default."""

from django.core.exceptions import ImproperlyConfigured

from config.environment import env, read_required
from config.mail import check_sender, read_transport
from config.payments import check_live_keys
from config.settings.base import *  # noqa: F403
from config.settings.base import (
    CELERY_TASK_SOFT_TIME_LIMIT,
    HOLD_LEASE_SECONDS,
    LLM_TOTAL_DEADLINE_SECONDS,
    REDIS_URL,
    S3_BUCKET,
    SECRET_KEY,
    SESSION_ENGINE,
)
from config.strictness import (
    check_different,
    check_hosts,
    check_origins,
    check_public_url,
    check_secret,
    check_session_engine,
    check_url_password,
    refuse_switches,
)

DEBUG = False
refuse_switches()
check_secret("BACKEND_SECRET_KEY", SECRET_KEY, minimum=50)
INTERNAL_API_SECRET = read_required("INTERNAL_API_SECRET", hint="The frontend has the same: see .env.example.")
check_secret("INTERNAL_API_SECRET", INTERNAL_API_SECRET, minimum=32)
check_different(BACKEND_SECRET_KEY=SECRET_KEY, INTERNAL_API_SECRET=INTERNAL_API_SECRET)
check_url_password("DATABASE_URL", read_required("DATABASE_URL", hint="See .env.example."))
check_url_password("REDIS_URL", REDIS_URL)
if S3_BUCKET:
    check_secret("S3_SECRET_KEY", read_required("S3_SECRET_KEY", hint="See .env.example."), minimum=24)
check_live_keys()
check_session_engine(SESSION_ENGINE)
ALLOWED_HOSTS = check_hosts(env.list("ALLOWED_HOSTS", default=[]))
FRONTEND_BASE_URL = check_public_url(
    "FRONTEND_BASE_URL", read_required("FRONTEND_BASE_URL", hint="The public address of the frontend.")
)
CSRF_TRUSTED_ORIGINS = check_origins(env.list("CSRF_TRUSTED_ORIGINS", default=[]))
DEFAULT_FROM_EMAIL = check_sender(
    read_required("DEFAULT_FROM_EMAIL", hint="Example: AfterResume <no-reply@example.org>")
)
if not read_transport().is_configured:
    raise ImproperlyConfigured("EMAIL_URL (or EMAIL_PROVIDER) must say how mail leaves: see .env.example.")
REFUSE_POWERFUL_ROLE = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
# Browsers take such a cookie over TLS from this very host alone: no sister domain can plant one.
SESSION_COOKIE_NAME = "__Host-ar_backend_session"
CSRF_COOKIE_NAME = "__Host-ar_backend_csrf"
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
