"""Screens for people, tiers and API keys; every action is one service call."""

from django.contrib import admin
from django.contrib.auth.models import Group

from apps.accounts.admin import keys, people

# Roles are code: sync_roles writes groups, nobody edits them by hand.
if admin.site.is_registered(Group):
    admin.site.unregister(Group)

__all__ = ["keys", "people"]
