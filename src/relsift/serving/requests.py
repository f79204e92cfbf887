"""From the bytes of a request to what is asked: strict JSON, its schema, and the limits that can be checked without reading text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from relsift.json_schema import complaint
from relsift.json_text import decode_finite
from relsift.readers.base import shown
from relsift.serving.limits import Limits
from relsift.serving.problems import Problem
from relsift.serving.schemas import ExtractRequest, Mode

_CHARACTERS_OF_A_TOKEN = 4  # of raw text, about; for the work of a text that is not cut yet
_WORDS = ("text", "tokens", "sentences")
_BESIDE_TOKENS = ("offsets", "heads", "dependencies", "pos")
_MODES: tuple[str, ...] = get_args(Mode)


@dataclass(frozen=True)
class Options:
    """How the documents of a request are to be read; None: as the model has it."""

    threshold: float | None = None
    mode: Mode | None = None
    all_scores: bool = False
    with_tokens: bool = False


@dataclass(frozen=True)
class Extraction:
    """A checked request. Its documents are JSON objects of native lines, not read yet; `sentences` of one are such lines too."""

    model: str | None
    documents: tuple[Mapping[str, Any], ...]
    options: Options
    work: int  # see `work_of`


def extraction_of(body: bytes, limits: Limits) -> Extraction:
    """Raises Problem for what is no JSON, is no request, or is too large."""
    value = body_json(body)
    request = checked(ExtractRequest, value)
    found = [_without_nulls(record) for record in value["documents"]]
    if len(found) > limits.max_documents:
        raise Problem("too_large", f"documents: expected at most {limits.max_documents} in a request, got {len(found)}", "documents")
    ids = [given.id or f"document-{number}" for number, given in enumerate(request.documents)]
    if len(set(ids)) < len(ids):
        number = next(number for number, name in enumerate(ids) if name in ids[:number])
        raise Problem("invalid", f"expected each id once in a request, got {shown(ids[number])} twice", f"documents.{number}.id")
    for number, record in enumerate(found):
        _check_document(record, f"documents.{number}", limits)
        record["id"] = ids[number]
    options = Options(request.threshold, request.mode, request.all_scores, request.with_tokens)
    return Extraction(request.model, tuple(found), options, sum(map(work_of, found)))


def work_of(record: Mapping[str, Any]) -> int:
    """What scoring a document costs, in tokens: its tokens, for raw text a quarter of its characters, and the pairs of given entities.

    >>> work_of({"text": "Ada leads Acme."}), work_of({"tokens": ["Ada", "leads"], "entities": [{}, {}, {}]})
    (4, 8)
    """
    if "sentences" in record:
        return sum(map(work_of, record["sentences"]))
    tokens = len(record["tokens"]) if "tokens" in record else len(record["text"]) // _CHARACTERS_OF_A_TOKEN + 1
    entities = len(record.get("entities", ()))
    return tokens + entities * max(0, entities - 1)


def checked(schema: type[BaseModel], value: Any) -> Any:
    """The value as its schema has it. Raises Problem with the first wrong place."""
    try:
        return schema.model_validate(value)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_context=False)[0]
        raise Problem("invalid", complaint(first), ".".join(map(str, first["loc"]))) from fault


def body_json(body: bytes) -> Any:
    """Raises Problem for what is no JSON in UTF-8."""
    try:
        return decode_finite(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        got = f"byte 0x{body[error.start]:02x} at {error.start}"
        raise Problem("not_json", f"body: expected UTF-8, got {got}; encode the request as UTF-8") from error
    except RecursionError as error:
        raise Problem("not_json", "body: expected JSON, got brackets nested thousands deep") from error
    except ValueError as error:
        got = " ".join(str(error).partition("; use sys.")[0].split())  # advice for programmers of this process
        raise Problem("not_json", f"body: expected JSON, got {got}") from error


def _without_nulls(record: Any) -> dict[str, Any]:
    """A key with null says no more than no key, and native lines have no nulls. Records were checked before."""
    kept = {name: value for name, value in record.items() if value is not None}
    for name in ("sentences", "entities"):
        if name in kept:
            kept[name] = [_without_nulls(part) for part in kept[name]]
    return kept


def _check_document(record: Mapping[str, Any], where: str, limits: Limits) -> None:
    given = [name for name in _WORDS if name in record]
    if not given:
        raise Problem("invalid", 'expected "text", "tokens" or "sentences", got none of them', where)
    if "sentences" in record:
        if beside := sorted(record.keys() - {"id", "sentences"}):
            raise Problem("invalid", f'expected nothing but "id" beside "sentences", got {", ".join(beside)}', where)
        with_entities = {"entities" in sentence for sentence in record["sentences"]}
        if len(with_entities) > 1:
            raise Problem("invalid", 'expected "entities" in all sentences of a document or in none, got them in some', where)
    elif "tokens" not in record and (beside := [name for name in _BESIDE_TOKENS if name in record]):
        raise Problem("invalid", f'expected "tokens" beside {", ".join(beside)}, got only "text"', where)
    parts = record.get("sentences", (record,))
    check_size(sum(len(part.get("entities", ())) for part in parts), "entities", limits.max_entities, where)
    check_size(sum(len(part.get("tokens", ())) for part in parts), "tokens", limits.max_tokens, where)


def check_size(got: int, what: str, most: int, where: str) -> None:
    """Raises Problem for a document that is too large. Args: what: a plural noun."""
    if got > most:
        raise Problem("too_large", f"expected a document of at most {most} {what}, got {got}; send it in parts", where)
