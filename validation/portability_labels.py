"""Label the calls of ``tests/portability/labelled`` by running them, as an oracle independent of the scanner.

Run under an interpreter that has the frameworks::

    PYTHON_OF_THE_FRAMEWORKS validation/portability_labels.py tests/portability/labelled

Every call in a file is wrapped so that what is called is written down while the file runs. What was called
is named by identity: by which public names of the framework's own modules the very object can be reached. No
code of the scanner takes part. The labels go to ``labels.csv``: file, line, column (of the last name of what
is called), and the names, ``|`` between those that mean the same object and ``&`` between different objects
called at one place; ``-`` for what is no framework's; ``?`` for a call that did not run.
"""

from __future__ import annotations

import ast
import contextlib
import csv
import functools
import importlib
import inspect
import io
import json
import sys
import traceback
import types
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOTS = ("torch", "jax", "tensorflow", "keras")
PACKAGES = {
    "torch": ("torch",),
    "jax": ("jax",),
    "tensorflow": ("tensorflow", "keras"),
    "keras": ("keras", "tensorflow"),
}
DEPTH = 4
KEPT = 6
"""Names of one object that a label keeps, the shortest."""
INTERNAL = (
    "torch._", "torch.ao", "torch.fx", "torch.testing", "torch.package", "torch.quantization", "jax._",
    "keras.src", "tensorflow.python", "tensorflow.core", "tensorflow.compiler",
)  # fmt: skip
JAX_MODULES = (
    "numpy", "nn", "random", "lax", "scipy.special", "scipy.linalg", "scipy.stats", "scipy.stats.norm",
    "scipy.signal", "scipy.optimize", "nn.initializers", "flatten_util", "tree", "tree_util", "image",
    "example_libraries.optimizers", "example_libraries.stax", "experimental.sparse",
)  # fmt: skip
"""Modules of jax that importing jax alone does not bind."""


class Names:
    """Public names of frameworks by the identity of what they name."""

    def __init__(self) -> None:
        self.by_id: dict[int, set[str]] = {}
        self.keep: list[Any] = []
        self.loaded: set[str] = set()

    def load(self, root: str) -> None:
        """Walk the public modules of a framework."""
        if root in self.loaded:
            return
        self.loaded.add(root)
        seen: set[int] = set()
        waiting = [(root, importlib.import_module(root))]
        if root == "torch":
            waiting += [(n, importlib.import_module(n)) for n in ("torch.nn.utils.rnn", "torch.utils.data")]
        if root == "jax":
            waiting += [(f"jax.{n}", importlib.import_module(f"jax.{n}")) for n in JAX_MODULES]
        while waiting:
            path, module = waiting.pop(0)
            if id(module) in seen:
                continue
            seen.add(id(module))
            for name in dir(module):
                if name.startswith("_"):
                    continue
                thing = getattr(module, name, None)
                if isinstance(thing, types.ModuleType):
                    home = getattr(thing, "__name__", None) or "keras.src"
                    inside = home.split(".")[0] in (root, "keras") or "tensorflow" in home
                    if inside and path.count(".") < DEPTH and not home.startswith(INTERNAL):
                        waiting.append((f"{path}.{name}", thing))
                elif callable(thing) and not _is_standard(thing):
                    self.keep.append(thing)
                    found = self.by_id.setdefault(id(thing), set())
                    found |= {f"{path}.{name}", f"{module.__name__}.{name}"}

    def of(self, thing: Any, attribute: str = "", depth: int = 0) -> set[str]:
        """Return the names of what was called; empty for what is no framework's."""
        if isinstance(thing, functools.partial):
            return self.of(thing.func)
        if id(thing) in self.by_id:
            return self.by_id[id(thing)]
        owner = getattr(thing, "__self__", None)
        if owner is not None and not isinstance(owner, types.ModuleType):
            return self._method(thing, owner, attribute)
        if inspect.isclass(thing):
            return self._foreign(thing)
        if depth < 3 and not inspect.isfunction(thing):
            wrapped = getattr(thing, "__wrapped__", None) or getattr(thing, "_python_function", None)
            if wrapped is not None:
                return self.of(wrapped, "", depth + 1)
        if inspect.isroutine(thing):
            return self._foreign(thing)
        return self._instance(thing)

    def _foreign(self, thing: Any) -> set[str]:
        module, name = getattr(thing, "__module__", None) or "", getattr(thing, "__qualname__", "")
        if module.split(".")[0] in ROOTS and "<locals>" not in name:
            return {f"{module}.{name}"}
        return set()

    def _classes(self, cls: type) -> Iterator[tuple[type, set[str]]]:
        for base in cls.__mro__:
            if id(base) in self.by_id:
                yield base, self.by_id[id(base)]
            elif base.__module__ == "torch" or base.__module__.split(".")[0] in ROOTS:
                yield base, {f"{base.__module__}.{base.__qualname__}"}

    def _method(self, thing: Any, owner: Any, attribute: str) -> set[str]:
        name = thing.__name__
        cls = owner if inspect.isclass(owner) else type(owner)
        array = array_type(owner)
        if array:
            return {f"{array}.{attribute or name}"}
        if type(owner).__name__ == "_IndexUpdateRef":
            return {f"jax.Array.at.{attribute or name}"}
        for base in cls.__mro__:
            if name in vars(base):
                if base.__module__.split(".")[0] not in ROOTS:
                    return set()
                found = set()
                for known, paths in self._classes(cls):
                    found |= {f"{path}.{name}" for path in paths}
                    if known is base:
                        break
                return found
        return set()

    def _instance(self, thing: Any) -> set[str]:
        for cls in type(thing).__mro__:
            if cls.__module__.split(".")[0] not in ROOTS:
                return set()
            if id(cls) in self.by_id:
                return self.by_id[id(cls)]
        return set()


