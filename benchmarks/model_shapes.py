"""What the figures of `model_figures` show: the parts of every model, row by row, with the sizes of its first preset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FIRST_TOKEN = "t0"
Kind = Literal["input", "layer", "answer", "training", "head", "tail", "entity", "text"]


@dataclass(frozen=True)
class Box:
    """kind: of a token `text`, or whose entity it is; else what a part is for. `training`: a task that only training has."""

    name: str
    text: str
    kind: Kind = "layer"

    @property
    def lines(self) -> list[str]:
        return self.text.split("\n")


@dataclass(frozen=True)
class Shape:
    """shows: the words for a reader without pictures. arrows: names of boxes."""

    model: str
    shows: str
    rows: tuple[tuple[Box, ...], ...]
    arrows: tuple[tuple[str, str], ...]


def tokens(*, marked: bool = True) -> tuple[Box, ...]:
    """The example sentence. Args: marked: whether its entities are given: a head, a tail and a third one."""
    kinds: list[Kind] = ["head", "head", "text", "tail", "tail", "text", "entity"] if marked else ["text"] * 7
    words = ("Ada", "Byron", "joined", "Acme", "Ltd", "in", "Oslo")
    return tuple(Box(f"t{n}", word, kind) for n, (word, kind) in enumerate(zip(words, kinds)))


def inputs(word: int, tag: int, distance: int) -> tuple[Box, ...]:
    """Of a token, for one pair."""
    return (
        Box("word", f"word\n{word}", "input"), Box("tag", f"tag of all entities\n{tag}", "input"),
        Box("head", f"distance to the head\n{distance}", "input"), Box("tail", f"distance to the tail\n{distance}", "input"),
    )  # fmt: skip


def to(target: str, *sources: str) -> tuple[tuple[str, str], ...]:
    return tuple((source, target) for source in sources)


OF_TOKEN = (("t1", "word"), ("t2", "tag"), ("t4", "head"), ("t5", "tail"))
FOUR = ("word", "tag", "head", "tail")
SOFTMAX = Box("answer", 'softmax: one of the relations, or "no relation"', "answer")
RELATED = Box("related", "is there any relation?\nin training only", "training")

CONVOLUTIONS = (
    Shape(
        "multitask_cnn",
        "The tokens of a sentence become word, tag and two distances; a convolution of seven windows and a maximum give the pair's vector, "
        "from which a hidden layer answers two questions: which relation, and is there any.",
        (tokens(), inputs(200, 50, 50), (Box("conv", "convolution: windows of 4 to 10 tokens, 64 filters each, ReLU"),),
         (Box("max", "maximum over the sentence\n448"),), (Box("hidden", "hidden layer\n128"),),
         (Box("answer", "which relation?\na score each, ranking loss", "answer"), RELATED)),
        (*OF_TOKEN, *to("conv", *FOUR), ("conv", "max"), ("max", "hidden"), ("hidden", "answer"), ("hidden", "related")),
    ),
    Shape(
        "multiwindow_cnn",
        "The tokens of a sentence become word, tag and two distances; a convolution of four windows, a maximum over the sentence and a "
        'softmax choose a relation or "no relation".',
        (tokens(), inputs(300, 50, 50), (Box("conv", "convolution: windows of 2 to 5 tokens, 150 filters each, tanh"),),
         (Box("max", "maximum over the sentence\n600"),), (SOFTMAX,)),
        (*OF_TOKEN, *to("conv", *FOUR), ("conv", "max"), ("max", "answer")),
    ),
    Shape(
        "cr_cnn",
        "The tokens of a sentence become word, tag and two distances; a convolution of one window and a maximum give the pair's vector, "
        "which has a score with each relation's own vector.",
        (tokens(), inputs(400, 50, 70), (Box("conv", "convolution: a window of 3 tokens, 1000 filters, tanh"),),
         (Box("max", "maximum over the sentence\n1000"),),
         (Box("answer", "one score a relation, learned by ranking\nall below 0: no relation", "answer"),)),
        (*OF_TOKEN, *to("conv", *FOUR), ("conv", "max"), ("max", "answer")),
    ),
    Shape(
        "pcnn",
        "The tokens of a sentence become word, tag and two distances; a convolution, then one maximum over each of three pieces of the "
        'sentence, and a softmax over the relations and "no relation".',
        (tokens(), inputs(50, 50, 5), (Box("conv", "convolution: a window of 3 tokens, 230 filters"),),
         (Box("one", "maximum up to the end\nof the first entity, 230"), Box("two", "maximum up to the end\nof the second, 230"),
          Box("three", "maximum over\nthe rest, 230")), (SOFTMAX,)),
        (*OF_TOKEN, *to("conv", *FOUR), ("conv", "one"), ("conv", "two"), ("conv", "three"), *to("answer", "one", "two", "three")),
    ),
    Shape(
        "bilstm_pcnn",
        "A BiLSTM reads word, tag, characters and case of each token once a sentence. Above it each pair has a convolution with three "
        "maxima, the maxima over both entities, their types and what is between. A hidden layer answers which relations hold.",
        (tokens(), (Box("word", "word\n100", "input"), Box("tag", "tag of all entities\n30", "input"),
                    Box("letters", "characters\n32", "input"), Box("case", "case\n8", "input")),
         (Box("lstm", "BiLSTM, 96 units a direction: once a sentence"),),
         (Box("conv", "convolution with both\ndistances, 3 tokens"), Box("spans", "maxima over head\nand tail, 2 × 192"),
          Box("types", "pair of types\n50", "input"), Box("gap", "tokens and entities\nbetween, 2 × 20", "input")),
         (Box("max", "maxima over three pieces\n3 × 128"), Box("hidden", "hidden layer\n256")),
         (Box("answer", "which relations? scores\nagainst the pair's own threshold", "answer"), RELATED)),
        (("t1", "word"), ("t2", "tag"), ("t4", "letters"), ("t5", "case"), *to("lstm", "word", "tag", "letters", "case"),
         ("lstm", "conv"), ("lstm", "spans"), ("conv", "max"), ("max", "hidden"), *to("hidden", "spans", "types", "gap"),
         ("hidden", "answer"), ("hidden", "related")),
    ),
)  # fmt: skip

OTHERS_ON_WORDS = (
    Shape(
        "eatt_bigru",
        "A bidirectional GRU reads word, tag and distances of each token; a query made of the two entities' words weighs its states by "
        "attention; their weighted sum goes to a softmax.",
        (tokens(), (Box("mean", "mean words of head\nand tail, 2 × 200", "input"), Box("word", "word\n200", "input"),
                    Box("tag", "tag of all\nentities, 50", "input"), Box("head", "distances to head\nand tail, 2 × 10", "input")),
         (Box("query", "query: what the pair\nasks for, 200"), Box("gru", "bidirectional GRU, 100 units a direction")),
         (Box("attention", "attention: softmax over the tokens of query · state"),), (Box("sum", "weighted sum of the states\n200"),),
         (SOFTMAX,)),
        (("t0", "mean"), ("t2", "word"), ("t4", "tag"), ("t6", "head"), ("mean", "query"), *to("gru", "word", "tag", "head"),
         ("query", "attention"), ("gru", "attention"), ("attention", "sum"), ("sum", "answer")),
    ),
    Shape(
        "sptree",
        "A sequence LSTM reads the sentence; a tree LSTM runs on the dependency path between both entities, up to their lowest common "
        "ancestor and down again; its states and those of the entities give the pair's vector.",
        (tokens(), (Box("word", "word\n200", "input"), Box("pos", "part of speech\n25", "input")),
         (Box("lstm", "sequence LSTM, 100 units a direction: once a sentence"),),
         (Box("one", "Byron", "head"), Box("top", "joined", "text"), Box("two", "Ltd", "tail")),
         (Box("up", "tree LSTM up: from both\nentities to the top of their path"),
          Box("down", "tree LSTM down: from the top\nto both entities")),
         (Box("hidden", "states of the path and of both entities → hidden layer, 100"),),
         (Box("answer", 'softmax: a relation from head to tail, one back, or "none"; read in both orders', "answer"),)),
        (("t1", "word"), ("t4", "pos"), *to("lstm", "word", "pos"), *to("top", "lstm"), ("one", "top"), ("two", "top"),
         ("one", "up"), ("two", "down"), ("up", "hidden"), ("down", "hidden"), ("hidden", "answer")),
    ),
    Shape(
        "walk",
        "A BiLSTM reads the sentence; each ordered pair of entities is an edge made of both entities and of attention over the rest; walks "
        "over third entities are added to it, and a softmax classifies the edge.",
        (tokens(), (Box("word", "word\n200", "input"), Box("tag", "tag of all entities\n50", "input")),
         (Box("lstm", "BiLSTM, 100 units a direction: once a sentence"),),
         (Box("one", "Ada Byron", "head"), Box("three", "Oslo", "entity"), Box("two", "Acme Ltd", "tail")),
         (Box("edge", "an edge for each ordered pair: both entities with their types,\nplaces, and attention over all other words, 100"),),
         (Box("walks", "walks: from head to tail over each third entity,\nup to 4 edges"),),
         (Box("answer", 'softmax: a relation from head to tail, one back, or "none"; read in both orders', "answer"),)),
        (("t1", "word"), ("t4", "tag"), *to("lstm", "word", "tag"), ("lstm", "one"), ("lstm", "two"), ("lstm", "three"),
         ("one", "three"), ("three", "two"), *to("edge", "one", "two", "three"), ("edge", "walks"), ("walks", "answer")),
    ),
    Shape(
        "type_prior",
        "The types of head and tail, and their combination, each one number of a table, go to a softmax; no word is read.",
        (tokens(), (Box("head", "type of the head", "input"), Box("both", "combination of types", "input"),
                    Box("tail", "type of the tail", "input")), (SOFTMAX,)),
        (("t1", "head"), ("t1", "both"), ("t3", "both"), ("t4", "tail"), *to("answer", "head", "both", "tail")),
    ),
)  # fmt: skip


def marked_text() -> tuple[Box, ...]:
    words: tuple[tuple[str, Kind], ...] = (
        ("<PER>", "head"), ("Ada", "text"), ("Byron", "text"), ("</PER>", "head"), ("joined", "text"), ("<ORG>", "tail"),
        ("Acme", "text"), ("Ltd", "text"), ("</ORG>", "tail"), ("in", "text"), ("Oslo", "text"),
    )  # fmt: skip
    return tuple(Box(f"t{n}", word, kind) for n, (word, kind) in enumerate(words))


ON_A_TRANSFORMER = (
    Shape(
        "typed_markers",
        "Markers with the types of head and tail stand in the text of a pair; a transformer reads it, once a pair, and the states of the "
        'two opening markers go to a softmax over the relations and "no relation".',
        (marked_text(), (Box("transformer", "transformer: once for every pair"),),
         (Box("head", "state of the marker\nbefore the head", "head"), Box("tail", "state of the marker\nbefore the tail", "tail")),
         (Box("norm", "layer norm, dropout"),), (SOFTMAX,)),
        (("t0", "transformer"), ("t4", "transformer"), ("t5", "transformer"), ("transformer", "head"), ("transformer", "tail"),
         *to("norm", "head", "tail"), ("norm", "answer")),
    ),
    Shape(
        "packed_markers",
        "A transformer reads the text once; the four markers of each pair stand beside it and see the text and one another; their states, "
        "the distance and the pair of types give scores of the relations in both directions.",
        (tokens(), (Box("text", "text with the tags of all entities", "input"), Box("m1", "A /A  B /B", "head"),
                    Box("m2", "A /A  C /C", "head"), Box("m3", "B /B  C /C", "tail")),
         (Box("transformer", "transformer, once a sentence: text sees text only,\nfour markers see the text and one another"),),
         (Box("states", "[A; /A; B; /B; A ⊙ B]\nlayer norm"), Box("gap", "distance\n32", "input"),
          Box("types", "pair of types\n64", "input")), (Box("hidden", "hidden layer\n512"),),
         (Box("answer", "relations from A to B, from B to A,\nand a threshold for both", "answer"), RELATED)),
        (("t1", "text"), ("t3", "m1"), ("t4", "m2"), ("t6", "m3"), *to("transformer", "text", "m1", "m2", "m3"), ("transformer", "states"),
         *to("hidden", "states", "gap", "types"), ("hidden", "answer"), ("hidden", "related")),
    ),
)  # fmt: skip

JOINT = (
    Shape(
        "pipeline",
        "A tagger with an encoder and a CRF finds the entities of a sentence; a model of pairs with an encoder of its own relates them.",
        (tokens(marked=False), (Box("encoder", "encoder of the tagger"),), (Box("hidden", "hidden layer, 128"),),
         (Box("crf", "CRF: the best sequence of BIO tags"),),
         (Box("found", "entities found: Ada Byron PER,\nAcme Ltd ORG, Oslo LOC", "answer"), Box("other", "another encoder")),
         (Box("model", "any model of pairs: bilstm_pcnn, packed_markers, …"),),
         (Box("answer", "relations between the entities found", "answer"),)),
        (("t3", "encoder"), ("t6", "other"), ("encoder", "hidden"), ("hidden", "crf"), ("crf", "found"), *to("model", "found", "other"),
         ("model", "answer")),
    ),
    Shape(
        "spert",
        "A transformer reads the sentence; every span of up to ten tokens is classified as an entity type or none; each pair of the "
        "entities found is classified from what stands between and from both.",
        (tokens(marked=False), (Box("transformer", "transformer: once a sentence"),),
         (Box("context", "context\nvector"), Box("max", "maximum over the\ntokens of a span"),
          Box("width", "width of the\nspan, 25", "input")),
         (Box("span", "every span of up to 10 tokens: an entity type, or none", "answer"),),
         (Box("between", "maximum over what\nstands between two"), Box("ends", "maximum and width\nof head and of tail")),
         (Box("answer", "a sigmoid for each relation", "answer"),)),
        (("t3", "transformer"), ("transformer", "context"), ("transformer", "max"), *to("span", "context", "max", "width"),
         ("span", "ends"), ("span", "between"), *to("answer", "between", "ends")),
    ),
    Shape(
        "spert_mt",
        "Spans are classified as in SpERT, with three further tasks in training: entity or not, overlap with an entity, related or not; "
        "the entity logits of head and tail are features of a pair.",
        (tokens(marked=False), (Box("transformer", "transformer: once a sentence"),),
         (Box("vector", "every span: context vector, maximum over its tokens, width"),),
         (Box("types", "type, or none", "answer"), Box("boundary", "entity or not?\nin training only", "training"),
          Box("iou", "share in common with\nan entity, in training", "training")),
         (Box("logits", "logits of the types\nof head and tail"), Box("pair", "what stands between,\nmaxima and widths of both")),
         (Box("answer", "a sigmoid for each relation", "answer"), Box("related", "related or not?\nin training only", "training"))),
        (("t3", "transformer"), ("transformer", "vector"), *to("types", "vector"), ("vector", "boundary"), ("vector", "iou"),
         ("types", "logits"), *to("answer", "logits", "pair"), *to("related", "pair")),
    ),
    Shape(
        "joint_birnn",
        "Word, characters and case go through a shared BiRNN, then through one more BiRNN and a CRF for entities, and through two more "
        "BiRNNs for relations. A pair is both last tokens, their cosine and a product for each relation.",
        (tokens(marked=False), (Box("word", "word\n300", "input"), Box("letters", "characters\n32", "input"),
                                 Box("case", "case\n8", "input")),
         (Box("shared", "shared BiRNN, 256 units a direction"),),
         (Box("ner", "BiRNN for entities"), Box("re", "two BiRNNs for relations")),
         (Box("crf", "hidden layer, CRF:\nthe best BIO tags", "answer"), Box("ends", "last token and type\nof head and of tail")),
         (Box("pair", "both made small (128), their cosine, and a product for each relation (DistMult)"),),
         (Box("answer", "a sigmoid for each relation", "answer"),)),
        (("t1", "word"), ("t3", "letters"), ("t5", "case"), *to("shared", "word", "letters", "case"), ("shared", "ner"), ("shared", "re"),
         ("ner", "crf"), ("re", "ends"), ("crf", "ends"), ("ends", "pair"), ("pair", "answer")),
    ),
)  # fmt: skip

SHAPES = (*CONVOLUTIONS, *OTHERS_ON_WORDS, *ON_A_TRANSFORMER, *JOINT)
