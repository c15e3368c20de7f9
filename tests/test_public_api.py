"""Public names stay, and their docstrings tell their parameters."""

import importlib
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PUBLIC = json.loads((Path(__file__).with_name("public_api.json")).read_text())
ROOMS = sorted(PUBLIC)


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_are_those_of_the_list(room):
    found = sorted(importlib.import_module(room).__all__)
    assert found == PUBLIC[room], (
        f"the public names of {room} changed. A name that users may rely on must not vanish: if this is wanted, "
        "write it into CHANGELOG.md and edit tests/public_api.json"
    )


def documented(thing):
    text = inspect.getdoc(thing) or ""
    match = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-{3,}$|\Z)", text, flags=re.DOTALL | re.MULTILINE)
    if match is None:
        return None
    lines = [line for line in match[1].splitlines() if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for line in lines for name in line.split(" : ")[0].split(",")}


def callables():
    for room in ROOMS:
        module = importlib.import_module(room)
        for name in module.__all__:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                yield f"{room}.{name}", thing


@pytest.mark.parametrize(
    ("name", "thing"), list(callables()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_docstrings_name_the_parameters_that_exist(name, thing):
    assert inspect.getdoc(thing), f"{name} has no docstring"
    names = documented(thing)
    if names is None:
        return
    if hasattr(thing, "model_fields"):
        expected = set(thing.model_fields)
    else:
        parameters = [name for name in inspect.signature(thing).parameters if not name.startswith("_")]
        expected = {name.lstrip("*") for name in parameters} - {"args", "kwargs", "values"}
    assert names <= expected, f"{name} documents {names - expected}, which it does not take"
    assert expected <= names, f"{name} does not document {expected - names}"


def test_importing_the_core_loads_neither_a_screen_nor_torch():
    code = (
        "import sys, ali_core; "
        "heavy = {'torch', 'torchvision', 'openTSNE', 'plotly', 'ipywidgets', 'matplotlib', 'sklearn', 'ali_viz'};"
        "heavy &= set(sys.modules);"
        "print(sorted(heavy)); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
