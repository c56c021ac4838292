"""Settings of production: everything from the environment, and a refusal to start rather than a weak default."""

from config.environment import env, read_required
from config.settings.base import *  # noqa: F403
from config.settings.base import FRONTEND_BASE_URL, SECRET_KEY, SESSION_ENGINE
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
check_secret("FRONTEND_SECRET_KEY", SECRET_KEY, minimum=32)
INTERNAL_API_SECRET = read_required("INTERNAL_API_SECRET", hint="The backend has the same: see .env.example.")
check_secret("INTERNAL_API_SECRET", INTERNAL_API_SECRET, minimum=32)
check_different(FRONTEND_SECRET_KEY=SECRET_KEY, INTERNAL_API_SECRET=INTERNAL_API_SECRET)
check_url_password("FRONTEND_DATABASE_URL", read_required("FRONTEND_DATABASE_URL", hint="See .env.example."))
check_url_password("REDIS_URL", read_required("REDIS_URL", hint="See .env.example."))
check_session_engine(SESSION_ENGINE)
ALLOWED_HOSTS = check_hosts(env.list("ALLOWED_HOSTS", default=[]))
FRONTEND_BASE_URL = check_public_url("FRONTEND_BASE_URL", FRONTEND_BASE_URL)
CSRF_TRUSTED_ORIGINS = check_origins(env.list("CSRF_TRUSTED_ORIGINS", default=[]))
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
SESSION_COOKIE_NAME = "__Host-ar_session"
CSRF_COOKIE_NAME = "__Host-ar_csrf"
# TLS ends at the reverse proxy, which sets this header and drops what the client sent.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
SECURE_REDIRECT_EXEMPT = [r"^health/$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
