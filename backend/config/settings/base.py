"""What every environment of the backend shares. Environment variables are described in .env.example."""

import logging
from datetime import timedelta
from pathlib import Path

import structlog

from apps.observability.masking import mask_addresses
from config.environment import (
    env,
    read_choice,
    read_database,
    read_int,
    read_limits,
    read_optional,
    read_required,
    read_secret,
    read_secrets,
)
from config.mail import check_sender, read_transport

BASE_DIR = Path(__file__).resolve().parents[2]

SECRET_KEY = read_secret("BACKEND_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
FRONTEND_BASE_URL: str = env.str("FRONTEND_BASE_URL", default="http://127.0.0.1:3000")

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "config.apps.StaffAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "knox",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "django_structlog",
    "pgtrigger",
    "apps.common",
    "apps.observability",
    "apps.mail",
    "apps.accounts",
    "apps.mfa",
    "apps.tenants",
    "apps.worklog",
    "apps.invitations",
    "apps.billing",
    "apps.llm",
    "apps.artifacts",
    "apps.reporting",
    "apps.orchestration",
    "apps.api",
    "apps.workers",
]

MIDDLEWARE = [
    # First, so that no answer leaves without: neither a redirect to HTTPS nor a refused host.
    "apps.api.middleware.HeadersMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.observability.middleware.RequestIdMiddleware",
    "apps.api.middleware.OriginMiddleware",
    "apps.api.scoping.ScopeMiddleware",
    "apps.api.middleware.BoundsMiddleware",
    "apps.api.limits.GiveBackMiddleware",
    "django_structlog.middlewares.RequestMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "apps.api.middleware.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# --- PostgreSQL ------------------------------------------------------------------------------------------------------
# The pool is psycopg's own. Timeouts turn a convoy on one account's row into a clear 503 instead of a pile of threads.
_database = read_database("DATABASE_URL")
# Django's backend, which also tells the database whose rows the present work may see.
_database["ENGINE"] = "apps.common.postgres"
_pool_size: int = env.int("DATABASE_POOL_SIZE", default=8)
_database["OPTIONS"] = {
    # Only cursors that ask for it prepare (apps.common.statements); Django's own bind on the client and never do.
    "prepare_threshold": 5,
    "options": "-c statement_timeout=15000 -c lock_timeout=4000 -c idle_in_transaction_session_timeout=30000",
}
if _pool_size:
    _database["OPTIONS"]["pool"] = {"min_size": 1, "max_size": _pool_size, "timeout": 5}
else:
    # Celery's processes (size 0) keep one connection each: a pool would be closed after every task.
    _database["CONN_MAX_AGE"] = 600
# A connection that died with the server is noticed before a request gets it.
_database["CONN_HEALTH_CHECKS"] = True
_database["ATOMIC_REQUESTS"] = False
DATABASES = {"default": _database}
# For `migrate` alone, which runs as the owner of the tables: whom it grants the use of rows to.
DATABASE_RUNTIME_ROLE: str = env.str("DATABASE_RUNTIME_ROLE", default="")
# Whether a service refuses to run as a role that row-level security does not bind.
REFUSE_POWERFUL_ROLE = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Identities ------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["apps.accounts.backends.UsernameOrEmailBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "apps.accounts.validators.FamiliarPasswordValidator"},
]
# Our own token table takes the place of knox's, whose migrations would leave an empty twin behind.
MIGRATION_MODULES: dict[str, str | None] = {"knox": None}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - the name of a model
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=env.int("TOKEN_TTL_DAYS", default=14)),
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_PREFIX": "ar_",
}
# Seconds until the link to choose a new password expires; its mail says an hour.
PASSWORD_RESET_TIMEOUT = 3600
# How long a proof of identity is good for acts that need a fresh one.
REAUTHENTICATION_MINUTES = read_int("REAUTHENTICATION_MINUTES", default=15, minimum=1, maximum=1440)
# A session that nobody has used for so long is over before its time: of a device that was sold, or lent.
SESSION_IDLE = timedelta(days=read_int("SESSION_IDLE_DAYS", default=7, minimum=1, maximum=365))
# Seal the secrets of authenticator apps: the first seals, all of them open. Without any, the keys above do it.
MFA_SEALING_KEYS: list[str] = read_secrets("MFA_SEALING_KEYS")
# Sessions are those of Django admin.
LOGIN_REDIRECT_URL = "/admin/"
# In the database: a session can be ended there, and it survives the cache. A working day, then staff sign in again.
SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_NAME = "ar_backend_session"
CSRF_COOKIE_NAME = "ar_backend_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"

