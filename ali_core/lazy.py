"""Names that a package offers and imports only when they are first used."""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

__all__ = ["lazy_names"]


def lazy_names(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a package that imports some of its public names when they are first used.

    Parameters
    ----------
    package
        Full name of the package.
    modules
        From each public name to the module of the package that defines it.

    Returns
    -------
    callable
        To be called ``__getattr__`` in the package (PEP 562), in the ``else`` of an ``if TYPE_CHECKING`` that imports
        the same names: type checkers believe any name of a package that has a ``__getattr__``.
    """

    def find(name: str) -> Any:  # noqa: ANN401  # functions and classes alike
        if name not in modules:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{modules[name]}"), name)

    return find
