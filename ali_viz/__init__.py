"""What is seen: print panels and the Studio, an app for JupyterLab."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ali_viz.studio import Studio
    from ali_viz.views.sources import open_session

__all__ = ["Studio", "open_session"]

_MODULES = {"Studio": "ali_viz.studio", "open_session": "ali_viz.views.sources"}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the app when it is first asked for: panels need neither plotly nor ipywidgets."""
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
