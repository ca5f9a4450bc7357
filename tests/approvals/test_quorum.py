"""The quorum, as a table of examples."""

from __future__ import annotations

import pytest

from apps.approvals.quorum import Vote, outcome

AYE_R = Vote("1", "reviewer", True)
AYE_C = Vote("2", "clinician", True)
AYE_R2 = Vote("3", "reviewer", True)
NAY = Vote("4", "compliance_officer", False)
AUTHOR = Vote("9", "clinician", True)


@pytest.mark.parametrize(
    ("votes", "expected"),
    [
        ([], None),
        ([AYE_R], None),
        ([AYE_R, AYE_C], True),
        ([AYE_R, AYE_R2], None),
        ([AYE_R, AUTHOR], None),
        ([AYE_R, AYE_C, NAY], False),
        ([NAY], False),
    ],
)
def test_quorum_counts_people_and_roles_and_never_the_author(votes, expected):
    assert outcome(votes, quorum=2, author_id="9") is expected
