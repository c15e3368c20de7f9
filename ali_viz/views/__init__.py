"""Views of a Session in JupyterLab: they set and tell, they hold no state of the work and compute nothing."""
