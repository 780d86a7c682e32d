"""Imports point down only, and what is pure stays pure.

The two tables say what may import what; everything else is checked against them. A folder or module that the
first table does not name fails, so a new one has to be given its place.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = "asterisk_consent"
SOURCE = Path(__file__).resolve().parents[1] / PACKAGE

_VALUES = {"errors", "model"}
_STORES = _VALUES | {"durable", "shared", "telephone", "tables", "policy", "config", "ledger", "vault"}
_WORK = _STORES | {"rights", "dialogue", "prompts", "pbx"}

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "model": {"errors"},
    "emergency": {"errors"},
    "telephone": set(),
    "toml_lines": set(),
    "tables": _VALUES | {"toml_lines"},
    "policy": _VALUES | {"tables", "toml_lines"},
    "config": _VALUES | {"tables", "policy"},
    "durable": set(),
    "shared": set(),
    "ledger": _VALUES | {"durable", "shared", "telephone"},
    "vault": _VALUES | {"durable", "shared"},
    "pbx": {"errors"},
    "dialogue": _VALUES | {"policy"},
    "witnesses": {"config", "ledger"},
    "prompts": _STORES,
    "rights": _STORES,
    "calls": _WORK,
    "keyholder": _STORES | {"rights"},
    "console": _WORK | {"calls", "keyholder"},
    "doctor": _WORK | {"calls", "witnesses"},
    "daemon": _WORK | {"calls", "witnesses"},
    "__main__": {"cli"},
    "cli": _WORK | {"emergency", "calls", "keyholder", "console", "daemon", "doctor"},
}
PURE = (
    "dialogue",
    "policy",
    "tables",
    "toml_lines",
    "emergency",
    "telephone",
    "model",
    "errors",
    "ledger.entry",
    "ledger.chain",
    "ledger.index",
    "ledger.checkpoint",
)
NOT_PURE = {
    "asyncio",
    "socket",
    "sqlite3",
    "aiosqlite",
    "aiohttp",
    "time",
    "random",
    "secrets",
    "os",
    "threading",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """One import statement: in which module, of which, at which line; module names without the package."""

    module: str
    imports: str
    line: int
    inside: bool

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.imports}"


def imports_of(module: str, text: str) -> Iterator[Import]:
    """Every import of a module, also one inside a function; names from our own package without its name."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            at_top = node.module == PACKAGE
            names = [f"{PACKAGE}.{alias.name}" for alias in node.names] if at_top else [node.module]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{PACKAGE}.relative-import"]
        else:
            continue
        for name in names:
            inside = name.startswith(f"{PACKAGE}.")
            short = name.removeprefix(f"{PACKAGE}.")
            yield Import(module=module, imports=short, line=node.lineno, inside=inside)


def wrong_directions(found: Mapping[str, list[Import]]) -> list[str]:
    """Imports of our own that the table does not allow, and parts that it does not name."""
    wrong = [
        f"{part} has no place in the table" for part in sorted({_part(m) for m in found} - MAY_IMPORT.keys())
    ]
    for module, imports in found.items():
        own = _part(module)
        allowed = MAY_IMPORT.get(own, set()) | {own, "__version__"}
        wrong += [str(each) for each in imports if each.inside and _part(each.imports) not in allowed]
    return wrong


def impurities(found: Mapping[str, list[Import]]) -> list[str]:
    """Imports that make a pure module, or a module of ours that it rests on, impure."""
    waiting = [module for module in found if _is_pure(module)]
    seen: set[str] = set()
    wrong: list[str] = []
    while waiting:
        module = waiting.pop()
        if module in seen or module not in found:
            continue
        seen.add(module)
        for each in found[module]:
            if each.inside:
                waiting.append(each.imports)
            elif each.imports.partition(".")[0] in NOT_PURE:
                wrong.append(str(each))
    return wrong


def _part(module: str) -> str:
    return module.partition(".")[0]


def _is_pure(module: str) -> bool:
    return any(module == pure or module.startswith(f"{pure}.") for pure in PURE)


@pytest.fixture(scope="module")
def found() -> dict[str, list[Import]]:
    """Every module of the package with its imports. A folder's ``__init__`` bears the folder's name."""
    modules: dict[str, list[Import]] = {}
    for file in SOURCE.rglob("*.py"):
        parts = file.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if name:
            modules[name] = list(imports_of(name, file.read_text()))
    return modules


def test_imports_point_down_only(found: dict[str, list[Import]]) -> None:
    assert len(found) > 10
    assert wrong_directions(found) == []


def test_pure_modules_rest_on_pure_modules_only(found: dict[str, list[Import]]) -> None:
    assert impurities(found) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("pbx.ari", "from asterisk_consent.dialogue.events import DigitReceived"),
        ("dialogue.machine", "import asterisk_consent.pbx.ari"),
        ("ledger.store", "def late():\n    from asterisk_consent.calls import session"),
        ("policy", "from asterisk_consent import config"),
        ("vault.store", "from . import keys"),
        ("somewhere", ""),
    ],
)
def test_an_import_that_points_up_is_found(module: str, text: str) -> None:
    assert len(wrong_directions({module: list(imports_of(module, text))})) == 1


@pytest.mark.parametrize(
    "text", ["import time", "from os import path", "def f():\n    import asyncio.events"]
)
def test_an_impure_import_is_found(text: str) -> None:
    assert len(impurities({"dialogue.machine": list(imports_of("dialogue.machine", text))})) == 1


def test_an_impurity_behind_another_module_is_found() -> None:
    found = {
        "ledger.chain": list(imports_of("ledger.chain", "from asterisk_consent.ledger.sealing import seal")),
        "ledger.sealing": list(imports_of("ledger.sealing", "import secrets")),
    }
    assert impurities(found) == ["ledger.sealing:1 imports secrets"]
