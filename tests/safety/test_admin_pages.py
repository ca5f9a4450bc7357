"""Pages beside the policies, as staff see them."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse

from apps.accounts.roles import Role

SignedIn = Callable[..., Client]


def test_a_reviewer_sees_what_comes_of_each_failure(signed_in: SignedIn) -> None:
    client = signed_in(Role.REVIEWER)
    listed = client.get(reverse("admin:safety_safetypolicy_changelist"), secure=True)
    url = reverse("admin:safety_safetypolicy_fail_modes")

    seen = client.get(url, secure=True).content.decode()

    assert url in listed.content.decode()
    assert "out of memory" in seen.lower()
    assert seen.count("ESCALATE") == 16
    assert "ALLOW" not in seen


def test_a_responder_does_not(signed_in: SignedIn) -> None:
    url = reverse("admin:safety_safetypolicy_fail_modes")

    assert signed_in(Role.RESPONDER).get(url, secure=True).status_code in {302, 403}
