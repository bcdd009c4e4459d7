"""The rules of the house as functions of a folder: each returns the list of what breaks them.

`test_architecture.py` applies them to this repository and `test_house.py` shows on small made-up
trees that each of them can fail. A rule is a plain function `rule(root) -> list[str]`, where `root`
is the folder that holds `src/pellucid`; every line it returns names a file and says what to do.

    python tests/house.py > tests/public_names.txt     write the list of public names again

Next room: test_architecture.py.
"""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

PACKAGE = "pellucid"

# --- the tables of rules --------------------------------------------------------------------------

_BASE = {"errors", "backend", "dtypes", "random"}
_CORE = _BASE | {"grad_mode", "hooks", "in_place", "tensor", "autograd"}

# Room -> the rooms that it may import. `""` is the root `__init__`, which re-exports them all.
MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "backend": {"errors"},
    "dtypes": {"errors"},
    "random": {"errors"},
    "kernels": {"errors", "backend", "dtypes", "random"},
    "hooks": set(),
    "files": {"errors"},
    "checkpoint": _BASE | {"tensor", "files"},
    "grad_mode": set(),
    "in_place": {"errors", "backend", "dtypes"},
    "tensor": _BASE | {"grad_mode", "hooks", "in_place"},
    "gradients": _BASE | {"grad_mode", "tensor"},
    "autograd": _BASE | {"grad_mode", "hooks", "tensor", "gradients"},
    "creation": _CORE | {"ops"},
    "ops": _CORE | {"kernels"},
    "nn": _CORE | {"gradients", "ops"},
    "optim": _CORE | {"gradients", "ops", "nn", "kernels"},
    "data": _CORE,
    "models": _CORE | {"ops", "nn"},
    "inference": _CORE | {"kernels", "ops", "nn"},
    "profiler": _CORE | {"files", "kernels"},
    "testing": _CORE | {"ops", "kernels", "explain"},
}
MAY_IMPORT[""] = {*MAY_IMPORT, "explain", "training"}
MAY_IMPORT["explain"] = set(MAY_IMPORT) - {"testing"}
MAY_IMPORT["training"] = {*MAY_IMPORT, "explain"}
MAY_IMPORT["cli"] = {*MAY_IMPORT, "training"}
MAY_IMPORT["__main__"] = {"cli"}

# The one circle: the operators of Tensor call ops, which need Tensor. tensor.py imports them below
# its last definition (or for types only), and nothing else in the package imports late.
LATE_IMPORTS: dict[str, set[str]] = {"tensor.py": {"autograd", "ops"}}

CORE_DEPENDENCIES = {"numpy", "safetensors"}
APP_DEPENDENCIES = {
    "typer", "rich", "jinja2", "matplotlib", "PIL", "pooch", "sympy", "latex2mathml",
}  # fmt: skip

FILE_LINES, FUNCTION_LINES = 400, 40
SIZED_FOLDERS = ("src", "tests", "examples", "benchmarks", "tools")
# File, or file::function, that is a table of data rather than code -> why.
TABLES_OF_DATA: dict[str, str] = {}

# src module without a test module of its own -> where it is tested.
TESTED_ELSEWHERE: dict[str, str] = {}

FILE_BYTES = 1_000_000

# --- reading trees --------------------------------------------------------------------------------


class Import(NamedTuple):
    """One import inside the package: `module` is the dotted name that it reaches."""

    line: int
    module: str
    at_top: bool  # at module level, so that it runs when the module is imported
    after_definitions: bool
    for_types: bool  # under `if TYPE_CHECKING`, so that it never runs


def modules(root: Path) -> list[Path]:
    """Return the modules of the package in a fixed order."""
    return sorted((root / "src" / PACKAGE).rglob("*.py"))


