"""Addresses of the tenant, its people, its audit and support access."""

from django.urls import path

from apps.api.tenants import audit_views, passkey_views, support_views, views

urlpatterns = [
    path("tenant/", views.TenantView.as_view(), name="tenant"),
    path("tenant/members/", views.MemberListView.as_view(), name="tenant-members"),
    path("tenant/members/<uuid:user_id>/", views.MemberView.as_view(), name="tenant-member"),
    path("tenant/transfer/", views.TransferView.as_view(), name="tenant-transfer"),
    path("tenant/passkeys/", passkey_views.TenantPasskeyListView.as_view(), name="tenant-passkeys"),
    path(
        "tenant/passkeys/<uuid:passkey_id>/revoke/",
        passkey_views.TenantPasskeyRevokeView.as_view(),
        name="tenant-passkey-revoke",
    ),
    path("tenant/audit/", audit_views.TenantAuditView.as_view(), name="tenant-audit"),
    path("tenant/audit/export.csv", audit_views.TenantAuditExportView.as_view(), name="tenant-audit-export"),
    path("tenant/support-grants/", support_views.GrantListView.as_view(), name="tenant-support-grants"),
    path(
        "tenant/support-grants/<uuid:grant_id>/revoke/",
        support_views.GrantRevokeView.as_view(),
        name="tenant-support-grant-revoke",
    ),
    path(
        "tenant/support-grants/<uuid:grant_id>/accesses/",
        support_views.GrantAccessesView.as_view(),
        name="tenant-support-grant-accesses",
    ),
]
