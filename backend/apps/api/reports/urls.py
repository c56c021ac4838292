from django.urls import path

from apps.api.reports import views

urlpatterns = [
    path("reports/", views.ReportListView.as_view(), name="report-list"),
    path("reports/<uuid:report_id>/", views.ReportDetailView.as_view(), name="report-detail"),
    path("reports/<uuid:report_id>/export/", views.ReportExportView.as_view(), name="report-export"),
]
