"""The rooms of the package: imports go one way between them, and nowhere in a circle, not even for types."""

import ast
import builtins
from collections import defaultdict
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import payer_policy

PACKAGE = Path(payer_policy.__file__).parent

# What each room imports of the others: "documents" are the modules of facts, "" is the package itself.
ROOMS = {
    "": {"runtime"},
    "__main__": {"command"},
    "command": {"fhir", "letter", "parquet", "runtime", "workshop"},
    "documents": {"runtime"},
    "fhir": {"letter", "runtime"},
    "letter": {"runtime"},
    "parquet": {"runtime", "tables", "workshop"},
    "runtime": set[str](),
    "spark": {"runtime", "tables", "workshop"},
    "tables": {"runtime", "workshop"},
    "workshop": {"runtime"},
}

MODULES = {
    ".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): file
    for file in PACKAGE.rglob("*.py")
}


def imported(file: Path) -> Iterator[str]:
    """The modules of the package that another imports, anywhere in its text."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        assert not getattr(node, "level", 0), f"{file} imports by dots, which say no room"
        names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
        for name in names:
            whole = f"{node.module}.{name}" if isinstance(node, ast.ImportFrom) else name
            if whole.split(".")[0] == PACKAGE.name:
                yield whole if whole in MODULES else whole.rpartition(".")[0]


IMPORTS = {name: {*imported(file)} for name, file in MODULES.items()}


def room(module: str) -> str:
    name = module.split(".")[1] if "." in module else ""
    return name if name in ROOMS else "documents"


def test_imports_go_one_way() -> None:
    found = defaultdict[str, set[str]](set)
    for name, others in IMPORTS.items():
        found[room(name)] |= {room(other) for other in others} - {room(name)}
    assert found == ROOMS
    TopologicalSorter(ROOMS).prepare()  # which raises, with the circle


def test_no_module_imports_itself_by_way_of_another() -> None:
    TopologicalSorter(IMPORTS).prepare()


def test_every_error_is_a_policy_error() -> None:
    """But those that no caller sees, which begin with _."""
    roots = {
        node.name
        for file in MODULES.values()
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and any(is_error(base) for base in node.bases)
    }
    assert {name for name in roots if not name.startswith("_")} == {"PolicyError"}


def is_error(base: ast.expr) -> bool:
    """Of those that Python has."""
    named = getattr(builtins, base.id, None) if isinstance(base, ast.Name) else None
    return isinstance(named, type) and issubclass(named, BaseException)
