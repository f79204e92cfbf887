"""Raw text: from a text of any length to sentences with tokens and offsets, without annotation.

A text of about `PIECE` characters or fewer becomes one document with its text. A longer one is read piece by piece and never held as a
whole: it becomes several documents of one id, whose sentences are numbered through. Their offsets count from the beginning of the whole
text. A piece ends at a blank line if there is one, otherwise before a sentence that does not end well before the end of what was read.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.encodings import UTF8, line_at
from relsift.readers.likely_encoding import encoding_hint
from relsift.schema import Document, Sentence
from relsift.sentences import split_sentences
from relsift.text import Span, tokenise
from relsift.token_text import is_cjk

Split = Callable[[str], list[Sentence]]  # from a text to its sentences, in order, whose offsets count from its beginning

PIECE = 1 << 18  # characters of a text that are split into sentences together
LONGEST_SENTENCE = 1000  # tokens; a table or a list without full stops would be one endless sentence
_LONGEST_WORD = 4 * PIECE  # characters without any place to cut
_UNSURE = 200  # last characters of what was read: whether a sentence ends there may depend on what follows
_CHUNK = 1 << 16  # bytes read at once
BLANK_LINE = re.compile(r"\r?\n[^\S\n]*\n\s*|\r[^\S\r\n]*\r\s*")
_SURROGATE = re.compile("[\ud800-\udfff]")
EMPTY_TEXTS = "empty texts (kept, as documents without sentences)"


def sentence_of(text: str, number: int, tokens: Sequence[Span]) -> Sentence:
    """The sentence of these tokens, half-open spans in `text`."""
    return Sentence(str(number), tuple([text[start:end] for start, end in tokens]), offsets=tuple(tokens))


def tokenised(text: str, spans: Iterable[Span]) -> list[Sentence]:
    """The sentences at these spans of a text, with relsift's own tokens; blank spans are left out."""
    tokens = ([(a + start, b + start) for a, b in tokenise(text[start:end])] for start, end in spans)
    return [sentence_of(text, number, those) for number, those in enumerate(filter(None, tokens))]


def split_by_rules(text: str, *, wrapped: bool = False) -> list[Sentence]:
    """The sentences by the rules of `relsift.sentences`, with relsift's own tokens. wrapped: see `split_sentences`."""
    return tokenised(text, split_sentences(text, wrapped=wrapped))


def documents_of(key: str, chunks: Iterable[str], split: Split, report: ReadReport, where: str) -> Iterator[Document]:
    """The documents of one text that comes in chunks (see the top of this module), one without sentences if it is blank.

    Args: key: the id of the documents, and of the sentences with `-NUMBER` behind it. where: the place of the text, for messages.
    Raises: DataError for a word of a million characters or more.
    Counts: blank texts, cuts inside sentences of more than `LONGEST_SENTENCE` tokens.
    """
    number, is_whole = 0, False
    for is_whole, start, piece, sentences in _pieces(chunks, split, where):
        numbered = []
        for sentence, is_cut in sentences:
            name = f"{key}-{number}"
            if is_cut:
                report.drop(f"cuts inside sentences of more than {LONGEST_SENTENCE} tokens", f"{where}: after sentence {name!r}")
            numbered.append(_placed(sentence, name, key, piece, start))
            number += 1
        if numbered or is_whole:
            yield Document(key, tuple(numbered), piece if is_whole else None)
    if not number:
        report.drop(EMPTY_TEXTS, where)
        if not is_whole:
            yield Document(key, ())


