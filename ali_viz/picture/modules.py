"""Several ES modules as one: anywidget takes a single module, and a page can import no second file."""

import re
from pathlib import Path

__all__ = ["as_one_module"]

IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.[./\w-]*)/([\w-]+)\.js";\n', re.MULTILINE)
EXPORT = re.compile(r"^export (?=(?:function|class|const) (\w+))", re.MULTILINE)


def as_one_module(entry: Path) -> str:
    """Return the source of the module ``entry`` behind that of all modules which it needs.

    Each other module becomes a function that is called once and returns what it exports, so that names within a module
    stay its own. Of the language, modules may use named imports of relative files, ``export`` before a declaration,
    and one ``export default`` in ``entry``.
    """
    found: dict[str, str] = {}
    _collect(entry, found)
    last = found.pop(entry.stem)
    return "\n".join([*(_wrapped(name, text) for name, text in found.items()), last])


def _collect(path: Path, found: dict[str, str]) -> None:
    """Put the module at ``path`` into ``found``, behind what it imports; imports become plain assignments."""
    text = path.read_text(encoding="utf-8")
    for _, folder, needed in IMPORT.findall(text):
        if needed not in found:
            _collect(path.parent / folder / f"{needed}.js", found)
    found[path.stem] = IMPORT.sub(r"const {\1} = $\3;\n", text)


def _wrapped(name: str, text: str) -> str:
    exported = ", ".join(EXPORT.findall(text))
    return f"const ${name} = (() => {{\n{EXPORT.sub('', text)}\nreturn {{ {exported} }};\n}})();"
