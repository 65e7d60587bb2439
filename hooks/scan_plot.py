"""Plots as SVG text, drawn by hand: bars by month."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 920, 210
_LEFT, _BOTTOM, _TOP = 58, 22, 10


@dataclass(frozen=True)
class Column:
    """One month. Parts are drawn from the axis outwards: `up` above it, `down` below."""

    label: str
    up: tuple[tuple[str, int], ...]
    """(style, how much)."""
    down: tuple[tuple[str, int], ...] = ()
    told: str = ""

    @property
    def height(self) -> int:
        return sum(value for _, value in self.up)

    @property
    def depth(self) -> int:
        return sum(value for _, value in self.down)


def columns(data: Sequence[Column], about: str) -> str:
    """A bar for each column. Empty where there is nothing to draw."""
    above = max((column.height for column in data), default=0)
    below = max((column.depth for column in data), default=0)
    if not above + below:
        return ""
    step_value = _step(max(above, below))
    up, down = -(-above // step_value) * step_value, -(-below // step_value) * step_value
    scale = (_HEIGHT - _TOP - _BOTTOM) / (up + down)
    zero = _TOP + up * scale
    wide = (_WIDTH - _LEFT) / len(data)
    drawn = [_rule(abs(value), zero - value * scale) for value in range(-down, up + 1, step_value)]
    for number, column in enumerate(data):
        x = _LEFT + number * wide
        drawn.append(f"<g><title>{escape(column.told)}</title>{_bar(column, x, wide, zero, scale)}</g>")
    drawn += _labels([column.label for column in data], wide)
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(about)}">{"".join(drawn)}</svg>'


def _rule(value: int, y: float) -> str:
    return (
        f'<line class="rule" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{_short(value)}</text>'
    )


def _bar(column: Column, x: float, wide: float, zero: float, scale: float) -> str:
    inset = min(wide * 0.12, 3)
    drawn, y = [], zero
    for style, value in column.up:
        y -= value * scale
        drawn.append(_rect(style, x + inset, y, wide - 2 * inset, value * scale))
    y = zero
    for style, value in column.down:
        drawn.append(_rect(style, x + inset, y, wide - 2 * inset, value * scale))
        y += value * scale
    return "".join(drawn)


def _rect(style: str, x: float, y: float, wide: float, high: float) -> str:
    if high <= 0:
        return ""
    return f'<rect class="{style}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{max(high, 0.6):.1f}"/>'


def _labels(labels: Sequence[str], wide: float) -> list[str]:
    every = max(1, math.ceil(76 / wide))
    return [
        f'<text x="{_LEFT + (number + 0.5) * wide:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{escape(label)}</text>'
        for number, label in enumerate(labels)
        if number % every == 0
    ]


def _step(most: int) -> int:
    """A round number of which three or four make up the whole: 1, 2 or 5 times a power of ten."""
    size = 10 ** max(len(str(most)) - 2, 0)
    return next((n * size for n in (1, 2, 5, 10, 20, 50) if most <= 4 * n * size), most)


def _short(value: int) -> str:
    """`950`, `12k`, `1.5M`."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if value >= size:
            return f"{value / size:.1f}".removesuffix(".0") + letter
    return str(value)
