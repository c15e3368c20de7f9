"""The picture on a page, as a person uses it: what is painted, and what Python is told."""

import io
from dataclasses import replace

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex
from matplotlib.path import Path as Polygon
from PIL import Image

from ali_core.projection import Places
from ali_viz.picture import Arrow, Details, Pane, Picture, colouring
from ali_viz.theme import class_styles, sample_styles
from tests.ali_viz.picture.conftest import CORNERS, NAMES, picture_of, scene_of

pytestmark = pytest.mark.browser


@pytest.fixture
def told():
    return []


def png():
    """A red picture of a sample."""
    file = io.BytesIO()
    Image.new("RGB", (8, 8), (255, 0, 0)).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def picture(told):
    return picture_of(
        on_lasso=lambda rows, how: told.append(("lasso", rows.tolist(), how)),
        on_point=lambda row, how: told.append(("point", row, how)),
        on_name=lambda code, how: told.append(("name", code, how)),
        on_clear=lambda: told.append(("clear",)),
        on_drag=lambda code, place: told.append(("drag", code, place)),
        on_hover=lambda row: told.append(("hover", row)),
        details=lambda row: Details(lines=(("id", f"cell {row}"),), png=png()),
    )


def pane(shown, number=0):
    return shown.page.locator(f"[data-pane='{number}']").bounding_box()


def pixels(shown, number=0, limits=(-8.0, 8.0)):
    """Return what tells where a place in data is on the page: equal units, limits in the middle."""
    box = pane(shown, number)
    unit, middle = (limits[1] - limits[0]) / min(box["width"], box["height"]), sum(limits) / 2
    left, top = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    return lambda place: (left + (place[0] - middle) / unit, top - (place[1] - middle) / unit)


def pixel(shown, place, number=0):
    return pixels(shown, number)(place)


def painted(shown):
    shot = shown.page.screenshot()
    return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)


def is_like(image, place, colour, radius=4, within=60):
    """Whether a pixel close to ``place`` has about this colour."""
    x, y = round(place[0]), round(place[1])
    near = image[max(y - radius, 0) : y + radius + 1, max(x - radius, 0) : x + radius + 1]
    wanted = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)])
    return bool((np.abs(near - wanted).max(axis=2) < within).any())


def drag(shown, places, keys=()):
    mouse = shown.page.mouse
    for key in keys:
        shown.page.keyboard.down(key)
    mouse.move(*places[0])
    mouse.down()
    for place in places[1:]:
        mouse.move(*place, steps=4)
    mouse.up()
    for key in keys:
        shown.page.keyboard.up(key)
    shown.hear()


def heard(told, kind):
    """The last thing told of this kind."""
    return [one for one in told if one[0] == kind][-1]


def test_every_point_is_painted_in_its_colour_in_both_panes(shown, picture, corners):
    labels, positions = corners
    moved = positions * 0.5
    page = shown(picture)
    page.show(scene_of(labels, positions, moved, names=False), moving=False)
    image, styles = painted(page), class_styles(NAMES)
    for number, places in enumerate((positions, moved)):
        at = pixels(page, number)
        there = [is_like(image, at(p), styles[code].colour) for code, p in zip(labels, places, strict=True)]
        assert np.mean(there) > 0.97
    assert not is_like(image, pixel(page, (0.0, 0.0)), styles[1].colour)


def test_a_pane_that_looks_as_before_is_not_drawn_again_and_stays_painted(shown, picture, corners):
    labels, positions = corners
    page, styles = shown(picture), class_styles(NAMES)
    states = {scale: Places.of(scale * positions, labels, 4) for scale in (1.0, 0.5)}
    page.page.evaluate("""() => {
      const plain = WebGL2RenderingContext.prototype.drawArrays;
      WebGL2RenderingContext.prototype.drawArrays = function (...given) {
        window.drawn += 1;
        plain.apply(this, given);
      };
    }""")
    for scale, selected, calls in ((1.0, (), 8), (0.5, (), 4), (0.5, (), 0), (0.5, (2,), 8)):
        page.page.evaluate("() => { window.drawn = 0; }")
        scene = scene_of(labels, states[1.0], states[scale], names=False, selected=frozenset(selected))
        page.show(scene, moving=False)
        assert page.page.evaluate("window.drawn") == calls
        image, mine = painted(page), [k for k, code in enumerate(labels) if not selected or code in selected]
        for number, places in enumerate((positions, scale * positions)):
            at = pixels(page, number)
            there = [is_like(image, at(places[k]), styles[labels[k]].colour) for k in mine]
            assert np.mean(there) > 0.97


