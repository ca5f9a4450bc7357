"""People: created with a one-time password, roles as code, nobody changes their own."""

from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from guardian.shortcuts import assign_perm

from apps.accounts import services
from apps.accounts.keys import authenticate_key
from apps.accounts.models import ApiKey, Tier, User
from apps.accounts.permissions import (
    acting_user,
    actor_for_user,
    actor_from_header,
    has_permission,
    require,
    system_actor,
)
from apps.accounts.roles import ROLE_PERMISSIONS, Role
from apps.audit.models import AuditEntry
from apps.core.actors import Actor, ActorKind
from apps.core.errors import InvalidInput, NotPermitted, StateConflict

pytestmark = pytest.mark.django_db
BOOTSTRAP = system_actor("bootstrap")


def test_new_staff_hold_their_roles_and_must_change_the_password(roles):
    user, password = services.create_staff(
        actor=BOOTSTRAP, username="rita", roles=[Role.REVIEWER]
    )

    assert user.check_password(password)
    assert len(password) >= 20
    assert (user.must_change_password, user.is_staff, user.is_superuser) == (
        True,
        True,
        False,
    )
    assert actor_for_user(user).roles == {"reviewer"}
    entry = AuditEntry.objects.get(event="accounts.staff_created")
    assert password not in str(entry.details)


def test_taken_name_is_a_conflict(person):
    person("rita")

    with pytest.raises(StateConflict):
        services.create_staff(actor=BOOTSTRAP, username="rita", roles=["reviewer"])


@pytest.mark.parametrize("username", ["", "two words", "x" * 151, "a\x00b"])
def test_unusable_names_are_refused(roles, username):
    with pytest.raises(InvalidInput):
        services.create_staff(actor=BOOTSTRAP, username=username, roles=["reviewer"])


@pytest.mark.parametrize("held", [[], ["owner"], ["reviewer", "owner"]])
def test_unknown_or_no_roles_are_refused(roles, held):
    with pytest.raises(InvalidInput, match="reviewer"):
        services.create_staff(actor=BOOTSTRAP, username="rita", roles=held)


def test_roles_that_were_never_synced_are_a_conflict(db):
    with pytest.raises(StateConflict, match="sync_roles"):
        services.create_staff(actor=BOOTSTRAP, username="rita", roles=["reviewer"])


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.REVIEWER, Role.CLINICIAN])
def test_only_compliance_and_bootstrap_create_people(acting, role):
    with pytest.raises(NotPermitted):
        services.create_staff(
            actor=acting("someone", role), username="puppet", roles=["reviewer"]
        )


def test_nobody_changes_their_own_account(acting, person):
    cora = acting("cora", Role.COMPLIANCE)
    user = acting_user(cora)

    for change in (
        lambda: services.set_roles(actor=cora, user=user, roles=["operator"]),
        lambda: services.set_active(actor=cora, user=user, active=False),
        lambda: services.reset_password(actor=cora, user=user),
    ):
        with pytest.raises(NotPermitted, match="Somebody else"):
            change()


def test_role_change_is_recorded_with_before_and_after(acting, person):
    rita = person("rita", Role.REVIEWER)

    services.set_roles(
        actor=acting("cora", Role.COMPLIANCE), user=rita, roles=[Role.CLINICIAN]
    )

    entry = AuditEntry.objects.get(event="accounts.roles_changed")
    assert (entry.details["before"], entry.details["after"]) == (
        ["reviewer"],
        ["clinician"],
    )
    assert actor_for_user(rita).roles == {"clinician"}


def test_deactivation_shuts_out_the_person_and_their_keys(
    acting, issue, django_capture_on_commit_callbacks
):
    key, raw = issue()
    authenticate_key(raw)
    cora = acting("cora", Role.COMPLIANCE)

    with django_capture_on_commit_callbacks(execute=True):
        services.set_active(actor=cora, user=key.owner, active=False)
        services.set_active(actor=cora, user=key.owner, active=False)

    with pytest.raises(NotPermitted):
        authenticate_key(raw)
    with pytest.raises(NotPermitted):
        actor_for_user(User.objects.get(pk=key.owner_id))
    assert AuditEntry.objects.filter(event="accounts.staff_deactivated").count() == 1


