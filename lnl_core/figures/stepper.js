/**
 * Controls below a figure with frames: a button that plays them, a slider, and which one stands.
 * They are the page's own elements, so keys and readers reach them; what Plotly draws they do not.
 *
 * @param {HTMLElement} host what the controls are put into.
 * @param {() => any} plot finds the figure, which a page may have drawn anew meanwhile.
 * @param {{ step: string, steps: (string | number)[], ms: number }} told what a step is called, the
 *   frames' names in order, and how long each stands while it plays.
 * @returns {() => void} stops the playing.
 */
function stepper(host, plot, { step, steps, ms }) {
  const last = steps.length - 1;
  const play = Object.assign(document.createElement("button"), { type: "button" });
  const slider = Object.assign(document.createElement("input"), { type: "range", min: "0" });
  const said = document.createElement("span");
  /** @type {ReturnType<typeof setInterval> | undefined} */
  let playing;
  const words = () => {
    said.textContent = `${step} ${steps[Number(slider.value)]} of ${steps[last]}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    play.textContent = playing === undefined ? "Play" : "Pause";
  };
  const show = () => {
    words();
    const still = { frame: { duration: 0, redraw: true }, transition: { duration: 0 } };
    const name = String(steps[Number(slider.value)]);
    /** @type {any} */ (window).Plotly.animate(plot(), [name], { mode: "immediate", ...still });
  };
  const stop = () => {
    clearInterval(playing);
    playing = undefined;
    words();
  };
  const go = (/** @type {number} */ place) => {
    slider.value = String(place);
    show();
    if (place >= last) stop();
  };
  play.onclick = () => {
    if (playing !== undefined) return stop();
    playing = setInterval(() => go(Number(slider.value) + 1), ms);
    go(Number(slider.value) >= last ? 0 : Number(slider.value));
  };
  slider.max = slider.value = String(last);
  slider.setAttribute("aria-label", step);
  slider.oninput = () => {
    stop();
    show();
  };
  words();
  host.replaceChildren(play, slider, said);
  return stop;
}