@pytest.mark.parametrize("width", [1000, 560])
def test_a_title_is_whole_in_a_narrow_pane_and_no_tool_covers_it(shown, picture, corners, width):
    labels, positions = corners
    page = shown(picture)
    title = "After: 12 steps, 3 skipped"
    pane = Pane(title=title, places=Places.of(positions, labels, 4))
    try:
        page.page.set_viewport_size({"width": width, "height": 500})
        page.show(scene_of(labels, panes=(pane, pane)), moving=False)
        titles = page.page.locator(".ali-picture-title")
        page.page.wait_for_function("document.querySelector('.ali-picture').clientWidth <= innerWidth")
        assert [titles.nth(k).evaluate("one => one.lastChild.data") for k in range(2)] == [title, title]
        tools = page.page.locator(".ali-picture-tools").bounding_box()
        for box in (titles.nth(k).bounding_box() for k in range(2)):
            beside = tools["x"] >= box["x"] + box["width"]
            assert beside or tools["y"] >= box["y"] + box["height"]
    finally:
        page.page.set_viewport_size({"width": 1000, "height": 500})


def test_a_lasso_tells_the_rows_inside_and_its_modifiers(shown, picture, told, corners):
    labels, positions = corners
    rows = 1000 + 3 * np.arange(len(labels))
    page = shown(picture)
    page.show(scene_of(labels, positions, positions, rows=rows), moving=False)
    outline = [(2.0, 3.0), (6.2, 2.0), (7.9, 6.1), (5.0, 7.9)]
    inside = rows[Polygon(outline).contains_points(positions)]
    assert 10 < len(inside) < 60
    for number, keys, how in ((0, (), "replace"), (1, ("Shift",), "add"), (0, ("Alt",), "remove")):
        drag(page, [pixel(page, place, number) for place in outline], keys)
        kind, found, told_how = heard(told, "lasso")
        assert (kind, told_how) == ("lasso", how)
        assert len(set(found) ^ set(inside.tolist())) <= 1  # a point on the line may fall on either side
    page.page.keyboard.press("b")
    drag(page, [pixel(page, (-7.9, -7.9)), pixel(page, (0.0, 0.0))])
    assert heard(told, "lasso")[1] == rows[labels == 0].tolist()


def test_clicks_on_points_and_names(shown, picture, told, corners):
    labels, positions = corners
    positions[17] = (0.0, 0.0)
    page = shown(picture)
    page.show(scene_of(labels, positions), moving=False)
    page.page.mouse.click(*pixel(page, (0.1, 0.0)))
    page.page.mouse.click(*pixel(page, (2.0, 0.0)))
    page.hear()
    assert [one for one in told if one[0] == "point"] == [("point", 17, "replace")]
    page.page.mouse.move(*pixel(page, (0.0, 0.0)))
    page.page.wait_for_function("told.some(([one]) => one.kind === 'hover' && one.index !== null)")
    page.hear()
    page.page.locator(".ali-picture-tip").filter(has_text="cell 17").wait_for()
    page.page.wait_for_function("document.querySelector('.ali-picture-tip img').naturalWidth === 8")
    assert "Monocyte" in page.page.locator(".ali-picture-tip").inner_text()
    page.page.locator("[data-name='3'] text").click(modifiers=["Shift"])
    page.page.locator("[data-name='2']").focus()
    page.page.keyboard.press("Enter")
    page.page.keyboard.press("Escape")
    page.hear()
    assert [one for one in told if one[0] in ("name", "clear")] == [
        ("name", 3, "add"),
        ("name", 2, "replace"),
        ("clear",),
    ]


