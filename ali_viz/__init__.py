"""What is seen: print panels and the Studio, an app for JupyterLab."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ali_viz.studio import Studio

__all__ = ["Studio"]


def __getattr__(name: str) -> Any:  # noqa: ANN401
    """Import the Studio when it is first asked for: panels need neither plotly nor ipywidgets."""
    if name == "Studio":
        from ali_viz.studio import Studio  # noqa: PLC0415

        return Studio
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
