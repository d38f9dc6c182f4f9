"""Functions and classes of this project as text that stands alone: with what they need copied, and nothing imported.

A recipe shows the very code that was measured. It is read from the source files, since importing some of them would
import torch.
"""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

OWN = "efficiency"
_FOR_MYPY = re.compile(r"  # type: ignore\[[^\]]*\]")
_DEFINES = re.compile(r"\s*(def|class|@)\b")
Definition = ast.FunctionDef | ast.ClassDef | ast.Assign | ast.AnnAssign


@dataclass(frozen=True)
class Import:
    """`from module import name`, or `import module` where there is no name."""

    module: str
    name: str = ""


@dataclass
class Copied:
    """What was copied so far: imports, and the text of constants and of functions and classes, each before its use."""

    imports: set[Import] = field(default_factory=set)
    constants: list[str] = field(default_factory=list)
    definitions: list[str] = field(default_factory=list)
    _seen: set[tuple[str, int]] = field(default_factory=set)

    def add(self, place: str) -> None:
        """Copy `module:name` of this project, and before it what it needs."""
        module, _, name = place.partition(":")
        source = _read(module)
        node = source.definitions[name]
        if (module, node.lineno) in self._seen:
            return
        self._seen.add((module, node.lineno))
        head = _head_imports(node)
        known = source.imports | {known: one for statement in head for known, one in _names(statement)}
        for needed in _needed(node):
            if needed in known:
                self.need(known[needed])
            elif needed in source.definitions:
                self.add(f"{module}:{needed}")
        text = source.text(node, head)
        (self.constants if isinstance(node, ast.Assign | ast.AnnAssign) else self.definitions).append(text)

    def need(self, one: Import) -> None:
        """Import it, or copy it where it is this project's."""
        if one.module.partition(".")[0] == OWN:
            self.add(f"{one.module}:{one.name}")
        else:
            self.imports.add(one)


@dataclass(frozen=True)
class _Source:
    """A module that was read."""

    lines: list[str]
    imports: dict[str, Import]
    definitions: dict[str, Definition]
    said_after: dict[int, ast.stmt]
    """By the line of a constant: the text that describes it."""

    def text(self, node: Definition, without: list[ast.stmt]) -> str:
        """The node's own lines, but for these statements and for what only a type checker reads."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = self.said_after.get(node.lineno, node).end_lineno
        left_out = {number for one in without for number in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
        kept: list[str] = []
        for number in range(first, (last or first) + 1):
            line = _FOR_MYPY.sub("", self.lines[number - 1])
            # The blank line behind an import goes with it, but for one that a definition has before it.
            behind = not line and number - 1 in left_out
            if number not in left_out and not (behind and not _DEFINES.match(self.lines[number])):
                kept.append(line)
        return "\n".join(kept)


@cache
def _read(module: str) -> _Source:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"No module {module!r}.")
    text = Path(spec.origin).read_text(encoding="utf-8")
    imports: dict[str, Import] = {}
    definitions: dict[str, Definition] = {}
    said_after: dict[int, ast.stmt] = {}
    before: ast.stmt | None = None
    for statement in _top(ast.parse(text)):
        match statement:
            case ast.Import() | ast.ImportFrom():
                imports |= dict(_names(statement))
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                definitions[name] = statement
            case ast.Assign() | ast.AnnAssign():
                definitions |= dict.fromkeys(_stored(statement), statement)
            case ast.Expr(value=ast.Constant(value=str())) if isinstance(before, ast.Assign | ast.AnnAssign):
                said_after[before.lineno] = statement
        before = statement
    return _Source(text.splitlines(), imports, definitions, said_after)


def _top(tree: ast.Module) -> Iterator[ast.stmt]:
    """The statements of a module, those for type checkers among them."""
    for statement in tree.body:
        if isinstance(statement, ast.If) and ast.unparse(statement.test) == "TYPE_CHECKING":
            yield from statement.body
        else:
            yield statement


def _names(statement: ast.stmt) -> list[tuple[str, Import]]:
    """The names that an import binds; `__future__` binds none that counts."""
    if isinstance(statement, ast.ImportFrom) and statement.module != "__future__":
        return [(one.name, Import(statement.module or "", one.name)) for one in statement.names]
    if isinstance(statement, ast.Import):
        return [(one.name.partition(".")[0], Import(one.name)) for one in statement.names]
    return []


def _head_imports(node: Definition) -> list[ast.stmt]:
    """Those that a function starts with, which a script has at its top; further down their place may matter."""
    if not isinstance(node, ast.FunctionDef):
        return []
    body = node.body[1:] if ast.get_docstring(node) is not None else node.body
    count = next((n for n, s in enumerate(body) if not isinstance(s, ast.Import | ast.ImportFrom)), len(body))
    return list(body[:count])


def _stored(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _needed(node: Definition) -> list[str]:
    """The names that it takes from outside, in the order of their use."""
    inside = (
        {one.arg for one in ast.walk(node) if isinstance(one, ast.arg)} | _stored(node) | {getattr(node, "name", "")}
    )
    used = (one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Load))
    return [name for name in dict.fromkeys(used) if name not in inside]


def parsed(line: str) -> set[Import]:
    """The imports of a line of code."""
    return {one for statement in ast.parse(line).body for _, one in _names(statement)}


def import_lines(imports: set[Import]) -> str:
    """The imports as isort has them: the standard library, then the rest; modules before names."""
    first = {one for one in imports if one.module.partition(".")[0] in sys.stdlib_module_names}
    return "\n\n".join(filter(None, map(_section, (first, imports - first))))


def _section(imports: set[Import]) -> str:
    lines = [f"import {one.module}" for one in sorted(imports, key=lambda one: one.module) if not one.name]
    for module in sorted({one.module for one in imports if one.name}):
        names = sorted((one.name for one in imports if one.module == module and one.name), key=_as_isort)
        line = f"from {module} import {', '.join(names)}"
        if len(line) > 120:
            line = "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])
        lines.append(line)
    return "\n".join(lines)


def _as_isort(name: str) -> tuple[int, str]:
    """Constants, then classes, then the rest."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2), name
