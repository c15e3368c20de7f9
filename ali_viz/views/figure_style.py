"""The colours of the figure: as drawn on white, and as a style sheet that follows the theme of JupyterLab."""

__all__ = ["FIGURE_STYLE", "FRAME", "GRID", "INK", "MUTED", "RIM"]

INK, MUTED, FRAME, GRID, RIM = "#1f2430", "#5b6270", "#c3c8d1", "#eef0f3", "#ffffff"


def _rgb(colour: str) -> str:
    """Write ``#rrggbb`` as the browser does in the style of an element."""
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


INKS = "var(--jp-ui-font-color1, #1f2430)"
MUTES = "var(--jp-ui-font-color2, #5b6270)"
PAPER = "var(--jp-layout-color0, #fff)"
PLOT = ".ali-studio .js-plotly-plot"

FIGURE_STYLE = f"""
{PLOT} text {{ fill: {INKS} !important; }}
{PLOT} .hoverlayer text {{ fill: inherit; }}
{PLOT} .xtick text, {PLOT} .ytick text, {PLOT} .x2tick text, {PLOT} .x3tick text {{ fill: {MUTES} !important; }}
{PLOT} .xgrid, {PLOT} .ygrid, {PLOT} .x2grid, {PLOT} .y2grid, {PLOT} .x3grid, {PLOT} .y3grid {{
  stroke: var(--jp-border-color3, {GRID}) !important; }}
{PLOT} .cartesianlayer path.crisp:not([class*=grid]) {{ stroke: var(--jp-border-color1, {FRAME}) !important; }}
{PLOT} .legend .bg {{ fill: transparent !important; }}
{PLOT} .annotation-text {{ paint-order: stroke; stroke: {PAPER}; stroke-width: 3px; stroke-linejoin: round; }}
{PLOT} .annotation-arrow-g path[style*="{_rgb(INK)}"] {{ stroke: {INKS} !important; }}
{PLOT} .annotation-arrow-g path[style*="fill: {_rgb(INK)}"] {{ fill: {INKS} !important; }}
{PLOT} .annotation-arrow-g path[style*="{_rgb(MUTED)}"] {{ stroke: {MUTES} !important; }}
{PLOT} .annotation-arrow-g path[style*="fill: {_rgb(MUTED)}"] {{ fill: {MUTES} !important; }}
{PLOT} .annotation-arrow-g path[style*="{_rgb(RIM)}"] {{ stroke: {PAPER} !important; }}
{PLOT} .annotation-arrow-g path[style*="fill: {_rgb(RIM)}"] {{ fill: {PAPER} !important; }}
{PLOT} .shapelayer path {{ filter: drop-shadow(0 0 2px {PAPER}) drop-shadow(0 0 1px {PAPER}); }}
{PLOT} .select-outline, {PLOT} .selectionlayer path {{ stroke: {INKS} !important; }}
{PLOT} .modebar-group {{ background: transparent !important; }}
{PLOT} .modebar-btn .icon path {{ fill: {MUTES} !important; }}
{PLOT} .modebar-btn.active .icon path, {PLOT} .modebar-btn:hover .icon path {{ fill: {INKS} !important; }}
"""
"""Rules for the app's style sheet (no ``style`` element around them)."""
