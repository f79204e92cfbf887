"""Lower layers never import upper ones, and a few things that no module does: found by reading the source, not by running it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import relsift

ROOT = Path(relsift.__file__).parent

# From the bottom to the top. A module may import its own part and lower layers; parts of one layer do not know each other.
# A new module or package of `src/relsift` has to be given its place here.
LAYERS = (
    ("errors", "views"),
    ("token_text",),
    ("schema", "locks"),
    (
        "text", "abbreviations", "stable_random", "home", "files", "model_extras", "json_text", "yaml_text", "shipped", "omissions",
        "spacy_storage", "format_options", "store_layout",
    ),
    ("sentences", "concepts", "archive"),
    ("registry", "candidates", "passages", "json_schema"),
    ("evaluation",),
    ("report",),
    ("readers", "writers"),
    ("corpora", "config"),
    ("decisions",),
    ("annotators",),
    ("kernels", "losses", "encoding"),
    ("exported",),
    ("layers",),
    ("encoders",),
    ("models",),
    ("precision", "found_entities"),
    ("tensor_inference",),
    ("inference", "format1", "environment", "device", "weights", "model_file", "model_source"),
    ("bundle",),
    ("model_entities",),
    ("training",),
    ("items", "explanation", "extraction_notes", "model_card"),
    ("client", "extractor"),
    ("streaming", "experiments", "integrations", "exporting"),
    ("demo", "serving", "suggestions"),
    ("cli",),
    ("__main__",),
)
WITHOUT_TORCH = [part for layer in LAYERS[:11] for part in layer]
HEIGHT = {part: height for height, layer in enumerate(LAYERS) for part in layer}
PICKLES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "shelve", "marshal"}

MODULES = sorted(path.relative_to(ROOT) for path in ROOT.rglob("*.py"))
each = pytest.mark.parametrize("module", MODULES, ids=str)


@cache
def tree(module: Path) -> ast.Module:
    return ast.parse((ROOT / module).read_text(encoding="utf-8"), filename=str(module))


def part_of(module: Path) -> str:
    """The top-level module or package it belongs to."""
    return module.parts[0].removesuffix(".py")


def imported(module: Path) -> Iterator[tuple[str, int]]:
    """Dotted names of all imports, those inside functions too, with their lines; not those for the type checker only."""
    for node in outside_type_checking(tree(module)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: a relative import"
            assert node.module is not None
            # `from relsift.readers import base` names a module, `from relsift.schema import Entity` does not: both are kept.
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def outside_type_checking(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
        children = iter(node.orelse)
    for child in children:
        yield from outside_type_checking(child)


def calls(module: Path) -> Iterator[tuple[str, int]]:
    """Dotted names of what is called, such as `print` or `torch.load`."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def test_every_module_has_its_place_in_the_layers():
    unknown = {part_of(module) for module in MODULES if part_of(module) != "__init__"} - set(HEIGHT)
    assert not unknown, f"give {', '.join(sorted(unknown))} a place in LAYERS"


@each
def test_no_module_imports_a_higher_layer_or_a_neighbour(module: Path):
    own = part_of(module)
    if own == "__init__":
        return  # the package itself offers what upper layers make
    for name, line in imported(module):
        package, _, rest = name.partition(".")
        part = rest.split(".")[0]
        if package == "relsift" and part != "__version__" and part != own:
            assert part in HEIGHT, f"{module}:{line} imports {name}, which has no place in LAYERS"
            assert HEIGHT[part] < HEIGHT[own], f"{module}:{line}: {own} imports {part}, which is not below it"


@pytest.mark.parametrize("module", [m for m in MODULES if part_of(m) in {*WITHOUT_TORCH, "__init__"}], ids=str)
def test_lower_layers_do_without_torch_even_inside_functions(module: Path):
    imports = [line for name, line in imported(module) if name.split(".")[0] in ("torch", "numba", "safetensors")]
    assert not imports, f"{module}: lines {imports}"


@each
def test_only_the_command_line_prints(module: Path):
    assert part_of(module) == "cli" or not [line for name, line in calls(module) if name == "print"]