def _is_standard(thing: Any) -> bool:
    """Say whether an object is Python's own, only imported by the framework."""
    root = (getattr(thing, "__module__", None) or "").partition(".")[0]
    return root in sys.stdlib_module_names or root in ("numpy", "typing_extensions")


def array_type(thing: Any) -> str:
    """Return the array type of an array or tracer; empty for anything else."""
    kind = type(thing)
    names = {f"{base.__module__.split('.')[0]}.{base.__name__}" for base in kind.__mro__}
    if "torch.Tensor" in names:
        return "torch.Tensor"
    if names & {"jaxlib.ArrayImpl", "jax.Tracer", "jax.Array"}:
        return "jax.Array"
    if "tensorflow.ResourceVariable" in names or "tensorflow.Variable" in names:
        return "tensorflow.Variable"
    if "tensorflow.Tensor" in names or kind.__name__ in ("EagerTensor", "SymbolicTensor"):
        return "tensorflow.Tensor"
    return ""


class Wrap(ast.NodeTransformer):
    """Wrap what is called, and what decorates, in a note of it."""

    def __init__(self) -> None:
        self.places: list[tuple[int, int, str]] = []

    def note(self, func: ast.expr) -> ast.expr:
        """Return ``__seen__(k, func)``."""
        line, column = func.end_lineno or 0, func.end_col_offset or 0
        if isinstance(func, ast.Attribute):
            column -= len(func.attr.encode())
        elif isinstance(func, ast.Name):
            line, column = func.lineno, func.col_offset
        self.places.append((line, column, func.attr if isinstance(func, ast.Attribute) else ""))
        seen = ast.Name("__seen__", ast.Load())
        call = ast.Call(seen, [ast.Constant(len(self.places) - 1), func], [])
        return ast.fix_missing_locations(ast.copy_location(call, func))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        func = node.func
        self.generic_visit(node)
        node.func = self.note_of(func, node.func)
        return node

    def note_of(self, original: ast.expr, changed: ast.expr) -> ast.expr:
        noted = self.note(original)
        assert isinstance(noted, ast.Call)
        noted.args[1] = changed
        return noted

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        originals = list(node.decorator_list)
        self.generic_visit(node)
        node.decorator_list = [
            changed
            if isinstance(original, ast.Call) or _is_plain(original)
            else self.note_of(original, changed)
            for original, changed in zip(originals, node.decorator_list, strict=True)
        ]
        return node


