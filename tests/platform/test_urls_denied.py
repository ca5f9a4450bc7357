"""Denied by default: every URL, asked by a caller with no key and no session."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from pe_platform.urls import PUBLIC_URLS

METHODS = ("get", "post", "put", "patch", "delete", "options", "head")
# Answers that give an anonymous caller nothing.
REFUSALS = frozenset({401, 403, 405})
SAMPLES = {"slug": "x", "str": "x", "int": "1", "uuid": str(uuid.UUID(int=1))}


def _patterns(resolver: URLResolver, before: str = "") -> Iterator[str]:
    for pattern in resolver.url_patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _patterns(pattern, route)
        elif isinstance(pattern, URLPattern):
            yield route


def _path(route: str) -> str:
    """A concrete path: converters and groups filled in, anchors removed."""
    filled = re.sub(
        r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", "x"), route
    )
    filled = re.sub(r"\(\?P<\w+>[^)]*\)", "x", filled)
    return "/" + re.sub(r"[\^$\\]|\(\?:[^)]*\)", "", filled).replace("//", "/")


ROUTES = sorted(set(_patterns(get_resolver())))


def _is_refused(response) -> bool:
    if response.status_code in REFUSALS:
        return True
    to_login = str(settings.LOGIN_URL)
    return response.status_code == 302 and response["Location"].startswith(to_login)


def test_the_walk_finds_the_urls_there_are():
    assert "api/v1/models/<slug:name>/predict" in ROUTES
    assert "admin/login/" in ROUTES
    assert len(ROUTES) > 30


def test_the_public_list_is_short_and_names_real_urls():
    assert set(PUBLIC_URLS) <= set(ROUTES)
    assert len(PUBLIC_URLS) <= 7
    assert all(PUBLIC_URLS.values())


@pytest.mark.django_db
@pytest.mark.parametrize("route", ROUTES)
def test_an_anonymous_caller_can_use_only_what_is_listed(route):
    client = Client(raise_request_exception=False)
    answers = {method: getattr(client, method)(_path(route)) for method in METHODS}

    usable = {
        method: response.status_code
        for method, response in answers.items()
        if not _is_refused(response)
    }

    assert bool(usable) == (route in PUBLIC_URLS), f"{_path(route)}: {usable}"


@pytest.mark.django_db
def test_api_urls_ask_for_a_key_and_say_so():
    routes = [route for route in ROUTES if route.startswith("api/")]
    assert routes

    for route in routes:
        response = Client(raise_request_exception=False).get(_path(route))

        assert response.status_code == 401, route
        assert response["Content-Type"] == "application/problem+json"
        assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.django_db
def test_an_unknown_api_url_is_a_problem():
    response = Client().get("/api/v1/nothing/here")

    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"
    assert response.json()["request_id"] == response["X-Request-ID"]


@pytest.mark.django_db
def test_an_unknown_page_is_a_page():
    response = Client().get("/nothing/here")

    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")
