"""Tokens as readable text, where the original text is unknown; and which characters are Chinese."""

from __future__ import annotations

from collections.abc import Iterable

_IDEOGRAPHIC_SPACE = "\u3000"
_CLOSING = frozenset(",.;:!?%)]}’”")  # a token of these alone stands close to the word before it
_CLITICS = frozenset(("'s", "n't", "'re", "'ve", "'ll", "'d", "'m", "''", "-RRB-", "-RSB-"))  # as treebanks cut and write them
_OPENING = frozenset((*"([{“‘$£€", "``", "-LRB-", "-LSB-"))  # stands close to the word after it


def join_tokens(tokens: Iterable[str]) -> str:
    """Tokens as readable text, for tokens whose original text is unknown: no blank before a comma, after a bracket, inside Chinese."""
    text, before = "", ""
    for token in tokens:
        text += f" {token}" if before and has_blank_between(before, token) else token
        before = token
    return text


def has_blank_between(left: str, right: str) -> bool:
    """Whether a blank stands between two tokens in print."""
    if left[-1].isspace() or right[0].isspace():
        return False
    if (is_cjk(left[-1]) and is_cjk(right[0])) or _is_wide_mark(left[-1]) or _is_wide_mark(right[0]):
        return False
    return not (_CLOSING.issuperset(right) or right in _CLITICS or left in _OPENING)


def _is_wide_mark(character: str) -> bool:
    """Full-width punctuation, which has its own blank inside."""
    return is_cjk(character) and not character.isalnum()


def is_cjk(character: str) -> bool:
    """Whether it is a Chinese ideograph or full-width punctuation; the full-width blank is none."""
    return (
        "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\uff00" <= character <= "\uffef"
        or "\U00020000" <= character <= "\U0003ffff"
    ) and character != _IDEOGRAPHIC_SPACE  # fmt: skip
