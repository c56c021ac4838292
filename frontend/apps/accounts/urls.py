from django.urls import path

from apps.accounts.views import factors, keys, profile, security, sign_up, tokens

app_name = "accounts"
urlpatterns = [
    path("", profile.profile, name="profile"),
    path("signup-with-passkey/", sign_up.sign_up, name="sign-up"),
    path("security/", security.security, name="security"),
    path("security/sessions/end-all/", security.end_all_sessions, name="end-all-sessions"),
    path("security/sessions/<uuid:session_id>/end/", security.end_session, name="end-session"),
    path("security/totp/", factors.set_up_totp, name="totp"),
    path("security/totp/begin/", factors.begin_totp, name="totp-begin"),
    path("security/totp/remove/", factors.remove_totp, name="totp-remove"),
    path("security/recovery-codes/", factors.show_recovery_codes, name="recovery-codes"),
    path("security/recovery-codes/renew/", factors.renew_recovery_codes, name="recovery-codes-renew"),
    path("security/keys/add/", keys.add_key, name="key-add"),
    path("security/keys/<uuid:key_id>/", keys.rename_key, name="key-rename"),
    path("security/keys/<uuid:key_id>/remove/", keys.remove_key, name="key-remove"),
    path("tokens/", tokens.list_tokens, name="tokens"),
    path("tokens/new/", tokens.create_token, name="token-new"),
    path("tokens/<uuid:token_id>/revoke/", tokens.revoke_token, name="token-revoke"),
]