def test_reset_password_replaces_the_old_one(acting, person):
    rita = person("rita", Role.REVIEWER)

    password = services.reset_password(actor=acting("cora", Role.COMPLIANCE), user=rita)

    rita.refresh_from_db()
    assert rita.check_password(password)
    assert rita.must_change_password


def test_own_password_ends_the_one_time_state(roles):
    user, _ = services.create_staff(
        actor=BOOTSTRAP, username="rita", roles=["reviewer"]
    )

    services.change_own_password(
        actor=actor_for_user(user), password="walking-by-the-canal-42"
    )

    user.refresh_from_db()
    assert user.check_password("walking-by-the-canal-42")
    assert not user.must_change_password


@pytest.mark.parametrize("password", ["short", "12345678901234567890", "the same"])
def test_weak_or_unchanged_passwords_are_refused(acting, person, password):
    rita = person("rita", Role.REVIEWER)
    rita.set_password("the same")
    rita.save()

    with pytest.raises(InvalidInput):
        services.change_own_password(actor=actor_for_user(rita), password=password)


def test_sync_roles_makes_groups_agree_and_then_changes_nothing(db):
    services.sync_roles(actor=BOOTSTRAP)
    Group.objects.get(name="operator").permissions.clear()

    services.sync_roles(actor=BOOTSTRAP)
    services.sync_roles(actor=BOOTSTRAP)

    held = Group.objects.get(name="operator").permissions.count()
    named = ROLE_PERMISSIONS[Role.OPERATOR]
    assert 0 < held <= len(named)
    assert AuditEntry.objects.filter(event="accounts.roles_synced").count() == 2


def test_sync_roles_names_permissions_that_exist_nowhere(db, monkeypatch):
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.RESPONDER, frozenset({"nowhere.fly"}))

    assert services.sync_roles(actor=BOOTSTRAP)["responder"] == ["nowhere.fly"]


def test_people_do_not_sync_roles(acting):
    with pytest.raises(NotPermitted):
        services.sync_roles(actor=acting("olga", Role.OPERATOR))


def test_no_role_may_both_author_and_sign_except_for_policies():
    authoring = {"datasets.add_dataset", "models_registry.add_trainingmanifest"}

    for held in ROLE_PERMISSIONS.values():
        signs = "approvals.sign_approvalrequest" in held
        assert not (signs and held & authoring)


def test_object_permission_holds_for_its_object_only(acting, tier):
    rita = acting("rita", Role.REVIEWER)
    other = Tier.objects.get(slug="high")
    assign_perm("accounts.change_tier", acting_user(rita), tier)

    assert has_permission(rita, "accounts.change_tier", tier)
    assert not has_permission(rita, "accounts.change_tier", other)
    assert not has_permission(rita, "accounts.change_tier")
    require(rita, "accounts.change_tier", tier)
    with pytest.raises(NotPermitted, match="change_tier"):
        require(rita, "accounts.change_tier", other)


def test_object_permissions_are_for_people_only(tier):
    program = Actor(ActorKind.API_KEY, "1", "key:x")

    assert not has_permission(program, "accounts.change_tier", tier)


def test_programs_cannot_stand_in_for_a_person():
    with pytest.raises(NotPermitted, match="person"):
        acting_user(BOOTSTRAP)


def test_deactivated_person_can_no_longer_act(acting):
    rita = acting("rita", Role.REVIEWER)
    User.objects.filter(pk=rita.id).update(is_active=False)

    with pytest.raises(NotPermitted):
        acting_user(rita)


def test_staff_actor_travels_with_todays_permissions(acting, person):
    olga = acting("olga", Role.OPERATOR)
    user = acting_user(olga)
    user.groups.clear()

    travelled = actor_from_header(olga.to_header())

    assert travelled.permissions == frozenset()
    assert actor_from_header(BOOTSTRAP.to_header()) == BOOTSTRAP


