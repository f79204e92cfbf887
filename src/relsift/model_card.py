"""The model card: `README.md` of a model folder, for people and, by its first lines, for the hub of Hugging Face.

All text that comes from data or from a folder (names of data, relations, licences) is escaped: it is never markup, and never YAML.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml

from relsift.bundle import MODEL_FOLDER, Bundle, model_folder
from relsift.decisions.description import threshold_table, words
from relsift.errors import DataError
from relsift.files import replaced_file
from relsift.model_extras import CARD_FILE, is_written_by_relsift, marked
from relsift.report import markdown
from relsift.report.blocks import Commands, Paragraph, Report, Section, Table
from relsift.report.terminal import printable
from relsift.report.wording import counted, percent

HUB_LICENCES = frozenset({  # that the hub knows by these names; any other is "other" with its text
    "apache-2.0", "mit", "bsd-2-clause", "bsd-3-clause", "cc0-1.0", "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0",
    "cc-by-sa-4.0", "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0", "cc-by-nc-nd-4.0", "gpl-2.0",
    "gpl-3.0", "lgpl-3.0", "agpl-3.0", "mpl-2.0", "unlicense", "openrail", "odc-by", "pddl", "other", "unknown",
})  # fmt: skip
LONGEST_LICENCE = 200  # characters
_LIMITS = (
    "The scores are those on the development part, on which epoch and threshold were chosen: they are a little too good. Score the model "
    "on data of your own before you rely on it: relsift evaluate.",
    "Text of another kind or in another language than the training data gives worse results, and no warning beyond the counts of unknown "
    "words and types.",
)


def write_card(run: Path, name: str | None = None) -> Path:
    """Write the card of a run or model folder into the model folder; an existing one is replaced. Returns its file.

    Args: name: of the model; None: that of the folder.
    Raises: CheckpointError as `Bundle.load`; DataError for a place that cannot be written.
    """
    folder = model_folder(run)
    return _write(card(Bundle.load(folder), name or _name_of(folder)), folder)


def keep_card(bundle: Bundle, folder: Path) -> bool:
    """Write the card of a model into its model folder, unless one that was made by hand is there; returns whether it wrote.

    Raises: DataError for a place that cannot be written.
    """
    file = folder / CARD_FILE
    if file.exists() and not is_written_by_relsift(file):
        return False
    _write(card(bundle, _name_of(folder)), folder)
    return True


def _name_of(folder: Path) -> str:
    """Of a model folder, or of the run around it."""
    place = folder.resolve()
    return place.parent.name if place.name == MODEL_FOLDER else place.name


def _write(text: str, folder: Path) -> Path:
    file = folder / CARD_FILE
    try:
        with replaced_file(file) as stream:
            stream.write(text)
    except OSError as error:
        raise DataError(f"{file}: expected a place that can be written, got {error.strerror or error}") from error
    return file


def card(bundle: Bundle, name: str) -> str:
    """The whole text: YAML between two lines of `---`, then Markdown."""
    front = yaml.safe_dump(_front_matter(bundle, name), allow_unicode=False, sort_keys=False, width=10**6)
    sections = (_training(bundle), _scores(bundle), _decision(bundle), _use(bundle), Section("Limits", tuple(map(Paragraph, _LIMITS))))
    labels, types = bundle.encoding.labels, bundle.encoding.types.names
    top = Paragraph(
        f"Finds {counted(len(labels), 'relation')} ({', '.join(labels)}) between entities of {counted(len(types), 'type')} "
        f"({', '.join(types)}){_language(bundle)}. Made with relsift."
    )
    return marked(f"---\n{front}---\n\n{markdown.report(Report(name, sections, (top,)), 'README')}")


def checked_licence(text: str) -> str:
    """The licence as it is recorded, without blanks around it. Raises DataError for nothing, several lines, or a long text."""
    licence = text.strip()
    if not licence or len(licence) > LONGEST_LICENCE or printable(licence) != licence:
        expected = f"a name such as apache-2.0 or CC BY 4.0, in one line of at most {LONGEST_LICENCE} characters"
        raise DataError(f"--licence: expected {expected}, got {text[:80]!r}")
    return licence


def _front_matter(bundle: Bundle, name: str) -> dict[str, Any]:
    about = bundle.about
    value: dict[str, Any] = _licence(about.get("licence"))
    if isinstance(language := about.get("language"), str) and re.fullmatch(r"[a-z]{2,3}", language):
        value["language"] = [language]
    value |= {"library_name": "relsift", "tags": ["relation-extraction", "relsift"]}
    scores = _development(bundle)
    if scores:
        value["metrics"] = ["precision", "recall", "f1"]
        metrics = [{"type": kind, "value": scores[kind], "name": f"micro {kind}"} for kind in ("precision", "recall", "f1")]
        task = {"type": "relation-extraction", "name": "relation extraction"}
        dataset = {"type": "relsift", "name": printable(f"{about.get('data', 'unknown')}, development part")}
        value["model-index"] = [{"name": printable(name), "results": [{"task": task, "dataset": dataset, "metrics": metrics}]}]
    return value


def _licence(text: Any) -> dict[str, str]:
    """As the hub names it."""
    if not isinstance(text, str) or not text.strip():
        return {"license": "unknown"}
    known = "-".join(text.lower().split())
    return {"license": known} if known in HUB_LICENCES else {"license": "other", "license_name": printable(text)}


def _language(bundle: Bundle) -> str:
    names = {"en": "English", "zh": "Chinese"}
    name = names.get(str(bundle.about.get("language")))
    return "" if name is None else f" in {name} text"


def _development(bundle: Bundle) -> dict[str, float]:
    """Micro scores of the development part, in [0, 1]; none if the folder has none."""
    found = bundle.about.get("development")
    if not isinstance(found, dict):
        return {}
    scores = {kind: found.get(kind) for kind in ("precision", "recall", "f1")}
    return {kind: float(value) for kind, value in scores.items() if isinstance(value, (int, float))} if all(
        isinstance(value, (int, float)) for value in scores.values()
    ) else {}  # fmt: skip


def _training(bundle: Bundle) -> Section:
    about = bundle.about
    encoder = getattr(getattr(bundle.models[0], "config", None), "encoder", None)
    rows = [
        ("architecture", bundle.name + ("" if encoder is None else f" on the encoder {encoder}")),
        ("form", "torch" if bundle.form is None else f"{bundle.form}, without torch"),
        ("data", str(about.get("data", "not recorded"))),
        ("licence of the data, as its source states it", str(about.get("data_licence", "not recorded"))),
        ("licence of the model", str(about.get("licence", "not recorded"))),
        ("candidate pairs", f"{bundle.candidates.direction}, within {counted(bundle.candidates.window, 'sentence')}"),
    ]
    candidates = about.get("training_candidates")
    if isinstance(candidates, dict):
        rows.append(("pairs trained on", f"{candidates.get('kept')}, of them {candidates.get('positive')} related"))
    if bundle.entity_source is not None:
        rows.append(("entities come from", ", ".join(bundle.entity_source.specs)))
    elif bundle.scorer.finds_entities:
        rows.append(("entities come from", "the model"))
    else:
        rows.append(("entities come from", "the user"))
    return Section("Training", (Table.list_of(rows),))


def _scores(bundle: Bundle) -> Section:
    scores = _development(bundle)
    if not scores:
        return Section("Scores", (Paragraph("The folder records no scores. relsift evaluate computes them on data of your own."),))
    found = bundle.about["development"].get("setting")
    setting = ", ".join(f"{key}={value}" for key, value in found.items()) if isinstance(found, dict) else "not recorded"
    line = f"Micro precision {percent(scores['precision'])}, recall {percent(scores['recall'])} and F1 {percent(scores['f1'])} per cent."
    blocks: list[Paragraph | Table] = [Paragraph(f"On the development part. {line} Setting: {setting}.")]
    if isinstance(exported := bundle.about.get("exported"), dict):
        bits = "" if exported.get("quantize") is None else ", and numbers of 8 bits change them a little"
        blocks.append(Paragraph(f"These are the scores of the model before it was exported to {bundle.form}{bits}."))
    tuned = bundle.decision.tuned_on
    if tuned is not None:
        labels = bundle.encoding.labels
        blocks.append(threshold_table(bundle.decision, labels, tuned.relations, f"By relation, on {tuned.data}, in per cent"))
    return Section("Scores", tuple(blocks))


def _decision(bundle: Bundle) -> Section:
    return Section("Decision and calibration", tuple(map(Paragraph, words(bundle.decision))))


def _use(bundle: Bundle) -> Section:
    lines = ["from relsift import RelationExtractor", "", 'rx = RelationExtractor.from_pretrained("FOLDER")']
    if bundle.entity_source is None and not bundle.scorer.finds_entities:
        kind = next(iter(bundle.encoding.types.names), "PER")
        lines.append(f'rx({{"text": "Ada leads Acme.", "entities": [{{"start": 0, "end": 3, "type": {json.dumps(kind)}}}, …]}})')
    else:
        lines.append('rx("Ada leads Acme.").relations')
    needs = {"numpy": "It needs no torch.", "onnx": "It needs onnxruntime and tokenizers, and no torch."}
    notes = [] if bundle.form is None else [Paragraph(needs[bundle.form])]
    shell = Commands(("relsift predict FOLDER INPUT", "relsift evaluate FOLDER --data DATA"))
    return Section("How to use it", (Commands(tuple(lines)), shell, *notes))
