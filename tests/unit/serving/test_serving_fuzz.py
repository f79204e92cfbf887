"""Requests made from the service's own description, right and wrong ones: no answer is a fault, and each is one that is described.

RELSIFT_TEST_EXAMPLES sets the number of examples of each operation, as for other tests by hypothesis.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, settings
from serving_app import serving

schemathesis = pytest.importorskip("schemathesis")

EXAMPLES = max(1, int(os.environ.get("RELSIFT_TEST_EXAMPLES", "100")) // 4)


@pytest.fixture(scope="module")
def description(demo):
    with serving(demo, max_tokens=500, max_entities=20) as (_, app):
        yield schemathesis.openapi.from_asgi("/openapi.json", app)


schema = schemathesis.pytest.from_fixture("description")


@schema.parametrize()
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_no_request_makes_the_service_fail(case):
    checks = schemathesis.checks
    case.call_and_validate(
        checks=[
            checks.not_a_server_error, checks.status_code_conformance, checks.content_type_conformance, checks.response_schema_conformance,
        ],
    )  # fmt: skip
