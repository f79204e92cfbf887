"""A client of `relsift serve`: the same calls as `RelationExtractor`, the same documents out, without torch.

It stands on the standard library's `http.client`: what it needs of HTTP is one POST on an open connection, and a library for that would be
one more dependency for everybody who only asks a service.
"""

from __future__ import annotations

import http.client
import json
import math
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, NamedTuple, cast, overload
from urllib.parse import urlsplit

from relsift.errors import ConfigError, DataError, ServiceError
from relsift.items import Item, given, is_item, several
from relsift.readers.base import ReadReport
from relsift.readers.python_values import as_json
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.writers.native import record_of

_AT_ONCE = 32  # documents of a request
_MOST_CHARACTERS = 200_000  # of the documents of a request, unless one alone has more
_RETRIES = 5  # of a request that the service has no room for, or that ended before it was answered
_AGAIN = (429, 503)
_LONGEST_PAUSE = 10.0  # seconds
_TEXT_KEYS = ("id", "text", "entities")
_SENTENCE_KEYS = ("id", "tokens", "text", "offsets", "text_start", "heads", "dependencies", "pos")
_ENTITY_KEYS = ("id", "start", "end", "type", "subtype")


class Client:
    """Ask a service for relations.

    with Client("http://127.0.0.1:8000") as client:
        document = client("Ida Holm, mayor of Skerrin, lives in Vell.")
        documents = client(["one text", {"tokens": […], "entities": […]}])

    Items are those of `RelationExtractor`. Documents that bring entities keep them; in others they are found. A client may be used by
    several threads: they ask one after the other. A request that the service has no room for (429, 503) is asked again after the time
    that the service names.

    See also: `relsift.extractor.RelationExtractor`, which needs no service.

    >>> with Client("http://127.0.0.1:8000") as client:  # doctest: +SKIP
    ...     client("Ida Holm and her sister own the ferry.").relations
    (<'Ida Holm' PER-SOC 'sister' score 4.07 probability 0.99>,)
    >>> Client("127.0.0.1:8000")
    Traceback (most recent call last):
    relsift.errors.ConfigError: url: expected the address of a service, such as http://127.0.0.1:8000, got '127.0.0.1:8000'
    """

    def __init__(self, url: str, *, token: str | None = None, model: str | None = None, timeout: float = 60.0) -> None:
        """Keep the address; nothing is asked yet.

        Args:
            url: of the service, such as `http://127.0.0.1:8000`; a path is that of a proxy before it.
            token: that the service asks for.
            model: a name of `models()`; None: the service's first.
            timeout: seconds, of a request.
        Raises: ConfigError for what is no such address.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ConfigError(f"url: expected the address of a service, such as http://127.0.0.1:8000, got {url!r}")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.hostname, parts.port, timeout=timeout)
        self._path = parts.path.rstrip("/")
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        self._model = model
        self._lock = threading.Lock()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End the connection; the next call opens a new one."""
        with self._lock:
            self._connection.close()

    @overload  # a text is a collection of texts to the type checker; it is one item here
    def __call__(  # type: ignore[overload-overlap]
        self, item: Item, *, threshold: float | None = None, mode: str | None = None
    ) -> Document: ...

    @overload
    def __call__(self, item: Iterable[Item], *, threshold: float | None = None, mode: str | None = None) -> list[Document]: ...

    def __call__(
        self, item: Item | Iterable[Item], *, threshold: float | None = None, mode: str | None = None
    ) -> Document | list[Document]:
        """Relations of one item, as a document, or of several, as a list of documents in the same order.

        Args: threshold: in place of the model's own. mode: `single` or `several` relations a pair; None: the model's own.
        Raises: DataError for an item that is none, or that the service refuses as broken; ConfigError for a threshold that is no finite
            number; ServiceError if the service cannot be reached, does not know the token or the model, or fails.
        """
        if not is_item(item):
            return list(self.documents(cast(Iterable[Item], item), threshold=threshold, mode=mode))
        [document] = self.documents([cast(Item, item)], threshold=threshold, mode=mode)
        return document

    def documents(
        self, items: Iterable[Item], *, threshold: float | None = None, mode: str | None = None
    ) -> Iterator[Document]:
        """One document an item, in order, for an input of any length, some documents a request. Arguments and errors as above."""
        options = {"model": self._model, "threshold": None if threshold is None else _finite(threshold), "mode": mode, "with_tokens": True}
        those = (_asked(item, f"item {number}", f"item-{number}") for number, item in enumerate(several(items)))
        for block in _blocks(those):
            documents = [one.record | {"id": one.key} for one in block]
            answer = self._ask("POST", "/v1/extract", {"documents": documents} | options)
            yield from map(_document, answer["results"], block)

    def models(self) -> list[dict[str, Any]]:
        """What the service says of each model: name, relations, entity types, decision (see `/v1/models`). Raises ServiceError."""
        found: list[dict[str, Any]] = self._ask("GET", "/v1/models")["models"]
        return found

    def _ask(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> Any:
        body = None if content is None else json.dumps({k: v for k, v in content.items() if v is not None}, allow_nan=False).encode()
        headers = self._headers if body is None else self._headers | {"Content-Type": "application/json"}
        with self._lock:
            for left in reversed(range(_RETRIES)):
                try:
                    status, pause, value = self._once(method, path, body, headers)
                except (OSError, http.client.HTTPException) as error:
                    self._connection.close()
                    if left == 0 or isinstance(error, ConnectionRefusedError | TimeoutError):
                        got = str(error) or type(error).__name__
                        raise ServiceError(f"{self._address}: expected an answer of the service, got {got}") from error
                    continue  # a connection that was open too long, or a service that was just replaced; asking twice changes nothing
                if status == 200:
                    return value
                if status not in _AGAIN or left == 0:
                    raise self._error(status, value)
                time.sleep(min(pause, _LONGEST_PAUSE))
        raise AssertionError("the last round returns or raises")

    def _once(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> tuple[int, float, Any]:
        """Status, the pause that the service asks for, and the JSON of one answer; None if it is no JSON, as that of a proxy."""
        self._connection.request(method, self._path + path, body, dict(headers))
        answer = self._connection.getresponse()
        content, value, pause = answer.read(), None, 1.0
        with suppress(ValueError):
            value = json.loads(content)
        with suppress(ValueError):
            pause = float(answer.headers.get("Retry-After", "1"))
        return answer.status, max(0.0, pause), value

    @property
    def _address(self) -> str:
        return f"{self._connection.host}:{self._connection.port}{self._path}"

    def _error(self, status: int, value: Any) -> DataError | ServiceError:
        error = value.get("error") if isinstance(value, dict) else None
        if not isinstance(error, dict):
            return ServiceError(f"{self._address}: expected an answer of relsift serve, got status {status} of something else", status)
        message = str(error.get("message"))
        return DataError(message) if status in (413, 422) else ServiceError(f"{self._address}: {message}", status)


def _finite(threshold: Any) -> float:
    """A threshold of Python or NumPy as JSON has it. Raises ConfigError for no finite number."""
    value = as_json(threshold, "threshold")
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ConfigError(f"threshold: expected a finite number, got {value!r}")
    return value


class _Asked(NamedTuple):
    """A document on its way to the service."""

    record: dict[str, Any]  # as the service takes it
    key: str  # its id
    base: Document | None  # tokenised here; None: the service cuts the text
    size: int  # characters and tokens, about


def _blocks(those: Iterable[_Asked]) -> Iterator[list[_Asked]]:
    """Requests: few documents, not too long together, each id once."""
    block: list[_Asked] = []
    size, keys = 0, set[str]()
    for one in those:
        if block and (len(block) == _AT_ONCE or size + one.size > _MOST_CHARACTERS or one.key in keys):
            yield block
            block, size, keys = [], 0, set()
        block.append(one)
        size += one.size
        keys.add(one.key)
    if block:
        yield block


def _asked(item: Any, where: str, key: str) -> _Asked:
    """Raises DataError for what is no item, or is broken."""
    if isinstance(item, str):
        text = as_json(item, where)
        return _Asked({"text": text}, key, None, len(text))
    if isinstance(item, Mapping) and "tokens" not in item and "text" in item:
        record = as_json(item, where)
        if unknown := sorted(record.keys() - {*_TEXT_KEYS, "relations"}):
            raise DataError(f"{where}: expected the keys {', '.join(_TEXT_KEYS)}, got {unknown[0]!r}")
        kept = {name: record[name] for name in _TEXT_KEYS if record.get(name) is not None}
        return _Asked(kept, str(kept.get("id") or key), None, len(str(record["text"])))
    read = given(item, where, key, ReadReport())
    document = read.document
    if any(sentence.tagged is not None for sentence in document.sentences):
        raise DataError(f"{where}: expected no tagged entities, which a service does not take, got some")
    if not document.sentences:
        return _Asked({"text": ""}, document.id, document, 0)
    sentences = [_sentence(sentence, read.has_entities) for sentence in document.sentences]
    size = sum(len(token) + 2 for sentence in document.sentences for token in sentence.tokens)
    return _Asked({"sentences": sentences}, document.id, document, 4 * size)  # with offsets and text


def _sentence(sentence: Sentence, has_entities: bool) -> dict[str, Any]:
    record = record_of(sentence)
    kept = {name: record[name] for name in _SENTENCE_KEYS if name in record}
    if has_entities:
        kept["entities"] = [{name: entity[name] for name in _ENTITY_KEYS if name in entity} for entity in record["entities"]]
    return kept


# ---- answers


def _document(result: Mapping[str, Any], asked: _Asked) -> Document:
    """The document of a result of `/v1/extract` that was asked for with tokens."""
    entities: list[list[Entity]] = [[] for _ in result["sentences"]]
    place: list[tuple[int, int]] = []  # of each entity: its sentence, its position there
    for found in result["entities"]:
        number = found["sentence"]
        place.append((number, len(entities[number])))
        entities[number].append(_entity(found, in_text=result["offsets"] == "characters"))
    relations: list[list[Relation]] = [[] for _ in entities]
    across = []
    for found in result["relations"]:
        (number, head), (other, tail) = place[found["head"]], place[found["tail"]]
        rest = found["type"], found["score"], found["probability"]
        if number == other:
            relations[number].append(Relation(head, tail, *rest))
        else:
            across.append(RelationAcross((number, head), (other, tail), *rest))
    base, text = asked.base, result.get("text")
    if base is None:
        bare = [
            Sentence(one["id"], tuple(one["tokens"]), doc_id=asked.key, offsets=tuple((start, end) for start, end in one["offsets"]))
            for one in result["sentences"]
        ]
    else:
        bare, text = list(base.sentences), base.text
        is_given = bool(bare) and "entities" in asked.record["sentences"][0]
        entities = [list(one.entities) if is_given else [*map(one.with_characters, found)] for one, found in zip(bare, entities)]
    complete = (
        replace(one, entities=tuple(those), relations=tuple(related)) for one, those, related in zip(bare, entities, relations, strict=True)
    )
    return Document(asked.key, tuple(complete), text, tuple(across))


def _entity(found: Mapping[str, Any], *, in_text: bool) -> Entity:
    start, end = found["tokens"]
    chars = (found["start"], found["end"]) if in_text else None
    return Entity(start, end, found["type"], found["subtype"], found["id"], chars, found["score"])
