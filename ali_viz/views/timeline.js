// Every step a tick in its class's colour; a handle that goes through the states; branches as rows.
// Told: {go: n}, {toggle: n}, {switch: branch}, {ask: [branch, n]}. Heard: {branch, number, words}.

const WIDEST = 26, NARROWEST = 5, PLAY_MS = 700;

function make(tag, name, parent, attributes = {}) {
  const element = document.createElement(tag);
  element.className = name;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  parent?.append(element);
  return element;
}

function ink(colour) {
  const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.25 ? "#111" : "#fff";
}

function render({ model, el }) {
  el.classList.add("ali-timeline");
  el.setAttribute("role", "group");
  el.setAttribute("aria-label", "Timeline of the steps");
  const rows = make("div", "ali-branches", el);
  const line = make("div", "ali-line-of-states", el);
  const play = make("button", "ali-play", line, { "aria-label": "Play the steps" });
  const track = make("div", "ali-track", line, { role: "slider", tabindex: "0", "aria-label": "State", "aria-valuemin": "0" });
  const fill = make("div", "ali-track-fill", track);
  const handle = make("div", "ali-handle", track);
  const hint = make("div", "ali-hint", el);
  hint.textContent = "drag the handle, ← → to go through the states, space to play; a click on a step skips it. Square: Ω, round: by hand, pale: skipped";
  let width = WIDEST, count = 0, wanted = null, asked = null, timer = null;

  const state = () => wanted ?? model.get("cursor");

  function go(number) {
    number = Math.max(0, Math.min(count, number));
    if (number === state()) return;
    wanted = number;
    place();
    if (asked === null) send();
  }

  function send() {  // one at a time: the next place is told when the last one is shown
    asked = wanted;
    model.send({ go: asked });
    setTimeout(() => { if (asked !== null) answered(); }, 2000);
  }

  function answered() {
    const done = asked;
    asked = null;
    if (wanted !== null && wanted !== done) send();
    else { wanted = null; place(); }
  }

  function place() {
    const now = state();
    handle.style.left = fill.style.width = `${now * width}px`;
    handle.textContent = now;
    track.setAttribute("aria-valuemax", count);
    track.setAttribute("aria-valuenow", now);
    track.setAttribute("aria-valuetext", now ? `after step ${now} of ${count}` : "the untouched embedding");
    for (const tick of rows.querySelectorAll(".ali-tick")) {
      const number = Number(tick.dataset.number), current = tick.dataset.current === "true";
      tick.classList.toggle("ali-undone", !current || number > now);
      tick.classList.toggle("ali-here", current && number === now);
    }
  }

  function measure() {
    const labels = rows.children.length > 1 ? 96 : 34;
    el.style.setProperty("--label", `${labels}px`);
    const longest = Math.max(1, ...model.get("rows").map((row) => row.codes.length));
    width = Math.max(NARROWEST, Math.min(WIDEST, (el.clientWidth - labels - 16) / longest));
    el.style.setProperty("--tick", `${width}px`);
    el.classList.toggle("ali-dense", width < 18);
    place();
  }

  function draw() {
    const all = model.get("rows"), colours = model.get("colours");
    count = all.length ? all[0].codes.length : 0;
    rows.replaceChildren();
    all.forEach((row, index) => {
      const shown = make("div", "ali-branch", rows, { "data-branch": row.name });
      const label = make("button", "ali-branch-name", shown, { title: index ? `Switch to the branch ${row.name}` : row.name });
      label.textContent = all.length > 1 ? row.name : "";
      label.setAttribute("aria-pressed", String(index === 0));
      if (index) label.onclick = () => model.send({ switch: row.name });
      const hand = new Set(row.hand), skipped = new Set(row.skipped);
      row.codes.forEach((code, at) => {
        const number = at + 1;
        if (index && at < row.shared) { make("i", "ali-shared", shown); return; }
        const tick = make("button", "ali-tick", shown, { "data-number": number, "data-current": String(index === 0), tabindex: "-1" });
        tick.classList.toggle("ali-round", hand.has(number));
        tick.classList.toggle("ali-skipped", skipped.has(number));
        tick.style.setProperty("--colour", colours[code]);
        tick.style.setProperty("--ink", ink(colours[code]));
        tick.setAttribute("aria-label", `${skipped.has(number) ? "Use" : "Skip"} step ${number}`);
        make("span", "", tick).textContent = number;
        tick.onpointerenter = tick.onfocus = () => { if (!tick.title) model.send({ ask: [row.name, number] }); };
        tick.onclick = () => model.send(index ? { switch: row.name } : { toggle: number });
      });
    });
    hint.hidden = count === 0;
    line.hidden = count === 0;
    measure();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶";
    play.setAttribute("aria-label", "Play the steps");
  }

  function toggle() {
    if (timer !== null) return stop();
    if (state() >= count) go(0);
    play.textContent = "❚❚";
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => (state() < count && !model.get("busy") ? go(state() + 1) : stop()), PLAY_MS);
  }

  play.onclick = toggle;
  track.onpointerdown = (event) => {
    track.setPointerCapture(event.pointerId);
    track.focus();
    track.onpointermove = (move) => go(Math.round((move.clientX - track.getBoundingClientRect().left) / width));
    track.onpointermove(event);
  };
  track.onpointerup = track.onpointercancel = () => { track.onpointermove = null; };
  track.onkeydown = (event) => {
    const keys = { ArrowLeft: state() - 1, ArrowRight: state() + 1, Home: 0, End: count };
    if (event.key in keys) go(keys[event.key]);
    else if (event.key === " ") toggle();
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  function shown() {
    if (model.get("cursor") === asked) answered();
    else place();
  }
  function busy() {
    el.classList.toggle("ali-resting", model.get("busy"));
    track.setAttribute("aria-disabled", String(model.get("busy")));
  }
  function heard(message) {
    const where = rows.querySelector(`[data-branch="${CSS.escape(message.branch)}"] [data-number="${message.number}"]`);
    if (where) where.title = `${message.words}\n${where.getAttribute("aria-label")} with a click`;
  }

  model.on("change:rows", draw);
  model.on("change:cursor", shown);
  model.on("change:busy", busy);
  model.on("msg:custom", heard);
  const watch = new ResizeObserver(measure);
  watch.observe(el);
  stop();
  draw();
  busy();
  return () => {
    stop();
    watch.disconnect();
    model.off("change:rows", draw);
    model.off("change:cursor", shown);
    model.off("change:busy", busy);
    model.off("msg:custom", heard);
  };
}

export default { render };
