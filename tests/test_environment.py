"""What is installed by conda is what is installed by pip."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONDA_NAMES = {"torch": "pytorch", "opentsne": "opentsne", "matplotlib": "matplotlib-base"}


def split(requirement):
    name, bounds = re.fullmatch(r"([A-Za-z0-9_.-]+)(.*)", requirement).groups()
    return name.lower(), bounds


def test_conda_and_pip_ask_for_the_same():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = {CONDA_NAMES.get(name, name): bounds for name, bounds in map(split, project["dependencies"])}
    wanted["python"] = project["requires-python"]
    lines = re.findall(r"^  - (\S+)$", (ROOT / "environment.yml").read_text(), flags=re.MULTILINE)
    found = dict(split(line) for line in lines if line not in ("conda-forge", "pip"))
    assert found == wanted


def test_the_hash_lock_covers_every_dependency_and_names_no_host():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    locked = {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, flags=re.MULTILINE)}
    assert {split(line)[0] for line in project["dependencies"]} <= locked
    assert "--hash=sha256:" in lock
    assert "://" not in lock
