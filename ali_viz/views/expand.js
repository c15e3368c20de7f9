// ⤢: the app on the whole screen, and back.

function render({ el }) {
  const button = document.createElement("button");
  button.className = "ali-expand jupyter-button widget-button";
  button.textContent = "⤢";
  button.title = "Show the app on the whole screen";
  button.setAttribute("aria-label", button.title);
  button.onclick = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else el.closest(".ali-studio")?.requestFullscreen();
  };
  el.append(button);
}

export default { render };
