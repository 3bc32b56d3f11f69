"""What is shipped: the wheel holds every file of the package, and the pins fit the ranges."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [line for line in lines if not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in found)}


def test_the_wheel_holds_code_and_data_alike(tmp_path: Path) -> None:
    """Templates, constitutions, run files, weights: whatever .gitignore or a pattern would leave out shows here."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("solon-*.whl")
    shipped = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("solon/")}
    source = ROOT / "src"
    present = {path.relative_to(source).as_posix() for path in (source / "solon").rglob("*") if path.is_file()}
    assert shipped == {name for name in present if "__pycache__" not in name}
    assert {Path(name).suffix for name in shipped} >= {".py", ".txt"}


def test_pins_are_plain_versions() -> None:
    for name, version in pins().items():
        assert re.fullmatch(r"[0-9.]+", version), f"{name}=={version}: no local suffix, no hash, no path"


def test_every_dependency_is_pinned_within_its_range() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(line for extra in extras for line in extra)]:
        requirement = Requirement(text)
        if requirement.name == project["name"]:  # an extra that takes in another
            continue
        pinned = pins()[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(pinned), f"{requirement} is pinned to {pinned}"
