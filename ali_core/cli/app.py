"""Commands, and what happens when one of them fails.

Exit codes: 0 done, 1 the work failed, 2 the command was used wrongly, 130 interrupted.
"""

import os
import sys
import tempfile
import traceback
from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Annotated

import typer

from ali_core.cli import (
    data_check,
    demo,
    dry_run,
    experiment,
    figures,
    images,
    interventions,
    lab,
    notebooks,
    studio,
    train,
)
from ali_core.cli.training_run import Interrupted
from ali_core.errors import AliError

__all__ = ["app", "main"]

app = typer.Typer(
    name="ali",
    help="Latent interventions on class-labelled embeddings: automatic, by hand, replayed, drawn.",
    epilog="Start with: ali demo",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
)
app.command("demo")(demo.demo)
images.data_app.command("check")(data_check.check)
app.add_typer(images.data_app, name="data")
app.command("embed")(images.embed)
app.command("train")(train.train)
app.command("dry-run")(dry_run.dry_run)
app.command("experiment")(experiment.experiment)
app.command("figures")(figures.figures)
app.command("intervene")(interventions.intervene)
app.command("replay")(interventions.replay)
app.command("panels")(interventions.panels)
app.command("studio")(studio.studio)
app.command("lab")(lab.lab)
app.command("notebooks")(notebooks.notebooks)


def _tell_version(wanted: bool) -> None:  # typer passes it so
    if wanted:
        typer.echo(f"ali {version_of('ali-interventions')}")
        raise typer.Exit


@app.callback()
def _ali(  # options before the name of a command need a function; that of --version has done all by then
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Carry out a command."""


INTERRUPT = 130
INTERRUPTED = (
    "interrupted; the same command starts again; ali embed, ali dry-run, ali experiment and ali train --resume go on "
    "where they were"
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit; mistakes are told in one line on standard error."""
    raise SystemExit(run(sys.argv[1:] if arguments is None else list(arguments)))


def run(arguments: list[str]) -> int:
    """Run the command line and return the exit code."""
    # Two threads that wait by spinning are many times slower than one on a busy machine; read when torch is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    command = typer.main.get_command(app)
    odd = next((word for word in arguments if not _is_unicode(word)), None)
    if odd is not None:
        return _fail(f"{odd!r} is not Unicode; rename the file, and give its new name", 2)
    try:
        code = command.main(args=arguments, prog_name="ali", standalone_mode=False)
    except typer.Exit as stop:
        code = stop.exit_code
    except typer.TyperException as mistake:
        return _fail(mistake.format_message() or "a command is needed; ali --help lists them", mistake.exit_code)
    except Interrupted as stop:
        return _fail(str(stop), INTERRUPT)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPT
    except Exception as failure:
        return _fail(str(failure) if isinstance(failure, AliError | OSError) else _unforeseen(failure), 1)
    return _fail(INTERRUPTED, INTERRUPT) if code == INTERRUPT else int(code or 0)


def _is_unicode(word: str) -> bool:
    try:
        word.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _unforeseen(error: Exception) -> str:
    """Write where an error that nobody has thought of comes from into a private file, and say so in one line."""
    said = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    try:
        handle, name = tempfile.mkstemp(prefix="ali-error-", suffix=".txt")
        with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.writelines(traceback.format_exception(error))
    except OSError as full:
        return f"this was not foreseen: {said}; the details could not be written ({full})"
    return f"this was not foreseen: {said}; the details are in {name}, please report them"


def _fail(message: str, code: int) -> int:
    if message.strip().startswith("Usage:"):  # asked for by giving no arguments
        typer.echo(message)
    else:
        line = f"ali: {' '.join(message.split())}"
        typer.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)  # file names may be any bytes
    return code
