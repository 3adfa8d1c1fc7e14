"""The package under src/ that all of these agents work on: its modules, read and parsed."""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_ROLE = re.compile(r":[\w:]+:`~?([^`<]+?)(?: <[^`]*>)?`")  # :class:`~click.Context`
_LITERAL = re.compile(r"``([^`]+)``")


@dataclass(frozen=True)
class Module:
    """`name` is the whole dotted name; a package is called as its folder is."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """What a dot in `from . import` stands for."""
        return self.name if self.path.name == "__init__.py" else self.name.rpartition(".")[0]


def modules() -> list[Module]:
    """Return every module of the package, by name."""
    return sorted((_read(path) for path in package().rglob("*.py")), key=lambda module: module.name)


def package() -> Path:
    """Return the package's folder."""
    for path in sorted(Path("src").glob("*/__init__.py")):
        return path.parent
    sys.exit("There is no package under src/.")


def imported(statement: ast.ImportFrom, module: Module) -> str:
    """Return the whole name of the module that `from ... import` takes from."""
    if not statement.level:
        return statement.module or ""
    parts = module.package.split(".")
    start = parts[: len(parts) - statement.level + 1]
    return ".".join([*start, *([statement.module] if statement.module else [])])


def summary(node: ast.AST) -> str:
    """Return the first sentence of a docstring as Markdown, or nothing."""
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        return ""
    words = " ".join((ast.get_docstring(node) or "").partition("\n\n")[0].split())
    sentence = re.split(r"(?<=[a-z)`])\. ", words)[0].rstrip(".:")
    return _LITERAL.sub(r"`\1`", _ROLE.sub(r"`\1`", sentence))


def table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    escaped = ([cell.replace("|", r"\|") for cell in row] for row in rows)
    return "".join(f"| {' | '.join(line)} |\n" for line in (headers, ["---"] * len(headers), *escaped))


def write(name: str, text: str) -> Path:
    """Write a file of docs/ and return its path."""
    path = Path("docs") / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _read(path: Path) -> Module:
    parts = path.relative_to("src").with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_bytes().decode("utf-8")
    return Module(name, path, text, ast.parse(text, filename=str(path)))
