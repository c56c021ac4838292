"""Settings of a product that is only there to be started and stopped."""

import os
from urllib.parse import urlsplit

_url = urlsplit(os.environ["FRONTEND_DATABASE_URL"])
SECRET_KEY = os.environ["FRONTEND_SECRET_KEY"]
ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = ["django.contrib.contenttypes", "apps.base"]
USE_TZ = True
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": _url.path.lstrip("/"),
        "USER": _url.username,
        "PASSWORD": _url.password,
        "HOST": _url.hostname,
        "PORT": _url.port,
    }
}
