"""Addresses of identities and invitations."""

from django.urls import path

from apps.api.accounts import email_views, passkey_views, password_views, second_factor_views, token_views, views

urlpatterns = [
    path("auth/token/", views.TokenView.as_view(), name="auth-token"),
    path("auth/token/second-factor/", second_factor_views.TokenSecondFactorView.as_view(), name="auth-token-factor"),
    path("auth/second-factor/", second_factor_views.SecondFactorView.as_view(), name="second-factor"),
    path("auth/second-factor/totp/", second_factor_views.TotpView.as_view(), name="totp"),
    path("auth/second-factor/totp/confirm/", second_factor_views.TotpConfirmView.as_view(), name="totp-confirm"),
    path("auth/second-factor/recovery-codes/", second_factor_views.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("auth/second-factor/keys/options/", second_factor_views.KeyOptionsView.as_view(), name="key-options"),
    path("auth/second-factor/keys/", second_factor_views.KeysView.as_view(), name="keys"),
    path("auth/second-factor/keys/<uuid:key_id>/", second_factor_views.KeyView.as_view(), name="key"),
    path("auth/signup/", views.SignUpView.as_view(), name="auth-signup"),
    path("auth/login/", views.LoginView.as_view(), name="auth-login"),
    path("auth/logout/", views.LogoutView.as_view(), name="auth-logout"),
    path("auth/logout-all/", views.LogoutAllView.as_view(), name="auth-logout-all"),
    path("auth/password/change/", password_views.ChangePasswordView.as_view(), name="password-change"),
    path("auth/password/reset/", password_views.RequestResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", password_views.ResetPasswordView.as_view(), name="password-reset-confirm"),
    path("auth/reauthenticate/", password_views.ReauthenticateView.as_view(), name="reauthenticate"),
    path("auth/email/verify/", email_views.VerifyEmailView.as_view(), name="email-verify"),
    path("auth/email/verify/resend/", email_views.ResendVerificationView.as_view(), name="email-verify-resend"),
    path("auth/email/change/", email_views.ChangeEmailView.as_view(), name="email-change"),
    path("auth/sessions/", token_views.SessionListView.as_view(), name="sessions"),
    path("auth/sessions/<uuid:session_id>/", token_views.SessionView.as_view(), name="session"),
    path("auth/tokens/", token_views.PersonalTokenListView.as_view(), name="tokens"),
    path("auth/tokens/<uuid:token_id>/", token_views.PersonalTokenView.as_view(), name="token"),
    path("me/", views.MeView.as_view(), name="me"),
    path("admin/passkeys/", passkey_views.PasskeyListView.as_view(), name="admin-passkeys"),
    path("admin/passkeys/<uuid:passkey_id>/", passkey_views.PasskeyView.as_view(), name="admin-passkey"),
    path(
        "admin/passkeys/<uuid:passkey_id>/revoke/",
        passkey_views.PasskeyRevokeView.as_view(),
        name="admin-passkey-revoke",
    ),
]
