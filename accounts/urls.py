"""The addresses of signing in and of one's own account, and the OAuth server's."""

from __future__ import annotations

from allauth.account import views as allauth
from django.urls import include, path

from accounts import views

urlpatterns = [
    path("accounts/login/", allauth.login, name="account_login"),
    path("accounts/logout/", allauth.logout, name="account_logout"),
    path("accounts/link/<str:secret>", views.link, name="account_link"),
    path("account", views.account, name="account"),
    path("account/password", views.password, name="account_password"),
    path("account/tokens", views.token_create, name="account_token_create"),
    path("account/tokens/<str:guid>/revoke", views.token_revoke, name="account_token_revoke"),
    path("uaa/", include("accounts.uaa.urls")),
]
