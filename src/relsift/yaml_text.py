"""YAML as configurations use it: sections, lists, texts, numbers, true, false, null. All else is refused, not guessed.

Refused are a key twice in one section, keys that are no text, tags, more than `MOST_NODES` values (anchors that multiply) and nesting
deeper than `MOST_DEPTH`. A date is a text.
"""

from __future__ import annotations

from typing import Any

import yaml

MOST_NODES = 10_000  # values, those behind an anchor counted each time
MOST_DEPTH = 20  # sections and lists within one another
_TAG = "tag:yaml.org,2002:"
_KEYS = {f"{_TAG}str", f"{_TAG}merge"}
_VALUES = {_TAG + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


class _Loader(yaml.SafeLoader):
    """Dates stay texts."""

    yaml_implicit_resolvers = {  # noqa: RUF012 (of the base class)
        first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def decode(text: str) -> Any:
    """The value of a YAML text. Raises ValueError, in one line, for what is no YAML and for what the module's docstring says."""
    try:
        loader = _Loader(text)
    except yaml.YAMLError as error:  # a control character
        raise ValueError(" ".join(str(error).split())) from error
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        _check(node)
        return loader.construct_document(node)
    except yaml.YAMLError as error:
        raise ValueError(" ".join(str(error).split())) from error
    except RecursionError as error:
        raise ValueError(f"sections or lists more than {MOST_DEPTH} deep") from error
    finally:
        loader.dispose()


def _check(root: yaml.Node) -> None:
    nodes, seen = [(root, 1)], 0
    while nodes:
        node, depth = nodes.pop()
        line, seen = node.start_mark.line + 1, seen + 1
        if seen > MOST_NODES:
            raise ValueError(f"line {line}: more than {MOST_NODES} values, those behind anchors counted each time")
        if depth > MOST_DEPTH:
            raise ValueError(f"line {line}: sections or lists more than {MOST_DEPTH} deep")
        if node.tag not in _VALUES:
            raise ValueError(f"line {line}: the tag {node.tag.removeprefix(_TAG)!r}; write the value without it")
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            nodes += [(value, depth + 1) for _, value in node.value]
        elif isinstance(node, yaml.SequenceNode):
            nodes += [(item, depth + 1) for item in node.value]


def _check_keys(section: yaml.MappingNode) -> None:
    names: set[str] = set()
    for key, _ in section.value:
        line = key.start_mark.line + 1
        if key.tag not in _KEYS:
            raise ValueError(f"line {line}: {str(key.value)[:40]!r} as a key; write a name, in quotes if it looks like another value")
        if key.value in names:
            raise ValueError(f"line {line}: the key {key.value[:40]!r} twice in one section")
        names.add(key.value)
