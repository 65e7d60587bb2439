"""Is a mistake in what decides noticed? Each one of many small mistakes is made in turn, and the core's own tests must fail.

    python tests/mutate.py [--only reviewers]

A mistake that no test notices is printed and fails the run, unless `tests/data/unnoticed.txt` says why it makes no
difference. Every mutant has a process of its own, forked when the tests are collected.
"""

import argparse
import ast
import copy
import importlib.util
import inspect
import io
import os
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from itertools import zip_longest
from pathlib import Path
from types import CodeType

import pytest
from _pytest.runner import runtestprotocol

HERE = Path(__file__).parent
SHARED = HERE.parent / "shared"
KNOWN = HERE / "data" / "unnoticed.txt"
MODULES = (
    "ancestry", "asking", "branches", "case", "classes", "content", "dsse", "evaluate", "exclusion", "exemption", "floor",
    "hidden", "landing", "manifest", "owners", "protection", "record_check", "reviewers", "sshsig", "standing",
    "unknown_people", "rules.mergeable", "rules.no_agents", "rules.recorded", "rules.shown", "rules.two_humans",
)  # fmt: skip
TESTS = (
    "rules", "unknown_people", "exclusion", "named_in_records", "classes", "exemption", "peer", "explain", "rejudge",
    "floor", "hidden", "landing", "asking", "branches", "protection", "may_touch", "record_check", "sshsig", "dsse",
    "manifest", "histories",
)  # fmt: skip
SECONDS = 120
_SWAPS: dict[type, type] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.And: ast.Or, ast.Or: ast.And,
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr,
}  # fmt: skip
_NAMES = {"any": "all", "all": "any", "min": "max", "max": "min"}


@dataclass(frozen=True)
class Mutant:
    module: str
    line: int
    where: str
    text: str
    """`original -> mistake`, as source."""
    source: str
    in_function: bool

    def __str__(self) -> str:
        return f"{self.module} {self.where}: {self.text}"


# making mistakes


def mutants(module: str) -> Iterator[Mutant]:
    tree = ast.parse(_path(module).read_text())
    for place, parent, field, node in _nodes(tree):
        for mistake in _mistakes(node, parent, field):
            source = ast.unparse(_with(tree, node, mistake))
            text = f"{_short(node)} -> {_short(mistake)}"
            where, in_function = (
                ".".join(p.name for p in place),
                any(isinstance(p, ast.FunctionDef) for p in place),
            )
            yield Mutant(module, getattr(node, "lineno", 0), where, text, source, in_function)


_Place = tuple[ast.FunctionDef | ast.ClassDef, ...]


def _nodes(tree: ast.AST) -> Iterator[tuple[_Place, ast.AST, str, ast.AST]]:
    """The functions and classes around it, parent, field, node: signatures and imports left out."""
    waiting: list[tuple[_Place, ast.AST]] = [((), tree)]
    while waiting:
        place, parent = waiting.pop(0)
        inside = (*place, parent) if isinstance(parent, (ast.FunctionDef, ast.ClassDef)) else place
        for field, value in ast.iter_fields(parent):
            if field in ("annotation", "returns", "decorator_list", "args") and not isinstance(
                parent, ast.Call
            ):
                continue
            for node in value if isinstance(value, list) else [value]:
                if isinstance(node, ast.AST) and not isinstance(
                    node, (ast.Import, ast.ImportFrom, ast.expr_context)
                ):
                    yield inside, parent, field, node
                    waiting.append((inside, node))


