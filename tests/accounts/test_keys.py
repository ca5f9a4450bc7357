"""API keys: issued once, hashed, authenticated, expired, revoked, rotated."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from apps.accounts import keys
from apps.accounts.contracts import TierFacts
from apps.accounts.errors import (
    KeyExpired,
    KeyMalformed,
    KeyRevoked,
    KeyUnknown,
)
from apps.accounts.keys import authenticate_key, forget_cached_keys, key_digest
from apps.accounts.models import ApiKey
from apps.accounts.permissions import actor_for_key, actor_from_header
from apps.accounts.roles import Role
from apps.accounts.services import change_tier, issue_key, revoke_key, rotate_key
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput, NotPermitted, StateConflict

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_issued_key_authenticates_as_what_was_asked_for(issue, tier):
    key, raw = issue()

    facts = authenticate_key(raw)

    assert facts.id == key.pk
    assert facts.family_id == key.pk
    assert raw.startswith(facts.prefix + "_")
    assert facts.scopes == {"inference:predict"}
    assert facts.tier == TierFacts("free", 1, 5, 1_000, 10_000, 4_000, None)
    assert facts.is_authenticated


def test_raw_key_is_nowhere_in_the_database(issue):
    key, raw = issue()

    secret = raw.removeprefix(key.prefix + "_")
    stored = json.dumps(list(ApiKey.objects.values()), default=str)
    logged = json.dumps(list(AuditEntry.objects.values()), default=str)
    assert secret not in stored + logged
    assert key.digest not in logged
    assert key.digest == key_digest(raw, key.pepper_id)


def test_digest_depends_on_the_pepper(issue, settings):
    key, raw = issue()

    settings.PE_API_KEY_PEPPERS = {key.pepper_id: "another pepper, of enough length."}
    forget_cached_keys()

    with pytest.raises(KeyUnknown):
        authenticate_key(raw)


def test_key_under_an_older_pepper_still_opens_after_the_current_one_changes(
    issue, settings
):
    _, raw = issue()
    settings.PE_API_KEY_PEPPERS = {
        **settings.PE_API_KEY_PEPPERS,
        "pepper-2": "a newer pepper that signs new keys",
    }
    settings.PE_API_KEY_PEPPER_ID = "pepper-2"

    newer, newer_raw = issue(name="newer")

    assert newer.pepper_id == "pepper-2"
    assert authenticate_key(raw).label == "wellness app"
    assert authenticate_key(newer_raw).label == "newer"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "pe_live_",
        "pe_live_ab12cd34",
        "pe_live_ab12cd34_short",
        "pe_live_AB12CD34_" + "x" * 43,
        "pe_live_ab12cd34_" + "x" * 44,
        "pe_live_ab12cd34_" + "x" * 42 + "\n",
        "pe_live_ab12cd34_" + "é" * 43,
        "\x00" * 60,
        "x" * 100_000,
    ],
)
def test_malformed_keys_are_refused_before_the_database(raw, django_assert_num_queries):
    with django_assert_num_queries(0), pytest.raises(KeyMalformed):
        authenticate_key(raw)


def test_unknown_prefix_and_wrong_secret_are_answered_alike(issue):
    key, _ = issue()

    with pytest.raises(KeyUnknown) as wrong_secret:
        authenticate_key(f"{key.prefix}_{'x' * 43}")
    with pytest.raises(KeyUnknown) as wrong_prefix:
        authenticate_key(f"pe_live_00000000_{'x' * 43}")

    assert str(wrong_secret.value) == str(wrong_prefix.value)
    assert wrong_secret.value.status == 401


def test_key_expires_to_the_second_even_when_cached(issue):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        _, raw = issue(expires_at=timezone.now() + timedelta(seconds=1))
        authenticate_key(raw)

        clock.shift(0.999)
        authenticate_key(raw)
        clock.shift(0.001)

        with pytest.raises(KeyExpired):
            authenticate_key(raw)


def test_revocation_is_obeyed_at_once_on_this_machine(
    issue, operator, django_capture_on_commit_callbacks
):
    key, raw = issue()
    authenticate_key(raw)

    with django_capture_on_commit_callbacks(execute=True):
        revoke_key(actor=operator, key=key)

    with pytest.raises(KeyRevoked):
        authenticate_key(raw)


def test_revocation_on_another_machine_is_obeyed_within_the_bound(issue, monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(keys.time, "monotonic", lambda: clock[0])
    key, raw = issue()
    authenticate_key(raw)
    # Another machine writes the row; no stamp of this machine changes.
    ApiKey.objects.filter(pk=key.pk).update(
        revoked_at=timezone.now(), revoked_by=key.owner
    )

    clock[0] += keys.CACHE_TTL_S - 0.001
    authenticate_key(raw)
    clock[0] += 0.001

    with pytest.raises(KeyRevoked):
        authenticate_key(raw)


def test_cached_key_costs_no_query(issue, django_assert_num_queries):
    _, raw = issue()
    authenticate_key(raw)

    with django_assert_num_queries(0):
        authenticate_key(raw)


def test_change_that_commits_while_a_row_is_read_is_not_cached(issue):
    _, raw = issue()
    facts = authenticate_key(raw)
    forget_cached_keys()

    def read_then_change():
        keys.announce_key_change()
        return facts

    keys._cache.put(raw, read_then_change)

    assert keys._cache.get(raw) is None


def test_cache_stays_within_its_size(issue, monkeypatch):
    monkeypatch.setattr(keys, "CACHE_SIZE", 2)
    raws = [issue(name=f"key {number}")[1] for number in range(4)]

    for raw in raws:
        authenticate_key(raw)

    assert len(keys._cache._entries) <= 2
    assert len(keys._cache._noted) <= 2


def test_key_of_a_deactivated_owner_is_refused(issue):
    key, raw = issue()
    key.owner.is_active = False
    key.owner.save()

    with pytest.raises(KeyRevoked):
        authenticate_key(raw)


def test_last_used_is_written_at_most_once_a_minute(issue, django_assert_num_queries):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        key, raw = issue()
        authenticate_key(raw)
        first = ApiKey.objects.get(pk=key.pk).last_used_at

        clock.shift(59)
        authenticate_key(raw)
        assert ApiKey.objects.get(pk=key.pk).last_used_at == first
        clock.shift(1)
        authenticate_key(raw)

        again = ApiKey.objects.get(pk=key.pk).last_used_at
        assert again - first == timedelta(minutes=1)


def test_tier_change_reaches_a_cached_key(
    issue, tier, acting, django_capture_on_commit_callbacks
):
    _, raw = issue()
    assert authenticate_key(raw).tier.burst == 5

    with django_capture_on_commit_callbacks(execute=True):
        change_tier(
            actor=acting("cora", Role.COMPLIANCE),
            tier=tier,
            numbers={"burst": 7, "allowed_models": ["support-reply"]},
        )

    facts = authenticate_key(raw)
    assert facts.tier.burst == 7
    assert facts.tier.allows_model("support-reply")
    assert not facts.tier.allows_model("other")


@pytest.mark.parametrize("scopes", [[], ["inference:*"], ["inference:predict", "x"]])
def test_unknown_or_no_scopes_are_refused(issue, scopes):
    with pytest.raises(InvalidInput, match="inference:predict"):
        issue(scopes=scopes)


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_key_needs_a_name(issue, name):
    with pytest.raises(InvalidInput):
        issue(name=name)


def test_key_cannot_be_born_expired(issue):
    with pytest.raises(InvalidInput):
        issue(expires_at=timezone.now())


def test_key_is_not_issued_to_someone_inactive(issue, person):
    with pytest.raises(InvalidInput):
        issue(owner=person("gone", is_active=False))


@pytest.mark.parametrize("role", [Role.REVIEWER, Role.CLINICIAN, Role.COMPLIANCE])
def test_only_operators_issue_and_rotate(issue, acting, tier, role):
    key, _ = issue()
    actor = acting("someone", role)

    with pytest.raises(NotPermitted):
        issue_key(
            actor=actor,
            name="n",
            owner=key.owner,
            scopes=["inference:predict"],
            tier=tier,
        )
    with pytest.raises(NotPermitted):
        rotate_key(actor=actor, key=key)


def test_reviewer_cannot_revoke_but_compliance_can(issue, acting):
    key, _ = issue()

    with pytest.raises(NotPermitted):
        revoke_key(actor=acting("rita", Role.REVIEWER), key=key)
    revoked = revoke_key(actor=acting("cora", Role.COMPLIANCE), key=key, reason="leak")

    assert revoked.revoked_by.username == "cora"
    entry = AuditEntry.objects.get(event="accounts.key_revoked")
    assert entry.details["reason"] == "leak"
    assert entry.subject_id == str(key.pk)


def test_revoking_twice_records_one_event(issue, operator):
    key, _ = issue()

    first = revoke_key(actor=operator, key=key)
    second = revoke_key(actor=operator, key=key)

    assert first.revoked_at == second.revoked_at
    assert AuditEntry.objects.filter(event="accounts.key_revoked").count() == 1


def test_rotation_overlaps_then_the_old_key_ends(issue, operator):
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        old, old_raw = issue(expires_at=timezone.now() + 90 * DAY)
        clock.shift(10 * DAY)

        new, new_raw = rotate_key(actor=operator, key=old, overlap=DAY)

        assert new.rotated_from_id == old.pk
        assert new.expires_at == timezone.now() + 90 * DAY
        assert authenticate_key(old_raw).id == old.pk
        assert authenticate_key(new_raw).scopes == {"inference:predict"}
        clock.shift(DAY)
        forget_cached_keys()
        with pytest.raises(KeyExpired):
            authenticate_key(old_raw)
        assert authenticate_key(new_raw).id == new.pk


def test_rotation_keeps_the_family_so_that_limits_are_not_refilled(issue, operator):
    old, _ = issue()

    new, raw = rotate_key(actor=operator, key=old)

    assert new.family_id == old.pk
    assert authenticate_key(raw).family_id == old.pk


def test_rotation_never_lengthens_the_old_key(issue, operator):
    ends = timezone.now() + timedelta(hours=1)
    old, _ = issue(expires_at=ends)

    rotate_key(actor=operator, key=old, overlap=DAY)

    assert ApiKey.objects.get(pk=old.pk).expires_at == ends


def test_key_is_rotated_once(issue, operator):
    old, _ = issue()
    rotate_key(actor=operator, key=old)

    with pytest.raises(StateConflict):
        rotate_key(actor=operator, key=old)


def test_ended_keys_are_not_rotated(issue, operator):
    revoked, _ = issue()
    revoke_key(actor=operator, key=revoked)
    with time_machine.travel("2026-03-01T12:00:00Z", tick=False) as clock:
        expired, _ = issue(name="old", expires_at=timezone.now() + DAY)
        clock.shift(DAY)
        with pytest.raises(KeyExpired):
            rotate_key(actor=operator, key=expired)

    with pytest.raises(KeyRevoked):
        rotate_key(actor=operator, key=revoked)


@pytest.mark.parametrize("overlap", [timedelta(seconds=-1), timedelta(days=31)])
def test_overlap_is_bounded(issue, operator, overlap):
    key, _ = issue()

    with pytest.raises(InvalidInput):
        rotate_key(actor=operator, key=key, overlap=overlap)


def test_key_actor_may_do_what_its_scopes_allow_and_nothing_else(issue):
    _, raw = issue(scopes=["inference:predict"])

    actor = actor_for_key(authenticate_key(raw))

    assert actor.permissions == {"inference.add_inferencerecord"}
    assert actor.roles == frozenset()
    assert actor.label.startswith("key:pe_live_")


def test_key_actor_travels_into_tasks_until_it_is_revoked(issue, operator):
    key, raw = issue()
    actor = actor_for_key(authenticate_key(raw))

    assert actor_from_header(actor.to_header()) == actor
    revoke_key(actor=operator, key=key)

    with pytest.raises(NotPermitted):
        actor_from_header(actor.to_header())
