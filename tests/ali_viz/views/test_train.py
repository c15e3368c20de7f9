"""The controls of a live training, with a real one behind them."""

from ali_core.evaluation.f1_interval import F1Interval
from ali_core.training import LiveTraining, epochs
from ali_core.training.live import HeldOut
from ali_viz.views.train import TrainView, held_out_words, status_words
from tests.ali_core.training.gate import WAIT, Gate
from tests.ali_core.training.samples import features, small
from tests.ali_viz.views.told import Told, scene

DATA = features()


def able(view):
    """Names of the buttons that can be pressed."""
    return {name for name in ("one", "several", "pause", "skip", "rewind") if not getattr(view, name).disabled}


def test_buttons_tell_and_do_nothing_else():
    told = Told()
    view = TrainView(told)
    view.one.click()
    view.several.click()
    view.n_epochs.widget.value = 12
    view.several.click()
    view.pause.click()
    view.skip.click()
    view.strengths.click()
    view.rewind_to.widget.options = (0, 2, 3)
    view.rewind_to.widget.value = 2
    view.rewind.click()
    trained = [("train", 1), ("train", 5), ("train", 12)]
    assert told.calls == [*trained, ("pause",), ("skip",), ("use_strengths",), ("rewind", 2)]
    assert view.several.description == "Train 12 epochs"


def test_what_can_be_done_follows_the_training(tmp_path):
    view, gate = TrainView(Told()), Gate(stop_at=4)
    training = epochs(DATA, small(keep_checkpoints=True), out=tmp_path, progress=gate)
    with LiveTraining(training) as live:
        view.update(scene(training=live))
        assert able(view) == {"one", "several", "skip"}
        assert "rests after epoch 0; the coming epoch follows 25 steps" in view.words.value
        assert "keep_checkpoints" in view.rewind.tooltip
        live.skip()
        view.update(scene(training=live))
        assert able(view) == {"one", "several"}
        assert "follows no interventions" in view.words.value
        live.go()
        gate.wait()
        view.update(scene(training=live))
        assert able(view) == {"pause"}
        assert (view.progress.value, view.progress.max) == (1, 2)
        assert "epoch 2: batch 1 of 2" in view.batches.value
        live.pause()
        view.update(scene(training=live))
        assert able(view) == {"one", "several", "pause"}
        assert "rests when this epoch is done" in view.words.value
        live.pause()
        gate.open()
        live.wait(WAIT)
        view.update(scene(training=live))
        assert able(view) == {"one", "several"}
        assert view.one.description == "Finish epoch 2"
        live.go(1)
        live.wait(WAIT)
        view.update(scene(training=live))
        assert able(view) == {"one", "several", "skip", "rewind"}
        assert view.rewind_to.widget.options == (0, 1)
        assert (view.progress.value, view.batches.value) == (0, "")
        live.go()
        live.wait(WAIT)
        view.update(scene(training=live))
        assert able(view) == {"rewind"}
        assert "ended after epoch 4: all 4 epochs are done" in view.words.value
        told = [row["validation_f1"] for row in live.history.rows if row["validation_f1"] is not None]
        assert f'data-values="{" ".join(map(repr, told))}"' in view.curves.widget.value
    view.update(scene(training=live))
    assert able(view) == set()
    assert status_words(live).startswith("closed after epoch 4")


def test_the_control_is_shown_while_it_trains_and_as_a_dashed_line(tmp_path):
    view, gate = TrainView(Told()), Gate(stop_at=2)
    with LiveTraining(epochs(DATA, small()), control=epochs(DATA, small(control=True), progress=gate)) as live:
        live.go(1)
        gate.wait()
        view.update(scene(training=live))
        assert "control, epoch 1: batch 1 of 2" in view.batches.value
        gate.open()
        live.wait(WAIT)
        view.update(scene(training=live))
        assert view.curves.widget.value.count('data-control="true"') == 3


def test_scores_are_told_with_their_intervals_and_whether_they_can_be_told_apart():
    own, control = F1Interval(0.812, 0.771, 0.846), F1Interval(0.795, 0.75, 0.833)
    alone = held_out_words(HeldOut(10, 1307, own, None, None))
    assert alone.startswith(
        "Validation F1 after epoch 10: 0.812 (95 % 0.771 to 0.846). Intervals over the 1,307 samples"
    )
    apart = held_out_words(HeldOut(10, 1307, own, control, F1Interval(0.017, 0.002, 0.031)))
    assert "equal-budget control: 0.795 (0.750 to 0.833); difference +0.017 (+0.002 to +0.031). " in apart
    same = held_out_words(HeldOut(10, 1307, own, control, F1Interval(0.017, -0.009, 0.041)))
    assert "difference +0.017 (-0.009 to +0.041), not told apart. " in same
    assert held_out_words(None) == ""


def test_the_scores_of_a_training_are_shown():
    view = TrainView(Told())
    with LiveTraining(epochs(DATA, small()), control=epochs(DATA, small(control=True))) as live:
        view.update(scene(training=live))
        assert f"after epoch 0: {live.history.rows[0]['validation_f1']:.3f}" in view.held_out.value
        assert "difference +0.000 (+0.000 to +0.000), not told apart" in view.held_out.value


def test_an_error_is_an_alert_and_one_can_try_again(monkeypatch):
    from ali_core.training.worker import Worker

    def broken(*_):
        raise RuntimeError("<no> kernel")

    monkeypatch.setattr(Worker, "_step", broken)
    view = TrainView(Told())
    with LiveTraining(epochs(DATA, small())) as live:
        live.go()
        live.wait(WAIT)
        view.update(scene(training=live))
        assert 'role="alert"' in view.words.value
        assert "stopped after epoch 0: RuntimeError: &lt;no&gt; kernel" in view.words.value
        assert {"one", "several"} <= able(view)


def test_a_batch_moves_the_bar_alone():
    view, seen = TrainView(Told()), []
    with LiveTraining(epochs(DATA, small(max_epochs=1))) as live:
        view.update(scene(training=live))
        buttons = (view.one, view.several, view.pause, view.skip, view.strengths, view.rewind)
        for widget in (*buttons, view.curves.widget, view.words):
            widget.observe(
                seen.append, ["value", "disabled", "description"] if widget.has_trait("value") else "disabled"
            )
        view.update(scene(training=live))
    assert seen == []


def test_a_method_without_proposals_has_nothing_to_skip():
    view = TrainView(Told())
    with LiveTraining(epochs(DATA, small(method="tml"))) as live:
        view.update(scene(training=live))
        assert able(view) == {"one", "several"}
        assert view.words.value.endswith("rests after epoch 0</div>")
