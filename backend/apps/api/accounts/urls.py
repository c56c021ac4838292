"""Addresses of identities and invitations."""

from django.urls import path

from apps.api.accounts import passkey_views, views

urlpatterns = [
    path("auth/token/", views.TokenView.as_view(), name="auth-token"),
    path("auth/signup/", views.SignUpView.as_view(), name="auth-signup"),
    path("auth/login/", views.LoginView.as_view(), name="auth-login"),
    path("auth/logout/", views.LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-all/", views.LogoutAllView.as_view(), name="auth-logout-all"),
    path("me/", views.MeView.as_view(), name="me"),
    path("admin/passkeys/", passkey_views.PasskeyListView.as_view(), name="admin-passkeys"),
    path("admin/passkeys/<uuid:passkey_id>/", passkey_views.PasskeyView.as_view(), name="admin-passkey"),
    path(
        "admin/passkeys/<uuid:passkey_id>/revoke/",
        passkey_views.PasskeyRevokeView.as_view(),
        name="admin-passkey-revoke",
    ),
]
