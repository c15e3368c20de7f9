"""Public names stay, and their docstrings tell their parameters."""

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import typing
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
        inherited = set(getattr(thing.__base__, "model_fields", ()))  # documented there
        expected = names & inherited | set(thing.model_fields) - inherited
    elif typing.is_typeddict(thing):
        expected = names & set(typing.get_type_hints(thing))  # the keys of a base are documented there
    else:
        parameters = [name for name in inspect.signature(thing).parameters if not name.startswith("_")]
        expected = {name.lstrip("*") for name in parameters} - {"args", "kwargs", "values"}
    assert names <= expected, f"{name} documents {names - expected}, which it does not take"
    assert expected <= names, f"{name} does not document {expected - names}"


def type_checking_imports(module):
    """Return the names of a module with those that it defines for type checkers alone."""
    tree = ast.parse(inspect.getsource(module))
    blocks = [node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"]
    names = dict(vars(module))
    for block in blocks:
        exec(compile(ast.Module(block.body, type_ignores=[]), module.__name__, "exec"), names)
    return names


def functions(thing):
    """Return a function, or a class and its methods, with the functions behind properties and class methods."""
    if not inspect.isclass(thing):
        return [thing]
    members = (vars(thing).get(name) for name in vars(thing) if not name.startswith("_") or name == "__init__")
    inner = (
        getattr(member, "fget", None) or getattr(member, "func", None) or inspect.unwrap(member) for member in members
    )
    return [thing, *filter(inspect.isfunction, (getattr(one, "__func__", one) for one in inner))]


@pytest.mark.parametrize(
    ("name", "thing"), list(callables()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_annotations_name_what_exists(name, thing):
    for function in functions(thing):
        module = sys.modules[function.__module__]
        typing.get_type_hints(function, localns=type_checking_imports(module))


def test_importing_the_core_loads_neither_a_screen_nor_torch():
    code = (
        "import sys, ali_core; "
        "heavy = {'torch', 'torchvision', 'openTSNE', 'plotly', 'ipywidgets', 'matplotlib', 'sklearn', 'ali_viz'};"
        "heavy &= set(sys.modules);"
        "print(sorted(heavy)); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