def test_samples_without_a_class_are_grey_and_nameless_and_are_found(shown, told, corners):
    labels, positions = np.where(corners[0] == 1, -1, corners[0]), corners[1].copy()
    positions[17] = (0.0, 0.0)
    styles = sample_styles(NAMES, labels)
    page = shown(Picture(styles, order=[4, 0, 1, 2, 3], on_point=lambda row, how: told.append((row, how))))
    page.show(scene_of(labels, positions), moving=False)
    assert is_like(painted(page), pixel(page, (0.0, 0.0)), styles[-1].colour, within=30)
    assert page.page.locator("[data-name]").evaluate_all("all => all.map((one) => one.dataset.name).sort()") == [
        "0",
        "2",
        "3",
    ]
    page.page.mouse.click(*pixel(page, (0.1, 0.0)))
    page.hear()
    assert told == [(17, "replace")]
    assert "Unlabelled" in page.page.locator(".ali-picture-tip").inner_text()


def test_a_class_on_one_spot_and_points_in_other_units_are_found(shown, picture, told, corners):
    labels, positions = corners
    page = shown(picture)
    places = Places.of(positions * [1.0, 40.0], labels, 4)
    spot = replace(
        places, scales=np.array([1.0, 0.0, 1.0, 1.0]), shifts=np.array([[0, 0], [2.0, 30.0], [0, 0], [0, 0]])
    )
    scene = scene_of(labels, spot, limits=((-8.0, 8.0), (-320.0, 320.0)), equal_units=False, names=False)
    page.show(scene, moving=False)
    box = pane(page)

    def at(x, y):
        return box["x"] + (x + 8) / 16 * box["width"], box["y"] + (320 - y) / 640 * box["height"]

    page.page.mouse.click(*at(2.0, 30.0))
    page.page.mouse.click(*at(*(positions[3] * [1, 40])))
    page.hear()
    rows = [row for kind, row, _ in (one for one in told if one[0] == "point")]
    assert [labels[row] for row in rows] == [1, 3]
    assert np.linalg.norm(positions[rows[1]] - positions[3]) < 0.5
    drag(page, [at(1.0, 0.0), at(3.0, 0.0), at(3.0, 60.0), at(1.0, 60.0)])
    assert heard(told, "lasso")[1] == np.flatnonzero(labels == 1).tolist()


def test_a_class_is_dragged_by_its_ring_with_mouse_and_keys(shown, picture, told, corners):
    labels, positions = corners
    page = shown(picture)
    scene = scene_of(labels, positions, positions)
    with_ring = replace(scene.panes[1], rings={1: (6.0, -6.0)})
    page.show(replace(scene, panes=(scene.panes[0], with_ring)), moving=False)
    start = page.middle("[data-ring='1'] circle")
    assert start == pytest.approx(pixel(page, (6.0, -6.0), 1), abs=1)
    drag(page, [start, pixel(page, (1.0, 2.0), 1)])
    kind, code, place = heard(told, "drag")
    assert (kind, code) == ("drag", 1)
    assert place == pytest.approx((1.0, 2.0), abs=0.1)
    page.show(replace(scene, panes=(scene.panes[0], with_ring)), moving=False)
    page.page.locator("[data-ring='1']").focus()
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "Enter"):
        page.page.keyboard.press(key)
    page.hear()
    unit = 16.0 / min(pane(page)["width"], pane(page)["height"])
    assert heard(told, "drag")[2] == pytest.approx((6.0 - 20 * unit, -6.0 + 10 * unit), abs=0.05)


def camera(page):
    return page.page.evaluate("model.get('camera')")


