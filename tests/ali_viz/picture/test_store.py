"""What a page makes of messages: arrays are kept and forgotten, late ones dropped."""

import pytest

from tests.ali_viz.picture.conftest import ADDRESS

pytestmark = pytest.mark.browser

RECEIVE = """async ([address, messages]) => {
  const { Store, placeOf } = await import(`${address}store.js`);
  const store = new Store();
  return messages.map(({version, fresh, kept, table}) => {
    const layer = {codes: [0], parts: [kept[0]], at: 0};
    const scene = {panes: [{title: '', now: layer, old: null, planned: null, arrows: [], rings: []}],
      selected: [], chosen: null, tint: null, palette: null, cloud: {id: 1, counts: [2]}};
    const views = [Float64Array.from(table), ...fresh.map(id => Float32Array.from([id, id, 0, 1]))]
      .map(array => { const odd = new Uint8Array(array.byteLength + 3); odd.set(new Uint8Array(array.buffer), 3);
        return new DataView(odd.buffer, 3); });
    const taken = store.receive({version, scene, kept, arrays: fresh.map(id => ({id, kind: 'points'}))}, views);
    const now = store.scene?.panes[0].now;
    return [taken, store.scene?.version ?? null, [...store.arrays.keys()], now ? placeOf(now, 0, 0) : null];
  });
}"""


def received(page, *messages):
    names = ("version", "fresh", "kept", "table")
    return page.evaluate(RECEIVE, [ADDRESS, [dict(zip(names, message, strict=True)) for message in messages]])


def test_an_array_is_sent_once_and_moved_by_its_table(page):
    first, second = received(page, (1, [7], [7], [1, 0, 0]), (2, [], [7], [2, 10, -10]))
    assert first == [True, 1, [7], [7, 7]]
    assert second == [True, 2, [7], [24, 4]]


def test_a_late_message_is_dropped_and_what_nobody_needs_forgotten(page):
    *_, late = received(page, (1, [7], [7], [1, 0, 0]), (5, [8], [8], [1, 0, 0]), (3, [7], [7], [1, 0, 0]))
    assert late == [False, 5, [8], [8, 8]]


def test_a_page_that_lacks_an_array_waits_for_all_of_them(page):
    early, whole = received(page, (4, [], [7], [1, 0, 0]), (4, [7], [7], [1, 0, 0]))
    assert early == [False, None, [], None]
    assert whole == [True, 4, [7], [7, 7]]
