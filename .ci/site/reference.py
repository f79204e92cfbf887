"""Pages made from the code: every command with its options, every key of the configuration, the files of a model, and the API."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import typer.main

from relsift import config as run_config
from relsift.cli.main import app
from relsift.registry import MODELS

COLUMNS = 110  # of the help of a command
API = {  # page -> title, what it is for, the objects or modules it shows
    "extractor": ("Extractor and results", "Load a model, and read what it finds.", [
        "relsift.extractor.RelationExtractor", "relsift.views", "relsift.explanation.Explanation", "relsift.client.Client"]),
    "schema": ("Data model", "Documents, sentences, entities and relations, as readers make them and models take them.", [
        "relsift.schema"]),
    "evaluation": ("Evaluation", "Scores, significance, calibration and kinds of errors. None of it needs torch.", [
        "relsift.evaluation.scores", "relsift.evaluation.facts", "relsift.evaluation.significance", "relsift.evaluation.calibration",
        "relsift.evaluation.wrong_decisions"]),
    "decisions": ("Decisions", "From scores to relations: thresholds, rules and probabilities.", [
        "relsift.decisions.decision", "relsift.decisions.calibration", "relsift.decisions.scored"]),
    "formats": ("Readers and writers", "What a file format is made of. A worked example: [add a reader](../../internals/add_reader.md).", [
        "relsift.readers.base", "relsift.writers.base", "relsift.corpora.data"]),
    "models": ("Models, losses, encoders, annotators", "The contracts that a model and its parts fulfil.", [
        "relsift.models.base.model", "relsift.models.base.pair_classifier", "relsift.losses.base", "relsift.encoders.base",
        "relsift.encoding.batch", "relsift.annotators.base"]),
    "training": ("Training and configuration", "The configuration of a run, training, and the folder of a model.", [
        "relsift.config", "relsift.training.run", "relsift.training.loop", "relsift.bundle", "relsift.suggestions"]),
    "errors": ("Errors", "What is raised, and when. Every message says where, what was expected, what came, and what to do.", [
        "relsift.errors"]),
}  # fmt: skip
VERSIONS = """
## Versions and stability