def text_chunks(stream: Iterable[bytes], name: str, encoding: str = UTF8) -> Iterator[str]:
    """The text of bytes that come in chunks, with its own line ends, without a byte-order mark.

    Args: name: of the file, for messages.
    Raises: DataError as `relsift.readers.encodings.decode` does.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    line, is_first = 1, True
    for data in chain(stream, (b"",)):
        try:
            if is_first and codecs.lookup(encoding).name != UTF8 and data.startswith(codecs.BOM_UTF8):
                raise DataError(
                    f"{name}:1: expected {encoding.upper()} text, got the byte-order mark of UTF-8; leave the option `encoding` out"
                )
            text = decoder.decode(data, final=not data)
        except UnicodeDecodeError as error:
            number = line + line_at(error.object[: error.start].decode("latin-1")) - 1
            got = f"byte 0x{error.object[error.start]:02x}" if error.start < len(error.object) else "the end of the file"
            hint = encoding_hint(error.object, Path(name))
            raise DataError(f"{name}:{number}: expected {encoding.upper()} text, got {got}; {hint}") from error
        except UnicodeError as error:
            raise DataError(f"{name}:{line}: expected {encoding.upper()} text, got {error}; {encoding_hint(data, Path(name))}") from error
        if is_first and text:
            text, is_first = text.removeprefix("\ufeff"), False
        if "\0" in text:
            number = line + line_at(text[: text.index("\0")]) - 1
            raise DataError(f"{name}:{number}: expected text, got the character U+0000; {encoding_hint(data, Path(name))}")
        if encoding != UTF8 and (half := _SURROGATE.search(text)) is not None:
            number = line + line_at(text[: half.start()]) - 1
            raise DataError(f"{name}:{number}: expected whole characters, got half of one, the lone surrogate {half.group()!a}")
        line += line_at(text) - 1
        yield text


def file_chunks(file: Path, encoding: str = UTF8) -> Iterator[str]:
    """`text_chunks` of a file, which is never in memory as a whole. Raises DataError if it cannot be read."""
    try:
        with file.open("rb") as stream:
            yield from text_chunks(iter(lambda: stream.read(_CHUNK), b""), str(file), encoding)
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


# A sentence, and whether it was cut off inside one that is too long.
_Part = tuple[Sentence, bool]


def _pieces(chunks: Iterable[str], split: Split, where: str) -> Iterator[tuple[bool, int, str, list[_Part]]]:
    """Of each piece: whether it is the whole text, where it starts in it, its text, its sentences."""
    start, least = 0, PIECE
    held: list[str] = []
    size = 0
    for chunk in chain(chunks, (None,)):
        if chunk is not None:
            held.append(chunk)
            size += len(chunk)
            if size <= least:
                continue
        text = "".join(held)
        if chunk is None:
            yield not start, start, text, _split(text, split, where)
            return
        end, sentences = _complete(text, split, where)
        if end:
            yield False, start, text[:end], sentences
        elif size > _LONGEST_WORD:
            raise DataError(
                f"{where}: expected words of fewer than {_LONGEST_WORD} characters, got a longer one at character {start}: {text[:40]!r}; "
                "is this text?"
            )
        start, text = start + end, text[end:]
        held, size = [text], len(text)
        least = PIECE if end else size + PIECE


def _complete(text: str, split: Split, where: str) -> tuple[int, list[_Part]]:
    """The sentences at the beginning of a text that do not depend on what follows, and where the rest starts; 0: there are none."""
    ends = [match.end() for match in BLANK_LINE.finditer(text, PIECE // 2) if match.end() < len(text)]
    if ends:
        return ends[-1], _split(text[: ends[-1]], split, where)
    parts = _split(text, split, where)
    if not parts:
        return len(text), []
    sure = len(text) - _UNSURE
    most = sum(1 for sentence, _ in parts if _extent(sentence)[1] <= sure)
    if most == 0:
        return 0, []
    count = next((count for count in range(most, 0, -1) if count == len(parts) or _begins_with_word(parts[count][0])), most)
    rest = _extent(parts[count][0])[0] if count < len(parts) else _extent(parts[-1][0])[1]
    return rest, parts[:count]


def _begins_with_word(sentence: Sentence) -> bool:
    """Whether rules can tell its end without what stands before it: not "3. Mai", which may be a number in a list, nor "B. Holm"."""
    first = sentence.tokens[0]
    return first.isalpha() and (len(first) > 1 or is_cjk(first))


def _split(text: str, split: Split, where: str) -> list[_Part]:
    try:
        sentences = split(text)
    except DataError as error:
        raise error if str(error).startswith(where) else DataError(f"{where}: {error}") from error
    return [part for sentence in sentences for part in _bounded(sentence)]


def _bounded(sentence: Sentence) -> Iterator[_Part]:
    """The sentence, in parts if it is too long. They end, if possible, after a token without letters and digits, and inside no word."""
    tokens, offsets, start = sentence.tokens, sentence.offsets or (), 0
    while len(tokens) - start > LONGEST_SENTENCE:
        limit = start + LONGEST_SENTENCE
        marks = (end for end in range(limit, start + LONGEST_SENTENCE // 2, -1) if not any(map(str.isalnum, tokens[end - 1])))
        end = next(marks, limit)
        yield Sentence(sentence.id, tokens[start:end], offsets=offsets[start:end]), True
        start = end
    yield (Sentence(sentence.id, tokens[start:], offsets=offsets[start:]) if start else sentence), False


def _extent(sentence: Sentence) -> Span:
    offsets = sentence.offsets or ()
    return offsets[0][0], offsets[-1][1]


def _placed(sentence: Sentence, name: str, doc_id: str, piece: str, start: int) -> Sentence:
    """The sentence in the whole text, of which `piece` begins at `start`."""
    offsets = sentence.offsets or ()
    original = piece[offsets[0][0] : offsets[-1][1]]
    moved = tuple([(a + start, b + start) for a, b in offsets]) if start else offsets
    return Sentence(name, sentence.tokens, doc_id=doc_id, offsets=moved, original=original)