# --- API -------------------------------------------------------------------------------------------------------------
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.api.authentication.TokenAuthentication",
        "apps.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "rest_framework.permissions.IsAuthenticated",
        "apps.api.permissions.CanWrite",
    ],
    "DEFAULT_THROTTLE_CLASSES": ["apps.api.limits.DeclaredLimits"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.api.parsers.JSONParser"],
    "DEFAULT_PAGINATION_CLASS": "apps.api.pagination.CursorPagination",
    "DEFAULT_SCHEMA_CLASS": "apps.api.schema.AutoSchema",
    "EXCEPTION_HANDLER": "apps.api.errors.handle_exception",
    "URL_FORMAT_OVERRIDE": None,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
UNFOLD = {
    "SITE_TITLE": "AfterResume staff",
    "SITE_HEADER": "AfterResume",
    "SITE_SYMBOL": "inventory_2",
    "SITE_URL": FRONTEND_BASE_URL,
    # The green of the product, from paper to ink.
    "COLORS": {
        "primary": {
            "50": "oklch(97.5% .012 165)",
            "100": "oklch(94% .028 165)",
            "200": "oklch(88% .05 165)",
            "300": "oklch(79% .075 166)",
            "400": "oklch(68% .09 167)",
            "500": "oklch(56% .09 168)",
            "600": "oklch(46% .08 168)",
            "700": "oklch(42.5% .072 168)",
            "800": "oklch(35% .058 168)",
            "900": "oklch(29% .045 168)",
            "950": "oklch(20% .03 168)",
        }
    },
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AfterResume API",
    "DESCRIPTION": "A private worklog that becomes documents people can prove, with metered writing help.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
    "COMPONENT_SPLIT_REQUEST": True,
    # A change names its own fields; those that it needs are needed in a PATCH as well.
    "COMPONENT_SPLIT_PATCH": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.api.schema_answers.describe_answers",
        "apps.api.schema_answers.tighten_decimals",
    ],
    # Names for choices that share a field's name, so that generated clients read well.
    "ENUM_NAME_OVERRIDES": {
        "JobKind": "apps.orchestration.types.JobKind",
        "JobState": "apps.orchestration.types.JobState",
        "StepState": "apps.orchestration.types.RunState",
        "ReportKind": "apps.reporting.types.ReportKind",
        "ReportState": "apps.reporting.types.ReportState",
        "LedgerEntryKind": "apps.billing.types.EntryKind",
        "EntryStatus": "apps.worklog.types.EntryStatus",
        "GrantScope": "apps.tenants.types.GrantScope",
        "GrantState": "apps.tenants.types.GrantState",
        "ExportState": "apps.orchestration.personal_types.ExportState",
        "TokenScope": "apps.accounts.types.ALL_SCOPES",
        "PasskeyState": "apps.invitations.types.PasskeyState",
        "PlanTier": "apps.billing.types.PlanTier",
        "PlanForSale": "apps.api.billing.payment_serializers.PLANS_FOR_SALE",
        "PaymentKind": "apps.billing.payment_types.PaymentKind",
        "PaymentState": "apps.billing.payment_types.PaymentState",
        "RefundState": "apps.billing.payment_types.RefundState",
        "DisputeState": "apps.billing.payment_types.DisputeState",
        "AutoTopupState": "apps.billing.payment_types.AutoTopupState",
        "StripeEventState": "apps.billing.payment_types.StripeEventState",
        "BillingDocumentKind": "apps.billing.payment_types.DocumentKind",
    },
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024

# --- Workers: the broker is a hint, rows in PostgreSQL are the truth --------------------------------------------------
REDIS_URL = read_required("REDIS_URL", hint="Example: redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_TASK_ALWAYS_EAGER = False
CELERY_TASK_DEFAULT_QUEUE = "afterresume"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A publish that cannot reach the broker gives up quickly: the due row is picked up by the sweeper.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 10,
    "socket_connect_timeout": 2,
    "socket_timeout": 5,
    "health_check_interval": 25,
}
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.2, "interval_max": 0.2}
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
DJANGO_STRUCTLOG_CELERY_ENABLED = True
CELERY_TIMEZONE = "UTC"

# --- Cache -----------------------------------------------------------------------------------------------------------
CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL, "KEY_PREFIX": "ar"}
}

# --- Whom a request comes from (apps.observability.visitors) ----------------------------------------------------------
# How many proxies of ours stand in front and append to X-Forwarded-For.
TRUSTED_PROXY_COUNT = read_int("TRUSTED_PROXY_COUNT", default=0, minimum=0, maximum=10)
# Shared with the frontend, which signs the addresses of the people it calls for. Empty: nobody is believed.
INTERNAL_API_SECRET: str = env.str("INTERNAL_API_SECRET", default="")

# --- Limits (apps.common.limits has the table) ------------------------------------------------------------------------
RATE_LIMITS = read_limits("RATE_LIMITS")
RATE_LIMIT_PREFIX = "ar:limits"
# Where counts of use wait until they are metered.
USAGE_COUNT_PREFIX = "ar:usage"

# --- Files -----------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
S3_BUCKET: str = env.str("S3_BUCKET", default="")
if S3_BUCKET:
    _default_storage: dict[str, object] = {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": S3_BUCKET,
            "endpoint_url": env.str("S3_ENDPOINT_URL", default="") or None,
            "access_key": read_required("S3_ACCESS_KEY", hint="The key of the S3-compatible store."),
            "secret_key": read_required("S3_SECRET_KEY", hint="The secret of the S3-compatible store."),
            "file_overwrite": False,
            "querystring_expire": 300,
        },
    }
