"""Options of the commands that can hand their work to Ray."""

from __future__ import annotations

from typing import Annotated

import typer

Ray = Annotated[bool, typer.Option("--ray", help="Hand the work to Ray, on one machine or a cluster (pip install 'relsift[ray]').")]
RayAddress = Annotated[
    str | None,
    typer.Option(
        "--ray-address",
        metavar="auto|HOST:PORT",
        help="Of a running cluster, with --ray; if left out, that of $RAY_ADDRESS, or one on this machine that ends with the command.",
        show_default=False,
    ),
]


def check(ray: bool, **others: object) -> None:
    """Raises ConfigError for a value of an option that has no effect without --ray, or if Ray is not installed."""
    from relsift.errors import require

    for name, value in others.items():
        option = f"--{name.replace('_', '-')}"
        require(ray or value is None, option, expected="--ray beside it, without which it has no effect", got=value)
    if ray:
        from relsift.integrations.ray_cluster import require_ray

        require_ray()
