from django.urls import path

from apps.billing.views import ledger, payments, reserve, topups, usage

app_name = "billing"
urlpatterns = [
    path("settings/", reserve.settings, name="settings"),
    path("auto-topup/", reserve.auto_topup, name="auto-topup"),
    path("auto-topup/resume/", reserve.resume, name="auto-topup-resume"),
    path("details/", reserve.details, name="details"),
    path("portal/", reserve.portal, name="portal"),
    path("plan/", payments.plans, name="plans"),
    path("topup/", topups.topup, name="topup"),
    path("topup/return/", topups.topup_return, name="topup-return"),
    path("topup/canceled/", topups.topup_canceled, name="topup-canceled"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("ledger/export.csv", ledger.export, name="ledger-export"),
    path("usage/", usage.usage, name="usage"),
    path("usage/<uuid:event_id>/", usage.usage_event, name="usage-event"),
    path("payments/", payments.payments, name="payments"),
    path("payments/<uuid:payment_id>/cancel/", payments.cancel, name="payment-cancel"),
    path("invoices/<uuid:document_id>/pdf/", payments.document_pdf, name="document-pdf"),
]