def tracked_files(root: Path) -> list[Path]:
    """Return the files that belong to the repository; all visible ones outside of a checkout."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listing.returncode == 0 and (root / ".git").exists():
        found = [root / name for name in listing.stdout.split("\0") if name]
    else:
        found = [p for p in root.rglob("*") if not _is_hidden(p.relative_to(root))]
    return sorted(path for path in found if path.is_file())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)


def _parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _inside(root: Path, path: Path) -> str:
    """The path of a module within the package, `ops/conv.py`."""
    return path.relative_to(root / "src" / PACKAGE).as_posix()


def _room(dotted: str) -> str:
    """The room of a dotted module name: `pellucid.ops.conv` lies in `ops`, `pellucid` in ``."""
    return [*dotted.split("."), ""][1]


def _dotted(root: Path, path: Path) -> str:
    parts = [PACKAGE, *Path(_inside(root, path)).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _targets(node: ast.stmt, importer: str, is_package: bool, known: set[str]) -> list[str]:
    """The modules that one import statement reaches."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    base = node.module or ""
    if node.level:
        anchor = importer.split(".")
        anchor = anchor[: len(anchor) - node.level + is_package]
        base = ".".join([*anchor, *([node.module] if node.module else [])])
    named = [f"{base}.{alias.name}" for alias in node.names]
    return [name if name in known else base for name in named]


def _lines_within(tree: ast.Module, wanted: Callable[[ast.AST], bool]) -> set[int]:
    """The lines of the statements inside those that are wanted."""
    bodies = [s for node in ast.walk(tree) if wanted(node) for s in getattr(node, "body", [])]
    return {line for s in bodies for line in range(s.lineno, (s.end_lineno or s.lineno) + 1)}


def imports(root: Path, path: Path) -> list[Import]:
    """Return every import of a module, those inside functions and `if TYPE_CHECKING` too."""
    tree, known = _parse(path), {_dotted(root, p) for p in modules(root)}
    inner = _lines_within(tree, lambda n: isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)))
    typed = _lines_within(
        tree, lambda n: isinstance(n, ast.If) and ast.unparse(n.test).endswith("TYPE_CHECKING")
    )
    definitions = [n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.ClassDef))]
    last = max((n.end_lineno or 0 for n in definitions), default=sys.maxsize)
    importer, is_package = _dotted(root, path), path.name == "__init__.py"
    return [
        Import(line, target, line not in inner, line > last, line in typed)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for target in _targets(node, importer, is_package, known)
        for line in [node.lineno]
    ]


# --- imports --------------------------------------------------------------------------------------


def broken_imports(root: Path) -> list[str]:
    """Return the imports that go against the one way, or come late where they must not."""
    broken = []
    for path in modules(root):
        file, room = _inside(root, path), _room(_dotted(root, path))
        if room not in MAY_IMPORT:
            broken.append(f"{file}: the room '{room}' has no line in MAY_IMPORT of tests/house.py")
            continue
        for found in imports(root, path):
            if found.module.split(".")[0] != PACKAGE:
                continue
            target = _room(found.module)
            where = f"{file}:{found.line}: imports {found.module}"
            if target in LATE_IMPORTS.get(file, ()):
                if not (found.for_types or (found.at_top and found.after_definitions)):
                    broken.append(f"{where}, which belongs below the last definition of the file")
            elif target not in {*MAY_IMPORT[room], room}:
                broken.append(f"{where}, but {room or PACKAGE} may import {MAY_IMPORT[room]}")
            elif not found.at_top and room != "cli":
                broken.append(f"{where} inside a function; move it to the top of the module")
    return broken


def import_circles(root: Path) -> list[str]:
    """Return the circles among the modules, but for the late imports that are allowed."""
    graph: dict[str, set[str]] = {}
    for path in modules(root):
        late = LATE_IMPORTS.get(_inside(root, path), set())
        graph[_dotted(root, path)] = {
            found.module
            for found in imports(root, path)
            if _room(found.module) not in late and not found.for_types
        }
    circles, done = [], set()

    def walk(module: str, trail: list[str]) -> None:
        if module in trail:
            circles.append(" -> ".join([*trail[trail.index(module) :], module]))
        elif module not in done:
            for target in sorted(graph.get(module, ())):
                walk(target, [*trail, module])
            done.add(module)

    for module in sorted(graph):
        walk(module, [])
    return circles


