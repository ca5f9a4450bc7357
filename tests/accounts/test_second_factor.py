"""Second factors: enrolled by proof, opened once, locked by guessing."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from apps.accounts.models import Authenticator, RecoveryCode, User
from apps.accounts.roles import Role
from apps.accounts.services import (
    begin_enrolment,
    check_code,
    confirm_enrolment,
    renew_recovery_codes,
    reset_second_factor,
)
from apps.audit.models import AuditEntry
from apps.core.errors import InvalidInput, NotPermitted, StateConflict
from tests.conftest import STAFF_PASSWORD

pytestmark = pytest.mark.django_db
NOW = "2026-11-25T12:00:00+00:00"
LATER = "2026-11-25T12:05:00+00:00"
HOME = reverse("admin:index")
ASK = reverse("admin:second_factor")
ENROL = reverse("admin:second_factor_enrol")


def enrol(actor) -> tuple[pyotp.TOTP, tuple[str, ...]]:
    """A confirmed device, five minutes before LATER."""
    with time_machine.travel(NOW, tick=False):
        totp = pyotp.TOTP(begin_enrolment(actor=actor).secret)
        return totp, confirm_enrolment(actor=actor, code=totp.now())


@pytest.fixture
def rita(acting):
    return acting("rita", Role.REVIEWER)


def signed_in(name: str) -> Client:
    client = Client()
    assert client.login(username=name, password=STAFF_PASSWORD)
    return client


def test_a_device_counts_only_once_its_code_was_shown(rita):
    secret = begin_enrolment(actor=rita).secret

    with pytest.raises(InvalidInput, match="not the code"):
        confirm_enrolment(actor=rita, code="000000")

    assert not check_code(actor=rita, code=pyotp.TOTP(secret).now())


def test_secret_and_recovery_codes_are_not_in_the_database(rita):
    totp, codes = enrol(rita)

    sealed = bytes(Authenticator.objects.get().sealed_secret)

    assert totp.secret.encode() not in sealed
    assert len(set(codes)) == 10
    assert not RecoveryCode.objects.filter(digest__in=codes).exists()


@time_machine.travel(LATER, tick=False)
def test_a_code_opens_once(rita):
    totp, _ = enrol(rita)

    assert check_code(actor=rita, code=totp.now())
    assert not check_code(actor=rita, code=totp.now())


@time_machine.travel(LATER, tick=False)
@pytest.mark.parametrize(("late_s", "opens"), [(-30, True), (30, True), (-90, False)])
def test_a_clock_may_differ_by_one_step(rita, late_s, opens):
    totp, _ = enrol(rita)

    code = totp.at(int(time.time()) + late_s)

    assert check_code(actor=rita, code=code) is opens


@time_machine.travel(LATER, tick=False)
def test_a_recovery_code_opens_once_and_is_counted(rita):
    _, codes = enrol(rita)

    assert check_code(actor=rita, code=codes[3].upper())
    assert not check_code(actor=rita, code=codes[3])
    used = AuditEntry.objects.get(event="accounts.recovery_code_used")
    assert used.details["left"] == 9


def test_renewed_codes_end_the_old_ones(rita):
    _, old = enrol(rita)

    new = renew_recovery_codes(actor=rita)

    assert not check_code(actor=rita, code=old[0])
    assert check_code(actor=rita, code=new[0])


@time_machine.travel(LATER, tick=False)
def test_guessing_locks_the_device_even_for_the_right_code(rita):
    totp, _ = enrol(rita)
    for _ in range(5):
        assert not check_code(actor=rita, code="000001")

    with pytest.raises(NotPermitted, match="wait 3"):
        check_code(actor=rita, code=totp.now())

    assert (
        AuditEntry.objects.filter(event="accounts.second_factor_refused").count() == 5
    )


def test_one_person_has_one_device(rita):
    enrol(rita)

    with pytest.raises(StateConflict, match="have an authenticator"):
        begin_enrolment(actor=rita)


def test_somebody_else_resets_a_device_and_nobody_their_own(rita, acting):
    enrol(rita)
    cora = acting("cora", Role.COMPLIANCE)

    with pytest.raises(NotPermitted):
        reset_second_factor(actor=rita, user=User.objects.get(username="rita"))
    reset_second_factor(actor=cora, user=User.objects.get(username="rita"))

    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_with_the_factor_required_a_password_opens_only_enrolment(person, settings):
    settings.PE_STAFF_MFA = "required"
    person("rita", Role.REVIEWER)
    client = signed_in("rita")

    response = client.get(HOME)

    assert response["Location"].startswith(ENROL)
    assert client.get(ENROL).status_code == 200


def test_a_person_enrols_by_hand_and_goes_on(person, settings):
    settings.PE_STAFF_MFA = "required"
    person("rita", Role.REVIEWER)
    client = signed_in("rita")

    page = client.post(ENROL).content.decode()
    secret = re.search(r'id="secret"[^>]*>(\w+)<', page)[1]
    shown = client.post(ENROL, {"code": pyotp.TOTP(secret).now()}).content.decode()

    assert shown.count("<li><code>") == 10
    assert client.get(HOME).status_code == 200


def test_an_enrolled_person_is_asked_even_where_it_is_optional(rita, settings):
    settings.PE_STAFF_MFA = "optional"
    totp, _ = enrol(rita)
    client = signed_in("rita")
    wanted = reverse("admin:approvals_approvalrequest_changelist")

    asked = client.get(wanted)
    wrong = client.post(asked["Location"], {"code": "000000"})
    opened = client.post(asked["Location"], {"code": totp.now()})

    assert asked["Location"].startswith(ASK)
    assert "not right" in wrong.content.decode()
    assert opened["Location"] == wanted
    assert client.get(wanted).status_code == 200


def test_the_page_that_asks_sends_nobody_to_another_site(rita):
    totp, _ = enrol(rita)
    client = signed_in("rita")

    response = client.post(f"{ASK}?next=https://evil.example/", {"code": totp.now()})

    assert response["Location"] == HOME


def test_a_reset_ends_the_sessions_opened_with_the_device(rita, acting, settings):
    settings.PE_STAFF_MFA = "required"
    totp, _ = enrol(rita)
    client = signed_in("rita")
    client.post(ASK, {"code": totp.now()})
    assert client.get(HOME).status_code == 200

    cora = acting("cora", Role.COMPLIANCE)
    reset_second_factor(actor=cora, user=User.objects.get(username="rita"))

    assert client.get(HOME)["Location"].startswith(ENROL)


def test_signing_again_takes_a_code_in_place_of_the_password(rita):
    totp, _ = enrol(rita)
    client = signed_in("rita")
    client.post(ASK, {"code": totp.at(int(time.time()) - 30)})
    renew = reverse("admin:second_factor_renew")

    wrong = client.post(renew, {"password": "not it"}).content.decode()
    right = client.post(renew, {"password": totp.now()}).content.decode()

    assert "This is not your password." in wrong
    assert right.count("<li><code>") == 10


def test_compliance_resets_a_device_on_the_page_after_saying_who_they_are(rita, person):
    enrol(rita)
    person("cora", Role.COMPLIANCE)
    client = signed_in("cora")
    user = User.objects.get(username="rita")
    page = reverse("admin:accounts_user_reset_factor", args=[user.pk])

    client.post(page, {"password": "not it"})
    assert Authenticator.objects.exists()
    client.post(page, {"password": STAFF_PASSWORD})

    assert not Authenticator.objects.exists()
    assert AuditEntry.objects.filter(event="accounts.second_factor_reset").count() == 1


def test_the_shell_resets_a_device_or_says_why_not(rita, capsys):
    enrol(rita)

    call_command("reset_second_factor", "rita")

    assert "enrols a new device" in capsys.readouterr().out
    for name, told in (("rita", "has no second factor"), ("nemo", "nobody named")):
        with pytest.raises(CommandError, match=told):
            call_command("reset_second_factor", name)


def test_where_it_is_optional_enrolment_can_be_left(person):
    person("rita", Role.REVIEWER)

    assert "Not now" in signed_in("rita").get(ENROL).content.decode()
