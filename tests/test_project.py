"""The project as a whole: what is tracked, pinned, packaged and imported."""

from __future__ import annotations

import ast
import hashlib
import pkgutil
import re
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

import isoflop

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "isoflop"
MODULES = sorted(SOURCE.rglob("*.py"))
LARGEST_BYTES = 2_000_000
LONGEST_MODULE = 450
HEAVY = {"scipy", "polars", "altair", "pandas", "pyarrow", "vl_convert", "httpx", "jinja2", "pooch"}
REGISTRIES = ("pypi", "pythonhosted", "npmjs", "debian", "golang", "crates", "rubygems", "anaconda")
REGISTRY = re.compile(rf"\b(?:{'|'.join(REGISTRIES)})\.(?:org|com|io|net)\b")
# The start of a path on someone's machine; a web address has a letter, a dot or a slash before it.
MACHINE_PATH = re.compile(r"(?<![\w.:/~*-])/(?:home|root|Users|work|tmp|mnt|opt|private|var/folders)/[\w.]")


@cache
def project_files() -> list[Path]:
    """Every file that is tracked, or would be if it were added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


@cache
def texts() -> dict[Path, str]:
    read = {}
    for path in project_files():
        try:
            read[path] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return read


def offenders(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}: {line[:120]}"
        for path, text in texts().items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


@cache
def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------- tracked files


@pytest.mark.slow
@pytest.mark.ci
def test_no_file_names_a_package_registry():
    assert REGISTRY.search("https://files.pythonhosted" + ".org/x")
    assert not offenders(REGISTRY)


def test_no_file_holds_a_path_of_one_machine():
    assert MACHINE_PATH.search('"' + "/home" + '/somebody/data.csv"')
    assert not MACHINE_PATH.search("https://example.org" + "/home" + "/page")
    assert not offenders(MACHINE_PATH)
    assert not offenders(re.compile(re.escape(f"{ROOT}/")))


def test_no_file_is_large():
    large = {
        path.name: path.stat().st_size for path in project_files() if path.stat().st_size > LARGEST_BYTES
    }
    assert not large


def test_no_file_has_conflict_marks_or_trailing_blanks():
    assert not offenders(re.compile(r"^(?:<{7}|>{7}) "))
    code = {".py", ".toml", ".md", ".yaml", ".j2"}
    assert not [line for line in offenders(re.compile(r"[ \t]+$")) if Path(line.split(":")[0]).suffix in code]


@pytest.mark.public_data
def test_no_file_is_a_copy_of_a_public_table(public_data):
    def digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n").strip()).hexdigest()

    ours = {digest(path): path.name for path in project_files() if path.stat().st_size}
    public = [path for path in public_data.rglob("*") if path.is_file() and path.stat().st_size]
    assert len(public) > 10
    likely = [path for path in public if path.stat().st_size <= LARGEST_BYTES]
    assert not {ours[found]: path.name for path in likely if (found := digest(path)) in ours}


# -------------------------------------------------------------------------- pins and version


@cache
def pins() -> list[tuple[Requirement, list[str]]]:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    joined = re.sub(r"\\\n", " ", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
    found = []
    for line in filter(None, joined.splitlines()):
        named, *hashes = line.split("--hash=")
        found.append((Requirement(named.strip()), [one.strip() for one in hashes]))
    return found


def test_every_pin_is_exact_and_hashed_and_names_no_address():
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    assert "://" not in text
    assert "index" not in text
    assert len(pins()) > 30
    for requirement, hashes in pins():
        assert re.fullmatch(r"==[^,*]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes
        assert all(re.fullmatch("sha256:[0-9a-f]{64}", one) for one in hashes)


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_every_dependency_is_pinned_to_a_version_it_allows(python):
    groups = pyproject()["dependency-groups"]
    wanted = [Requirement(text) for text in pyproject()["project"]["dependencies"] + groups["dev"]]
    machine = {"python_version": python, "python_full_version": f"{python}.5"}
    applying = {
        requirement.name: next(iter(requirement.specifier)).version
        for requirement, _ in pins()
        if requirement.marker is None or Marker(str(requirement.marker)).evaluate(machine)
    }
    for requirement in wanted:
        assert requirement.name in applying, f"{requirement.name} has no pin. Run `make pins`."
        assert requirement.specifier.contains(applying[requirement.name])


def test_the_changelog_starts_with_this_version_and_keeps_its_four_headings():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    versions = re.findall(r"^## (\S+)(?: .*)?$", text, flags=re.MULTILINE)
    assert versions[0] == isoflop.__version__
    assert set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE)) <= {
        "Added",
        "Changed",
        "Fixed",
        "Numbers",
    }
    assert "### Numbers" in text.partition(f"## {versions[0]}")[2].partition("\n## ")[0]


def test_the_licence_is_the_one_the_project_declares():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert pyproject()["project"]["license"] == "Apache-2.0"
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_make_lists_every_target_of_the_contract_with_a_line():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    told = dict(re.findall(r"^([a-z-]+):.*## (.+)$", text, flags=re.MULTILINE))
    assert {
        *("setup", "report", "test", "test-slow", "lint", "fix", "check"),
        *("bench", "validate", "docs"),
    } <= set(told)
    phony = re.search(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)
    assert set(told) == set(phony[1].split())


# ---------------------------------------------------------------------------------- the wheel


def test_the_wheel_holds_every_file_of_the_package_and_nothing_else():
    from hatchling.builders.wheel import WheelBuilder

    packed = {Path(file.distribution_path) for file in WheelBuilder(str(ROOT)).recurse_included_files()}
    tracked = {path.relative_to(ROOT / "src") for path in project_files() if path.is_relative_to(SOURCE)}
    assert tracked <= packed
    assert {path.parts[0] for path in packed} == {"isoflop"}
    assert Path("isoflop/py.typed") in packed
    assert any(path.suffix == ".csv" for path in packed)
    assert any("templates" in path.parts for path in packed)


# -------------------------------------------------------------------------------- the modules


@cache
def _imports(path: Path) -> tuple[str, ...]:
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(names)


@pytest.mark.slow
@pytest.mark.ci
def test_no_module_uses_more_of_scipy_than_the_numerics_need():
    allowed = {"special", "linalg", "optimize"}
    for path in MODULES:
        for name in _imports(path):
            parts = name.split(".")
            if parts[0] == "scipy" and len(parts) > 1:
                assert parts[1] in allowed, f"{path.relative_to(ROOT)} imports {name}"


PACKAGES = [
    "isoflop.cli",
    *(m.name for m in pkgutil.iter_modules(isoflop.__path__, "isoflop.") if m.name[-1] != "_"),
]


@pytest.mark.slow
@pytest.mark.ci
def test_importing_any_package_loads_no_heavy_library():
    program = (
        "import sys, importlib\nfor name in sys.argv[1:]: importlib.import_module(name); print(*sys.modules)"
    )
    for package in sorted(set(PACKAGES)):
        done = subprocess.run(
            [sys.executable, "-c", program, package], capture_output=True, text=True, check=True
        )
        assert not HEAVY & {name.partition(".")[0] for name in done.stdout.split()}, package


def test_modules_are_short_and_named_for_what_they_hold():
    for path in MODULES:
        where = path.relative_to(ROOT)
        assert path.stem not in {"utils", "helpers", "common", "misc"}, where
        assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_MODULE, where


def test_nothing_is_left_to_do_in_the_code():
    left = re.compile(r"#\s*(?:TO" + r"DO|FIX" + r"ME|X" + r"XX)\b|raise NotImplemented" + "Error")
    # A target says by this exception what its framework cannot do, as frameworks themselves do.
    assert not [line for line in offenders(left) if "portability/worker/" not in line]


@pytest.mark.slow
@pytest.mark.ci
def test_every_library_that_the_code_imports_is_declared():
    renamed = {
        "absl": "absl-py",
        "ibis": "ibis-framework",
        "iree": "iree-base-compiler",
        "jaxlib": "jax",
        "sklearn": "scikit-learn",
        "vl_convert": "vl-convert-python",
    }
    project = pyproject()["project"]
    extras = [text for group in project.get("optional-dependencies", {}).values() for text in group]
    declared = {Requirement(text).name for text in project["dependencies"] + extras}
    used = {name.partition(".")[0] for path in MODULES for name in _imports(path)} - {"isoflop"}
    used -= set(sys.stdlib_module_names)
    outside = {renamed.get(name, name.replace("_", "-")) for name in used}
    assert outside <= declared
