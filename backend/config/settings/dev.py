"""One machine, one person: plain HTTP on loopback. Secrets come from the environment (`./taskw up` makes them)."""

from config.environment import env
from config.payments import check_no_live_keys
from config.settings.base import *  # noqa: F403
from config.settings.base import STORAGES

check_no_live_keys()
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["127.0.0.1", "localhost"])
# No collectstatic step in development: files are served from the packages they come with.
WHITENOISE_USE_FINDERS = True
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
