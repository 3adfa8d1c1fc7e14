"""Documents the public API: each name that users import, how it is called, what its docstring says first."""

from __future__ import annotations

import ast
import os
import sys
from pathlib import Path

import source


def main() -> None:
    rows = [_row(name, module) for name, module in public_names(source.modules())]
    if os.environ.get("ORCHGIT_ATTEMPT") == "1":
        _write(rows[: len(rows) // 2])
        sys.exit("fails half-way, on purpose, to show what a retry is")
    if Path("docs/API.md").exists():
        print("An earlier attempt left half of docs/API.md; writing all of it.")
    _write(rows)
    print(f"docs/API.md: {len(rows)} public names")


def public_names(modules: list[source.Module]) -> list[tuple[str, source.Module]]:
    """Return what the package's `__init__.py` takes from its modules, by name, with the module that defines it."""
    known = {module.name: module for module in modules}
    top = modules[0]
    found = {
        alias.asname or alias.name: known[origin]
        for statement in top.tree.body
        if isinstance(statement, ast.ImportFrom) and (origin := source.imported(statement, top)) in known
        for alias in statement.names
        if origin != top.name
    }
    return sorted((name, module) for name, module in found.items() if not name.startswith("_"))


def _write(rows: list[tuple[str, ...]]) -> None:
    name = source.package().name
    head = f"# The public API of {name}\n\nWhat `import {name}` offers, {len(rows)} names.\n\n"
    source.write("API.md", head + source.table(("name", "kind", "module", "what it is"), rows))


def _row(name: str, module: source.Module) -> tuple[str, ...]:
    for node in reversed(module.tree.body):  # the last of several overloads is the one that does the work
        match node:
            case ast.ClassDef(name=found) if found == name:
                return (f"`{name}`", "class", f"`{module.name}`", source.summary(node))
            case ast.FunctionDef(name=found) if found == name:
                return (f"`{_call(node)}`", "function", f"`{module.name}`", source.summary(node))
            case ast.Assign(targets=[ast.Name(id=found)], value=ast.expr() as value) if found == name:
                return (f"`{name}`", "value", f"`{module.name}`", f"`{ast.unparse(value)}`")
            case ast.AnnAssign(target=ast.Name(id=found), value=ast.expr() as value) if found == name:
                return (f"`{name}`", "value", f"`{module.name}`", f"`{ast.unparse(value)}`")
    return (f"`{name}`", "value", f"`{module.name}`", "")


def _call(function: ast.FunctionDef) -> str:
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args)]
    names += [f"*{arguments.vararg.arg}"] if arguments.vararg else ["*"] if arguments.kwonlyargs else []
    names += [each.arg for each in arguments.kwonlyargs]
    names += [f"**{arguments.kwarg.arg}"] if arguments.kwarg else []
    return f"{function.name}({', '.join(names)})"


if __name__ == "__main__":
    main()
