"""What is seen: print panels and the Studio, an app for JupyterLab."""

from typing import TYPE_CHECKING

from ali_core.lazy import lazy_names

if TYPE_CHECKING:
    from ali_viz.studio import Studio
    from ali_viz.views.sources import open_session
else:
    __getattr__ = lazy_names(__name__, {"Studio": "studio", "open_session": "views.sources"})

__all__ = ["Studio", "open_session"]
