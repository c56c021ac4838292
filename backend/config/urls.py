"""Addresses of the backend: the API, Django admin for staff, and the metrics that Prometheus reads."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("apps.api.urls")),
    path("admin/", admin.site.urls),
]
