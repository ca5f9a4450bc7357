"""A promotion while programs are asking: nobody is dropped, and the new one answers."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from apps.models_registry import services as registry
from apps.models_registry import serving
from tests.inference.test_journey import BENIGN

CALLS = 24


@pytest.mark.django_db(transaction=True)
def test_promoting_while_programs_ask_drops_no_request(
    operator, served, train_another, approve, issue, caller
):
    second = approve(train_another(12))

    def ask(number: int) -> tuple[int, str, str]:
        try:
            if number == CALLS // 3:
                registry.promote_version(
                    actor=operator, version_id=str(second.pk), reason="better"
                )
            program = type(caller)(caller.raw)
            response = program.predict(f"{BENIGN} ({number})")
            body = response.json()
            return response.status_code, body["version"], body["decision"]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(3) as threads:
        found = list(threads.map(ask, range(CALLS)))

    assert {(status, decision) for status, _, decision in found} == {(200, "allow")}
    assert {version for _, version, _ in found} == {"1", "2"}
    assert found[-1][1] == "2"
    assert len(serving.process_pool().loaded_digests()) == 2
