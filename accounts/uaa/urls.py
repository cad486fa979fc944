"""The addresses of the OAuth server, below ``/uaa``; what is not here is answered in JSON too."""

from __future__ import annotations

from django.urls import path, re_path

from accounts.uaa import login
from accounts.uaa.clients import ClientsView, ClientView
from accounts.uaa.door import Unknown
from accounts.uaa.token import RevokeView, TokenView
from accounts.uaa.users import PasswordView, UsersView, UserView

urlpatterns = [
    path("login", login.login, name="uaa_login"),
    path("passcode", login.passcode, name="passcode"),
    path("oauth/token", TokenView.as_view(), name="uaa_token"),
    path("oauth/token/revoke/<str:jti>", RevokeView.as_view()),
    path("oauth/clients", ClientsView.as_view()),
    path("oauth/clients/<str:client_id>", ClientView.as_view()),
    path("Users", UsersView.as_view()),
    path("Users/<str:guid>", UserView.as_view()),
    path("Users/<str:guid>/password", PasswordView.as_view()),
    re_path(r"^.*$", Unknown.as_view()),
]
