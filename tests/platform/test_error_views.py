"""Answers where no view answered: problems under /api/, pages elsewhere."""

from __future__ import annotations

import json

import pytest
from django.test import RequestFactory

from pe_platform import error_views

VIEWS = [
    (error_views.bad_request, 400, "bad_request", True),
    (error_views.permission_denied, 403, "not_permitted", True),
    (error_views.not_found, 404, "not_found", True),
    (error_views.server_error, 500, "internal_error", False),
]
SECRET = "zebra crossing"


def answered(view, path: str, takes_exception: bool):
    request = RequestFactory().get(path)
    return view(request, ValueError(SECRET)) if takes_exception else view(request)


@pytest.mark.parametrize(("view", "status", "code", "takes_exception"), VIEWS)
def test_a_program_gets_a_problem(view, status, code, takes_exception):
    response = answered(view, "/api/v1/x", takes_exception)

    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert json.loads(response.content)["code"] == code
    assert SECRET not in response.content.decode()


@pytest.mark.parametrize(("view", "status", "code", "takes_exception"), VIEWS)
def test_a_person_gets_a_page(view, status, code, takes_exception):
    response = answered(view, "/page", takes_exception)

    assert response.status_code == status
    assert response["Content-Type"].startswith("text/html")
    assert SECRET not in response.content.decode()
