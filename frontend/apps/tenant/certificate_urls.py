from django.urls import path

from apps.tenant.views import certificate

app_name = "certificate"
urlpatterns = [
    path("<slug:token>/", certificate.certificate, name="certificate"),
    path("<slug:token>/certificate.json", certificate.as_json, name="json"),
]
