"""One service for all tests here, with the model that comes with relsift."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from relsift.serving import models
from relsift.serving.models import ServedModel
from relsift.serving.service import Service
from serving_app import serving


@pytest.fixture(scope="session")
def demo() -> ServedModel:
    return models.load("demo-en", "demo-en", device="cpu", precision="float32", cache_mb=16)


@pytest.fixture(scope="session")
def service(demo: ServedModel) -> Iterator[tuple[Service, Any]]:
    with serving(demo, replace(demo, name="second")) as both:
        yield both


@pytest.fixture(scope="session")
def app(service: tuple[Service, Any]) -> Any:
    return service[1]
