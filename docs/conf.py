"""How the documentation is built: ``uv run --group docs sphinx-build -nW -c docs . docs/_build/html``."""

import inspect
import json
import os
import sys
from importlib import import_module
from importlib.metadata import version as version_of
from pathlib import Path
from pydoc import locate

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.pycode import ModuleAnalyzer

project = "ALI"
author = "The ALI developers"
version = release = version_of("ali-interventions")

extensions = ["myst_nb", "numpydoc", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.viewcode"]
# The whole clone is the source, so that links between documents hold here and where the files are read as they are.
root_doc = "docs/index"
include_patterns = ["docs/**", "notebooks/*.ipynb", "benchmarks/README.md", "*.md"]
exclude_patterns = ["README.md", ".*", "docs/_build", "docs/templates", "docs/results/tables", "runs", "tests", "ali_*"]


def _words(name, constant):
    """Return what is written below a constant where it is defined, which autodoc does not find from its package."""
    homes = [
        home for home, module in sys.modules.items() if home.startswith("ali_") and vars(module).get(name) is constant
    ]
    found = (ModuleAnalyzer.for_module(home).find_attr_docs().get(("", name)) for home in homes)
    return next(" ".join(lines) for lines in found if lines)


_public = json.loads(Path(__file__).parents[1].joinpath("tests", "public_api.json").read_text("utf-8"))
_inner = {name for room, names in _public.items() if room != "ali_core" for name in names}
_public["ali_core"] = [name for name in _public["ali_core"] if name not in _inner]  # they are on pages of their own
_described, _constants = {}, {}
for _room, _names in _public.items():
    _things = {name: getattr(import_module(_room), name) for name in _names}
    vars(import_module(_room)).update(_things)  # autodoc does not see names that are loaded when they are used
    _described[_room] = [name for name, thing in _things.items() if inspect.isroutine(thing) or inspect.isclass(thing)]
    _constants[_room] = {name: _words(name, _things[name]) for name in _names if name not in _described[_room]}
autosummary_context = {"described": _described, "constants": _constants}
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings tell shapes and dtypes
templates_path = [str(Path(__file__).with_name("templates"))]
numpydoc_show_class_members = False

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "cache"  # a lesson is executed when it has changed
nb_execution_in_temp = True
nb_execution_timeout = 240
nb_execution_raise_on_error = True
nb_ipywidgets_js = {}  # these would come from another host
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]  # a page has no kernel
os.environ["PYTHONSTARTUP"] = str(Path(__file__).with_name("lesson_pictures.py"))  # what kernels run first
os.environ.pop("ALI_PATH", None)  # lessons are shown on synthetic data

html_theme = "pydata_sphinx_theme"
html_title = "ALI"
html_math_renderer = "mathml"
html_show_copyright = html_show_sourcelink = html_copy_source = False
html_sidebars = {"docs/start": [], "docs/gallery": []}  # they have no pages below them
html_theme_options = {"navigation_with_keys": False, "footer_start": [], "footer_end": []}


def _formula(writer, node):
    """Write a formula as MathML, which browsers draw by themselves."""
    formula = tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block))
    writer.body.append(formula.replace(' accent="true"', ""))  # else a bar lies on its letter
    raise nodes.SkipNode


def _without_a_page(_app, _env, node, words):
    """Leave the words of a reference to something that exists and is not public; a wrong name stays a warning."""
    return words if locate(node.get("reftarget", "")) is not None else None


def setup(app):
    app.connect("missing-reference", _without_a_page)
    app.add_html_math_renderer("mathml", inline_renderers=(_formula, None), block_renderers=(_formula, None))
