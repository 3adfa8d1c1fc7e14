"""Draws the import graph: which module needs which, in what order they load, which need each other."""

from __future__ import annotations

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

import source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Graph = dict[str, set[str]]


def main() -> None:
    modules = source.modules()
    known = {module.name for module in modules}
    at_load = {module.name: _needs(module, known, _run_at_load(module.tree.body)) for module in modules}
    ever = {module.name: _needs(module, known, ast.walk(module.tree)) for module in modules}
    path = source.write("IMPORTS.md", _page(modules[0].name, at_load, ever))
    print(f"{path}: {sum(map(len, ever.values()))} imports between {len(modules)} modules")


def _needs(module: source.Module, known: set[str], nodes: Iterable[ast.AST]) -> set[str]:
    """Return the modules of the package that the imports among `nodes` name."""
    found: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = source.imported(node, module)
            wholes = (f"{origin}.{alias.name}" for alias in node.names)
            found.update(whole if whole in known else origin for whole in wholes)
    return (found & known) - {module.name}


def _run_at_load(nodes: Iterable[ast.AST]) -> Iterator[ast.AST]:
    """Yield what runs when the module is imported: no function's body, and nothing that only type checkers read."""
    for node in nodes:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            yield from _run_at_load(node.orelse)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield from _run_at_load(ast.iter_child_nodes(node))


def _page(package: str, at_load: Graph, ever: Graph) -> str:
    used = Counter(needed for each in ever.values() for needed in sorted(each))
    most = ", ".join(f"`{name}` by {count}" for name, count in used.most_common(5))
    return (
        f"# Imports within {package}\n\nAn arrow is an import, a dotted one an import that is put off: inside a "
        f"function, or for type checkers.\n\n```mermaid\ngraph LR\n{_arrows(at_load, ever)}```\n\n"
        f"Needed by the most modules: {most}.\n\n{_order(package, at_load)}\n"
    )


def _arrows(at_load: Graph, ever: Graph) -> str:
    pairs = sorted((name, needed) for name, all_needed in ever.items() for needed in all_needed)
    return "".join(f"    {name} {'-->' if needed in at_load[name] else '-.->'} {needed}\n" for name, needed in pairs)


def _order(package: str, at_load: Graph) -> str:
    # The package itself is always half loaded before its modules are, so it says nothing about their order.
    parts = {name: sorted(needed - {package}) for name, needed in sorted(at_load.items()) if name != package}
    try:
        return f"They can load one after the other: {', '.join(TopologicalSorter(parts).static_order())}."
    except CycleError as error:
        return f"These need each other while they load: {' -> '.join(error.args[1])}."


if __name__ == "__main__":
    main()
