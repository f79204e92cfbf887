"""One row of a table: a configuration, and what it is given beside it. The rows that several tables share stand at the end."""

from __future__ import annotations

import re
import shlex
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from relsift.errors import require
from relsift.registry import find

Tagger = Literal["none", "test", "both"]
Selection = Literal["development", "test"]

MOST_RATIO = 1_000_000  # negatives a positive


@dataclass(frozen=True, kw_only=True)
class System:
    """What is trained in every cell of a row.

    name: of its folder of cells. title: as the report (and the papers) call it. overrides: as `--set` takes them.
    tagger: whose entities the tags show: the annotated ones (*none*), or a tagger's, in the *test* and development parts or in training
        too (*both*).
    select_on: where epoch and threshold are chosen; *test* is the habit of some papers, for measuring what it is worth.
    test_ratio: score the test part a second time with so many negatives a positive (Ye et al. 2019, figure 3).
    """

    name: str
    title: str
    model: str = "multitask_cnn"
    preset: str | None = "paper"
    overrides: tuple[str, ...] = ()
    tagger: Tagger = "none"
    select_on: Selection = "development"
    test_ratio: float | None = None

    def __post_init__(self) -> None:
        named = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.name) is not None
        require(
            named,
            "system.name",
            expected="letters, digits, '.', '_' or '-', the first one of the first two",
            got=self.name,
        )
        for name, legal in (("tagger", get_args(Tagger)), ("select_on", get_args(Selection))):
            value = getattr(self, name)
            require(value in legal, f"system.{name}", expected=f"one of {', '.join(legal)}", got=value)
        ratio = self.test_ratio
        expected = f"negatives a positive, 0 to {MOST_RATIO}"
        require(ratio is None or 0 <= ratio <= MOST_RATIO, "system.test_ratio", expected=expected, got=ratio)

    def with_overrides(self, *overrides: str) -> System:
        """The same with further overrides; where both name a key, these hold."""
        return replace(self, overrides=(*self.overrides, *overrides))

    def in_language(self, language: str | None) -> System:
        """With the source's values for this language, where it has some of its own (a preset NAME_zh beside NAME)."""
        own = f"{self.preset}_{language}"
        return replace(self, preset=own) if language and own in find("model", self.model).PRESETS else self

    def options(self) -> str:
        """As arguments of `relsift cv`."""
        options = [f"--name {self.name} --model {self.model} --preset {shlex.quote(self.preset or '')}"]
        options += [f"--set {shlex.quote(text)}" for text in self.overrides]
        for name, usual in (("tagger", "none"), ("select_on", "development"), ("test_ratio", None)):
            if (value := getattr(self, name)) != usual:
                options.append(f"--{name.replace('_', '-')} {value}")
        return " ".join(options)

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"overrides": list(self.overrides)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> System:
        return cls(**(value | {"overrides": tuple(value["overrides"])}))


# Ye et al. 2019, tables 1 and 2
BASE = System(name="base", title="Baseline", overrides=("model.tags=false", "model.identification=false"))
TAG = System(name="tag", title="+Tag", overrides=("model.identification=false",))
MTL = System(name="mtl", title="+MTL", overrides=("model.tags=false",))
MTL_TAG = System(name="mtl_tag", title="+MTL+Tag")
VARIANTS = (BASE, TAG, MTL, MTL_TAG)

# The systems they are compared with. `sptree` with its source's values needs word vectors that cannot be had (see its page): `matched`.
SPTREE = System(
    name="sptree",
    title="SPTree",
    model="sptree",
    preset="matched",
    overrides=("model.tags=false", "training.epochs=20"),
)
WALK = System(name="walk", title="Walk-based", model="walk", overrides=("model.tags=false",))
PCNN = System(name="pcnn", title="PCNN", model="pcnn", overrides=("model.tags=false",))
EATT = System(name="eatt_bigru", title="EAtt-BiGRU", model="eatt_bigru", overrides=("model.tags=false",))
PCNN_TAG = System(name="pcnn_tag", title="PCNN+Tag", model="pcnn")
EATT_TAG = System(name="eatt_bigru_tag", title="EAtt-BiGRU+Tag", model="eatt_bigru")
