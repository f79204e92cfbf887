"""How numbers are written in tables and captions: percent with one decimal, differences in points with their sign."""

from __future__ import annotations

from relsift.experiments.report.summary import Spread


def percent(value: float | None) -> str:
    """A share of one; None is a dash."""
    return "–" if value is None else f"{100 * value:.1f}"


def with_deviation(spread: Spread) -> str:
    """`61.3 ± 1.2`: mean and standard deviation over folds."""
    return percent(spread.mean) + ("" if spread.over_folds is None else f" ± {percent(spread.over_folds)}")


def points(difference: float) -> str:
    """With its sign: `+1.2`, `−0.3`, `0.0`."""
    return signed(100 * difference, 1)


def interval(bounds: tuple[float, float]) -> str:
    """`−0.3 to +1.2`, in points."""
    return " to ".join(map(points, bounds))


def signed(value: float, decimals: int) -> str:
    said = f"{value:+.{decimals}f}"
    return minus(said) if said.strip("+-0.") else said[1:]


def minus(text: str) -> str:
    """A number with the sign that is as wide as a plus."""
    return text.replace("-", "−")


def p_value(p: float) -> str:
    """`0.024`, `0.0031`, `< 0.0001`."""
    if p < 0.0001:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.3f}"


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
