"""As much of Prometheus' language as our alert rules use, over series that are given by hand. The parser is Prometheus'
grammar (promql-parser); what it means is held to promtool where that is installed (test_alert_rules.py).
"""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import promql_parser

Labels = frozenset[tuple[str, str]]
Series = dict[tuple[str, Labels], list[tuple[float, float]]]
"""(name, labels) -> (seconds, value), oldest first."""
Vector = dict[Labels, float]

_LOOK_BACK = 300.0
_NAME = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?")


def series(text: dict[str, str], step: float = 60.0) -> Series:
    """In promtool's own notation: `name{label="x"}` -> `0+5x20 100x3 _x2` (start+growth x times; `_`: missing)."""
    return {key(name): list(_samples(values, step)) for name, values in text.items()}


def key(written: str) -> tuple[str, Labels]:
    found = _NAME.fullmatch(written)
    assert found, written
    labels = re.findall(r'([a-zA-Z_]+)="([^"]*)"', found[2] or "")
    return found[1], frozenset(labels)


def _samples(values: str, step: float) -> Iterable[tuple[float, float]]:
    at = 0.0
    for part in values.split():
        found = re.fullmatch(r"(_|-?[\d.]+)(?:([+-][\d.]+))?(?:x(\d+))?", part)
        assert found, part
        for turn in range(int(found[3] or 0) + 1 if found[1] != "_" else int(found[3] or 1)):
            if found[1] != "_":
                yield at, float(found[1]) + turn * float(found[2] or 0)
            at += step


def names(expression: str) -> set[str]:
    found: set[str] = set()

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.add(node.name)
        for child in _children(node):
            visit(child)

    visit(promql_parser.parse(expression))
    return found


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    found = []

    def visit(node: Any) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)
        for child in _children(node):
            visit(child)

    visit(promql_parser.parse(expression))
    return found


def _children(node: Any) -> list[Any]:
    named = [getattr(node, name, None) for name in ("expr", "lhs", "rhs", "vector_selector")]
    return [child for child in [*named, *(getattr(node, "args", None) or [])] if child is not None]


def matches(selector: promql_parser.VectorSelector, labels: Labels) -> bool:
    given = dict(labels)
    for matcher in selector.matchers.matchers:
        value = given.get(matcher.name, "")
        same = matcher.op in (promql_parser.MatchOp.Equal, promql_parser.MatchOp.NotEqual)
        hit = value == matcher.value if same else re.fullmatch(matcher.value, value) is not None
        if hit == (matcher.op in (promql_parser.MatchOp.NotEqual, promql_parser.MatchOp.NotRe)):
            return False
    return True


def evaluate(expression: str, given: Series, at: float) -> Vector:
    result = _of(promql_parser.parse(expression), given, at)
    assert isinstance(result, dict)
    return result


def _of(node: Any, given: Series, at: float) -> Vector | float:
    kind = type(node).__name__
    if kind == "NumberLiteral":
        return float(node.val)
    if kind == "ParenExpr":
        return _of(node.expr, given, at)
    if kind == "VectorSelector":
        return _instant(node, given, at)
    if kind == "Call":
        return _call(node, given, at)
    if kind == "AggregateExpr":
        return _aggregate(node, _of(node.expr, given, at))
    assert kind == "BinaryExpr", kind
    return _binary(str(node.op), _of(node.lhs, given, at), _of(node.rhs, given, at))


def _instant(node: Any, given: Series, at: float) -> Vector:
    at -= node.offset.total_seconds() if node.offset else 0
    found: Vector = {}
    for (name, labels), samples in given.items():
        recent = [value for when, value in samples if at - _LOOK_BACK < when <= at]
        if name == node.name and matches(node, labels) and recent:
            found[labels | {("__name__", name)}] = recent[-1]
    return found