def _is_plain(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id in (
        "staticmethod",
        "classmethod",
        "property",
        "abstractmethod",
    )


def code_of(path: Path) -> str:
    """Return the code of a module, or of the cells of a notebook one after another."""
    if path.suffix != ".ipynb":
        return path.read_text()
    lines = []
    for cell in json.loads(path.read_text())["cells"]:
        if cell["cell_type"] == "code":
            text = "".join(cell["source"]).split("\n")
            lines += ["pass  # " + t if t.lstrip().startswith(("%", "!")) else t for t in text]
    return "\n".join(lines) + "\n"


def label(path: Path, root: Path, names: Names) -> list[dict[str, Any]]:
    """Run one file and return a row for each of its calls."""
    tree = ast.parse(code_of(path))
    wrap = Wrap()
    tree = ast.fix_missing_locations(wrap.visit(tree))
    seen: dict[int, list[set[str]]] = {}

    def note(k: int, thing: Any) -> Any:
        found = names.of(thing, wrap.places[k][2])
        if found not in seen.setdefault(k, []):
            seen[k].append(found)
        return thing

    module = path.relative_to(root).with_suffix("").as_posix().replace("/", ".")
    package = module.rpartition(".")[0]
    if package and package not in sys.modules:
        sys.modules[package] = types.ModuleType(package)
        sys.modules[package].__path__ = [str(path.parent)]
    space = types.ModuleType(module)
    space.__dict__.update(
        __seen__=note, __file__=str(path), __name__=module, __package__=module.rpartition(".")[0]
    )
    if path.name == "__init__.py":
        module = module.removesuffix(".__init__")
        space.__dict__.update(__name__=module, __package__=module, __path__=[str(path.parent)])
    sys.modules[module] = space
    text = code_of(path)
    if 'if __name__ == "__main__"' in text:
        space.__dict__["__name__"] = "__main__"
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(tree, f"<{module}>", "exec"), space.__dict__)
    return [
        {
            "file": path.relative_to(root).as_posix(),
            "line": line,
            "column": column,
            "names": said(seen.get(k)),
        }
        for k, (line, column, _) in enumerate(wrap.places)
    ]


def said(found: list[set[str]] | None) -> str:
    """Return the names seen at a place as the text of a label."""
    if found is None:
        return "?"
    real = [
        "|".join(sorted(one, key=lambda name: (len(name), name))[:KEPT])
        for one in found
        if one and not all(_dunder(n) for n in one)
    ]
    return "&".join(sorted(real)) or "-"


def _dunder(name: str) -> bool:
    return name.rpartition(".")[2].startswith("__")


def main(folder: Path) -> None:
    """Label all files of a folder."""
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(folder))
    names = Names()
    rows: list[dict[str, Any]] = []
    only = sys.argv[2:]
    paths = sorted(p for s in ("*.py", "*.ipynb") for p in folder.rglob(s) if p.name != "conftest.py")
    paths.sort(key=lambda p: (p.name == "main.py", p.name == "__init__.py", p))
    for path in paths:
        if only and not any(part in path.as_posix() for part in only):
            continue
        text = code_of(path)
        for root in ROOTS:
            if f"import {root}" in text or f"from {root}" in text:
                for package in PACKAGES[root]:
                    names.load(package)
        try:
            rows += label(path, folder, names)
        except Exception:
            print(path.name, "failed")
            traceback.print_exc(limit=-3)
    ran = [row for row in rows if row["names"] not in ("-", "?")]
    print(
        len(rows), "calls,", len(ran), "of frameworks,", sum(r["names"] == "?" for r in rows), "did not run"
    )
    if not only:
        rows.sort(key=lambda row: (row["file"], row["line"], row["column"]))
        with (folder / "labels.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=["file", "line", "column", "names"], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