0.1.0 was the first version, and 0.2.0 is the one of this site. Versions follow
[Semantic Versioning](https://semver.org/spec/v2.0.0.html): until 1.0 a version 0.x may change names. There is no deprecation
period, and no further promise. What stayed and what changed from 0.1.0 to 0.2.0:

| what | from 0.1.0 to 0.2.0 |
|---|---|
| names of `relsift` itself, such as `relsift.RelationExtractor`, `relsift.Document` | all stayed; `Client` and `ServiceError` are new |
| names of its modules, such as `relsift.training.loop.train` | many moved: [old and new names](../../changelog.md#migration-from-01) |
| model and run folders | folders of 0.1 load, and score the same; 0.1 cannot read those of 0.2 |
| keys of the configuration | those of 0.1 are unchanged |

The old names of modules are gone. So take names from `relsift` itself where there is a choice, and pin the version that you tested
(`relsift>=0.2,<0.3`). What each version added stands in the [changelog](../../changelog.md).
"""
MEANINGS = {  # of options that have one name and one meaning in all models, where the model's file says nothing more
    "direction": "directed: head -> tail matters, both orders of a pair are scored; undirected: each pair once",
    "learning_rate": "of the optimiser; of all weights that have no rate of their own",
    "seed": "of the initial weights, the order of the data, and dropout",
    "encoder": "what makes the features of each token",
    "encoder_options": "options of the encoder",
    "classification": "the loss that the relations are learned with",
    "identification": "whether the second task is learned: is there a relation at all?",
    "tags": "whether the model reads the tags of all entities",
    "word_size": "numbers of a word's vector", "tag_size": "numbers of a tag's vector", "type_size": "numbers of an entity type's vector",
    "pos_size": "numbers of the vector of a part of speech", "dependency_size": "numbers of the vector of a dependency label",
    "distance_size": "numbers of a distance's vector", "position_size": "numbers of a position's vector",
    "character_size": "numbers of a character's vector", "edge_size": "numbers of the vector of a pair of entities",
    "filters": "of the convolution; of each window, if there are several",
    "hidden": "numbers of the hidden layer, or of each direction of a recurrent one", "ner_hidden": "numbers of the tagger's hidden layer",
    "hidden_dropout": "share dropped of the hidden layer", "pooled_dropout": "share dropped of the pooled features",
    "input_dropout": "share dropped of the token features", "edge_dropout": "share dropped of the vectors of pairs",
    "pooling": "how features of tokens become those of a pair", "cell": "the kind of recurrent cell",
    "shared_layers": "layers that both tasks share", "boundary": "whether words at the edges of an entity are learned as a task",
    "iou": "whether the overlap with entities is learned as a task", "tag_loss": "whether tags of tokens are learned as a task",
}  # fmt: skip


def pages() -> Iterator[tuple[str, str]]:
    """Path below docs/ and text of every page."""
    yield "reference/commands.md", commands()
    yield "reference/configuration.md", configuration()
    yield "reference/api/index.md", index()
    for name, (title, purpose, objects) in API.items():
        yield f"reference/api/{name}.md", f"# {title}\n\n{purpose}\n\n" + "".join(f"::: {name}\n\n" for name in objects)


def index() -> str:
    """The pages of the API, and what users can expect of its names."""
    table = "".join(f"| [{title}]({name}.md) | {purpose} |\n" for name, (title, purpose, _) in API.items())
    return f"# Python\n\nEvery class and function on these pages has an example that runs.\n\n| page | what |\n|---|---|\n{table}{VERSIONS}"


def commands() -> str:
    """Every command, as its `--help` says."""
    text = "# Commands\n\nWhat `relsift COMMAND --help` prints. `relsift --version` prints the version.\n\n"
    return text + "".join(_command(words, command) for words, command in sorted(_commands(typer.main.get_command(app))))


def _commands(command: Any, *words: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    inner = getattr(command, "commands", None)
    if inner is None:
        yield words, command
    for name, one in (inner or {}).items():
        yield from _commands(one, *words, name)


def _command(words: tuple[str, ...], command: Any) -> str:
    name = " ".join(("relsift", *words))
    context = command.make_context(name, [], resilient_parsing=True, terminal_width=COLUMNS, max_content_width=COLUMNS)
    return f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n\n"


def configuration() -> str:
    """The keys of every section, and the options of every model."""
    text = (
        "# Configuration\n\nEvery key of a run, for `--set SECTION.KEY=VALUE` and for the file of `--config FILE`. The resulting values of "
        "a run stand in its `config.yaml`. A preset changes defaults; `relsift models` lists the presets.\n\n"
    )
    for section, field in run_config.RunConfig.model_fields.items():
        if section != "model":
            kind: Any = field.annotation
            meaning, *_ = inspect.cleandoc(kind.__doc__).split("\n\n")  # the rest is for those who write Python
            text += f"## {section}\n\n{meaning}\n\n{_table(rows(kind))}\n"
    text += "## model\n\n`model.name` is the model, `model.preset` the preset its values come from. All other keys are options:\n\n"
    for name in MODELS:
        module, _, attribute = MODELS[name].partition(":")
        model = getattr(import_module(module), attribute)
        text += f"### {name}\n\n{model.SUMMARY}.\n\n{_table(rows(model.Config))}\n"
    return text


def rows(kind: type) -> list[tuple[str, str, str, str]]:
    """Name, type, default and meaning of each field; those of base classes first, each name once."""
    found: dict[str, tuple[str, str, str, str]] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.startswith("relsift."):
            for name, kind_of, default, meaning in _own_rows(base):
                inherited = found[name][3] if name in found else MEANINGS.get(name, "")
                found[name] = (name, kind_of, default, meaning or inherited)
    return list(found.values())


def _own_rows(kind: type) -> Iterator[tuple[str, str, str, str]]:
    lines = inspect.getsource(kind).splitlines()
    [tree] = ast.parse("\n".join(lines)).body
    assert isinstance(tree, ast.ClassDef)
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and not node.target.id.startswith("_"):
            meaning = re.search(r"#\s(.*)$", lines[(node.end_lineno or 1) - 1])
            yield node.target.id, ast.unparse(node.annotation), _default(node.value), meaning[1] if meaning else ""


def _default(value: ast.expr | None) -> str:
    """What stands as the default, with the bounds of a pydantic field."""
    if value is None:
        return ""
    if isinstance(value, ast.Call) and ast.unparse(value.func) in ("Field", "field"):
        made = {word.arg: ast.unparse(word.value) for word in value.keywords}
        first = ast.unparse(value.args[0]) if value.args else made.get("default", f"{made.get('default_factory', '')}()")
        signs = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<"}
        bounds = [f"{sign} {made[key]}" for key, sign in signs.items() if key in made and not made[key].startswith("MOST")]
        return first + (f" ({', '.join(bounds)})" if bounds else "")
    return ast.unparse(value)


def _table(fields: list[tuple[str, str, str, str]]) -> str:
    cells = [tuple(text.replace(" | ", " or ") for text in row) for row in fields]  # a bar would end the cell
    lines = [f"| `{name}` | `{kind}` | {f'`{default}`' if default else ''} | {meaning} |\n" for name, kind, default, meaning in cells]
    return "| key | type | default | meaning |\n|---|---|---|---|\n" + "".join(lines)