else:
    _default_storage = {
        "BACKEND": "django.core.files.storage.FileSystemStorage",
        "OPTIONS": {"location": env.str("MEDIA_DIR", default=str(BASE_DIR.parent / ".data" / "media"))},
    }
STORAGES: dict[str, dict[str, object]] = {
    "default": _default_storage,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# --- Mail ------------------------------------------------------------------------------------------------------------
# Only the worker sends. Without configuration mails are printed; production refuses that.
_mail = read_transport()
DEFAULT_FROM_EMAIL = check_sender(
    env.str("DEFAULT_FROM_EMAIL", default="").strip() or "AfterResume <no-reply@afterresume.localhost>"
)
EMAIL_BACKEND = _mail.backend
EMAIL_HOST, EMAIL_PORT = _mail.host, _mail.port
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail.user, _mail.password
EMAIL_USE_TLS, EMAIL_USE_SSL = _mail.starts_tls, _mail.is_tls
EMAIL_TIMEOUT = _mail.timeout_seconds
ANYMAIL = dict(_mail.anymail)

# --- Money -----------------------------------------------------------------------------------------------------------
RESERVE_DEFAULT_POLICY = read_choice("RESERVE_DEFAULT_POLICY", choices=("block", "warn", "limited"), default="warn")
RESERVE_DEFAULT_FLOOR_MICROS = read_int("RESERVE_DEFAULT_FLOOR_MICROS", default=-5_000_000, maximum=0)
RESERVE_DEFAULT_LOW_BALANCE_MICROS = read_int("RESERVE_DEFAULT_LOW_BALANCE_MICROS", default=1_000_000, minimum=0)
# How long a hold may stay open: longer than the longest model call with its retries, shorter than a person's patience.
HOLD_LEASE_SECONDS = read_int("HOLD_LEASE_SECONDS", default=180, minimum=1)

# --- Payments --------------------------------------------------------------------------------------------------------
# Without a key nothing can be paid, and the product says so. Two webhook secrets, old and new, while one is replaced.
STRIPE_SECRET_KEY = read_optional("STRIPE_SECRET_KEY")
STRIPE_WEBHOOK_SECRETS = [
    secret for part in read_optional("STRIPE_WEBHOOK_SECRET").split(",") if (secret := part.strip())
]
STRIPE_API_BASE = read_optional("STRIPE_API_BASE")
STRIPE_TIMEOUT_SECONDS = read_int("STRIPE_TIMEOUT_SECONDS", default=10, minimum=1, maximum=60)
STRIPE_AUTOMATIC_TAX = env.bool("STRIPE_AUTOMATIC_TAX", default=False)
TOPUP_MIN_CENTS = read_int("TOPUP_MIN_CENTS", default=500, minimum=50)
TOPUP_MAX_CENTS = read_int("TOPUP_MAX_CENTS", default=50_000, minimum=50, maximum=99_999_999)
# Who issues receipts and invoices: stands on each as it was at that moment.
SELLER_NAME: str = env.str("SELLER_NAME", default="AfterResume")
SELLER_ADDRESS: str = env.str("SELLER_ADDRESS", default="")
SELLER_TAX_ID: str = env.str("SELLER_TAX_ID", default="")

# --- Language model --------------------------------------------------------------------------------------------------
LLM_BASE_URL: str = env.str("LLM_BASE_URL", default="")
LLM_API_KEY: str = env.str("LLM_API_KEY", default="")
LLM_MODEL: str = env.str("LLM_MODEL", default="")
LLM_TOTAL_DEADLINE_SECONDS = read_int("LLM_TOTAL_DEADLINE_SECONDS", default=90, minimum=1)

# --- Personal data ---------------------------------------------------------------------------------------------------
EXPORT_TTL_DAYS = read_int("EXPORT_TTL_DAYS", default=7, minimum=1, maximum=90)
ACCOUNT_DELETION_GRACE_DAYS = read_int("ACCOUNT_DELETION_GRACE_DAYS", default=14, minimum=1, maximum=90)
# How long the law asks for the books; the certificate of an erasure names the day.
BILLING_RETENTION_YEARS = read_int("BILLING_RETENTION_YEARS", default=10, minimum=1, maximum=30)

# Named points where a test may kill the process. Only the test settings may fill this.
FAILPOINTS: dict[str, str] = {}

# --- Language, time, logs --------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en-us"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"

LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
# By then our own middleware has replaced an id that is not well formed.
DJANGO_STRUCTLOG_TRUST_UPSTREAM_REQUEST_ID = True
# apps.observability.request_log binds the true client's address in its place.
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
# A crash is logged with its traceback in any case; an answer of 503 is expected and no error of the program.
DJANGO_STRUCTLOG_STATUS_5XX_LOG_LEVEL = logging.WARNING
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
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
            "foreign_pre_chain": _shared_processors,
        },
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": ["console"], "propagate": False},
        # django-structlog writes the one line of each request, and of each crash, with the request id.
        "django.request": {"level": "CRITICAL"},
    },
}
