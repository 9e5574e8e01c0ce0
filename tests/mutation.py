"""Mutants of the pure modules: what a row must notice; see scripts/mutation.

Rules of this file:
1. Each mutant is one small change of the syntax tree, which a reader of the module could make by mistake. Docstrings,
   annotations, decorators (`frozen`, `slots`) and the words of messages are left alone: rows that quote every sentence
   would hold its spelling, not its sense.
2. A mutant runs in a child that was forked from a parent which has pytest and the large libraries in memory already, and
   only by the test files that speak of its module (`pure_modules`). Rows first; what survives them meets hypothesis, too.
3. One that is argued away stands in `mutants_argued.txt` with its reason; there it is known by module, function and
   change, not by a line that moves.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path

from pure_modules import TESTS, source, test_files

PATIENCE = 20
"""Seconds for one row, which take milliseconds, and for finding them all; a mutant that hangs is dead."""
ARGUED = Path(__file__).with_name("mutants_argued.txt")
COMPARES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult, ast.BitOr: ast.BitAnd, ast.BitAnd: ast.BitOr, ast.LShift: ast.RShift,
}  # fmt: skip


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """What could stand in the place of a node."""
    match node:
        case ast.Compare(ops=[op, *_]) if type(op) in COMPARES:
            yield _with(node, ops=[COMPARES[type(op)](), *node.ops[1:]])
        case ast.BoolOp():
            yield _with(node, op=ast.And() if isinstance(node.op, ast.Or) else ast.Or())
            for number in range(len(node.values)):
                left = [one for place, one in enumerate(node.values) if place != number]
                yield left[0] if len(left) == 1 else _with(node, values=left)
        case ast.UnaryOp(op=ast.Not()):
            yield node.operand
        case ast.BinOp() if type(node.op) in OPERATORS:
            yield _with(node, op=OPERATORS[type(node.op)]())
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int() | float()):
            yield ast.Constant(node.value + 1)
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant) or node.value.value:
            yield ast.Return(ast.Constant(None))
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.Expr(value=ast.Call()) | ast.AugAssign():
            yield ast.Pass()
        case ast.Call(func=ast.Name(id="min" | "max")):
            other = "max" if node.func.id == "min" else "min"
            yield _with(node, func=ast.Name(other, ast.Load()))


def _with(node: ast.AST, **fields: object) -> ast.AST:
    made = type(node)(**{name: getattr(node, name) for name in node._fields})
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def mutants(path: str) -> Iterator[tuple[str, ast.Module]]:
    """Every mutant of a module, with its name."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    yield from _mutants(tree, tree, "", set())


def _mutants(tree: ast.Module, at: ast.AST, where: str, seen: set[str]) -> Iterator[tuple[str, ast.Module]]:
    for field, value in ast.iter_fields(at):
        if field in {"annotation", "returns", "type_params", "decorator_list"}:
            continue
        for number, node in enumerate(value if isinstance(value, list) else [value]):
            if not isinstance(node, ast.AST):
                continue
            named = isinstance(node, ast.FunctionDef | ast.ClassDef)
            inner = f"{where}.{node.name}".lstrip(".") if named else where
            for changed in changes(node):
                name = f"{inner}: {_text(node)} -> {_text(changed)}"
                while name in seen:
                    name += "'"
                seen.add(name)
                if isinstance(value, list):
                    value[number] = changed
                else:
                    setattr(at, field, changed)
                yield name, ast.fix_missing_locations(deepcopy(tree))
                if isinstance(value, list):
                    value[number] = node
                else:
                    setattr(at, field, node)
            yield from _mutants(tree, node, inner, seen)


def _text(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:120]


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Gives one module in its changed form."""

    def __init__(self, name: str, path: str, tree: ast.Module) -> None:
        self._name, self._path, self._tree = name, path, tree

    def find_spec(self, name: str, *_: object) -> importlib.machinery.ModuleSpec | None:
        if name != self._name:
            return None
        package = self._path.endswith("__init__.py")
        folders = [str(Path(self._path).parent)] if package else None
        return importlib.util.spec_from_file_location(name, self._path, loader=self, submodule_search_locations=folders)

    def exec_module(self, module: object) -> None:
        exec(compile(self._tree, self._path, "exec"), module.__dict__)


class _Patience:
    """A plug-in of pytest: each row has its own time."""

    def pytest_runtest_setup(self) -> None:
        signal.alarm(PATIENCE)


def survives(module: str, tree: ast.Module, marks: str) -> bool:
    """Whether the rows of a module notice nothing."""
    child = os.fork()
    if child == 0:
        os.setsid()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        code = 1
        with contextlib.suppress(BaseException):
            import pytest

            sys.meta_path.insert(0, _Mutated(f"ssowatch.{module}", str(Path(source(module)).resolve()), tree))
            signal.alarm(PATIENCE)
            asked = [
                "-x",
                "-q",
                "-p",
                "no:cacheprovider",
                "-W",
                "ignore::pytest.PytestAssertRewriteWarning",
                "-m",
                marks,
            ]
            code = pytest.main([*asked, *test_files([module])], plugins=[_Patience()])
        os._exit(int(code))
    _, status = os.waitpid(child, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what its rows have started
    return os.waitstatus_to_exitcode(status) == 0


def argued() -> set[str]:
    """Those for which a reason is written down."""
    lines = ARGUED.read_text(encoding="utf-8").splitlines() if ARGUED.exists() else []
    return {line.partition("  # ")[0].strip() for line in lines if line.strip() and not line.startswith("#")}


def main() -> int:
    """Run the modules that are named; 1 where one survives that nobody has argued away."""
    import hypothesis.strategies  # noqa: F401
    import pytest  # noqa: F401 - before the fork, as are these:

    assert not any(name.startswith("ssowatch") for name in sys.modules)
    known, failed = argued(), False
    for module in sys.argv[1:] or sorted(TESTS):
        began, dead, alive, excused = time.monotonic(), 0, [], 0
        whole = ast.parse(Path(source(module)).read_text(encoding="utf-8"))
        assert survives(module, whole, "not real"), f"{module} fails as it is"
        for name, tree in mutants(source(module)):
            if f"{module} {name}" in known:
                excused += 1
            elif survives(module, tree, "not real and not hypothesis") and survives(module, tree, "not real"):
                alive.append(name)
                print(f"{module} {name}", flush=True)
            else:
                dead += 1
        failed |= bool(alive)
        seconds = time.monotonic() - began
        print(f"== {module}: {dead} dead, {len(alive)} alive, {excused} argued, in {seconds:.0f} s", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
