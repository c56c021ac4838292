from django.urls import path

from apps.api.billing import documents, payments, plans, profile, staff, staff_payments, usage, views

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
    path("billing/topup/session/", payments.TopupSessionView.as_view(), name="billing-topup-session"),
    path("billing/topup/confirm/", payments.TopupConfirmView.as_view(), name="billing-topup-confirm"),
    path("billing/payments/", payments.PaymentListView.as_view(), name="billing-payments"),
    path("billing/payments/<uuid:payment_id>/", payments.PaymentView.as_view(), name="billing-payment"),
    path(
        "billing/payments/<uuid:payment_id>/cancel/",
        payments.PaymentCancelView.as_view(),
        name="billing-payment-cancel",
    ),
    path("billing/portal/session/", plans.PortalSessionView.as_view(), name="billing-portal-session"),
    path(
        "billing/subscription/session/",
        plans.SubscriptionSessionView.as_view(),
        name="billing-subscription-session",
    ),
    path("billing/invoices/", documents.DocumentListView.as_view(), name="billing-invoices"),
    path("billing/invoices/<uuid:document_id>/pdf/", documents.DocumentPdfView.as_view(), name="billing-invoice-pdf"),
    path("billing/admin/reserve/summary/", staff.ReserveSummaryView.as_view(), name="billing-admin-reserve-summary"),
    path("billing/admin/reserve/adjust/", staff.AdjustReserveView.as_view(), name="billing-admin-reserve-adjust"),
    path(
        "billing/admin/reserve/<uuid:tenant_id>/policy/",
        staff.ReservePolicyView.as_view(),
        name="billing-admin-reserve-policy",
    ),
    path("billing/admin/usage/costs/", staff.CostsView.as_view(), name="billing-admin-usage-costs"),
    path("billing/admin/payments/", staff.StaffPaymentListView.as_view(), name="billing-admin-payments"),
    path("billing/admin/payments/<uuid:payment_id>/", staff.StaffPaymentView.as_view(), name="billing-admin-payment"),
    path("billing/admin/refunds/", staff_payments.RefundView.as_view(), name="billing-admin-refunds"),
    path("billing/admin/ledger/export.csv", staff.AllLedgersExportView.as_view(), name="billing-admin-ledger-export"),
    path("billing/admin/stripe-events/", staff.StripeEventListView.as_view(), name="billing-admin-stripe-events"),
    path(
        "billing/admin/stripe-events/<uuid:message_id>/retry/",
        staff_payments.StripeEventRetryView.as_view(),
        name="billing-admin-stripe-event-retry",
    ),
    path("billing/admin/disputes/", staff.DisputeListView.as_view(), name="billing-admin-disputes"),
]
