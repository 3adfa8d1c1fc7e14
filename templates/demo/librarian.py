"""Keeps the index of the modules: how big each one is, what it defines, what it says of itself."""

from __future__ import annotations

import ast

import source

_NAMED = 6  # names that a row spells out


def main() -> None:
    modules = source.modules()
    lines = sum(_lines(module) for module in modules)
    headers = ("module", "lines", "defines", "in its own words")
    rows = [(f"`{m.name}`", f"{_lines(m):,}", _defined(m), source.summary(m.tree)) for m in modules]
    head = f"# Modules of {modules[0].name}\n\n{len(modules)} modules, {lines:,} lines.\n\n"
    path = source.write("MODULES.md", head + source.table(headers, rows))
    print(f"{path}: {len(modules)} modules, {lines:,} lines")


def _lines(module: source.Module) -> int:
    return module.text.count("\n")


def _defined(module: source.Module) -> str:
    kinds = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = (node.name for node in module.tree.body if isinstance(node, kinds) and not node.name.startswith("_"))
    names = list(dict.fromkeys(found))  # an overload is a second definition
    spelled = ", ".join(f"`{name}`" for name in names[:_NAMED])
    more = len(names) - _NAMED
    return f"{spelled} and {more} more" if more > 0 else spelled


if __name__ == "__main__":
    main()