def test_all_panes_share_a_camera_that_wheel_keys_and_buttons_move(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    page.show(scene_of(labels, positions, positions), moving=False)
    at = pixel(page, (6.0, 6.0), 1)
    page.page.mouse.move(*at)
    page.page.mouse.wheel(0, -400)
    page.page.wait_for_function("model.get('camera') !== null")
    left, right, bottom, top = camera(page)
    box = pane(page, 1)
    assert right - left < 16.0
    across, up = (at[0] - box["x"]) / box["width"], (at[1] - box["y"]) / box["height"]
    assert (left + across * (right - left), top - up * (top - bottom)) == pytest.approx((6.0, 6.0), abs=0.05)
    page.page.locator(".ali-picture").focus()
    page.page.keyboard.press("ArrowRight")
    assert camera(page)[0] > left
    page.page.keyboard.press("0")
    assert camera(page) is None
    page.page.get_by_role("button", name="Nearer").click()
    left, right, *_ = camera(page)
    page.page.keyboard.press("p")
    drag(page, [pixel(page, (0.0, 0.0)), (pixel(page, (0.0, 0.0))[0] + 50, pixel(page, (0.0, 0.0))[1])])
    assert camera(page)[0] == pytest.approx(left - 50 * (right - left) / pane(page)["width"], abs=0.05)
    page.page.get_by_role("button", name="Show everything").click()
    page.page.keyboard.press("z")
    drag(page, [pixel(page, (1.0, 1.0)), pixel(page, (7.0, 7.0))])
    assert camera(page) == pytest.approx([1.0, 7.0, 1.0, 7.0], abs=0.1)


def test_a_crosshair_does_with_keys_what_the_mouse_does(shown, picture, told, corners):
    labels, positions = corners
    page = shown(picture)
    page.show(scene_of(labels, positions), moving=False)
    keyboard = page.page.keyboard
    page.page.locator(".ali-picture").focus()
    keyboard.press("c")
    keyboard.press("Space")
    for key in ("Shift+ArrowRight", "Shift+ArrowUp"):
        for _ in range(12):
            keyboard.press(key)
    keyboard.press("Shift+Space")
    page.hear()
    assert heard(told, "lasso")[1:] == (np.flatnonzero(labels == 2).tolist(), "add")
    keyboard.press("Escape")
    page.hear()
    assert not [one for one in told if one[0] == "clear"]


def test_points_glide_unless_motion_is_off_or_unwanted(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    page.show(scene_of(labels, positions, names=False), moving=False)
    styles = class_styles(NAMES)
    jump = Places.of(np.where(labels[:, None] == 2, positions - 12.0, positions), labels, 4)
    frames = """() => { window.drawn = 0; const plain = requestAnimationFrame;
      window.requestAnimationFrame = f => plain(now => { drawn += 1; f(now); }); }"""
    page.page.evaluate(frames)
    page.show(scene_of(labels, jump, names=False))
    assert page.page.evaluate("drawn") > 1
    image = painted(page)
    assert is_like(image, pixel(page, positions[2] - 12.0), styles[2].colour)
    assert not is_like(image, pixel(page, positions[2]), styles[2].colour)
    page.page.evaluate("window.drawn = 0; model.set('motion', false)")
    page.show(scene_of(labels, positions, names=False))
    assert page.page.evaluate("drawn") == 1
    page.page.evaluate("window.drawn = 0")
    page.page.get_by_role("button", name="Let points glide").click()
    assert page.page.evaluate("model.get('motion')")
    page.page.emulate_media(reduced_motion="reduce")
    page.show(scene_of(labels, jump, names=False))
    page.page.emulate_media(reduced_motion="no-preference")
    assert page.page.evaluate("drawn") == 1


def test_points_take_the_colours_of_a_column_and_a_bar_says_what_they_mean(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    ages = np.where(labels < 2, 20.0, 80.0)
    page.show(scene_of(labels, positions, names=False, colouring=colouring("age", ages)), moving=False)
    image, at = painted(page), pixels(page)
    viridis = [to_hex(colormaps["viridis"](share)) for share in (0.0, 1.0)]
    young_or_old = [
        is_like(image, at(p), viridis[int(c > 1)], within=90) for c, p in zip(labels, positions, strict=True)
    ]
    assert np.mean(young_or_old) > 0.97
    words = page.page.locator(".ali-picture-over").text_content()
    assert all(word in words for word in ("age", "20", "80"))
    page.show(scene_of(labels, positions, names=False), moving=False)
    assert is_like(painted(page), at(positions[1]), class_styles(NAMES)[1].colour)


def test_lassoed_samples_stand_out_and_the_others_fade(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    page.show(scene_of(labels, positions, names=False, lassoed=np.flatnonzero(labels == 1)), moving=False)
    image, styles, at = painted(page), class_styles(NAMES), pixels(page)
    strong = [is_like(image, at(p), styles[c].colour) for c, p in zip(labels, positions, strict=True)]
    assert np.mean(np.array(strong)[labels == 1]) > 0.97
    assert not np.array(strong)[labels == 3].any()


def test_names_and_arrows_stand_where_the_classes_are(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    scene = scene_of(labels, positions)
    arrows = (Arrow(code=2, tail=(6.0, 6.0), head=(0.0, 0.0)), Arrow(code=1, tail=(0, 0), head=(0.01, 0)))
    page.show(replace(scene, panes=(replace(scene.panes[0], arrows=arrows),)), moving=False)
    box = pane(page)
    for code in range(4):
        name = page.page.locator(f"[data-name='{code}'] text").bounding_box()
        middle = name["x"] + name["width"] / 2, name["y"] + name["height"] / 2
        assert middle == pytest.approx(pixel(page, CORNERS[code]), abs=25)
        assert box["x"] <= name["x"]
        assert name["x"] + name["width"] <= box["x"] + box["width"]
    assert page.page.locator("[data-arrow]").count() == 1
    arrow = page.page.locator("[data-arrow='2']").bounding_box()
    assert (arrow["x"], arrow["y"] + arrow["height"]) == pytest.approx(pixel(page, (0.0, 0.0)), abs=8)
    page.show(replace(scene, names=False), moving=False)
    assert page.page.locator("[data-name]").count() == 0


def test_names_follow_the_theme_of_the_page(shown, picture, corners):
    page = shown(picture)
    page.show(scene_of(corners[0], corners[1]), moving=False)
    colour = "getComputedStyle(document.querySelector('[data-name] text')).fill"
    assert page.page.evaluate(colour) == "rgb(31, 36, 48)"
    page.page.evaluate("document.body.style.setProperty('--jp-ui-font-color1', 'rgb(250, 251, 252)')")
    assert page.page.evaluate(colour) == "rgb(250, 251, 252)"


def test_a_lost_context_comes_back_with_all_points(shown, picture, corners):
    labels, positions = corners
    page = shown(picture)
    page.show(scene_of(labels, positions, names=False), moving=False)
    page.page.evaluate("""async () => {
      const canvas = document.querySelector('.ali-picture > canvas');
      const loss = canvas.getContext('webgl2').getExtension('WEBGL_lose_context');
      const back = new Promise(done => canvas.addEventListener('webglcontextrestored', done));
      loss.loseContext();
      await new Promise(done => setTimeout(done, 50));
      loss.restoreContext();
      await back;
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""")
    image, styles, at = painted(page), class_styles(NAMES), pixels(page)
    there = [is_like(image, at(p), styles[c].colour) for c, p in zip(labels, positions, strict=True)]
    assert np.mean(there) > 0.97


def test_without_webgl_a_sentence_says_so(shown, picture, page, corners):
    page.add_init_script("""if (sessionStorage.getItem('no webgl')) {
      const plain = HTMLCanvasElement.prototype.getContext;
      HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind.startsWith('webgl') ? null : plain.call(this, kind, ...rest);
      };
    }""")
    page.evaluate("sessionStorage.setItem('no webgl', '1')")
    try:
        opened = shown(picture)
        opened.picture.show(scene_of(*corners))
        assert page.get_by_text("draws no WebGL2").is_visible()
        assert "WebGL2" in page.evaluate("model.get('problem')")
    finally:
        page.evaluate("sessionStorage.clear()")


def test_a_second_view_of_the_same_picture_shows_it_and_leaves_nothing_behind(shown, picture, corners):
    page = shown(picture)
    page.show(scene_of(*corners), moving=False)
    page.page.evaluate("async () => { window.second = await opened(); }")
    assert page.page.locator(".ali-picture canvas").count() == 2
    page.page.wait_for_function(
        "[...document.querySelectorAll('.ali-picture')].every(one => one.dataset.drawn === '200')"
    )
    page.page.evaluate("second()")
    assert page.page.locator(".ali-picture canvas").count() == 1


def test_a_picture_without_a_kernel_says_what_to_do(shown, picture):
    page = shown(picture)
    assert page.page.get_by_text("run this cell").is_visible()
