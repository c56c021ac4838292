"""Settings of the test run: real PostgreSQL and Valkey, cheap password hashes, failpoints allowed."""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("BACKEND_SECRET_KEY", "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-ABCDEFGH")

from config.environment import env
from config.settings.base import *  # noqa: F403
from config.settings.base import DATABASES, STORAGES

ALLOWED_HOSTS = ["testserver", "127.0.0.1", "localhost"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
STORAGES["default"] = {
    "BACKEND": "django.core.files.storage.FileSystemStorage",
    "OPTIONS": {"location": str(Path(tempfile.gettempdir()) / "afterresume-test-media")},
}
WHITENOISE_AUTOREFRESH = True
# Race tests open a connection a thread and close them themselves; a pool would keep them past the test database's end.
DATABASES["default"]["OPTIONS"].pop("pool", None)
FAILPOINTS = {
    name: action for name, _, action in (item.partition("=") for item in env.list("FAILPOINTS", default=[])) if action
}
# Runs side by side count by themselves; a fixture empties the counters between tests.
RATE_LIMIT_PREFIX = f"ar-test-{os.getpid()}:limits"
USAGE_COUNT_PREFIX = f"ar-test-{os.getpid()}:usage"
