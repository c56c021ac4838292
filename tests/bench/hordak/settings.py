"""Settings of the project: hordak with its defaults on the database in HORDAK_DATABASE_URL."""

import os
import secrets

import dj_database_url

SECRET_KEY = secrets.token_urlsafe(50)
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "mptt", "hordak"]
DATABASES = {"default": dj_database_url.parse(os.environ["HORDAK_DATABASE_URL"], conn_max_age=600)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
CURRENCIES = ["USD"]
DEFAULT_CURRENCY = "USD"
HORDAK_CURRENCIES = ["USD"]
HORDAK_DEFAULT_CURRENCY = "USD"
