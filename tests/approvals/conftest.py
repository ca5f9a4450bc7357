"""An approvable letter, and the people who sign."""

from __future__ import annotations

import pytest

from apps.accounts.roles import Role
from apps.approvals.services import request_approval, sign
from tests.approvals.subjects import LABEL, LETTERS, PATH, Letter


@pytest.fixture(autouse=True)
def _letters(settings):
    settings.PE_APPROVAL_SUBJECTS = {LABEL: PATH}
    yield
    LETTERS.clear()


@pytest.fixture
def author(acting):
    return acting("olga", Role.OPERATOR)


@pytest.fixture
def letter(author):
    LETTERS["a"] = Letter(author_id=author.id)
    return LETTERS["a"]


@pytest.fixture
def request_row(letter, author):
    return request_approval(
        actor=author, subject_label=LABEL, subject_id="a", reason="please read"
    )


@pytest.fixture
def reviewer(acting):
    return acting("rita", Role.REVIEWER)


@pytest.fixture
def clinician(acting):
    return acting("carl", Role.CLINICIAN)


@pytest.fixture
def signing(request_row):
    def make(actor, **said):
        given = {"approve": True, "meaning": "I read it", "reason": "sound"} | said
        return sign(actor=actor, request_id=str(request_row.pk), **given)

    return make
