"""The addresses of signing in and of one's own account, and the OAuth server's."""

from __future__ import annotations

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from allauth.mfa.webauthn import views as webauthn
from django.urls import include, path

from accounts.views import account, factors, outbox, people, profile, reset, sessions, signin

urlpatterns = [
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/link/<str:secret>", signin.link, name="account_link"),
    path("accounts/login/code", mfa.authenticate, name="mfa_authenticate"),
    path("accounts/login/passkey", webauthn.login_webauthn, name="mfa_login_webauthn"),
    path("accounts/confirm/password", allauth.reauthenticate, name="account_reauthenticate"),
    path("accounts/confirm/code", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/confirm/passkey", factors.ConfirmPasskey.as_view(), name="mfa_reauthenticate_webauthn"),
    path("accounts/password/reset", reset.ask, name="account_reset_password"),
    path("accounts/password/reset/<str:secret>", reset.use, name="account_reset_password_from_key"),
    path("account", account.account, name="account"),
    path("account/password", signin.password, name="account_password"),
    path("account/ways", factors.ways, name="mfa_index"),
    path("account/ways/app/add", factors.AddApp.as_view(), name="mfa_activate_totp"),
    path("account/ways/app/remove", factors.RemoveApp.as_view(), name="mfa_deactivate_totp"),
    path("account/ways/codes", factors.Codes.as_view(), name="mfa_view_recovery_codes"),
    path("account/ways/codes/new", factors.NewCodes.as_view(), name="mfa_generate_recovery_codes"),
    path("account/ways/passkeys/add", factors.AddPasskey.as_view(), name="mfa_add_webauthn"),
    path("account/ways/passkeys/<int:pk>/rename", factors.RenamePasskey.as_view(), name="mfa_edit_webauthn"),
    path("account/ways/passkeys/<int:pk>/remove", factors.RemovePasskey.as_view(), name="mfa_remove_webauthn"),
    path("account/sessions", sessions.list_sessions, name="account_sessions"),
    path("account/sessions/end", sessions.end_others, name="account_sessions_end"),
    path("account/sessions/<str:guid>/end", sessions.end, name="account_session_end"),
    path("account/names", profile.names, name="account_names"),
    path("account/email", profile.email, name="account_email"),
    path("account/email/cancel", profile.email_cancel, name="account_email_cancel"),
    path("accounts/email/<str:secret>", profile.email_confirm, name="account_email_confirm"),
    path("outbox", outbox.messages_list, name="outbox"),
    path("outbox/<str:guid>", outbox.one, name="outbox_message"),
    path("outbox/<str:guid>/show", outbox.show, name="outbox_show"),
    path("outbox/<str:guid>/send", outbox.send, name="outbox_send"),
    path("people/<str:guid>", people.person, name="person"),
    path("people/<str:guid>/reset-second-factor", people.reset_factors, name="person_reset_factors"),
    path("people/<str:guid>/end-sessions", people.end_sessions, name="person_end_sessions"),
    path("uaa/", include("accounts.uaa.urls")),
]
