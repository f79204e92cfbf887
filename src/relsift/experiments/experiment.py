"""What `relsift reproduce` needs to know of a table, a figure or a study: which systems it trains, and what its report shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from relsift.experiments.result import Plan, Results
from relsift.experiments.system import System

if TYPE_CHECKING:
    from relsift.experiments.report.page import Report


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """name: as the command line calls it. summary: one line for its help. systems: for a plan's language and direction.

    full_seeds: how many seeds its report is planned for.
    """

    name: str
    title: str
    summary: str
    systems: Callable[[Plan], tuple[System, ...]]
    report: Callable[[Results], Report]
