"""What the commands share that train several models: their options, and the configuration and data that follow from them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from relsift.config import RunConfig
    from relsift.training.data import LoadedData
    from relsift.training.tuning import Configure

Dev = Annotated[str | None, typer.Option(help="Development data; the corpus's own development part if left out.")]
DevFraction = Annotated[
    float | None, typer.Option(help="Hold out this share of the training sentences, in whole documents, as development data.")
]
Model = Annotated[
    str, typer.Option(help="Name, see `relsift models`; auto: that of --config, else packed_markers with --encoder, bilstm_pcnn without.")
]
Preset = Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")]
Config = Annotated[Path | None, typer.Option(help="YAML file.")]
Overrides = Annotated[list[str] | None, typer.Option("--set", help="Override a value: training.epochs=10, model.tags=false …")]
Encoder = Annotated[
    str | None, typer.Option(help="Folder or hub id of a Hugging Face transformer, which then reads the text for the model.")
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 … or auto; short for --set training.device=NAME.")]


def configured(
    data: str, out: Path, *, dev: str | None, dev_fraction: float | None, model: str, preset: str | None, config: Path | None,
    overrides: Sequence[str], encoder: str | None, device: str | None, no_relation: Sequence[str], on_error: str,
) -> tuple[Configure, LoadedData]:  # fmt: skip
    """What makes the configuration of further overrides, and the data, as of `relsift train`; notes and warnings of the data are told.

    Raises: ConfigError for options that cannot be, before the data is read; or if `out` would change what is read.
    """
    from relsift.cli import data_options
    from relsift.config import encoder_overrides, load_config
    from relsift.corpora.data import resolve
    from relsift.device import checked_device
    from relsift.files import check_output
    from relsift.training.data import training_data
    from relsift.training.training_set import check_encoder
    from relsift.training.windows import check_window

    options = [*encoder_overrides(encoder), *overrides, *([] if device is None else [f"training.device={json.dumps(device)}"])]
    check = load_config(model=model, preset=preset, file=config, overrides=options)
    check_encoder(check)
    check_window(check)
    checked_device(check.training.device, "training.device" if device is None else "--device")
    reads = [place for spec in (data, dev) if spec for place in resolve(spec).inputs]
    check_output(out, [*reads, *([config] if config else [])], option="--out")
    loaded = training_data(
        data, dev, dev_fraction=dev_fraction, no_relation=no_relation, on_error=data_options.as_on_error(on_error),
        window=check.candidates.window,
    )  # fmt: skip
    data_options.tell(loaded.notes, loaded.warnings)

    def configure(further: Sequence[str]) -> RunConfig:
        return load_config(model=model, preset=preset, file=config, overrides=[*options, *further], direction=loaded.direction)

    return configure, loaded
