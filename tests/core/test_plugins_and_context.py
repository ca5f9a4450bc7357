"""Plug-ins refuse what they cannot load; request ids stay in their context."""

from __future__ import annotations

import threading

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.core.actors import Actor, ActorKind, Subject
from apps.core.context import current_request_id, new_request_id, request_context
from apps.core.plugins import load_class, load_family


class Base:
    name = ""


class First(Base):
    name = "first"


class Second(Base):
    name = "second"


class AlsoFirst(Base):
    name = "first"


class Nameless(Base):
    pass


def _path(found):
    return f"{__name__}.{found.__name__}"


def test_family_keeps_the_order_of_settings():
    family = load_family([_path(Second), _path(First)], Base)

    assert list(family.items()) == [("second", Second), ("first", First)]


@pytest.mark.parametrize(
    ("paths", "words"),
    [
        (["nowhere.Gate"], "cannot be imported"),
        ([f"{__name__}.Missing"], "cannot be imported"),
        (["apps.core.context.current_request_id"], "is not a Base"),
        (["apps.core.actors.Actor"], "is not a Base"),
        ([_path(Nameless)], "has no name"),
        ([_path(First), _path(AlsoFirst)], "Two plug-ins are named first"),
    ],
)
def test_family_refuses_what_is_not_one_plug_in_each(paths, words):
    with pytest.raises(ImproperlyConfigured, match=words):
        load_family(paths, Base)


def test_class_is_loaded_by_its_path():
    assert load_class(_path(First), Base) is First


def test_request_id_is_current_inside_its_block_only():
    assert current_request_id() == ""

    with request_context("outer"):
        with request_context("inner"):
            assert current_request_id() == "inner"
        assert current_request_id() == "outer"

    assert current_request_id() == ""


def test_request_id_is_gone_after_an_error():
    with pytest.raises(ZeroDivisionError), request_context("failing"):
        raise ZeroDivisionError

    assert current_request_id() == ""


def test_threads_do_not_see_one_anothers_request():
    seen = []

    with request_context("mine"):
        thread = threading.Thread(target=lambda: seen.append(current_request_id()))
        thread.start()
        thread.join()

    assert seen == [""]


def test_new_request_ids_differ():
    assert new_request_id() != new_request_id()


def test_what_travels_of_an_actor_is_no_permission():
    actor = Actor(ActorKind.STAFF, "7", "ana", permissions=frozenset({"a.b"}))

    assert actor.to_header() == {"kind": "staff", "id": "7", "label": "ana"}


def test_subject_is_text():
    assert Subject("a.b", "7").as_dict() == {"label": "a.b", "id": "7", "digest": ""}
