"""Who may do what, and which of it one person should not hold alone.

A conflict of duties is a pair of things that together let one person act unseen. Some
roles hold both on purpose; the report then names what stops it all the same, and the
tests named in docs/compliance/evidence.md show that it does.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.contenttypes.models import ContentType
from guardian.models import GroupObjectPermission, UserObjectPermission

from apps.accounts.models import ApiKey, User
from apps.approvals.models import SignOff
from apps.compliance.evidence.period import Period, Rows
from apps.models_registry.models import AliasChange

SIGN = "approvals.sign_approvalrequest"


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two sets of permissions; somebody who holds one of each holds the conflict."""

    name: str
    one: frozenset[str]
    other: frozenset[str]
    stopped_by: str


CONFLICTS = (
    Conflict(
        "make a dataset version and sign for it",
        frozenset({"datasets.ingest_datasetversion", "datasets.submit_datasetversion"}),
        frozenset({SIGN}),
        "an author cannot sign (constraint signoff_not_by_author)",
    ),
    Conflict(
        "submit a model version and sign for it",
        frozenset({"models_registry.submit_modelversion"}),
        frozenset({SIGN}),
        "an author cannot sign (constraint signoff_not_by_author)",
    ),
    Conflict(
        "promote a version and sign for it",
        frozenset({"models_registry.promote_modelversion"}),
        frozenset({SIGN}),
        "two roles have to sign (constraint signoff_once_per_role)",
    ),
    Conflict(
        "write a safety policy and sign for it",
        frozenset({"safety.add_safetypolicy", "safety.submit_safetypolicy"}),
        frozenset({SIGN}),
        "an author cannot sign (constraint signoff_not_by_author)",
    ),
    Conflict(
        "ask for access to rows and sign for it",
        frozenset({"datasets.add_datasetgrant"}),
        frozenset({SIGN}),
        "an author cannot sign (constraint signoff_not_by_author)",
    ),
    Conflict(
        "give roles and sign",
        frozenset({"accounts.change_user", "accounts.add_user"}),
        frozenset({SIGN}),
        "nobody changes their own roles; two roles have to sign",
    ),
    Conflict(
        "check an identity and erase or export the person",
        frozenset({"compliance.verify_subjectrequest"}),
        frozenset({"compliance.fulfil_subjectrequest"}),
        "an erasure takes two people (constraint subjectrequest_erasure_by_two); an "
        "export by one is in the access log",
    ),
)


def people(_: Period) -> Rows:
    """Every member of staff: roles, what they hold besides, when they signed in."""
    found = User.objects.prefetch_related("groups", "user_permissions__content_type")
    return [
        {
            "username": user.get_username(),
            "is_active": user.is_active,
            "is_staff": user.is_staff,
            "is_superuser": user.is_superuser,
            "roles": sorted(group.name for group in user.groups.all()),
            "own_permissions": sorted(
                f"{one.content_type.app_label}.{one.codename}"
                for one in user.user_permissions.all()
            ),
            "joined": user.date_joined.isoformat(),
            "last_signed_in": user.last_login.isoformat() if user.last_login else None,
        }
        for user in found.order_by("username")
    ]


def object_permissions(_: Period) -> Rows:
    """Permissions for single objects, of people and of roles."""
    kinds = {kind.pk: kind for kind in ContentType.objects.all()}
    mine = UserObjectPermission.objects.select_related("user", "permission")
    theirs = GroupObjectPermission.objects.select_related("group", "permission")
    rows = [(f"person {one.user.get_username()}", one) for one in mine.order_by("pk")]
    rows += [(f"role {one.group.name}", one) for one in theirs.order_by("pk")]
    return [
        {
            "holder": holder,
            "permission": one.permission.codename,
            "object": f"{kinds[one.content_type_id].app_label} {one.object_pk}",
        }
        for holder, one in rows
    ]


def programs(_: Period) -> Rows:
    """Every API key: what it may do, who answers for it, whether it still works."""
    keys = ApiKey.objects.select_related("owner", "tier").order_by("created_at", "pk")
    return [
        {
            "prefix": key.prefix,
            "name": key.name,
            "owner": key.owner.get_username(),
            "owner_is_active": key.owner.is_active,
            "scopes": key.scopes,
            "tier": key.tier.slug,
            "created_at": key.created_at.isoformat(),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "revoked_at": key.revoked_at.isoformat() if key.revoked_at else None,
            "last_used_at": key.last_used_at.isoformat() if key.last_used_at else None,
        }
        for key in keys
    ]


def conflicts(period: Period) -> Rows:
    """Who holds both sides of a conflict, and where one person used both."""
    return [*_held(), *_used(period)]


def _held() -> Rows:
    rows: Rows = []
    for user in User.objects.filter(is_active=True).order_by("username"):
        if user.is_superuser:
            rows.append(
                _conflict(user.get_username(), "holds everything (superuser)", "")
            )
            continue
        held = user.get_all_permissions()
        rows += [
            _conflict(user.get_username(), one.name, one.stopped_by)
            for one in CONFLICTS
            if one.one & held and one.other & held
        ]
    return rows


def _used(period: Period) -> Rows:
    """One person who asked for and signed, or who signed and promoted."""
    signed = SignOff.objects.filter(period.covers("signed_at"))
    own = signed.select_related("signer", "request").order_by("pk")
    rows = [
        _conflict(
            sign_off.signer.get_username(),
            "signed what they had submitted",
            "",
            request=str(sign_off.request_id),
        )
        for sign_off in own
        if sign_off.signer_id == sign_off.request.requested_by_id
    ]
    changes = AliasChange.objects.filter(period.covers("changed_at"))
    moved = {(one.approval_id, one.changed_by_id) for one in changes}
    approvals = [approval for approval, _ in moved]
    signers = SignOff.objects.filter(request_id__in=approvals)
    rows += [
        _conflict(
            sign_off.signer.get_username(),
            "signed for a version and promoted it",
            "",
            request=str(sign_off.request_id),
        )
        for sign_off in signers.select_related("signer").order_by("pk")
        if (sign_off.request_id, sign_off.signer_id) in moved
    ]
    return rows


def _conflict(
    who: str, conflict: str, stopped_by: str, **more: object
) -> dict[str, object]:
    return {"who": who, "conflict": conflict, "stopped_by": stopped_by, **more}
