"""People: the custom user of every deployment, from its first migration on."""

from __future__ import annotations

from django.contrib.auth.models import AbstractUser
from django.db import models


class User(AbstractUser):
    """A member of staff. ``must_change_password`` marks a one-time password.

    ``sso_subject`` is ``issuer|sub`` of the identity provider's account that was linked
    at the first sign-in through it.
    """

    email = models.EmailField("e-mail address", blank=True)
    must_change_password = models.BooleanField(default=False)
    sso_subject = models.CharField(
        max_length=300, unique=True, null=True, blank=True, editable=False
    )

    class Meta(AbstractUser.Meta):
        permissions = [("sync_roles", "Can make groups agree with the roles in code")]

    def __str__(self) -> str:
        return self.username