def _mistakes(node: ast.AST, parent: ast.AST, field: str) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(ops=[op]) if type(op) in _SWAPS:
            yield _copy(node, ops=[_SWAPS[type(op)]()])
        case ast.BoolOp(values=values):
            yield _copy(node, op=_SWAPS[type(node.op)]())
            for n in range(len(values)):
                rest = values[:n] + values[n + 1 :]
                yield _copy(node, values=rest) if len(rest) > 1 else rest[0]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield operand
        case ast.BinOp(left=left) if type(node.op) in _SWAPS:
            yield _copy(node, op=_SWAPS[type(node.op)]())
            yield left
        case ast.Constant(value=bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(value=int(value)):
            yield ast.Constant(value + 1)
        case ast.Constant(value=str(value)) if isinstance(parent, (ast.Compare, ast.Set)) and value:
            yield ast.Constant(value + "?")
        case ast.Name(id=name) if field == "func" and name in _NAMES:
            yield ast.Name(_NAMES[name], ast.Load())
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case ast.If() | ast.IfExp() | ast.While():
            yield _copy(node, test=ast.Constant(False))
            if not isinstance(node, ast.While):
                yield _copy(node, test=ast.Constant(True))
        case ast.comprehension(ifs=[_, *_]):
            yield _copy(node, ifs=[])
        case ast.Continue() | ast.Break() | ast.AugAssign():
            yield ast.Pass()
        case ast.Expr(value=value) if not isinstance(value, ast.Constant):
            yield ast.Pass()


def _copy(node: ast.AST, **over: object) -> ast.AST:
    made = copy.copy(node)
    for name, value in over.items():
        setattr(made, name, value)
    return made


def _with(tree: ast.AST, old: ast.AST, new: ast.AST) -> ast.AST:
    class Swap(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return new if node is old else _copy_with(self, node)

    def _copy_with(swap: ast.NodeTransformer, node: ast.AST) -> ast.AST:
        return swap.generic_visit(copy.copy(_shallow(node)))

    return ast.fix_missing_locations(Swap().visit(tree))


def _shallow(node: ast.AST) -> ast.AST:
    """`generic_visit` writes into the lists of a node: they must not be the tree's own."""
    made = copy.copy(node)
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            setattr(made, field, list(value))
    return made


def _short(node: ast.AST) -> str:
    text = ast.unparse(node.test if isinstance(node, (ast.If, ast.While)) else node)
    kind = {ast.If: "if ", ast.While: "while ", ast.IfExp: ""}.get(type(node), "")
    return kind + " ".join(text.split())


def _path(module: str) -> Path:
    return SHARED / f"{module.replace('.', '/')}.py"


# noticing them


class _Mistaken(MetaPathFinder, Loader):
    """Gives one module in another form, for mistakes outside of functions."""

    def __init__(self, mutant: Mutant) -> None:
        self._name, self._mutant = f"foureyes.shared.{mutant.module}", mutant

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name != self._name:
            return None
        return importlib.util.spec_from_file_location(name, _path(self._mutant.module), loader=self)

    def exec_module(self, module: object) -> None:
        exec(compile(self._mutant.source, f"<{self._mutant}>", "exec"), vars(module))


def _make(mutant: Mutant) -> bool:
    """Puts the mistaken code in the function's place. False where it is in no function that can be found."""
    place: object = sys.modules[f"foureyes.shared.{mutant.module}"]
    code = compile(mutant.source, f"<{mutant}>", "exec")
    for name in mutant.where.split("."):
        found = vars(place).get(name)
        inner = [c for c in code.co_consts if isinstance(c, CodeType) and c.co_name == name]
        function = getattr(found, "func", None) or getattr(found, "fget", None) or inspect.unwrap(found)  # type: ignore[arg-type]
        if inspect.isfunction(function) and inner:
            function.__code__ = inner[0]
            return True
        if found is None or not inner:
            return False
        place, code = found, inner[0]
    return False


class Session:
    """Collects the tests once, and runs them for each mutant in a process of its own."""

    def __init__(self, made: Iterable[Mutant | None], told: Callable[[Mutant | None, bool], None]) -> None:
        self._made, self._told = made, told

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for mutant in self._made:
            child = os.fork()
            if child == 0:
                os._exit(self._fails(session, mutant))
            status = os.waitpid(child, 0)[1]
            self._told(mutant, os.waitstatus_to_exitcode(status) != 0)
        return True

    def _fails(self, session: pytest.Session, mutant: Mutant | None) -> bool:
        signal.alarm(SECONDS)
        if mutant is not None and mutant.in_function:
            _make(mutant)
        for item, following in zip_longest(session.items, session.items[1:]):
            if any(report.failed for report in runtestprotocol(item, log=False, nextitem=following)):
                return True
        return False


def _run(made: Iterable[Mutant | None], told: Callable[[Mutant | None, bool], None]) -> int:
    files = [str(HERE / "shared" / f"test_{name}.py") for name in TESTS]
    options = [
        "-q",
        "--no-header",
        "--assert=plain",
        "-pno:cacheprovider",
        "-pno:randomly",
        "-pno:xdist",
        "-pno:cov",
    ]
    return int(pytest.main([*options, f"--rootdir={HERE.parent}", *files], plugins=[Session(made, told)]))


def _run_outside_functions(mutant: Mutant, told: Callable[[Mutant | None, bool], None]) -> None:
    """From the import on, as nothing of the product is imported here."""
    child = os.fork()
    if child == 0:
        sys.meta_path.insert(0, _Mistaken(mutant))
        noticed: list[bool] = []
        try:
            with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
                status = _run([mutant], lambda _mutant, fails: noticed.append(fails))
        except Exception:  # noqa: BLE001 whatever goes wrong, the mistake was noticed
            os._exit(1)
        os._exit(int(status != 0 or noticed != [False]))
    told(mutant, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0)


def known() -> dict[str, str]:
    """Mutant -> why it makes no difference."""
    found, why = {}, ""
    for line in KNOWN.read_text().splitlines() if KNOWN.exists() else []:
        if line.startswith("# "):
            why = line[2:]
        elif line:
            found[line] = why
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", action="append", choices=MODULES)
    modules = parser.parse_args().only or MODULES
    os.environ["HYPOTHESIS_PROFILE"] = "mutate"
    made = [mutant for module in modules for mutant in mutants(module)]
    expected, unnoticed, sound, counts = known(), list[Mutant](), list[bool](), Counter[tuple[str, bool]]()

    def told(mutant: Mutant | None, noticed: bool) -> None:
        if mutant is None:
            sound.append(not noticed)
            return
        counts[mutant.module, noticed] += 1
        if not noticed:
            unnoticed.append(mutant)
            word = "known" if str(mutant) in expected else "UNNOTICED"
            _say(f"{word:9} {_path(mutant.module).relative_to(HERE.parent)}:{mutant.line} {mutant}")

    for mutant in made:
        if not mutant.in_function:
            _run_outside_functions(mutant, told)
    if _run([None, *(mutant for mutant in made if mutant.in_function)], told) or sound != [True]:
        _say("the tests fail without any mistake")
        return 1
    for module in modules:
        _say(
            f"{module:18} {counts[module, True]:4} of {counts[module, True] + counts[module, False]} noticed"
        )
    new = [mutant for mutant in unnoticed if str(mutant) not in expected]
    _say(
        f"{len(made) - len(unnoticed)} of {len(made)} mistakes noticed, {len(new)} unnoticed and not explained"
    )
    return 1 if new else 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
