"""The figures behind `/metrics`, in the text format of Prometheus. Of several worker processes they are those of all together."""

from __future__ import annotations

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.multiprocess import MultiProcessCollector

from relsift.serving.scoring import Counts

MEDIA_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)


@dataclass(frozen=True)
class Metrics:
    """Figures of this process; `folder`, if any, is where all workers keep theirs (the environment variable PROMETHEUS_MULTIPROC_DIR)."""

    registry: CollectorRegistry
    requests: Counter
    seconds: Histogram
    in_flight: Gauge
    waiting: Gauge
    batch_requests: Histogram
    batch_seconds: Counter
    documents: Counter
    sentences: Counter
    pairs: Counter
    left_out: Counter
    folder: str | None = None

    @classmethod
    def new(cls, folder: str | None = None) -> Metrics:
        registry = CollectorRegistry()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(f"relsift_{name}", what, labels, registry=registry)

        def gauge(name: str, what: str, *labels: str) -> Gauge:
            return Gauge(f"relsift_{name}", what, labels, registry=registry, multiprocess_mode="livesum")

        def histogram(name: str, what: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"relsift_{name}", what, labels, buckets=buckets, registry=registry)

        return cls(
            registry,
            counter("requests", "Requests by path and status.", "path", "status"),
            histogram("request_seconds", "From the first byte of a request to its answer.", _SECONDS, "path"),
            gauge("requests_in_flight", "Requests that are read, wait or are scored."),
            gauge("requests_waiting", "Requests that wait to be scored, or are.", "model"),
            histogram("batch_requests", "Requests scored together.", _SIZES, "model"),
            counter("batch_seconds", "Time in which batches were scored.", "model"),
            counter("documents", "Documents scored.", "model"),
            counter("sentences", "Sentences scored.", "model"),
            counter("pairs", "Candidate pairs scored.", "model"),
            counter("left_out", "What an annotator found and left out or changed.", "model"),
            folder,
        )

    def add_batch(self, model: str, requests: int, seconds: float, counts: Counts) -> None:
        self.batch_requests.labels(model).observe(requests)
        self.batch_seconds.labels(model).inc(seconds)
        self.documents.labels(model).inc(counts.documents)
        self.sentences.labels(model).inc(counts.report.sentences)
        self.pairs.labels(model).inc(counts.report.candidates.kept)

    def text(self) -> bytes:
        if self.folder is None:
            return generate_latest(self.registry)
        together = CollectorRegistry()
        MultiProcessCollector(together, path=self.folder)  # type: ignore[no-untyped-call]
        return generate_latest(together)
