"""Relations as a graph of networkx, for GraphML and GEXF. All of it is held in memory. Needs networkx."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from relsift.errors import ConfigError
from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.graph import graph, identifier
from relsift.writers.names import xml_text

if TYPE_CHECKING:
    import networkx


def network(documents: Iterable[Document], name: str, nodes: str, left_out: Omissions) -> networkx.MultiDiGraph[str]:
    """Nodes have `label` and `entity_type`; edges `label`, the relation, and `relsift.writers.graph.PROPERTIES`.

    Args: name: of the format, for messages. nodes: see `relsift.writers.graph`.
    Raises: ConfigError if networkx is not installed.
    """
    try:
        import networkx
    except ImportError as error:
        raise ConfigError(f"{name}: expected networkx to write it, got no such package: pip install 'relsift[graph]'") from error

    def safe(value: Any) -> Any:
        return xml_text(value, "the graph", left_out) if isinstance(value, str) else value

    result: networkx.MultiDiGraph[str] = networkx.MultiDiGraph()
    for found, edges in graph(documents, nodes):
        for node in found:
            key = safe(identifier(node.key))
            if key not in result:
                result.add_node(key, label=safe(node.name), entity_type=safe(node.type))
        for edge in edges:
            head, tail = safe(identifier(edge.head)), safe(identifier(edge.tail))
            properties = {name: safe(value) for name, value in edge.properties.items()}
            result.add_edge(head, tail, key=safe(identifier(edge.key)), label=safe(edge.type), relation=safe(edge.type), **properties)
    return result