def test_actor_of_someone_gone_is_refused(db):
    with pytest.raises(NotPermitted):
        actor_from_header({"kind": "staff", "id": "4711", "label": "gone"})


# -- tiers ----------------------------------------------------------------------------


def test_tiers_ship_as_code_and_sync_keeps_what_was_changed(acting, tier):
    cora = acting("cora", Role.COMPLIANCE)
    services.change_tier(actor=cora, tier=tier, numbers={"burst": 9})

    assert services.sync_tiers(actor=BOOTSTRAP) == []
    assert Tier.objects.get(slug="free").burst == 9
    assert services.sync_tiers(actor=BOOTSTRAP, reset=True) == ["free"]
    assert Tier.objects.get(slug="free").burst == 5
    assert set(Tier.objects.values_list("slug", flat=True)) == {
        "free",
        "standard",
        "high",
    }


@pytest.mark.parametrize(
    "numbers",
    [
        {"burst": -1},
        {"burst": 0},
        {"requests_per_second": 0},
        {"monthly_quota": 1},
        {"slug": "other"},
        {"allowed_models": "all"},
        {"allowed_models": [1]},
        {"max_text_chars": "many"},
    ],
)
def test_tier_numbers_that_make_no_sense_are_refused(acting, tier, numbers):
    with pytest.raises(InvalidInput):
        services.change_tier(
            actor=acting("cora", Role.COMPLIANCE), tier=tier, numbers=numbers
        )


def test_operators_do_not_change_tiers(operator, tier):
    with pytest.raises(NotPermitted):
        services.change_tier(actor=operator, tier=tier, numbers={"burst": 9})


# -- commands -------------------------------------------------------------------------


def _run(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command(*arguments, stdout=out, stderr=err)
    return out.getvalue().strip(), err.getvalue().strip()


def test_create_staff_prints_the_password_once(roles):
    out, _ = _run("create_staff", "rita", "--role", "reviewer")

    name, password = out.split("\t")
    assert User.objects.get(username=name).check_password(password)


def test_create_staff_refuses_in_words(person):
    person("rita")

    with pytest.raises(CommandError, match="rita"):
        _run("create_staff", "rita", "--role", "reviewer")


def test_reset_password_prints_a_one_time_password(person):
    person("rita")

    out, _ = _run("reset_password", "rita")

    rita = User.objects.get(username="rita")
    assert rita.check_password(out.split("\t")[1])
    assert rita.must_change_password


def test_reset_password_names_who_is_unknown(roles):
    with pytest.raises(CommandError, match="nobody named rita"):
        _run("reset_password", "rita")


def test_issue_key_prints_a_key_that_opens(person, tier):
    person("olga", Role.OPERATOR)

    out, err = _run(
        *["issue_key", "wellness app", "--actor", "olga", "--days", "30"],
        *["--scope", "inference:predict"],
    )

    assert authenticate_key(out).label == "wellness app"
    assert ApiKey.objects.get().prefix in err


@pytest.mark.parametrize(
    ("actor", "tier_name"), [("nobody", "free"), ("olga", "gold"), ("rita", "free")]
)
def test_issue_key_refuses_in_words(person, tier, actor, tier_name):
    person("olga", Role.OPERATOR)
    person("rita", Role.REVIEWER)

    with pytest.raises(CommandError):
        _run(
            *["issue_key", "app", "--actor", actor, "--tier", tier_name],
            *["--scope", "inference:predict"],
        )


def test_sync_tiers_command_says_what_it_did(db):
    assert "free, standard, high" in _run("sync_tiers")[0]
    assert _run("sync_tiers", "--reset")[0] == "No change."


def test_sync_roles_command_fails_on_a_permission_nobody_declares(db, monkeypatch):
    monkeypatch.setitem(ROLE_PERMISSIONS, Role.RESPONDER, frozenset({"nowhere.fly"}))

    with pytest.raises(CommandError, match=r"nowhere\.fly"):
        _run("sync_roles")
