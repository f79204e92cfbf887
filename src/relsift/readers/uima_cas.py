"""The content of one UIMA CAS, from XMI or from JSON CAS 0.4: its text and its feature structures.

No type system is needed: relsift looks at the features that are there. Where one is known (a `TypeSystem.xml` beside an XMI file, the
`%TYPES` of a JSON file), features that no annotation has filled are known too.
Formats: https://uima.apache.org/d/uimaj-current/ref.html#ugr.ref.xmi, https://github.com/apache/uima-uimaj-io-jsoncas
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import ReadReport, shown, whole_number
from relsift.readers.markup import Element, Markup, parse
from relsift.readers.records import as_kind, json_records

SOFA, VIEW = "uima.cas.Sofa", "uima.cas.View"
GOVERNOR, DEPENDENT = "Governor", "Dependent"
TYPE_SYSTEM = "TypeSystem.xml"
_FIRST_VIEW = "_InitialView"
_PRIMITIVE = frozenset(f"uima.cas.{name}" for name in ("String", "Integer", "Long", "Short", "Byte", "Boolean", "Float", "Double"))
_NO_FEATURE = frozenset(("xmi:id", "sofa", "begin", "end", GOVERNOR, DEPENDENT))


@dataclass(frozen=True, slots=True)
class Structure:
    """A feature structure: an annotation if it has `begin` and `end`."""

    where: str
    id: str
    type: str  # in full, such as webanno.custom.Person
    features: Mapping[str, str]  # as text; those that refer to another structure hold its id

    @property
    def is_annotation(self) -> bool:
        return "begin" in self.features and "end" in self.features

    @property
    def is_relation(self) -> bool:
        """By the convention of INCEpTION and DKPro Core."""
        return GOVERNOR in self.features or DEPENDENT in self.features

    @property
    def names(self) -> set[str]:
        """Names of the features that may be a type."""
        return set(self.features) - _NO_FEATURE

    def span(self) -> tuple[int, int]:
        """Half-open, in UTF-16 code units. Raises: DataError."""
        begin, end = (whole_number(self.features.get(name, ""), f"{self.where}: {name}") for name in ("begin", "end"))
        if not 0 <= begin <= end:
            raise DataError(f"{self.where}: expected 0 <= begin <= end, got {begin} and {end}")
        return begin, end


@dataclass(slots=True)
class Cas:
    """The text of a document and the annotations on it."""

    file: Path
    text: str
    structures: dict[str, Structure] = field(default_factory=dict)  # the annotations by id, in file order
    members: frozenset[str] | None = None  # ids of those that are annotations of the view; None: all
    declared: dict[str, tuple[str, ...]] = field(default_factory=dict)  # type -> its own features that hold a value

    def annotations(self) -> list[Structure]:
        """Those of the view, in file order."""
        return [structure for structure in self.structures.values() if self.members is None or structure.id in self.members]


def xmi_cas(file: Path, report: ReadReport, encoding: str | None) -> Cas:
    """The CAS of an XMI file. Raises: DataError naming file and line."""
    markup = parse(file, encoding)
    if markup.root.tag != "xmi:XMI":
        raise DataError(f"{markup.where(markup.root)}: expected <xmi:XMI>, got <{markup.root.tag[:40]}>")
    packages = {name.removeprefix("xmlns:"): _package(value) for name, value in markup.root.attrib.items() if name.startswith("xmlns:")}
    structures = []
    for element in markup.root:
        with report.leaving_out("entities"):
            prefix, _, name = element.tag.rpartition(":")
            package = packages.get(prefix, prefix)
            kind = f"{package}.{name}" if package else name
            structures.append(Structure(markup.where(element), element.get("xmi:id", ""), kind, _with_lists(element)))
    cas = _cas(file, structures, report)
    beside = file.with_name(TYPE_SYSTEM)
    if beside.is_file():
        cas.declared = _type_system(parse(beside))
    return cas


def _with_lists(element: Element) -> dict[str, str]:
    """The attributes, and the features that are written as child elements."""
    features = dict(element.attrib)
    for child in element:
        features.setdefault(child.tag, child.text or "")
    return features


def _package(namespace: str) -> str:
    """
    >>> _package("http:///webanno/custom.ecore")
    'webanno.custom'
    """
    path = namespace.removeprefix("http:///").removesuffix(".ecore")
    return "" if path == "uima/noNamespace" else path.replace("/", ".")


def _type_system(markup: Markup) -> dict[str, tuple[str, ...]]:
    declared = {}
    for element in markup.root.iter():
        if _local(element) == "typeDescription":
            texts = {_local(child): child for child in element}
            name = _text(texts.get("name"))
            features = [feature for feature in element.iter() if _local(feature) == "featureDescription"]
            fields = [{_local(child): _text(child) for child in feature} for feature in features]
            declared[name] = tuple(one["name"] for one in fields if one.get("rangeTypeName") in _PRIMITIVE and one.get("name"))
    return declared


def _local(element: Element) -> str:
    return element.tag.rpartition(":")[2]


def _text(element: Element | None) -> str:
    return "" if element is None else (element.text or "").strip()


def json_cas(file: Path, report: ReadReport, encoding: str) -> Cas:
    """The CAS of a JSON file. Raises: DataError naming file and line."""
    records = list(json_records(file, report, encoding, unit="documents"))
    if len(records) != 1:
        raise DataError(f"{file}: expected one CAS, got {len(records)} JSON values")
    line, value = records[0]
    where = f"{file}:{line}"
    record = as_kind(value, dict, where)
    if "%FEATURE_STRUCTURES" not in record:
        raise DataError(f"{where}: expected a CAS with the key '%FEATURE_STRUCTURES', got {shown(list(record))}")
    listed = record["%FEATURE_STRUCTURES"]
    if isinstance(listed, dict):
        listed = [{"%ID": key, **as_kind(one, dict, where)} for key, one in listed.items()]
    structures = []
    for number, one in enumerate(as_kind(listed, list, f"{where}: %FEATURE_STRUCTURES")):
        with report.leaving_out("entities"):
            place = f"{where}: feature structure {number}"
            features = _json_features(as_kind(one, dict, place))
            structures.append(Structure(place, features.pop("%ID", ""), features.pop("%TYPE", ""), features))
    views = as_kind(record.get("%VIEWS") or {}, dict, f"{where}: %VIEWS")
    for view in views.values():
        members = as_kind(as_kind(view, dict, f"{where}: view").get("%MEMBERS") or [], list, f"{where}: %MEMBERS")
        features = {"sofa": str(view.get("%SOFA")), "members": " ".join(map(str, members))}
        structures.append(Structure(where, "", VIEW, features))
    cas = _cas(file, structures, report)
    for name, kind in as_kind(record.get("%TYPES") or {}, dict, f"{where}: %TYPES").items():
        features = as_kind(kind, dict, f"{where}: type {shown(name)}")
        cas.declared[name] = tuple(
            key for key, feature in features.items() if isinstance(feature, dict) and feature.get("%RANGE") in _PRIMITIVE
        )
    return cas


def _json_features(record: dict[str, Any]) -> dict[str, str]:
    """Features that hold a text, a number, or a reference (`@Governor`); others, such as lists, are no type of anything."""
    return {
        key.removeprefix("@"): str(value).lower() if isinstance(value, bool) else str(value)
        for key, value in record.items()
        if isinstance(value, str | int | float)
    }


def _cas(file: Path, structures: list[Structure], report: ReadReport) -> Cas:
    sofas = [structure for structure in structures if structure.type == SOFA]
    with_text = [sofa for sofa in sofas if sofa.features.get("sofaString", "").strip()]
    sofa = next((one for one in with_text if one.features.get("sofaID") == _FIRST_VIEW), with_text[0] if with_text else None)
    if sofa is None:
        raise DataError(f"{file}: expected a CAS with text (a Sofa with a sofaString), got {len(sofas)} Sofas without")
    for other in with_text:
        if other is not sofa:
            report.drop("views that are not read", f"{other.where}: {shown(other.features.get('sofaID', ''))}")
    cas = Cas(file, sofa.features["sofaString"])
    members: dict[str, set[str]] = defaultdict(set)
    for structure in structures:
        if structure.type == VIEW:
            members[structure.features.get("sofa", "")].update(structure.features.get("members", "").split())
        elif structure.is_annotation and structure.features.get("sofa", sofa.id) == sofa.id:
            with report.leaving_out("entities"):
                if structure.id in cas.structures:
                    raise DataError(f"{structure.where}: expected each id once, got {shown(structure.id)} again")
                cas.structures[structure.id] = structure
    cas.members = frozenset(members[sofa.id]) if members.get(sofa.id) else None
    return cas
