"""A trained model in a form without torch, in a folder that loads as any model folder does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from relsift.bundle import Bundle
from relsift.encoding.encoding import Encoding, Input
from relsift.errors import ConfigError
from relsift.exported.files import TRANSFORMER_FILE
from relsift.exported.model import ExportedModel
from relsift.exported.spec import FORMS, Form
from relsift.exported.transformer import Transformer
from relsift.exporting.description import described
from relsift.exporting.transformer import write_transformer
from relsift.inference import Ensemble, Scorer
from relsift.model_card import keep_card
from relsift.models.base.joint_model import JointModel


def export(bundle: Bundle, form: str, folder: Path, *, quantize: str | None = None) -> None:
    """Write the model as `form` with its card into `folder`, in place of a model there. Candidates, decision and annotators stay.

    Args:
        form: *numpy* for models of words; *onnx* for models on a transformer, which onnxruntime then runs.
        quantize: *int8* stores the transformer's matrices in 8 bits, and computes their products in 8 bits.
    Raises: ConfigError for a form that is unknown or not that of the model, for a model that has none, and for a missing package.
    """
    checked = check_form(form, quantize)
    with TemporaryDirectory() as work:
        result = exported(bundle, checked, Path(work), quantize=quantize is not None)
        result = replace(result, about=bundle.about | {"exported": {"form": form, "quantize": quantize}})
        result.save(folder)
        keep_card(result, folder)


def check_form(form: str, quantize: str | None) -> Form:
    """Raises ConfigError for an unknown form or quantisation."""
    known = next((each for each in FORMS if each == form), None)
    if known is None:
        raise ConfigError(f"form: expected {' or '.join(FORMS)}, got {form!r}")
    if quantize not in (None, "int8"):
        raise ConfigError(f"--quantize: expected int8, got {quantize!r}")
    if quantize is not None and known != "onnx":
        raise ConfigError(f"--quantize: expected the form onnx beside it, got {form}; leave it out")
    return known


def exported(bundle: Bundle, form: Form, work: Path, *, quantize: bool) -> Bundle:
    """The bundle with exported models. Args: work: an empty folder for files, which must stay as long as the bundle."""
    if bundle.form is not None:
        raise ConfigError(f"export: expected a trained model, got one exported to {bundle.form} already; export the run that it came from")
    if not isinstance(bundle.scorer, Ensemble):
        return replace(bundle, scorer=_scorer(bundle.scorer, form, work, quantize=quantize))
    members = []
    for number, member in enumerate(bundle.members, start=1):
        place = work / str(number)
        place.mkdir()
        members.append(exported(member, form, place, quantize=quantize))
    scorer = Ensemble(tuple(member.scorer for member in members if isinstance(member.scorer, Scorer)))
    return replace(bundle, scorer=scorer, members=tuple(members))


def _scorer(scorer: Scorer, form: Form, work: Path, *, quantize: bool) -> Scorer:
    model = scorer.trainable
    if isinstance(model, JointModel):
        name = type(model).__module__.rpartition(".")[2]
        raise ConfigError(f"export: expected a model that relates given entities, got {name}, which finds them itself")
    spec, parts = described(model)
    needs: Form = "numpy" if parts.transformer is None else "onnx"
    if form != needs:
        what = "reads words" if parts.transformer is None else "reads a transformer"
        raise ConfigError(f"form: expected {needs} for this model, which {what}, got {form}")
    transformer = None
    if parts.transformer is not None:
        write_transformer(parts.transformer, work / TRANSFORMER_FILE, quantize=quantize)
        transformer = Transformer(work / TRANSFORMER_FILE, parts.transformer.INPUTS)
    encoding = _narrowed(scorer.encoding, model.reads(model.config))
    return replace(scorer, model=ExportedModel(form, spec, parts.tables, encoding, transformer, "export"), encoding=encoding)


def _narrowed(encoding: Encoding, reads: frozenset[Input]) -> Encoding:
    """The encoding without what the model does not read, which would have to be prepared in vain."""
    unread = {name: None for name in ("words", "tags", "trees", "subwords", "characters") if name not in reads}
    changes: dict[str, Any] = {"reads": encoding.reads & reads, **unread}
    return replace(encoding, **changes)