def foreign_imports(root: Path) -> list[str]:
    """Return the imports of packages that a bare install does not bring, or that have no place."""
    broken = []
    for path in modules(root):
        file, in_cli = _inside(root, path), _inside(root, path).startswith("cli/")
        for found in imports(root, path):
            name = found.module.split(".")[0]
            if name in {PACKAGE, *CORE_DEPENDENCIES} or name in sys.stdlib_module_names:
                continue
            if name not in APP_DEPENDENCIES:
                broken.append(f"{file}:{found.line}: {name} is in no extra of pellucid")
            elif found.at_top and not (in_cli or found.for_types):
                broken.append(
                    f"{file}:{found.line}: {name} is in the extra 'app': "
                    "import it inside the function that needs it, or move the code to cli/"
                )
    return broken


# --- sizes ----------------------------------------------------------------------------------------


def _docstring_lines(tree: ast.Module) -> set[int]:
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and ast.get_docstring(node, clean=False) is not None:
                lines.update(range(first.lineno, (first.end_lineno or first.lineno) + 1))
    return lines


def code_lines(text: str) -> set[int]:
    """Return the numbers of the lines of code: no blanks, no comments, no docstrings."""
    silent = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
        tokenize.ENDMARKER,
    }  # fmt: skip
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in silent:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - _docstring_lines(ast.parse(text))


def oversized(root: Path) -> list[str]:
    """Return the files and functions with too many lines of code, and stale exemptions."""
    over: dict[str, str] = {}
    for path in (p for name in SIZED_FOLDERS for p in sorted((root / name).rglob("*.py"))):
        file, text = path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")
        lines = code_lines(text)
        if len(lines) > FILE_LINES:
            over[file] = f"{len(lines)} lines of code, at most {FILE_LINES}"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                size = len(lines & set(range(node.lineno, (node.end_lineno or 0) + 1)))
                if size > FUNCTION_LINES:
                    over[f"{file}::{node.name}"] = f"{size} lines of code, at most {FUNCTION_LINES}"
    broken = [f"{name}: {why}" for name, why in over.items() if name not in TABLES_OF_DATA]
    stale = [name for name in TABLES_OF_DATA if name not in over]
    return broken + [f"{name}: not too long; take it out of TABLES_OF_DATA" for name in stale]


def large_files(root: Path) -> list[str]:
    """Return the files over one megabyte."""
    return [
        f"{path.relative_to(root).as_posix()}: {path.stat().st_size} bytes, at most {FILE_BYTES}"
        for path in tracked_files(root)
        if path.stat().st_size > FILE_BYTES
    ]


# --- public names ---------------------------------------------------------------------------------


