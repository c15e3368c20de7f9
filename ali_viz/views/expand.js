// ⤢: JupyterLab's own "Create New View for Cell Output"; where there is none, the whole screen.

const VIEW = '.lm-Menu-item[data-command="notebook:create-output-view"]';

function press(element, kind) {
  const box = element.getBoundingClientRect();
  const at = { bubbles: true, cancelable: true, clientX: box.x + 4, clientY: box.y + 4, button: 0, view: window };
  element.dispatchEvent(new MouseEvent(kind, at));
}

async function openTab(output) {
  press(output, "contextmenu");
  for (let tries = 0; tries < 20; tries++) {
    await new Promise((done) => setTimeout(done, 25));
    const item = document.querySelector(VIEW);
    if (item) {
      for (const kind of ["mousemove", "mousedown", "mouseup"]) press(item, kind);
      return true;
    }
  }
  document.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", keyCode: 27, bubbles: true }));
  return false;
}

function render({ el }) {
  const button = document.createElement("button");
  button.className = "ali-expand jupyter-button widget-button";
  button.textContent = "⤢";
  button.title = "Open the app in a tab of its own";
  button.setAttribute("aria-label", button.title);
  button.onclick = async () => {
    const output = el.closest(".jp-OutputArea-output");
    const inNotebook = document.querySelector("#jp-main-dock-panel") && el.closest(".jp-Notebook");
    if (output && inNotebook && (await openTab(output))) return;
    if (document.fullscreenElement) document.exitFullscreen();
    else el.closest(".ali-studio")?.requestFullscreen();
  };
  el.append(button);
}

export default { render };
