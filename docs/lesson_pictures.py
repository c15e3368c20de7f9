"""Run by each kernel that executes a lesson for the site: where the app would be, its page has a picture of the screen.

``conf.py`` names this file as PYTHONSTARTUP, which IPython obeys. An app needs a kernel, and pages have none.
"""

from io import BytesIO


def _screen(studio):
    from ali_viz.screen_export import screen_panel

    buffer = BytesIO()
    screen_panel(studio._actions.shown.drawing, studio.session.embedding).figure.savefig(buffer, format="png", dpi=100)
    return buffer.getvalue()


get_ipython().display_formatter.formatters["image/png"].for_type_by_name("ali_viz.studio", "Studio", _screen)  # noqa: F821
