"""WSGI entry point. Not ASGI: the views are synchronous and spend their time waiting for one upstream."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()
