"""Addresses of the backend: the API, and Django admin for staff. Whatever fails under /api/ answers in JSON."""

from django.urls import include, path

from config.admin import site

urlpatterns = [
    path("api/", include("apps.api.urls")),
    path("admin/", site.urls),
]

handler400 = "apps.api.errors.bad_request"
handler404 = "apps.api.errors.not_found"
handler500 = "apps.api.errors.server_error"
