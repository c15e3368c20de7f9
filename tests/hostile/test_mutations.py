"""Damaged files of every format: each is read, or refused in one line; none hangs, none fills the memory.

``--hostile-mutations 45000 --hostile-seed 7`` is a campaign; the default run takes a few seconds.
"""

import json
import signal
import time
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from ali_core import AliError
from tests.hostile.mutations import damaged
from tests.hostile.samples import KINDS, make

MOST_SECONDS, MOST_BYTES = 30, 1e9
CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")


class HangError(BaseException):
    """Reading has not come to an end."""


@contextmanager
def timed():
    def end(*_):
        raise HangError

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def peak_bytes():
    """Return the most memory in use since it was asked last; 0 where the system does not say."""
    if not STATUS.exists():
        return 0
    (line,) = [line for line in STATUS.read_text().splitlines() if line.startswith("VmHWM")]
    CLEAR.write_text("5")
    return 1024 * int(line.split()[1])


def fault_of(reader, path):
    """Return what is wrong with how ``reader`` takes a file; empty when it reads or refuses it as it should."""
    start, before = time.monotonic(), peak_bytes()
    try:
        with timed(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            reader(path)
    except AliError as error:
        message = str(error)
        if not message.strip() or len(message) > 2100:
            return f"message of {len(message)} letters"
    except HangError:
        return "hang"
    except Exception as error:
        return f"{type(error).__name__}: {str(error)[:200]}"
    grown = peak_bytes() - before
    if grown > MOST_BYTES:
        return f"{grown / 1e9:.1f} GB"
    return f"{time.monotonic() - start:.0f} s" if time.monotonic() - start > MOST_SECONDS else ""


def seed_of(request, kind):
    return [request.config.getoption("--hostile-seed"), list(KINDS).index(kind)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_is_read_or_refused_in_one_line(tmp_path, request, kind):
    suffix, path, reader = make(kind, tmp_path)
    reader(path)  # it is sound
    whole, rng = path.read_bytes(), np.random.default_rng(seed_of(request, kind))
    total = sum(share for *_, share in KINDS.values())
    count = max(1, round(request.config.getoption("--hostile-mutations") * KINDS[kind][3] / total))
    before, faults = sorted(tmp_path.rglob("*")), {}
    for number in range(count):
        path.write_bytes(damaged(whole, suffix, rng))
        fault = fault_of(reader, path)
        if fault:
            faults.setdefault(fault[:60], (number, fault))
    print(json.dumps({"kind": kind, "mutations": count, "faults": len(faults)}))
    assert faults == {}
    assert sorted(tmp_path.rglob("*")) == before
