"""The worker door of the accounts floor."""

from accounts.jobs.reset_password import reset_password
from accounts.jobs.send_mail import send_mail

__all__ = ["reset_password", "send_mail"]
