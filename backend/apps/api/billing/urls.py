from django.urls import path

from apps.api.billing import documents, profile, usage, views

urlpatterns = [
    path("status/bar/", views.StatusBarView.as_view(), name="status-bar"),
    path("billing/reserve/balance/", views.BalanceView.as_view(), name="billing-balance"),
    path("billing/reserve/ledger/", views.LedgerView.as_view(), name="billing-ledger"),
    path("billing/reserve/ledger/export.csv", views.LedgerExportView.as_view(), name="billing-ledger-export"),
    path("billing/usage/", usage.UsageView.as_view(), name="billing-usage"),
    path("billing/usage/<uuid:event_id>/", usage.UsageDetailView.as_view(), name="billing-usage-event"),
    path("billing/profile/", profile.BillingProfileView.as_view(), name="billing-profile"),
    path("billing/plans/", profile.PlanListView.as_view(), name="billing-plans"),
    path("billing/auto-topup/resume/", profile.AutoTopupResumeView.as_view(), name="billing-auto-topup-resume"),
    path("billing/invoices/", documents.DocumentListView.as_view(), name="billing-invoices"),
    path("billing/invoices/<uuid:document_id>/pdf/", documents.DocumentPdfView.as_view(), name="billing-invoice-pdf"),
]
