"""Settings of the test run: real PostgreSQL, a backend that each test names itself."""

import os

os.environ.setdefault("FRONTEND_SECRET_KEY", "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH")
os.environ.setdefault("BACKEND_BASE_URL", "http://127.0.0.1:9")
os.environ.setdefault("LOG_LEVEL", "WARNING")
os.environ.setdefault("FRONTEND_BASE_URL", "http://testserver")
# Named so that type checks can load the settings without servers; a test that touches them fails at once.
os.environ.setdefault("FRONTEND_DATABASE_URL", "postgresql://nobody@127.0.0.1:9/afterresume_frontend")
os.environ.setdefault("REDIS_URL", "redis://127.0.0.1:9/0")

from config.settings.base import *  # noqa: F403
from config.settings.base import CACHES, DATABASES, STORAGES

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STATIC_ROOT = None
WHITENOISE_AUTOREFRESH = True
CACHES["default"] = {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
# Tests of threads open a connection each; a pool would keep them past the test database's end.
DATABASES["default"]["OPTIONS"].pop("pool", None)
