"""WSGI entry point. Not ASGI: the views are synchronous, and Django's ASGI handler has had the worse record."""

import os

from django.core.wsgi import get_wsgi_application

from apps.common.roles import require_runtime_role

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.production")

application = get_wsgi_application()
require_runtime_role()
