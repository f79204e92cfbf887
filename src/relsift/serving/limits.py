"""What the service accepts of one request, and how it shares the processor between requests."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from relsift.errors import require


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every limit has an option of `relsift serve` of the same name. Raises ConfigError for what is not positive."""

    max_kb: int = 1024  # of a request's body, in units of 1024 bytes
    max_documents: int = 256  # of a request
    max_tokens: int = 20_000  # of a document
    max_entities: int = 300  # given ones of a document; the number of pairs grows with its square
    timeout: float = 30.0  # seconds that a request may take, from its first byte to its answer
    queue: int = 256  # requests that are read, wait or are scored at one time
    batch_wait: float = 2.0  # milliseconds that a request waits for others to be scored with, at most
    batch_work: int = 2048  # tokens and pairs scored together (see `relsift.serving.requests.work_of`); 0: every request by itself
    stop_timeout: float = 30.0  # seconds for the requests under way when the service is told to stop

    def __post_init__(self) -> None:
        for name in (field.name for field in fields(self)):
            value, may_be_zero = getattr(self, name), name in ("batch_wait", "batch_work")
            expected = f"a number {'of 0 or more' if may_be_zero else 'above 0'}"
            is_right = math.isfinite(value) and (value > 0 or (may_be_zero and value == 0))
            require(is_right, f"--{name.replace('_', '-')}", expected=expected, got=value)

    @property
    def max_bytes(self) -> int:
        return 1024 * self.max_kb
