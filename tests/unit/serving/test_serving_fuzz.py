"""Requests made from the service's own description, right and wrong ones: no answer is a fault, and each is one that is described.

RELSIFT_TEST_EXAMPLES sets the number of examples of each operation, as for other tests by hypothesis.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving_app import serving

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = int(os.environ.get("RELSIFT_TEST_EXAMPLES", "100"))
OPERATIONS = {
    "/v1/extract": "POST", "/v1/models": "GET", "/v1/samples": "GET", "/v1/formats": "GET", "/healthz": "GET", "/readyz": "GET",
    "/metrics": "GET",
}  # fmt: skip
FILES = {"/v1/read": "POST", "/v1/convert": "POST"}  # what is drawn at random is no file
CHECKS = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@pytest.fixture(scope="module")
def description(demo):
    with serving(demo, max_tokens=500, max_entities=20) as (_, app):
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


def test_every_operation_of_the_description_is_tried(description):
    assert {(found.ok().path, found.ok().method.upper()) for found in description.get_all_operations()} == set((OPERATIONS | FILES).items())


TRIED = [*((path, True) for path in OPERATIONS), *((path, False) for path in (*FILES, "/v1/extract"))]


@pytest.mark.parametrize(("path", "is_right"), TRIED)
def test_no_request_makes_the_service_fail(description, path, is_right):
    modes = schemathesis.GenerationMode
    operation = description[path][(OPERATIONS | FILES)[path]]
    strategy = operation.as_strategy(generation_mode=modes.POSITIVE if is_right else modes.NEGATIVE)
    statuses = set()

    most = 2 if OPERATIONS.get(path) == "GET" else EXAMPLES // 2

    @settings(max_examples=most, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def each(data):
        case = data.draw(strategy)
        answer = case.call()
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=[getattr(schemathesis.checks, name) for name in CHECKS])

    each()
    assert 200 in statuses if is_right else statuses - {200}
