"""Stands in for the actions of an app: notes what a view tells."""

from types import SimpleNamespace

from ali_viz.app.state import AppState


class Told:
    """Every action there is; ``calls`` are what was clicked."""

    training = None

    def __init__(self):
        self.calls = []

    def __getattr__(self, name):
        def click(*arguments, **named):
            self.calls.append((name, *arguments, *named.items()))
            return ""

        return SimpleNamespace(click=click)


def scene(*, state=None, **parts):
    """Some parts of a scene."""
    looked = AppState(view="pca", **(state or {}))
    usual = {"busy": "", "stoppable": False, "scores": None, "effect": None, "epoch_f1": None, "cells": None}
    return SimpleNamespace(state=looked, **({"training": None} | usual | parts))
