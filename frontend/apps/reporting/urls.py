from django.urls import path

from apps.reporting.views import listing, making, report

app_name = "reporting"
urlpatterns = [
    path("", listing.listing, name="list"),
    path("generate/", making.generate, name="generate"),
    path("generate/estimate/", making.estimate, name="estimate"),
    path("<uuid:report_id>/", report.report, name="report"),
    path("<uuid:report_id>/progress/", report.progress, name="progress"),
    path("<uuid:report_id>/cancel/", report.cancel, name="cancel"),
    path("<uuid:report_id>/retry/", report.retry, name="retry"),
    path("<uuid:report_id>/rename/", report.rename, name="rename"),
    path("<uuid:report_id>/delete/", report.delete, name="delete"),
    path("<uuid:report_id>/download/<slug:file_format>/", report.download, name="download"),
]
