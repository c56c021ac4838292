from django.urls import path

from apps.api.mydata import views

urlpatterns = [
    path("me/export/", views.ExportView.as_view(), name="me-export"),
    path("me/exports/", views.ExportListView.as_view(), name="me-exports"),
    path("me/exports/<uuid:export_id>/download/", views.ExportDownloadView.as_view(), name="me-export-download"),
    path("me/delete/", views.DeleteView.as_view(), name="me-delete"),
    path("erasure-certificates/<slug:token>/", views.CertificateView.as_view(), name="erasure-certificate"),
]
