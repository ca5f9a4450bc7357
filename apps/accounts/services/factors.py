"""Second factors: enrol, check, spare codes, and somebody else taking them away.

A code opens once: the time step it belongs to is spent by a conditional update, so two
requests with the same code cannot both pass. Wrong codes lock the device for longer
each time. Secrets and codes are returned once and never logged.
"""

from __future__ import annotations

import hmac
import secrets
import time
from dataclasses import dataclass
from datetime import timedelta

import pyotp
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import Authenticator, RecoveryCode, User
from apps.accounts.permissions import acting_user, require
from apps.accounts.services.people import ALPHABET
from apps.audit.services import record_event
from apps.core.actors import Actor, ActorKind, Subject
from apps.core.digests import keyed_digest
from apps.core.errors import InvalidInput, NotPermitted, StateConflict
from apps.core.sealing import seal_bytes, unseal_bytes

PURPOSE = b"pixelated-empathy authenticator v1"
ISSUER = "Pixelated Empathy"
STEP_S = 30
# One step early or late: clocks differ.
STEPS_AROUND = (-1, 0, 1)
RECOVERY_CODES = 10
FREE_FAILURES = 4
LONGEST_LOCK_S = 900


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app needs, shown once: the secret, also as a URI."""

    secret: str
    uri: str


@transaction.atomic
def begin_enrolment(*, actor: Actor) -> Enrolment:
    """A new secret for the person who acts; an unconfirmed one is replaced.

    Raises StateConflict when they have a confirmed authenticator already.
    """
    user = acting_user(actor)
    if Authenticator.objects.filter(user=user, confirmed_at__isnull=False).exists():
        raise StateConflict("You have an authenticator: somebody else can reset it.")
    Authenticator.objects.filter(user=user).delete()
    secret = pyotp.random_base32()
    device = Authenticator(user=user)
    device.sealed_secret = seal_bytes(
        secret.encode(), purpose=PURPOSE, bound_to=device.pk.bytes
    )
    device.save(force_insert=True)
    uri = pyotp.TOTP(secret).provisioning_uri(user.get_username(), issuer_name=ISSUER)
    return Enrolment(secret, uri)


def confirm_enrolment(*, actor: Actor, code: str) -> tuple[str, ...]:
    """Prove the app works; the recovery codes, shown once.

    Raises InvalidInput for a wrong code, StateConflict without a begun enrolment.
    """
    user = acting_user(actor)
    device = Authenticator.objects.filter(user=user, confirmed_at=None).first()
    if device is None:
        raise StateConflict("Begin by scanning a new code.")
    if not _spend_step(device, code):
        raise InvalidInput("This is not the code your app shows now. Try the next one.")
    with transaction.atomic():
        Authenticator.objects.filter(pk=device.pk).update(confirmed_at=timezone.now())
        _record(actor, "accounts.second_factor_enrolled", user)
        return _new_recovery_codes(user)


def check_code(*, actor: Actor, code: str) -> bool:
    """Whether a code of the person's authenticator, or a spare one, opens now.

    Raises NotPermitted while too many wrong codes lock the device.
    """
    user = acting_user(actor)
    device = Authenticator.objects.filter(user=user, confirmed_at__isnull=False).first()
    if device is None:
        return False
    now = timezone.now()
    if device.locked_until and device.locked_until > now:
        wait_s = int((device.locked_until - now).total_seconds()) + 1
        raise NotPermitted(f"Too many wrong codes: wait {wait_s} seconds.")
    if _spend_step(device, code) or _spend_recovery_code(actor, user, code):
        Authenticator.objects.filter(pk=device.pk).update(failures=0, locked_until=None)
        return True
    _refuse(actor, user, device)
    return False


@transaction.atomic
def renew_recovery_codes(*, actor: Actor) -> tuple[str, ...]:
    """Ten new spare codes, shown once; the old ones end."""
    user = acting_user(actor)
    _record(actor, "accounts.recovery_codes_renewed", user)
    return _new_recovery_codes(user)


@transaction.atomic
def reset_second_factor(*, actor: Actor, user: User) -> None:
    """Take somebody else's authenticator and spare codes away; they enrol anew.

    Sessions opened with it go no further. Raises StateConflict when there is none.
    """
    require(actor, "accounts.change_user")
    if actor.kind is ActorKind.STAFF and actor.id == str(user.pk):
        raise NotPermitted("Somebody else has to reset your second factor.")
    if not Authenticator.objects.filter(user=user).exists():
        raise StateConflict(f"{user} has no second factor.")
    Authenticator.objects.filter(user=user).delete()
    RecoveryCode.objects.filter(user=user).delete()
    _record(actor, "accounts.second_factor_reset", user)


def _spend_step(device: Authenticator, code: str) -> bool:
    """Match a code and mark its time step as used, at once."""
    secret = unseal_bytes(
        bytes(device.sealed_secret), purpose=PURPOSE, bound_to=device.pk.bytes
    ).decode()
    totp, given = pyotp.TOTP(secret), code.strip().replace(" ", "")
    now_step = int(time.time()) // STEP_S
    for around in STEPS_AROUND:
        step = now_step + around
        if hmac.compare_digest(totp.generate_otp(step).encode(), given.encode()):
            unspent = Authenticator.objects.filter(pk=device.pk, last_step__lt=step)
            return unspent.update(last_step=step) == 1
    return False


def _spend_recovery_code(actor: Actor, user: User, code: str) -> bool:
    unused = RecoveryCode.objects.filter(
        user=user, digest=_code_digest(user, code), used_at=None
    )
    with transaction.atomic():
        if unused.update(used_at=timezone.now()) != 1:
            return False
        left = RecoveryCode.objects.filter(user=user, used_at=None).count()
        _record(actor, "accounts.recovery_code_used", user, {"left": left})
    return True


@transaction.atomic
def _refuse(actor: Actor, user: User, device: Authenticator) -> None:
    locked = Authenticator.objects.select_for_update().get(pk=device.pk)
    locked.failures += 1
    beyond = locked.failures - FREE_FAILURES
    if beyond > 0:
        wait_s = min(LONGEST_LOCK_S, 30 * 2 ** min(beyond - 1, 10))
        locked.locked_until = timezone.now() + timedelta(seconds=wait_s)
    locked.save(update_fields=["failures", "locked_until"])
    details: dict[str, object] = {"failures": locked.failures}
    _record(actor, "accounts.second_factor_refused", user, details)


def _new_recovery_codes(user: User) -> tuple[str, ...]:
    RecoveryCode.objects.filter(user=user).delete()
    codes = tuple(_spare_code() for _ in range(RECOVERY_CODES))
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=_code_digest(user, code)) for code in codes
    )
    return codes


def _spare_code() -> str:
    """Two groups of five out of 31 characters: 49 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _ in range(5)) for _ in range(2))
    return "-".join(groups)


def _code_digest(user: User, code: str) -> str:
    said = f"{user.pk}|{code.strip().lower()}"
    key = f"recovery code v1|{settings.PE_TEXT_DIGEST_KEY}"
    return keyed_digest(key.encode(), said.encode())


def _record(
    actor: Actor, event: str, user: User, details: dict[str, object] | None = None
) -> None:
    record_event(
        actor=actor,
        event=event,
        subject=Subject("accounts.user", str(user.pk)),
        details={"username": user.username, **(details or {})},
    )