@each
def test_commands_print_through_one_module_that_escapes_text(module: Path):
    if part_of(module) != "cli" or module.name == "output.py":
        return
    names = [name for name, _ in calls(module)]
    banned = {"print", "typer.echo", "typer.secho", "typer.style", "click.echo", "Console", "rich.print"}
    assert not [name for name in names if name in banned or name.endswith((".console.print", "stdout.write", "stderr.write"))]
    made = [ast.unparse(node) for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
    assert not [call for call in made if call.startswith("TextColumn(") and not call.endswith("markup=False)")]


WRITES = {  # bytes, in a temporary place
    Path("archive.py"), Path("corpora/download.py"), Path("experiments/cell_files.py"), Path("integrations/spacy_files.py"),
    Path("serving/conversion.py"),
}  # fmt: skip


@each
def test_files_are_written_through_one_module_that_names_them_in_its_errors(module: Path):
    for node in ast.walk(tree(module)):
        if not isinstance(node, ast.Call) or part_of(module) in ("files", "writers") or module in WRITES:
            continue  # what a writer writes is in a temporary place, and `write_documents` names the user's
        name = ast.unparse(node.func)
        assert not name.endswith((".write_text", ".write_bytes", "json.dump")), f"{module}:{node.lineno}: {name}"
        if name == "open" or name.endswith(".open"):
            modes = [part.value for part in (*node.args, *(keyword.value for keyword in node.keywords)) if isinstance(part, ast.Constant)]
            assert not {"w", "a", "x", "wb", "ab", "xb", "w+", "wb+"} & set(modes), f"{module}:{node.lineno}: use relsift.files.open_output"


@each
def test_nothing_is_unpickled_or_evaluated(module: Path):
    assert not [name for name, _ in imported(module) if name.split(".")[0] in PICKLES]
    names = ("eval", "exec", "torch.load", "np.load", "numpy.load", "yaml.load", "yaml.unsafe_load", "os.system")
    assert not [f"{module}:{line}: {name}" for name, line in calls(module) if name in names]
    assert "torch.load" not in {name for name, _ in imported(module)}


@each
def test_no_exception_is_caught_without_a_name(module: Path):
    handlers = [node for node in ast.walk(tree(module)) if isinstance(node, ast.ExceptHandler)]
    assert not [node.lineno for node in handlers if node.type is None or ast.unparse(node.type) == "BaseException"]


@each
def test_every_module_says_what_it_is_for(module: Path):
    assert ast.get_docstring(tree(module)), f"{module}: expected a docstring"


def test_importing_the_package_and_its_lower_layers_loads_no_torch():
    lower = [m for m in MODULES if part_of(m) in WITHOUT_TORCH]
    names = ["relsift", *(".".join(("relsift", *m.with_suffix("").parts)).removesuffix(".__init__") for m in lower)]
    check = "importlib.import_module(name)\n    assert 'torch' not in sys.modules, name"
    code = f"import importlib, sys\nfor name in {names!r}:\n    {check}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def loaded_by(module: str) -> set[str]:
    """The parts of relsift that importing a module loads."""
    code = f"import sys, {module}\nprint(*[name for name in sys.modules if name.startswith('relsift.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.split(".")[1] for name in done.stdout.split()}


def test_scoring_needs_no_reader_and_no_corpus():
    assert not loaded_by("relsift.inference") & {"readers", "writers", "corpora", "training"}


def test_using_a_model_needs_no_training_code():
    assert not loaded_by("relsift.extractor") & {"training", "experiments", "corpora"}


def test_decisions_are_made_without_a_model():
    assert not loaded_by("relsift.decisions.decision") & {"models", "inference", "encoding", "layers"}


def test_no_two_modules_import_each_other():
    graph = {module: {name for name, _ in imported(module)} for module in MODULES}
    dotted = {module: ".".join(("relsift", *module.with_suffix("").parts)).removesuffix(".__init__") for module in MODULES}
    edges = {
        dotted[module]: {other for other in dotted.values() if other != dotted[module] and any(n.startswith(f"{other}.") for n in names)}
        for module, names in graph.items()
        if module.name != "__init__.py"  # a package may offer lazily what upper layers make
    }
    packages = {name for module, name in dotted.items() if module.name == "__init__.py"}
    edges = {name: targets - packages for name, targets in edges.items()}

    def circle(name: str, way: tuple[str, ...]) -> tuple[str, ...]:
        if name in way:
            return (*way[way.index(name) :], name)
        if name in done:
            return ()
        for target in sorted(edges.get(name, ())):
            if modules := circle(target, (*way, name)):
                return modules
        done.add(name)
        return ()

    done: set[str] = set()
    assert not [modules for name in sorted(edges) if (modules := circle(name, ()))]


@each
def test_no_module_is_longer_than_four_hundred_lines(module: Path):
    assert len((ROOT / module).read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("def f():\n    import torch.nn", ["torch.nn"]),
        ("from relsift import models", ["relsift.models"]),
        ("if TYPE_CHECKING:\n    import torch\nelse:\n    import math", ["math"]),
        ("try:\n    from a.b import c, d\nexcept ImportError:\n    pass", ["a.b.c", "a.b.d"]),
    ],
)
def test_imports_are_found_wherever_they_stand(source: str, names: list[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(globals(), "tree", lambda module: ast.parse(source))
    assert [name for name, _ in imported(Path("x.py"))] == names
