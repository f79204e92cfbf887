"""Strategies for raw text of many scripts, and what must hold of its sentences."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from relsift.schema import Sentence

PIECES = (
    "Ada", "Dr. Holm", "left", ".", "!", "? ", "5.5", " ", "\n", "\r\n", "\n\n", "\t", "\u3000", "\u2028", "\x85", "e\u0301", "\u0301",
    "😀", "👩‍🚀", "🇩🇪", "\u200b", "\ufeff", "张三在北京", "。", "，", "שלום", "مرحبا؟", "ไทย", "हिन्दी।", "don't",
    "http://x.y/z", "\x00", "A", "3.",
)  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join) | st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
TEXTS_OF_FILES = TEXTS.map(lambda text: text.replace("\x00", "").lstrip("\ufeff"))  # NUL is refused, and the first character is the mark


def assert_covers(text: str, sentences: Sequence[Sentence]) -> None:
    """Every character that is no blank is in exactly one token; tokens are the text at their offsets, in order."""
    last = 0
    for sentence in sentences:
        assert sentence.offsets is not None and not sentence.entities and sentence.relations is None
        for token, (start, end) in zip(sentence.tokens, sentence.offsets, strict=True):
            assert last <= start < end <= len(text) and text[start:end] == token
            assert token == token.strip()
            assert not text[last:start].strip()
            last = end
    assert not text[last:].strip()
    assert sum(not character.isspace() for sentence in sentences for token in sentence.tokens for character in token) == sum(
        not character.isspace() for character in text
    )