def _call(node: Any, given: Series, at: float) -> Vector:
    if node.func.name == "vector":
        return {frozenset(): float(node.args[0].val)}
    if node.func.name == "histogram_quantile":
        inner = _of(node.args[1], given, at)
        assert isinstance(inner, dict)
        return _quantile(float(node.args[0].val), inner)
    assert node.func.name in ("rate", "increase"), node.func.name
    (matrix,) = node.args
    span = matrix.range.total_seconds()
    found: Vector = {}
    for (name, labels), samples in given.items():
        inside = [sample for sample in samples if at - span <= sample[0] <= at]
        if (
            name == matrix.vector_selector.name
            and matches(matrix.vector_selector, labels)
            and len(inside) > 1
        ):
            grown = _grown(inside, at - span, at)
            found[labels] = grown / span if node.func.name == "rate" else grown
    return found


def _grown(samples: list[tuple[float, float]], start: float, end: float) -> float:
    """A counter that falls began anew. What is missing at both ends is guessed as Prometheus guesses it."""
    rise = sum(b if b < a else b - a for (_, a), (_, b) in itertools.pairwise(samples))
    (first, low), (last, _) = samples[0], samples[-1]
    sampled = last - first
    mean = sampled / (len(samples) - 1)
    before = mean / 2 if first - start >= 1.1 * mean else first - start
    if rise > 0 and low >= 0:
        before = min(before, sampled * low / rise)
    after = mean / 2 if end - last >= 1.1 * mean else end - last
    return rise * (sampled + before + after) / sampled


def _aggregate(node: Any, inner: Vector | float) -> Vector:
    assert isinstance(inner, dict)
    kept = set(node.modifier.labels) if node.modifier else set()
    groups: dict[Labels, list[float]] = defaultdict(list)
    for labels, value in inner.items():
        groups[frozenset(pair for pair in labels if pair[0] in kept)].append(value)
    how: Callable[[list[float]], float] = {"sum": sum, "max": max, "min": min}[str(node.op)]
    return {labels: how(values) for labels, values in groups.items()}


def _binary(operator: str, left: Vector | float, right: Vector | float) -> Vector:
    assert isinstance(left, dict), "a number stands on the right in our rules"
    if operator == "or":
        assert isinstance(right, dict)
        return left | {
            labels: value for labels, value in right.items() if _plain(labels) not in map(_plain, left)
        }
    if operator == "and":
        assert isinstance(right, dict)
        there = {_plain(labels) for labels in right}
        return {labels: value for labels, value in left.items() if _plain(labels) in there}
    if isinstance(right, float):
        pairs = [(labels, value, right) for labels, value in left.items()]
    else:
        others = {_plain(labels): value for labels, value in right.items()}
        pairs = [
            (labels, value, others[_plain(labels)])
            for labels, value in left.items()
            if _plain(labels) in others
        ]
    if operator in (">", "<", "=="):
        holds = {">": lambda a, b: a > b, "<": lambda a, b: a < b, "==": lambda a, b: a == b}[operator]
        return {labels: a for labels, a, b in pairs if holds(a, b)}
    sums = {"-": lambda a, b: a - b, "/": lambda a, b: a / b if b else math.nan}[operator]
    return {_plain(labels): sums(a, b) for labels, a, b in pairs}


def _plain(labels: Labels) -> Labels:
    return frozenset(pair for pair in labels if pair[0] != "__name__")


def _quantile(wanted: float, buckets: Vector) -> Vector:
    groups: dict[Labels, list[tuple[float, float]]] = defaultdict(list)
    for labels, value in buckets.items():
        groups[frozenset(p for p in labels if p[0] != "le")].append((float(dict(labels)["le"]), value))
    return {labels: _one_quantile(wanted, sorted(found)) for labels, found in groups.items()}


def _one_quantile(wanted: float, buckets: list[tuple[float, float]]) -> float:
    total, low, before = buckets[-1][1], 0.0, 0.0
    if not total:
        return math.nan
    for high, count in buckets:
        if count >= wanted * total:
            return (
                low if math.isinf(high) else low + (high - low) * (wanted * total - before) / (count - before)
            )
        low, before = high, count
    return low
