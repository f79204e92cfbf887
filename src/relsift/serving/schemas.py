"""Requests and answers as OpenAPI describes them. Requests are checked by these classes; answers are only described by them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from relsift.json_schema import Strict

_LARGEST = 2**31 - 1  # of a position; no request has more characters


def _as_text(value: Any) -> Any:
    """Whole numbers are ids too, as in files."""
    return str(value) if type(value) is int else value


Id = Annotated[str, BeforeValidator(_as_text), WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}]})]
Name = Annotated[str, Field(min_length=1)]
Position = Annotated[int, Field(ge=0, le=_LARGEST)]
Span = Annotated[list[Position], Field(min_length=2, max_length=2)]
Mode = Literal["single", "several"]
_HAS_WORDS: dict[str, Any] = {"anyOf": [{"required": [name]} for name in ("text", "tokens", "sentences")]}


class GivenEntity(Strict):
    """A mention: characters of `text`, or tokens of `tokens`; the end is exclusive."""

    id: Id | None = None
    start: Position
    end: Position
    type: Name
    subtype: str | None = None


class GivenSentence(Strict):
    """One tokenised sentence."""

    id: Id | None = None
    tokens: Annotated[list[Name], Field(min_length=1)]
    entities: list[GivenEntity] | None = Field(None, description="Left out: they are found. Positions count tokens of this sentence.")
    text: str | None = Field(None, description="The sentence as it was written; with `offsets`.")
    offsets: list[Span] | None = Field(None, description="Of each token in `text`, in characters, the end exclusive.")
    text_start: Position | None = Field(None, description="Where `text` begins in its document, in characters.")
    heads: list[Annotated[int, Field(ge=-1, le=_LARGEST)]] | None = Field(None, description="Head of each token, -1 for a root.")
    dependencies: list[str] | None = None
    pos: list[str] | None = None


class GivenDocument(Strict):
    """A text, or `tokens` of one sentence, or several `sentences`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, json_schema_extra=_HAS_WORDS)

    id: Id | None = None
    text: str | None = Field(None, description="Raw text; beside `tokens` and `offsets`, the sentence as it was written.")
    tokens: list[Name] | None = None
    sentences: Annotated[list[GivenSentence], Field(min_length=1)] | None = None
    entities: list[GivenEntity] | None = Field(None, description="Left out: they are found. An empty list: there are none.")
    offsets: list[Span] | None = Field(None, description="Of each token in `text`, in characters, the end exclusive.")
    heads: list[Annotated[int, Field(ge=-1, le=_LARGEST)]] | None = Field(None, description="Head of each token, -1 for a root.")
    dependencies: list[str] | None = None
    pos: list[str] | None = None


class ExtractRequest(Strict):
    """Documents, and how to read them."""

    documents: Annotated[list[GivenDocument], Field(min_length=1)]
    model: str | None = Field(None, description="A name of /v1/models; left out: the first of them.")
    threshold: float | None = Field(None, description="In place of the model's own thresholds, in units of its scores (log-odds).")
    mode: Mode | None = Field(None, description="At most one relation a pair, or several; left out: the model's own.")
    all_scores: bool = Field(False, description="Also the scores of all pairs that were scored, in `pairs`.")
    with_tokens: bool = Field(False, description="Also the sentences and tokens of texts, and the tokens of each entity.")


class Described(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid")


class FoundEntity(Described):
    id: str | None
    sentence: int = Field(description="Number of its sentence in the document, from 0.")
    start: int = Field(description="In characters of `text`, or in tokens of the sentence (see `offsets` of the result).")
    end: int = Field(description="Exclusive.")
    type: str
    subtype: str | None
    text: str
    score: float | None = Field(description="Log-odds; null: the entity was given.")
    tokens: Span | None = Field(None, description="First token and the one after the last; only with `with_tokens`.")
    chars: Span | None = Field(None, description="Of given tokens with known text: characters of the document.")


class FoundRelation(Described):
    head: int = Field(description="Position in `entities`.")
    tail: int = Field(description="Position in `entities`.")
    type: str
    score: float = Field(description='Log-odds against "none".')
    probability: float | None = Field(description="Null: the model has no calibration.")
    head_span: Span = Field(description="Start and end of the head, as in `entities`.")
    tail_span: Span
    head_text: str
    tail_text: str


class ScoredPair(Described):
    head: int
    tail: int
    scores: list[float | None] = Field(description="One a relation, in the order of `labels`; null: the model's constraints forbid it.")
    probabilities: list[float | None] | None = Field(description="Null: the model has no calibration.")


class FoundSentence(Described):
    id: str
    tokens: list[str]
    offsets: list[Span] | None = Field(description="Of each token in the document's text; null: the text is unknown.")


class ExtractResult(Described):
    id: str
    text: str | None = Field(None, description="As it was given; only of documents with a text.")
    tokens: list[str] | None = Field(None, description="As they were given.")
    sentences: list[FoundSentence] | None = Field(None, description="Of given sentences, and with `with_tokens`.")
    offsets: Literal["characters", "tokens"] = Field(description="What start and end of entities count.")
    entities: list[FoundEntity]
    relations: list[FoundRelation]
    pairs: list[ScoredPair] | None = Field(None, description="Only with `all_scores`.")
    truncated: bool = Field(description="Whether a sentence was too long for the model, which then saw a part of it.")
    notes: list[str] = Field(description="What was left out or changed, and what the model does not know.")


class DecisionSummary(Described):
    mode: Mode
    threshold: float
    thresholds: dict[str, float] = Field(description="Of some relations, in place of the common one.")
    constraints: bool = Field(description="Whether a relation needs entity types that training had for it.")
    symmetric: list[str]
    inverse: dict[str, str]
    at_most: dict[str, dict[str, int]]
    calibration: str | None = Field(description="Method by which scores become probabilities.")


class ExtractAnswer(Described):
    model: str
    results: list[ExtractResult] = Field(description="One a document, in the order of the request.")
    labels: list[str] | None = Field(None, description="Relation types; only with `all_scores`.")
    decision: DecisionSummary | None = Field(None, description="What was taken of the scores; only with `all_scores`.")


class ServedModelSummary(Described):
    name: str
    default: bool = Field(description="Whether requests without `model` use it.")
    architecture: str
    relations: list[str]
    entity_types: list[str]
    finds_entities: bool = Field(description="Whether documents may leave out `entities`.")
    annotators: list[str] = Field(description="What completes sentences before the model reads them.")
    direction: Literal["directed", "undirected"] = Field(description="Undirected: head and tail stand in text order, which means nothing.")
    all_scores: bool = Field(description="Whether `all_scores` may be asked for.")
    window: int = Field(description="Sentences that are read together.")
    decision: DecisionSummary
    language: str | None = Field(description="Null: the model folder does not say.")
    licence: str | None = Field(description="Null: the model folder does not say.")
    data: str | None = Field(description="What it was trained on.")
    checksum: str | None = Field(description="Of the model folder as it was when the service started.")


class LimitsSummary(Described):
    max_kb: int
    max_documents: int
    max_tokens: int
    max_entities: int
    timeout: float


class ModelsAnswer(Described):
    models: list[ServedModelSummary]
    limits: LimitsSummary
    version: str = Field(description="Of relsift.")


class StatusAnswer(Described):
    status: str


class ErrorDetail(Described):
    code: str
    message: str
    where: str = Field(description="Place in the request, such as documents.0.tokens; empty: all of it.")


class ErrorAnswer(Described):
    error: ErrorDetail
