"""What every environment of the frontend shares. Environment variables are described in .env.example."""

from pathlib import Path
from typing import Any

import structlog
from csp.constants import NONCE, NONE, SELF

from apps.shell.masking import mask_addresses
from config.environment import env, read_base_url, read_database, read_origins, read_required, read_secret

BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = read_secret("FRONTEND_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
BACKEND_BASE_URL = read_base_url(
    "BACKEND_BASE_URL", hint="Where the backend listens, for example http://127.0.0.1:8000"
)
# Where a person's browser finds the backend (its admin); the same address unless a proxy stands between.
BACKEND_PUBLIC_URL: str = env.str("BACKEND_PUBLIC_URL", default="").rstrip("/") or BACKEND_BASE_URL
FRONTEND_BASE_URL = read_base_url("FRONTEND_BASE_URL", hint="The public address of this service.")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "csp",
    "django_htmx",
    "django_structlog",
    "apps.shell",
    "apps.accounts",
    "apps.api_proxy",
    "apps.dashboard",
    "apps.worklog",
    "apps.reporting",
    "apps.jobs",
    "apps.billing",
    "apps.tenant",
    "apps.admin_panel",
    "apps.ui",
]

MIDDLEWARE = [
    "apps.shell.headers.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "apps.shell.middleware.RequestIdMiddleware",
    "apps.shell.visitors.VisitorMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.shell.middleware.PrivatePagesMiddleware",
    "apps.shell.middleware.SignInRequiredMiddleware",
    "apps.shell.middleware.BackendErrorsMiddleware",
    "apps.accounts.middleware.PersonMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "builtins": ["apps.shell.templatetags.shell"],
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "apps.shell.context.shell",
            ],
        },
    },
]

# --- PostgreSQL: sessions and mirrored users, no business fact --------------------------------------------------------
_database = read_database("FRONTEND_DATABASE_URL")
_database["OPTIONS"] = {
    "pool": {"min_size": 1, "max_size": env.int("FRONTEND_DATABASE_POOL_SIZE", default=8), "timeout": 5},
    "options": "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=15000",
}
# A connection that died with the server is noticed before a person's request gets it.
_database["CONN_HEALTH_CHECKS"] = True
DATABASES = {"default": _database}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Sessions ---------------------------------------------------------------------------------------------------------
# In the database: the session holds the backend token, so it must stay on the server (no cookie sessions), and it must
# survive the cache being emptied or restarted (no cache sessions).
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_NAME = "ar_session"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 14 * 24 * 3600
CSRF_COOKIE_NAME = "ar_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "apps.shell.views.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Sign-in: the backend knows the passwords, allauth runs the form --------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.auth_backends.MirroredUserBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "dashboard:home"
ACCOUNT_ADAPTER = "apps.accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "apps.accounts.forms.sign_in.LoginForm"}
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# The backend judges passwords and counts the wrong ones, exactly and by the person's own address. allauth's limits are
# not exact, stand open while the cache is away, and as a second count would lock people out before their turn.
ACCOUNT_RATE_LIMITS = False

# --- Whom a request comes from (apps.shell.visitors) ------------------------------------------------------------------
# How many proxies of ours stand in front and append to X-Forwarded-For. allauth is told the same number, but asks
# AccountAdapter, which does not fail on a header that is too short.
TRUSTED_PROXY_COUNT: int = env.int("TRUSTED_PROXY_COUNT", default=0)
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXY_COUNT
# Signs the addresses of people for the backend, which has the same secret. Empty: the backend is told nothing.
INTERNAL_API_SECRET: str = env.str("INTERNAL_API_SECRET", default="")

# --- Payment pages: the only foreign ones that a form may lead to -----------------------------------------------------
PAYMENT_ORIGINS = read_origins("PAYMENT_ORIGINS", default=("https://checkout.stripe.com", "https://billing.stripe.com"))

# --- Security headers -------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "object-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF, *PAYMENT_ORIGINS],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# --- Cache: the last status bar; the product works without it ---------------------------------------------------------
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "apps.shell.cache.ForgivingRedisCache",
        "LOCATION": read_required("REDIS_URL", hint="Example: redis://127.0.0.1:6379/0"),
        "KEY_PREFIX": "ar-frontend",
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

# --- Files ------------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT: Path | None = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES: dict[str, dict[str, Any]] = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Language, time, logs ---------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

# The person is bound by PersonMiddleware: looking it up while a crash is logged would crash again without the database.
DJANGO_STRUCTLOG_USER_ID_FIELD = None
# apps.shell.visitors binds the true client's address in its place.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
LOG_FORMAT: str = env.str("LOG_FORMAT", default="json")
_shared_processors: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    mask_addresses,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_shared_processors,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
_renderers: dict[str, list[structlog.typing.Processor]] = {
    "json": [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
    "console": [structlog.dev.ConsoleRenderer()],
}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers[LOG_FORMAT]],
            "foreign_pre_chain": _shared_processors,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        # One line a call is the backend's to write; here it would double the log.
        "httpx": {"level": "WARNING"},
    },
}
