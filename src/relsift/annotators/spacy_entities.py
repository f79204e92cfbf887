"""Entities from a spaCy pipeline. spaCy is imported when the first sentence is read.

Where a sentence has offsets, the pipeline reads its text and cuts it into tokens as in its own training: "U.S." is one of them and four of
ours. An entity that ends inside one of our tokens is widened to the whole token and counted. Without offsets, the pipeline reads the
tokens of the sentence as they are.

Types are those of the pipeline. The id that an entity ruler or a linker gives to a mention becomes its subtype: ids of mentions differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from relsift.annotators.alignment import Mention, widened
from relsift.annotators.base import require_version, split_version
from relsift.annotators.entity_annotator import EntityAnnotator
from relsift.annotators.spacy_pipelines import installed_pipeline, is_other_script, pipeline_folder
from relsift.errors import ConfigError, DataError
from relsift.schema import Entity, Sentence

SENTENCES_AT_ONCE = 128  # read in one step of the pipeline
_FINDS = "doc.ents"  # what a component that finds entities says that it assigns
_RULERS = {"entity_ruler", "span_ruler"}  # their patterns may ask for what other components add
_UNUSED = {  # components that no finder of entities but a ruler needs
    "tagger", "morphologizer", "attribute_ruler", "lemmatizer", "trainable_lemmatizer", "parser", "senter", "sentencizer", "textcat",
    "textcat_multilabel",
}  # fmt: skip


class SpacyEntities(EntityAnnotator):
    """Entities from one spaCy pipeline, without overlaps.

    A sentence that is mostly in a script that the pipeline was not made for gets none, and is counted.
    """

    def __init__(self, name: str, version: str) -> None:
        """Args: name: as `spacy.load` takes it: an installed package, or a folder. version: of the pipeline."""
        super().__init__()
        self.name = name
        self.version = version

    @classmethod
    def named(cls, argument: str) -> SpacyEntities:
        """`name` or `name==version`; the pipeline is not loaded yet.

        Raises: ConfigError if spaCy or the pipeline is not installed, or has another version.
        """
        name, expected = split_version(argument)
        version, _ = installed_pipeline(name, "annotator spacy")
        require_version(f"spacy:{name}", expected=expected, got=version)
        return cls(name, version)

    @classmethod
    def path_of(cls, name: str) -> Path | None:
        return pipeline_folder(name)

    @property
    def spec(self) -> str:
        return f"spacy:{self.name}=={self.version}"

    def find(self, sentences: Sequence[Sentence]) -> Iterator[list[Entity]]:
        """Raises: ConfigError for a pipeline that does not load, or can find no entities; DataError for half a character in a text."""
        nlp = self._pipeline
        is_read = [not is_other_script(nlp, sentence.tokens) for sentence in sentences]
        docs = (_doc(nlp, sentence) for sentence, reads in zip(sentences, is_read) if reads)
        found = nlp.pipe(docs, batch_size=SENTENCES_AT_ONCE)
        for sentence, reads in zip(sentences, is_read):
            if reads:
                yield self._entities(sentence, next(found).ents)
            else:
                self.report.drop(f"sentences in a script that {self._place} does not read", f"sentence {sentence.id!r}")
                yield []

    def _entities(self, sentence: Sentence, spans: Iterable[Any]) -> list[Entity]:
        if sentence.offsets is None:
            return [Entity(span.start, span.end, span.label_, span.ent_id_ or None) for span in spans]
        mentions = (Mention(span.start_char, span.end_char, span.label_, span.ent_id_ or None) for span in spans)
        return widened(sentence, mentions, self._place, self.report)

    @property
    def _place(self) -> str:
        return f"spacy:{self.name}"

    @cached_property
    def _pipeline(self) -> Any:
        import spacy

        where = f"annotator {self._place}"
        try:
            nlp = spacy.load(self.name)
        except (OSError, ValueError, ImportError) as error:
            raise ConfigError(f"{where}: expected a spaCy pipeline that loads, got {' '.join(str(error).split())}") from error
        factories = {name: nlp.get_pipe_meta(name).factory for name in nlp.pipe_names}
        if not any(_finds_entities(nlp, name) for name in nlp.pipe_names):
            raise ConfigError(
                f"{where}: expected a pipeline with a component that finds entities, such as ner with types or entity_ruler with "
                f"patterns, got {', '.join(nlp.pipe_names) or 'an empty one'}; name another pipeline"
            )
        if not _RULERS.intersection(factories.values()):
            nlp.select_pipes(disable=[name for name, factory in factories.items() if factory in _UNUSED])
        return nlp


def _finds_entities(nlp: Any, name: str) -> bool:
    """Whether the component sets entities, of at least one type if it knows its types."""
    meta, component = nlp.get_pipe_meta(name), nlp.get_pipe(name)
    finds = _FINDS in meta.assigns or (meta.factory == "span_ruler" and component.annotate_ents)
    return bool(finds and getattr(component, "labels", (name,)))


def _doc(nlp: Any, sentence: Sentence) -> Any:
    try:
        sentence.text.encode()
    except UnicodeEncodeError as error:
        raise DataError(f"sentence {sentence.id!r}: expected whole characters, which spaCy needs, got {error.reason}") from error
    doc = _doc_of_tokens(nlp, sentence) if sentence.offsets is None else nlp.make_doc(sentence.text)
    for token in doc:
        token.is_sent_start = token.i == 0  # the one sentence stays one
    return doc


def _doc_of_tokens(nlp: Any, sentence: Sentence) -> Any:
    from spacy.tokens import Doc

    # spaCy refuses entities that begin or end with a blank token, so "_" replaces it here.
    words = ["_" if token.isspace() else token for token in sentence.tokens]
    spaces = [sentence.has_blank_before(number) for number in range(1, len(words))]
    return Doc(nlp.vocab, words=words, spaces=[*spaces, False])
