"""What an exported model computes, as `options` of its `model.json` say it.

All exportable architectures but one have this form: features of tokens, a convolution of every pair pooled over the tokens, further
features of the pair, layers, scores. `packed_markers` has states of markers in place of the first three. The description names the parts
that are there; the sizes follow from the weights.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from relsift.json_schema import Strict

Form = Literal["numpy", "onnx"]
FORMS: tuple[Form, ...] = ("numpy", "onnx")

Window = Annotated[int, Field(ge=1, le=1000)]  # tokens


class TokenSpec(Strict):
    """The features of a token: what is read of it, one after the other, and states of a BiLSTM over that."""

    source: Literal["words", "transformer"]
    added: bool = False  # words have a second table, to be added to the first one
    pooling: Literal["first", "last", "mean", "max"] = "mean"  # of a token's pieces, for a transformer
    tags: bool = False
    characters: bool = False
    cases: bool = False
    layers: Annotated[int, Field(ge=0, le=100)] = 0  # of the BiLSTM
    features: list[Literal["read", "states"]]


class ConvolutionSpec(Strict):
    """The convolution of every pair, and how it is pooled over the tokens."""

    windows: Annotated[list[Window], Field(min_length=1, max_length=100)]
    filters: Annotated[int, Field(ge=1)]  # per window
    max_distance: Annotated[int, Field(ge=1)]  # tokens
    # sentence: all tokens; pieces: three, cut behind either entity; between: from the first entity to the second;
    # crop: the same, and the convolution sees nothing beyond, nor more than the last `crop` tokens
    over: Literal["sentence", "pieces", "between", "crop"]
    crop: Annotated[int, Field(ge=1, le=1000)] | None = None  # tokens
    average: bool = False  # the mean after ReLU, beside the maximum
    activation: Literal["relu", "tanh"]


class MarkerSpec(Strict):
    """The markers of all pairs beside the text, in one pass of a transformer (see `relsift.models.packed_markers`)."""

    pieces: Annotated[int, Field(ge=1)]  # rows of the transformer's table; those of the markers follow
    tags: bool  # vectors of tags are added to the pieces
    type_pairs: bool  # a row for the two entity types


class ScoreSpec(Strict):
    """From the logits of a pair to its scores (see `relsift.layers.relation_classifier`)."""

    minus_none: bool  # the last column is "none" or a threshold; scores are differences to it
    identification: Literal["none", "product", "filter"] = "none"
    several_labels: bool = False  # whether the loss has several labels a pair, which *product* asks


class ModelSpec(Strict):
    """The whole model."""

    tokens: TokenSpec | None = None
    convolution: ConvolutionSpec | None = None
    markers: MarkerSpec | None = None  # in place of the two before and the three behind
    spans: bool = False  # the maxima of the token features over either entity
    types: bool = False  # a row for the two entity types
    between: bool = False  # rows for the numbers of tokens and of entities between the two
    layers: Annotated[list[Literal["relu", "gelu", "none"]], Field(max_length=10)]  # the activation of each linear layer
    scores: ScoreSpec

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        if any((part is None) == (self.markers is None) for part in (self.tokens, self.convolution)):
            raise ValueError("expected tokens and convolution, or markers")
        return self
