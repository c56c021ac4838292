"""Every address of the frontend."""

from django.urls import URLPattern, URLResolver, include, path

from apps.shell import views as shell

urlpatterns: list[URLPattern | URLResolver] = [
    path("", include("apps.dashboard.urls")),
    path("accounts/", include("apps.accounts.sign_in_urls")),
    path("profile/", include("apps.tenant.urls")),
    path("profile/", include("apps.accounts.urls")),
    path("erasure-certificates/", include("apps.tenant.certificate_urls")),
    path("worklog/", include("apps.worklog.urls")),
    path("reporting/", include("apps.reporting.urls")),
    path("jobs/", include("apps.jobs.urls")),
    path("billing/", include("apps.billing.urls")),
    path("api-proxy/", include("apps.api_proxy.urls")),
    path("admin-panel/", include("apps.admin_panel.urls")),
    path("ui/", include("apps.ui.urls")),
    path("django-admin/", shell.django_admin, name="django-admin"),
    path("health/", shell.health, name="health"),
]

handler400 = "apps.shell.views.bad_request"
handler403 = "apps.shell.views.forbidden"
handler404 = "apps.shell.views.not_found"
handler429 = "apps.shell.views.too_many_requests"
handler500 = "apps.shell.views.broken"
