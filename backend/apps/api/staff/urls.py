"""Addresses for staff: people, customers, the audit and support grants."""

from django.urls import path

from apps.api.staff import log_views, views

urlpatterns = [
    path("admin/users/", views.UserListView.as_view(), name="admin-users"),
    path("admin/users/<uuid:user_id>/", views.UserView.as_view(), name="admin-user"),
    path(
        "admin/users/<uuid:user_id>/password-reset/",
        views.UserPasswordResetView.as_view(),
        name="admin-user-password-reset",
    ),
    path(
        "admin/users/<uuid:user_id>/revoke-tokens/",
        views.UserRevokeTokensView.as_view(),
        name="admin-user-revoke-tokens",
    ),
    path(
        "admin/users/<uuid:user_id>/second-factor/reset/",
        views.UserSecondFactorResetView.as_view(),
        name="admin-user-second-factor-reset",
    ),
    path("admin/tenants/", views.TenantListView.as_view(), name="admin-tenants"),
    path("admin/tenants/<uuid:tenant_id>/", views.TenantDetailView.as_view(), name="admin-tenant"),
    path("admin/audit/", log_views.AuditView.as_view(), name="admin-audit"),
    path("admin/support-grants/", log_views.SupportGrantView.as_view(), name="admin-support-grants"),
]
