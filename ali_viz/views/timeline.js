// Every step a tick in its class's colour; a handle that goes through the states; branches as rows.
// Told: {go: n}, {toggle: n}, {switch: branch}, {ask: [branch, n]}. Heard: {branch, number, words}.

const WIDEST = 26, NARROWEST = 4, PLAY_MS = 700;

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
  const play = make("button", "ali-play", el);
  const rows = make("div", "ali-branches", el);
  let track = null, handle = null, width = WIDEST, count = 0, wanted = null, asked = null, timer = null;

  const state = () => wanted ?? model.get("cursor");
  const ticks = () => rows.querySelectorAll('[data-current="true"]');

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
    if (!track) return;
    const now = state();
    handle.style.left = `calc(var(--label) + ${now * width}px)`;
    track.setAttribute("aria-valuemax", count);
    track.setAttribute("aria-valuenow", now);
    track.setAttribute("aria-valuetext", now ? `after step ${now} of ${count}` : "the untouched embedding");
    for (const tick of ticks()) tick.classList.toggle("ali-undone", Number(tick.dataset.number) > now);
  }

  function measure() {
    const label = rows.children.length > 1 ? 84 : 0;
    el.style.setProperty("--label", `${label}px`);
    const longest = 1 + Math.max(1, ...model.get("rows").map((row) => row.codes.length));
    width = Math.max(NARROWEST, Math.min(WIDEST, (rows.clientWidth - label - 4) / longest));
    el.style.setProperty("--tick", `${width}px`);
    el.classList.toggle("ali-dense", width < 17);
    place();
  }

  function draw() {
    const all = model.get("rows"), colours = model.get("colours"), focused = track && track === document.activeElement;
    count = all.length ? all[0].codes.length : 0;
    rows.replaceChildren();
    all.forEach((row, index) => {
      const shown = make("div", "ali-branch", rows, { "data-branch": row.name });
      const label = make("button", "ali-branch-name", shown, { title: index ? `Switch to the branch ${row.name}` : row.name });
      label.textContent = all.length > 1 ? row.name : "";
      label.hidden = all.length < 2;
      label.setAttribute("aria-pressed", String(index === 0));
      label.onclick = () => { if (index) model.send({ switch: row.name }); };
      const hand = new Set(row.hand), skipped = new Set(row.skipped);
      make("i", index ? "ali-shared" : "ali-tick ali-start", shown, { "data-number": 0, title: "The untouched embedding" });
      row.codes.forEach((code, at) => {
        const number = at + 1;
        if (index && at < row.shared) { make("i", "ali-shared", shown); return; }
        const tick = make("i", "ali-tick", shown, { "data-number": number, "data-current": String(index === 0) });
        tick.classList.toggle("ali-round", hand.has(number));
        tick.classList.toggle("ali-skipped", skipped.has(number));
        tick.style.setProperty("--colour", colours[code]);
        tick.style.setProperty("--ink-on", ink(colours[code]));
        make("span", "", tick).textContent = number;
        tick.onpointerenter = () => { if (!tick.title) model.send({ ask: [row.name, number] }); };
        if (index) tick.onclick = () => model.send({ switch: row.name });
      });
      if (index === 0) {
        track = shown;
        handle = make("div", "ali-handle", shown);
        listen(focused);
      }
    });
    el.hidden = count === 0 && all.length < 2;
    measure();
  }

  function listen(focused) {
    const about = { role: "slider", tabindex: "0", "aria-label": "State", "aria-valuemin": "0" };
    for (const [key, value] of Object.entries(about)) track.setAttribute(key, value);
    track.title = "Drag the frame, or use ← and →, to go through the states; space plays. A click on a step skips it (key S: the last one), on an undone one goes to it. Square: by Ω, round: by hand, pale: skipped, hollow: undone";
    track.onpointerdown = (event) => {
      if (event.target.closest(".ali-branch-name") || event.button) return;
      const tick = event.target.closest(".ali-tick"), begin = event.clientX;
      const left = track.querySelector(".ali-start").getBoundingClientRect().left;
      let dragged = false;
      track.focus();
      track.setPointerCapture(event.pointerId);
      track.onpointermove = (move) => {
        dragged ||= Math.abs(move.clientX - begin) > 4;
        if (dragged) go(Math.floor((move.clientX - left) / width));
      };
      track.onpointerup = track.onpointercancel = () => {
        track.onpointermove = track.onpointerup = track.onpointercancel = null;
        if (dragged || !tick) return;
        const number = Number(tick.dataset.number);
        if (number > state()) go(number);  // undone: it is taken again, not skipped
        else if (number) model.send({ toggle: number });
        else go(0);
      };
      event.preventDefault();
    };
    track.onkeydown = (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      const keys = { ArrowLeft: state() - 1, ArrowRight: state() + 1, Home: 0, End: count };
      if (event.key in keys) go(keys[event.key]);
      else if (event.key === " ") toggle();
      else if (event.key === "s" && state()) model.send({ toggle: state() });
      else return;
      event.preventDefault();
      event.stopPropagation();
    };
    if (focused) track.focus();
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    play.textContent = "▶";
    play.title = "Play the steps";
    play.setAttribute("aria-label", play.title);
  }

  function toggle() {
    if (timer !== null) return stop();
    if (state() >= count) go(0);
    play.textContent = "❚❚";
    play.title = "Pause";
    play.setAttribute("aria-label", play.title);
    timer = setInterval(() => (state() < count && !model.get("busy") ? go(state() + 1) : stop()), PLAY_MS);
  }

  function shown() {
    if (model.get("cursor") === asked) answered();
    else place();
  }
  function busy() {
    el.classList.toggle("ali-resting", model.get("busy"));
  }
  function heard(message) {
    const where = rows.querySelector(`[data-branch="${CSS.escape(message.branch)}"] [data-number="${message.number}"]`);
    if (where) where.title = message.words;
  }

  play.onclick = toggle;
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