def _exported(node: ast.stmt) -> Iterator[str]:
    """The public names that one statement of an `__init__` file gives: re-exports, definitions."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == PACKAGE:
        for alias in node.names:
            if alias.asname and not alias.asname.startswith("_"):
                yield alias.asname
    elif isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
        yield node.name


def public_names(root: Path) -> list[str]:
    """Return every public name: what the `__init__` files re-export or define."""
    names: set[str] = set()
    for path in modules(root):
        package = _dotted(root, path)
        if path.name == "__init__.py" and "._" not in package:
            names.update(f"{package}.{n}" for node in _parse(path).body for n in _exported(node))
    return sorted(names)


def changed_names(root: Path) -> list[str]:
    """Return how the public names differ from tests/public_names.txt."""
    held = set((root / "tests" / "public_names.txt").read_text(encoding="utf-8").split())
    now = set(public_names(root))
    return [f"+ {name}" for name in sorted(now - held)] + [f"- {n}" for n in sorted(held - now)]


# --- what is told ---------------------------------------------------------------------------------


def missing_readmes(root: Path) -> list[str]:
    """Return the folders without a README.md, and the modules that theirs does not name."""
    broken = []
    files = [p.relative_to(root) for p in tracked_files(root)]
    rooms = (f"src/{PACKAGE}", "tests", "docs", "examples", "benchmarks", "native", "tools")
    inside = [f for f in files if any(f.as_posix().startswith(f"{room}/") for room in rooms)]
    for folder in sorted({f.parent for f in inside}):
        readme = root / folder / "README.md"
        if not readme.exists():
            broken.append(f"{folder.as_posix()}: has no README.md")
            continue
        text = readme.read_text(encoding="utf-8")
        for file in (f.name for f in inside if f.parent == folder and f.suffix == ".py"):
            in_src = folder.parts[0] != "tests"
            if in_src and file != "__init__.py" and file not in text:
                broken.append(f"{folder.as_posix()}/README.md: does not name {file}")
    return broken


def unsigned_rooms(root: Path) -> list[str]:
    """Return the modules whose docstring does not end with a `Next room:` that exists."""
    broken = []
    for path in modules(root):
        if path.name.startswith("_") and path.name != "__init__.py":
            continue  # a private file is a cupboard, not a room
        last = (ast.get_docstring(_parse(path)) or "").split("\n\n")[-1]
        words = re.findall(r"[\w./]+", last.rpartition("Next room:")[2])
        places = [word.rstrip(".") for word in words if re.search(r"/|\.\w", word)]
        if "Next room:" not in last or not places:
            broken.append(
                f"{_inside(root, path)}: the docstring does not end with 'Next room: ...'"
            )
        around = (path.parent, root / "src" / PACKAGE, root)
        for place in places if "Next room:" in last else []:
            if not any((folder / place).exists() for folder in around):
                broken.append(f"{_inside(root, path)}: the next room {place} is not there")
    return broken


def undescribed(root: Path) -> list[str]:
    """Return the public functions and classes without a docstring (ruff holds the methods)."""
    return [
        f"{_inside(root, path)}:{node.lineno}: {node.name} has no docstring"
        for path in modules(root)
        for node in _parse(path).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and ast.get_docstring(node) is None
        and "overload" not in [ast.unparse(decorator) for decorator in node.decorator_list]
    ]


def untested_modules(root: Path) -> list[str]:
    """Return the modules without a test module at the mirrored path, and stale exemptions.

    A family of ops may have its table of cases instead, over which the generic tests run.
    """
    broken, seen = [], set()
    for path in modules(root):
        file = _inside(root, path)
        test = root / "tests" / Path(file).with_name(f"test_{path.name}")
        table = root / "tests" / "ops" / "cases" / path.name
        tested = test.exists() or (file == f"ops/{path.name}" and table.exists())
        if path.name != "__init__.py" and not tested:
            seen.add(file)
            if file not in TESTED_ELSEWHERE:
                broken.append(f"{file}: has no {test.relative_to(root).as_posix()}")
    stale = sorted(set(TESTED_ELSEWHERE) - seen)
    return broken + [f"{file}: take it out of TESTED_ELSEWHERE" for file in stale]


# --- version --------------------------------------------------------------------------------------


def version(root: Path) -> str:
    """Return the version, which is written in the root `__init__` and nowhere else."""
    text = (root / "src" / PACKAGE / "__init__.py").read_text(encoding="utf-8")
    found = re.findall(r'^__version__ = "([^"]+)"$', text, re.MULTILINE)
    return found[0] if len(found) == 1 else f"{len(found)} lines of __version__"


def scattered_versions(root: Path) -> list[str]:
    """Return the places that repeat the version, and a change log that does not lead with it."""
    now = version(root)
    files = [p for p in modules(root) if _inside(root, p) != "__init__.py"]
    files += [p for p in [root / "pyproject.toml"] if p.exists()]
    broken = [
        f"{path.relative_to(root).as_posix()}: repeats the version {now}"
        for path in files
        if re.search(rf"(?<![\w.]){re.escape(now)}(?![\w.])", path.read_text(encoding="utf-8"))
    ]
    log = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## \[(\d[^\]]*)\]", log, re.MULTILINE)
    if newest is None or newest[1] != now:
        found = newest[1] if newest else "none"
        broken.append(f"CHANGELOG.md: its newest version is {found}, the package is {now}")
    return broken


if __name__ == "__main__":
    print("\n".join(public_names(Path(__file__).resolve().parents[1])))
