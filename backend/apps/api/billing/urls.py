from django.urls import path

from apps.api.billing import views

urlpatterns = [
    path("status/bar/", views.StatusBarView.as_view(), name="status-bar"),
    path("billing/reserve/balance/", views.BalanceView.as_view(), name="billing-balance"),
    path("billing/reserve/ledger/", views.LedgerView.as_view(), name="billing-ledger"),
    path("billing/usage/", views.UsageView.as_view(), name="billing-usage"),
    path("billing/profile/", views.BillingProfileView.as_view(), name="billing-profile"),
    path("billing/admin/reserve/adjust/", views.AdjustReserveView.as_view(), name="billing-admin-reserve-adjust"),
]
