"""One view without middleware, database or log, for the same server as the backend's."""

import secrets

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, JsonResponse
from django.urls import path


def answer(request: HttpRequest) -> JsonResponse:
    """What any Django view costs at least."""
    response = JsonResponse({"received": True})
    # As the middleware of a real project does: without it the server would send chunks.
    response["Content-Length"] = str(len(response.content))
    return response


urlpatterns = [path("", answer)]

settings.configure(
    SECRET_KEY=secrets.token_urlsafe(50), ALLOWED_HOSTS=["127.0.0.1"], ROOT_URLCONF=__name__, MIDDLEWARE=[]
)
application = get_wsgi_application()
