"""The steps below the picture: what the browser is told of them, and what it tells."""

from ali_core import ManualStep, Session
from ali_viz.views.timeline import branch_rows
from tests.ali_viz.studio.clouds import NAMES, cloud
from tests.ali_viz.studio.hands import at_timeline, control, fill, opened, press, status, timeline


def test_steps_are_told_by_class_hand_and_skipped_and_branches_by_what_they_share():
    session = Session(cloud())
    assert branch_rows(session) == [{"name": "main", "codes": [], "hand": [], "skipped": [], "shared": 0}]
    session.run(3)
    first = [step.classes[0] for step in session.steps]
    session.toggle(2)
    session.go_to(1)
    session.apply(ManualStep(classes=(NAMES[3], NAMES[0]), contract=0.5))
    mine, other = branch_rows(session)
    assert mine == {"name": "branch 2", "codes": [first[0], 3], "hand": [2], "skipped": [], "shared": 2}
    assert (other["name"], other["codes"], other["skipped"], other["shared"]) == ("main", first, [2], 1)


def test_the_browser_goes_skips_switches_and_asks():
    studio = opened()
    studio.run(3)
    at_timeline(studio, go=1)
    assert (studio.session.cursor, timeline(studio).cursor) == (1, 1)
    at_timeline(studio, toggle=3)
    assert studio.session.undone[1].skipped
    assert timeline(studio).rows[0]["skipped"] == [3]
    studio.select("blast")
    studio.apply_selection()
    at_timeline(studio, switch="main")
    assert studio.session.branch == "main"
    answers = []
    timeline(studio).send = answers.append
    at_timeline(studio, ask=["branch 2", 2])
    assert answers[0]["words"].startswith("2 by hand · Blast: contract 0.5")
    studio.close()


def test_a_branch_is_renamed_where_there_are_several():
    studio = opened()
    assert control(studio, "rename branch").layout.display == "none"
    studio.run(2)
    studio.undo()
    studio.select("blast")
    studio.apply_selection()
    assert control(studio, "rename branch").layout.display != "none"
    fill(studio, "rename branch", "tight")
    assert [row["name"] for row in timeline(studio).rows] == ["tight", "main"]
    studio.close()


def test_run_and_run_until_tell_number_goal_and_value():
    studio = opened()
    fill(studio, "steps", 3)
    press(studio, "Run 3")
    assert studio.wait(30)
    assert studio.session.cursor == 3
    goal = next(one for one in control_row(studio) if getattr(one, "options", None))
    limit = control_row(studio)[-1]
    goal.value = "transfer_f1"
    assert limit.value == 0.9
    goal.value, limit.value = "crowding", 50.0
    press(studio, "Run until")
    assert studio.wait(30)
    assert status(studio).startswith("crowding ≤ 50 reached after 0 steps")
    for top in (1000, 5000):
        studio.change_settings(n_iterations=top)
        assert control(studio, "steps").max == top
        assert control(studio, "steps").tooltip.endswith(f"1 to {top:,}")
    studio.close()


def control_row(studio):
    """What stands in a row with Run until."""
    from tests.ali_viz.studio.hands import app, inside

    until = control(studio, "Run until")
    return next(one.children for one in inside(app(studio)) if until in getattr(one, "children", ()))


def test_only_a_run_can_be_stopped():
    studio = opened()
    studio.run(2)
    studio.undo()
    states = {label: control(studio, label).disabled for label in ("Undo", "Redo", "Reset", "Stop")}
    assert states == {"Undo": False, "Redo": False, "Reset": False, "Stop": True}
    studio.close()
