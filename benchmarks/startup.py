"""CPU seconds until something happens: ``ali --help``, refused calls, imports, and ``ali train`` to its first batch.

    uv run python -m benchmarks.startup
    uv run python -m benchmarks.startup --imports "from ali_core.training import train"    # by -X importtime
    uv run python -m benchmarks.startup --demo                                             # ali demo, once

Each line is a process of its own, started in turn with ``import torch``, the peer; the smallest of several rounds is
kept, since whatever else the machine does only adds.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from ali_core import LabelledEmbedding

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
COMMAND = "from ali_core.cli import main; main({arguments!r})"
TO_FIRST_BATCH = (
    "import os\nfrom ali_core.training.worker import Worker\n"
    "Worker._step = lambda *_: os._exit(0)\n"  # the first batch is there
    "from ali_core.cli import main\nmain({arguments!r})"
)


def cpu_seconds(code, environment=ENVIRONMENT):
    """Run ``python -c code`` and return the CPU seconds that it and its children took."""
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, _, used = os.wait4(process.pid, 0)
    return used.ru_utime + used.ru_stime


def statements(folder):
    """Return what is timed: from what it is called to the Python code of a process."""
    rng = np.random.default_rng(0)
    labels = np.repeat(["blast", "monocyte", "lymphocyte"], 60)
    features = LabelledEmbedding(rng.normal(size=(180, 64)), labels).save(folder / "features.npz")

    def command(*words):
        return COMMAND.format(arguments=list(map(str, words)))

    train = ["train", str(features), "--out", str(folder / "run"), "--epochs", "1", "--n-folds", "3"]
    return {
        "import torch": "import torch",
        "import ali_core": "import ali_core",
        "ali --help": command("--help"),
        "ali train --help": command("train", "--help"),
        "ali train: no such file": command("train", folder / "none.npz"),
        "ali train: no such preset": command("train", features, "--preset", "none"),
        "ali intervene: no such preset": command("intervene", features, "--preset", "none"),
        "ali replay: no such session": command("replay", folder / "none.json", features),
        "from ali_core.training import train": "from ali_core.training import train",
        "ali train to its first batch": TO_FIRST_BATCH.format(arguments=train),
        "import lightning.fabric": "import lightning.fabric",
        "import torchvision": "import torchvision",
    }


def table(rounds):
    """Return one row a statement: the least CPU seconds, and as a multiple of ``import torch``."""
    with tempfile.TemporaryDirectory() as folder:
        codes = statements(Path(folder))
        cpu_seconds("import lightning.fabric, torchvision")  # so that all files are in memory
        seconds = {name: min(cpu_seconds(code) for _ in range(rounds)) for name, code in codes.items()}
    rows = [
        {"what": name, "CPU seconds": value, "/ import torch": value / seconds["import torch"]}
        for name, value in seconds.items()
    ]
    return pd.DataFrame(rows)


def demo():
    """Return one row: seconds and CPU seconds of ``ali demo``, with as many threads as a person's call has."""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        cpu = cpu_seconds(COMMAND.format(arguments=["demo", "--out", folder]), environment)
        return pd.DataFrame([{"what": "ali demo", "seconds": time.perf_counter() - begun, "CPU seconds": cpu}])


def slowest_imports(code, number=15):
    """Return the packages that ``code`` imports, by what they take with all that they import in turn."""
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], env=ENVIRONMENT, capture_output=True, text=True, check=True
    ).stderr
    found = re.findall(r"import time:\s+\d+ \|\s+(\d+) \| ( *)(\S+)", said)
    rows = [{"package": name, "seconds": int(time) / 1e6} for time, _, name in found if "." not in name]
    return pd.DataFrame(rows).nlargest(number, "seconds")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--imports", metavar="CODE", help="show which packages CODE imports, slowest first")
    parser.add_argument("--demo", action="store_true", help="time ali demo instead")
    given = parser.parse_args()
    found = demo() if given.demo else slowest_imports(given.imports) if given.imports else table(given.rounds)
    print(found.to_string(index=False, float_format="{:.2f}".format))
