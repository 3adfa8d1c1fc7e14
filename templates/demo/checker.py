"""Checks that all of it holds together: the source compiles and runs, the documents leave nothing out."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
import tempfile
from pathlib import Path

import scribe
import source


def main() -> None:
    modules = source.modules()
    checks = {
        f"{len(modules)} modules compile": _broken(modules),
        f"`import {modules[0].name}` works": _import_error(modules[0].name),
        "docs/MODULES.md names every module": _left_out("MODULES.md", [module.name for module in modules]),
        "docs/API.md names every public name": _left_out("API.md", [name for name, _ in scribe.public_names(modules)]),
    }
    rows = [(what, "no: " + "; ".join(wrong) if wrong else "yes") for what, wrong in checks.items()]
    version = sys.version.split()[0]
    source.write("CHECK.md", f"# Check\n\nWith Python {version}.\n\n" + source.table(("check", "holds"), rows))
    for what, answer in rows:
        print(f"{what}: {answer}")
    if any(checks.values()):
        sys.exit("something does not hold; docs/CHECK.md says what")
    print(f"docs/CHECK.md: all {len(checks)} checks hold")


def _broken(modules: list[source.Module]) -> list[str]:
    """Return what the compiler says against the modules."""
    complaints = []
    with tempfile.TemporaryDirectory() as folder:
        for module in modules:
            try:
                py_compile.compile(str(module.path), cfile=str(Path(folder) / "compiled"), doraise=True)
            except py_compile.PyCompileError as error:
                complaints.append(error.msg.strip())
    return complaints


def _import_error(package: str) -> list[str]:
    environment = {**os.environ, "PYTHONPATH": "src", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", f"import {package}; print({package}.__file__)"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1:]
    ours = Path(done.stdout.strip()).is_relative_to(Path("src").resolve())
    return [] if ours else [f"it is imported from {done.stdout.strip()}"]


def _left_out(document: str, names: list[str]) -> list[str]:
    text = (Path("docs") / document).read_text(encoding="utf-8")
    return [f"{name} is missing" for name in names if f"`{name}`" not in text and f"`{name}(" not in text]


if __name__ == "__main__":
    main()
