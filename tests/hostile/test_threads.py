"""Six threads on one session that two Studios show: whoever acts gets his step, and a replay is equal bit for bit.

``--hostile-seconds 60`` is a campaign.
"""

import json
import threading
import time

import numpy as np

from ali_core import AliError, LabelledEmbedding, ManualStep, Session, preset
from ali_viz import Studio


def test_nobody_who_acts_is_told_of_what_others_do(request, tmp_path, caplog):
    labels = np.arange(60) % 3
    embedding = LabelledEmbedding(np.random.default_rng(0).normal(size=(60, 4)), labels)
    session = Session(embedding, preset("c", 4))
    studios, faults, calls = [Studio(session), Studio(session)], [], [0] * 6
    end = time.monotonic() + request.config.getoption("--hostile-seconds")
    manual = ManualStep(classes=("1",), contract=0.1)
    acts = (
        session.step,
        session.undo,
        session.reset,
        lambda: session.apply(manual),
        lambda: session.toggle(1),
        lambda: session.switch(session.branches[0]),
    )

    def act(number):
        while time.monotonic() < end:
            try:
                acts[number]()
            except AliError:  # nothing to undo
                continue
            except Exception as error:
                faults.append(repr(error))
            finally:
                calls[number] += 1
                time.sleep(0.001)

    threads = [threading.Thread(target=act, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"calls": sum(calls), "faults": len(faults)}))
    assert faults == []
    assert min(calls) > 0
    failed = [str(record.exc_info[1]) for record in caplog.records if record.exc_info]
    assert failed == []
    again = Session.load(session.save(tmp_path / "session.json"), embedding)
    np.testing.assert_array_equal(again.after.vectors, session.after.vectors)
    assert again.branches == session.branches
    for studio in studios:
        studio.close()
