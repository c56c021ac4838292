from django.urls import path

from apps.admin_panel.views import audit, borrowed, money, passkeys, support, tenants, users

app_name = "admin_panel"
urlpatterns = [
    path("users/", users.listing, name="users"),
    path("users/<uuid:user_id>/", users.detail, name="user"),
    path("users/<uuid:user_id>/active/", users.change_active, name="user-active"),
    path("users/<uuid:user_id>/staff/", users.change_staff, name="user-staff"),
    path("users/<uuid:user_id>/password-reset/", users.send_reset, name="user-password-reset"),
    path("users/<uuid:user_id>/end-sessions/", users.end_sessions, name="user-end-sessions"),
    path("users/<uuid:user_id>/second-factor/", users.reset_second_factor, name="user-second-factor"),
    path("tenants/", tenants.listing, name="tenants"),
    path("tenants/<uuid:tenant_id>/", tenants.detail, name="tenant"),
    path("tenants/<uuid:tenant_id>/adjust/", tenants.adjust, name="tenant-adjust"),
    path("tenants/<uuid:tenant_id>/policy/", tenants.policy, name="tenant-policy"),
    path("billing/", money.overview, name="money"),
    path("billing/payments/", money.payments, name="payments"),
    path("billing/payments/<uuid:payment_id>/refund/", money.refund, name="payment-refund"),
    path("billing/stripe-events/", money.stripe_events, name="stripe-events"),
    path("billing/stripe-events/<uuid:event_id>/retry/", money.retry_event, name="stripe-event-retry"),
    path("billing/costs/", money.costs, name="costs"),
    path("billing/disputes/", money.disputes, name="disputes"),
    path("billing/ledger.csv", money.ledger_csv, name="ledger-csv"),
    path("audit/", audit.listing, name="audit"),
    path("passkeys/", passkeys.listing, name="passkeys"),
    path("passkeys/new/", passkeys.create, name="passkey-new"),
    path("passkeys/<uuid:passkey_id>/revoke/", passkeys.revoke, name="passkey-revoke"),
    path("support/", support.listing, name="support"),
    path("support/<uuid:grant_id>/worklog/", borrowed.worklog, name="borrowed-worklog"),
    path("support/<uuid:grant_id>/worklog/<uuid:entry_id>/", borrowed.entry, name="borrowed-entry"),
    path("support/<uuid:grant_id>/reports/", borrowed.reports, name="borrowed-reports"),
    path("support/<uuid:grant_id>/reports/<uuid:report_id>/", borrowed.report, name="borrowed-report"),
    path("support/<uuid:grant_id>/billing/", borrowed.billing, name="borrowed-billing"),
]
