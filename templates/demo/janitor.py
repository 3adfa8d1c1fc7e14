"""Removes unused imports: what nothing uses goes, what anything might use stays."""

from __future__ import annotations

import ast
import re
import tokenize
from collections import defaultdict
from io import StringIO
from typing import TYPE_CHECKING

import source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Import = ast.Import | ast.ImportFrom


def main() -> None:
    modules = source.modules()
    taken = taken_from(modules)
    removed: dict[str, list[str]] = {}
    for module in modules:
        unused = list(find_unused(module, taken[module.name.rpartition(".")[2]]))
        if unused:
            text = without(module.text, unused)
            compile(text, str(module.path), "exec", dont_inherit=True)
            module.path.write_bytes(text.encode())
            removed[module.name] = [_bound(alias) for _, aliases in unused for alias in aliases]
    for name, names in removed.items():
        print(f"{name}: {', '.join(names)}")
    count = sum(map(len, removed.values()))
    print(f"removed {count} unused imports from {len(removed)} of {len(modules)} modules")


def taken_from(modules: Iterable[source.Module]) -> dict[str, set[str]]:
    """Return the names that are imported from a module or read off it anywhere, by the last part of its name."""
    found = defaultdict[str, set[str]](set)
    for module in modules:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ImportFrom):
                found[source.imported(node, module).rpartition(".")[2]].update(alias.name for alias in node.names)
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
                found[node.value.id if isinstance(node.value, ast.Name) else node.value.attr].add(node.attr)
    return found


def find_unused(module: source.Module, taken: set[str]) -> Iterator[tuple[Import, list[ast.alias]]]:
    """Yield the imports of `module` that can go: a statement, and the names in it that nothing uses.

    `taken` are the names that other modules take from this one.
    """
    if module.path.name == "__init__.py" or "*" in taken:
        return  # it imports in order to offer
    lines = module.text.split("\n")
    used = taken | _names(module.tree) | _words_in_strings(module.tree) | _words_in_type_comments(module.text)
    for block in _blocks(module.tree):
        found = [(each, _unused(each, used)) for each in block if isinstance(each, Import) and _is_alone(each, lines)]
        if sum(aliases == each.names for each, aliases in found) < len(block):  # a block can't be left empty
            yield from ((each, aliases) for each, aliases in found if aliases)


def without(text: str, unused: Iterable[tuple[Import, list[ast.alias]]]) -> str:
    """Return `text` without these imports; every other line stays as it is."""
    lines = text.split("\n")
    for statement, aliases in sorted(unused, key=lambda pair: -pair[0].lineno):
        place = slice(statement.lineno - 1, statement.end_lineno)
        own = {alias.lineno for alias in aliases}
        rest = [alias for alias in statement.names if alias not in aliases]
        if not rest:
            del lines[place]
        elif own.isdisjoint({statement.lineno, statement.end_lineno, *(alias.lineno for alias in rest)}):
            lines[place] = [line for number, line in enumerate(lines[place], statement.lineno) if number not in own]
        else:
            statement.names = rest
            ending = "\r" if lines[statement.lineno - 1].endswith("\r") else ""
            lines[place] = [" " * statement.col_offset + ast.unparse(statement) + ending]
    return "\n".join(lines)


def _unused(statement: Import, used: set[str]) -> list[ast.alias]:
    if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
        return []
    # `import x as x` says that x is offered to others, as a star does.
    kept = [alias for alias in statement.names if alias.name in ("*", alias.asname) or _bound(alias) in used]
    return [alias for alias in statement.names if alias not in kept]


def _bound(alias: ast.alias) -> str:
    return alias.asname or alias.name.partition(".")[0]


def _blocks(tree: ast.Module) -> Iterator[list[ast.stmt]]:
    """Yield the module's own statements, and those for type checkers; an import that is tried or put off is left."""
    yield tree.body
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING") and not node.orelse:
            yield node.body


def _is_alone(statement: Import, lines: list[str]) -> bool:
    """Does the statement have its lines to itself, with no comment, `noqa` for one, that would go with it?"""
    assert statement.end_lineno is not None
    assert statement.end_col_offset is not None
    first, last = lines[statement.lineno - 1], lines[statement.end_lineno - 1]
    around = first[: statement.col_offset] + last.encode()[statement.end_col_offset :].decode()
    return not around.strip() and not any("#" in line for line in lines[statement.lineno - 1 : statement.end_lineno])


def _names(tree: ast.Module) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


def _words_in_strings(tree: ast.Module) -> set[str]:
    """Return every word of every string, docstrings aside: `__all__`, annotations in quotes, getattr and the like."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    strings = (node for node in ast.walk(tree) if isinstance(node, ast.Constant) and id(node) not in docstrings)
    return {word for node in strings if isinstance(node.value, str) for word in re.findall(r"\w+", node.value)}


def _words_in_type_comments(text: str) -> set[str]:
    tokens = tokenize.generate_tokens(StringIO(text).readline)
    comments = (token.string for token in tokens if token.type == tokenize.COMMENT)
    return {word for each in comments if re.match(r"#\s*type:", each) for word in re.findall(r"\w+", each)}


if __name__ == "__main__":
    main()
