"""Start-up checks over the subjects that settings name."""

from __future__ import annotations

import pytest

from apps.approvals.checks import check_subjects
from tests.approvals.subjects import LABEL, PATH


def test_subject_that_loads_and_can_be_approved_passes(settings):
    settings.PE_APPROVAL_SUBJECTS = {LABEL: PATH}

    assert check_subjects() == []


@pytest.mark.parametrize(
    ("subjects", "words"),
    [
        ({LABEL: "tests.approvals.subjects.Missing"}, "cannot be imported"),
        ({"tests.other": PATH}, "calls itself"),
        ({LABEL: "tests.approvals.subjects.OverQuorumSubject"}, "more than the roles"),
    ],
)
def test_subject_that_could_never_be_approved_is_refused(settings, subjects, words):
    settings.PE_APPROVAL_SUBJECTS = subjects

    (error,) = check_subjects()

    assert error.id == "approvals.E001"
    assert words in error.msg
