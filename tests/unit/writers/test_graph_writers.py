"""Graphs and tables, read back by the libraries that others would read them with."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings

from relsift.errors import ConfigError
from relsift.omissions import Omissions
from relsift.registry import find
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.writers.base import write_documents
from relsift.writers.names import UniqueNames, file_name, word
from relsift.writers.rows import COLUMNS
from strategies import documents

TEXT = 'Ada Kern founded =Acme.\nADA  KERN, "a;b", left.'
FIRST = Sentence(
    "d-0", ("Ada", "Kern", "founded", "=Acme", "."), (Entity(0, 2, "PER"), Entity(3, 4, "ORG")), (Relation(0, 1, "founded", 2.0, 0.88),),
    "d", ((0, 3), (4, 8), (9, 16), (17, 22), (22, 23)),
)  # fmt: skip
SECOND = Sentence(
    "d-1", ("ADA", "KERN", ",", '"a;b"', ",", "left", "."), (Entity(0, 2, "PER"), Entity(3, 4, "x;y")),
    (Relation(1, 0, "is/of"), Relation(0, 1, "it's `so`", -1.5, 0.1)), "d",
    ((24, 27), (29, 33), (33, 34), (35, 40), (40, 41), (42, 46), (46, 47)),
)  # fmt: skip
DOCUMENT = Document("d", (FIRST, SECOND), TEXT)
EXAMPLE = "https://example.org/"


def written(name: str, target: Path, *some: Document, options: str | None = None) -> Omissions:
    left_out = Omissions()
    write_documents(find("writer", name).with_options(options), some or [DOCUMENT], target, left_out)
    return left_out


# ---- tables


def test_rows_of_csv_are_read_back_by_the_standard_library(tmp_path: Path):
    left_out = written("csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [*COLUMNS, "text"]
    assert rows[0] == {
        "document": "d", "sentence": "0", "head_text": "Ada Kern", "head_type": "PER", "head_start": "0", "head_end": "8", "head_score": "",
        "relation": "founded", "tail_text": "'=Acme", "tail_type": "ORG", "tail_start": "17", "tail_end": "22", "tail_score": "",
        "score": "2.0", "probability": "0.88", "text": "Ada Kern founded =Acme.",
    }  # fmt: skip
    assert (rows[1]["head_text"], rows[1]["tail_text"], rows[1]["score"]) == ('"a;b"', "ADA  KERN", "")
    assert rows[2]["score"] == "-1.5"  # a number is no formula
    assert left_out.dropped["texts that a spreadsheet takes for a formula (written with an apostrophe before them)"] == 1


def test_a_carriage_return_is_part_of_its_cell(tmp_path: Path):
    sentence = Sentence("s", ("a\rb", "c"), (Entity(0, 1, "X"), Entity(1, 2, "Y")), (Relation(0, 1, "r"),))
    written("csv", tmp_path / "a.csv", Document("d", (sentence,)))
    assert (tmp_path / "a.csv").read_bytes().splitlines()[0].endswith(b",text")
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        (row,) = csv.DictReader(stream)
    assert row["head_text"] == "a\rb"


@settings(max_examples=25, deadline=None)
@given(document=documents())
def test_any_text_stands_in_csv_as_it_is_if_formulas_are_kept(document: Document, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / "any.csv"
    written("csv", file, document, options="formulas=kept")
    with file.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["head_text"], row["relation"], row["tail_text"]) for row in rows] == [
        (one.head.text, one.type, one.tail.text) for one in document.relations
    ]
    written("csv", file, document)
    with file.open(encoding="utf-8", newline="") as stream:
        assert not [cell for row in csv.reader(stream) for cell in row if cell.startswith(("=", "@", "+", "\t", "\r", "\n"))]


def test_parquet_has_the_same_rows_with_their_types(tmp_path: Path):
    pytest.importorskip("pyarrow")
    from pyarrow import parquet

    written("parquet", tmp_path / "a.parquet")
    table = parquet.read_table(tmp_path / "a.parquet")
    assert table.column_names == [*COLUMNS, "text"]
    assert table.column("tail_text").to_pylist() == ["=Acme", "ADA  KERN", '"a;b"']
    assert table.column("head_start").to_pylist() == [0, 35, 24]
    assert table.column("probability").to_pylist() == [0.88, None, 0.1]
    written("parquet", tmp_path / "none.parquet", Document("n", ()))
    assert parquet.read_table(tmp_path / "none.parquet").schema == table.schema


# ---- RDF


@pytest.mark.parametrize(("name", "format"), [("turtle", "turtle"), ("jsonld", "json-ld")])
def test_triples_and_their_sources_are_read_back_by_rdflib(name: str, format: str, tmp_path: Path):
    rdflib = pytest.importorskip("rdflib")
    written(name, tmp_path / "graph")
    graph = rdflib.Graph().parse(tmp_path / "graph", format=format)
    ada, acme = rdflib.URIRef(f"{EXAMPLE}entity/PER/ada%20kern"), rdflib.URIRef(f"{EXAMPLE}entity/ORG/%3Dacme")
    assert (ada, rdflib.URIRef(f"{EXAMPLE}relation-type/founded"), acme) in graph
    assert {str(label) for label in graph.objects(ada, rdflib.RDFS.label)} == {"Ada Kern", "ADA  KERN"}  # one node for both
    query = """
        PREFIX rs: <https://example.org/vocabulary/>
        SELECT ?start ?end ?probability ?text WHERE {
            ?statement a rdf:Statement ; rdf:subject ?head ; rdf:predicate ?relation ; rs:headStart ?start ; rs:headEnd ?end ;
                rs:probability ?probability ; rs:text ?text . FILTER(STRENDS(STR(?relation), "founded")) }"""
    (row,) = graph.query(query)
    assert [value.toPython() for value in row] == [0, 8, 0.88, "Ada Kern founded =Acme."]


@settings(max_examples=15, deadline=None)
@given(document=documents())
def test_any_document_is_the_same_graph_in_turtle_and_in_jsonld(document: Document, tmp_path_factory: pytest.TempPathFactory):
    rdflib = pytest.importorskip("rdflib")
    place = tmp_path_factory.getbasetemp()
    graphs = []
    for name, format in (("turtle", "turtle"), ("jsonld", "json-ld")):
        written(name, place / name, document, options="nodes=mention")
        graphs.append(set(rdflib.Graph().parse(place / name, format=format)))
    assert graphs[0] == graphs[1]
    statements = {triple[0] for triple in graphs[0] if triple[2] == rdflib.RDF.Statement}
    assert len(statements) == len(document.relations)
    predicates = {triple[2] for triple in graphs[0] if triple[1] == rdflib.RDF.predicate}
    assert predicates == {rdflib.URIRef(f"{EXAMPLE}relation-type/{quote(one.type, safe='')}") for one in document.relations}


def test_a_graph_in_many_pieces_is_one_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    rdflib = pytest.importorskip("rdflib")
    some = [Document(f"d{number}", DOCUMENT.sentences, TEXT) for number in range(4)]
    for name, format in (("turtle", "turtle"), ("jsonld", "json-ld")):
        monkeypatch.undo()
        written(name, tmp_path / "whole", *some)
        monkeypatch.setattr("relsift.writers.rdf._MOST_TRIPLES", 10)
        written(name, tmp_path / "pieces", *some)
        whole, pieces = (set(rdflib.Graph().parse(tmp_path / file, format=format)) for file in ("whole", "pieces"))
        assert whole == pieces
        assert (tmp_path / "whole").read_bytes() != (tmp_path / "pieces").read_bytes()


def test_documents_of_one_id_and_repeated_relations_are_statements_of_their_own(tmp_path: Path):
    rdflib = pytest.importorskip("rdflib")
    written("turtle", tmp_path / "a.ttl", DOCUMENT, DOCUMENT)
    graph = rdflib.Graph().parse(tmp_path / "a.ttl")
    assert len(list(graph.subjects(rdflib.RDF.type, rdflib.RDF.Statement))) == 6


def test_the_base_is_ones_own_and_has_to_be_an_iri(tmp_path: Path):
    pytest.importorskip("rdflib")
    written("turtle", tmp_path / "a.ttl", options="base=urn:x:")
    assert "<urn:x:entity/PER/ada%20kern>" in (tmp_path / "a.ttl").read_text(encoding="utf-8")
    for base in ("no", "https://a.org/<x>/", "https://a.org/x", "https://a.org/ /"):
        with pytest.raises(ConfigError, match=r"turtle\[base=.*expected an IRI that ends with"):
            written("turtle", tmp_path / "b.ttl", options=f"base={base}")
    assert not (tmp_path / "b.ttl").exists()


# ---- networks


@pytest.mark.parametrize("name", ["graphml", "gexf"])
def test_networks_are_read_back_by_networkx(name: str, tmp_path: Path):
    networkx = pytest.importorskip("networkx")
    written(name, tmp_path / "graph")
    graph = getattr(networkx, f"read_{name}")(tmp_path / "graph")
    assert dict(graph.nodes(data="label")) == {"entity/PER/ada kern": "Ada Kern", "entity/ORG/=acme": "=Acme", 'entity/x;y/"a;b"': '"a;b"'}
    edges = {(head, tail, values["relation"]): values for head, tail, values in graph.edges(data=True)}
    found = edges["entity/PER/ada kern", "entity/ORG/=acme", "founded"]
    assert (found["probability"], found["head_start"], found["text"]) == (0.88, 0, "Ada Kern founded =Acme.")
    assert "probability" not in edges['entity/x;y/"a;b"', "entity/PER/ada kern", "is/of"]
    assert len(edges) == 3
    written(name, tmp_path / "mentions", options="nodes=mention")
    assert getattr(networkx, f"read_{name}")(tmp_path / "mentions").number_of_nodes() == 4


@settings(max_examples=15, deadline=None)
@given(document=documents())
def test_any_text_is_xml_that_can_be_read(document: Document, tmp_path_factory: pytest.TempPathFactory):
    networkx = pytest.importorskip("networkx")
    for name in ("graphml", "gexf"):
        file = tmp_path_factory.getbasetemp() / f"any.{name}"
        written(name, file, document, options="nodes=mention")
        graph = getattr(networkx, f"read_{name}")(file)
        assert (graph.number_of_nodes(), graph.number_of_edges()) == (len(document.entities), len(document.relations))


# ---- Neo4j


def rows_of(folder: Path, table: str) -> list[dict[str, str]]:
    with (folder / table).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_tables_for_neo4j_have_its_headers_and_each_node_once(tmp_path: Path):
    left_out = written("neo4j", tmp_path / "graph")
    nodes, edges = rows_of(tmp_path / "graph", "nodes.csv"), rows_of(tmp_path / "graph", "relationships.csv")
    assert [(row["id:ID"], row["name"], row["type"], row[":LABEL"]) for row in nodes] == [
        ("entity/PER/ada kern", "Ada Kern", "PER", "Entity;PER"), ("entity/ORG/=acme", "=Acme", "ORG", "Entity;ORG"),
        ('entity/x;y/"a;b"', '"a;b"', "x;y", "Entity;x_y"),
    ]  # fmt: skip
    assert {row[key] for row in edges for key in (":START_ID", ":END_ID")} == {row["id:ID"] for row in nodes}
    assert [(row[":TYPE"], row["probability:float"], row["head_start:int"]) for row in edges] == [
        ("founded", "0.88", "0"), ("is/of", "", "35"), ("it's `so`", "0.1", "24"),
    ]  # fmt: skip
    assert edges[2]["head"] == "ADA KERN"  # one blank, as the import takes no line breaks
    assert left_out.dropped["labels with ; (written as _, the property type has them)"] == 1


@settings(max_examples=15, deadline=None)
@given(document=documents())
def test_each_row_for_neo4j_is_one_line(document: Document, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("neo4j") / "graph"
    written("neo4j", folder, document, options="nodes=mention")
    for table, size in (("nodes.csv", len(document.entities)), ("relationships.csv", len(document.relations))):
        assert len((folder / table).read_bytes().decode().splitlines()) == len(rows_of(folder, table)) + 1 == size + 1
    script = (folder / "load.cypher").read_text(encoding="utf-8")
    assert script.count("'file:///relationships.csv'") == len({" ".join(one.type.split()) for one in document.relations})


def test_the_script_names_each_type_and_quotes_what_cypher_would_take_for_its_own(tmp_path: Path):
    written("neo4j", tmp_path / "graph")
    script = (tmp_path / "graph/load.cypher").read_text(encoding="utf-8")
    assert "WITH row WHERE row.`:TYPE` = 'it\\'s `so`'" in script
    assert "MERGE (head)-[r:`it's ``so``` {id: row.id}]->(tail)" in script
    assert "MATCH (n:Entity {type: 'x;y'}) SET n:`x_y`;" in script
    statements = [line for line in script.splitlines() if line.endswith(";")]
    assert len(statements) == 1 + 1 + 3 + 3  # constraint, nodes, one label a type, one load a relation type


# ---- names


def test_names_of_files_are_safe_and_told_apart():
    assert file_name("a/b.c") == "a/b.c"
    assert [file_name(name) for name in ("..", ".hidden", "a:b", "", "x/", "con?", "end. ")] == [
        "%2E%2E", "%2Ehidden", "a%3Ab", "%", "x/%", "con%3F", "end.%20",
    ]  # fmt: skip
    assert len(file_name("文" * 300).encode()) < 200
    assert [file_name(name) for name in ("aux", "a/NUL.x", "auxiliary")] == ["%61%75%78", "a/%4E%55%4C.x", "auxiliary"]
    assert file_name("文" * 300) != file_name("文" * 301)
    names = UniqueNames()
    assert [names.of(name) for name in ("a", "a", "a-2", "A")] == ["a", "a-2", "a-2-2", "A-3"]


def test_types_become_words_that_tell_what_they_were():
    assert word("a b") == "a_x0020_b"
    assert word("a_x0020_b") != word("a b")
    back = re.sub(r"_x([0-9A-F]{4,6})_", lambda found: chr(int(found[1], 16)), word("地点: x/y"))
    assert back == "地点: x/y"


def test_drawings_are_drawn_by_displacy(tmp_path: Path):
    pytest.importorskip("spacy")
    from spacy import displacy

    mentions, links = (Entity(0, 2, "X"), Entity(1, 2, "Y"), Entity(2, 3, "Z")), (Relation(0, 1, "r"), Relation(2, 1, "q"))
    overlapping = Sentence("s", ("a", "b", "c"), mentions, links)
    left_out = written("displacy", tmp_path / "a.json", DOCUMENT, Document("e", (overlapping,)))
    drawings = json.loads((tmp_path / "a.json").read_text(encoding="utf-8"))
    page = displacy.render(drawings, style="dep", manual=True, page=True)
    assert "founded" in page and "Ada Kern" in page
    assert drawings[0]["arcs"] == [{"start": 0, "end": 2, "label": "founded", "dir": "right"}]
    assert drawings[2] == {
        "words": [{"text": "a b", "tag": "X / Y"}, {"text": "c", "tag": "Z"}],
        "arcs": [{"start": 0, "end": 1, "label": "q", "dir": "left"}],
    }  # fmt: skip
    assert left_out.dropped["relations between entities that overlap, which no arc can show"] == 1
    written("displacy", tmp_path / "b.json", options="style=ent")
    drawings = json.loads((tmp_path / "b.json").read_text(encoding="utf-8"))
    assert drawings[0]["ents"] == [{"start": 0, "end": 8, "label": "PER"}, {"start": 17, "end": 22, "label": "ORG"}]
    assert "Ada Kern" in displacy.render(drawings, style="ent", manual=True)


def test_a_type_with_a_backslash_cannot_end_the_name_that_cypher_reads(tmp_path: Path):
    kind = "a\\u0060) DETACH DELETE n //"  # Cypher takes \u0060 for a backtick
    sentence = Sentence("d-0", ("Ada", "Zed"), (Entity(0, 1, kind), Entity(1, 2, "B")), (Relation(0, 1, kind),), "d")
    left_out = written("neo4j", tmp_path / "graph", Document("d", (sentence,)))
    script = (tmp_path / "graph/load.cypher").read_text(encoding="utf-8")
    assert "\\" not in script
    (edge,) = rows_of(tmp_path / "graph", "relationships.csv")
    nodes = rows_of(tmp_path / "graph", "nodes.csv")
    assert edge[":TYPE"] == nodes[0]["type"] == "a_u0060) DETACH DELETE n //"
    assert f"`:TYPE` = '{edge[':TYPE']}'" in script
    assert left_out.dropped["types with a backslash (written as _)"] == 2
