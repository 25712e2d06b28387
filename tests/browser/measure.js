// What a person could not read on the page as it stands: returns lines of text, none where all is
// well. Looks into components' shadow trees too.
//
// - the page scrolls sideways, or text stands outside the window
// - text is cut by an element that hides what is over, but for an ellipsis with a tooltip
// - text lies on other text
// - a figure's text leaves its figure
// - a class name has no width left, a picture or figure no height
() => {
  const SLACK = 2; // px
  const LEAST = 48; // px of a class name, or all of a shorter one
  const INK = 0.18; // of a line's height above and below what is drawn, about
  const NAMES = ".given, .name, .lab, .who";
  const PICTURES = ".field, .stage, .page12, .js-plotly-plot .main-svg:first-child";
  const LOWEST = 96; // px of a picture or figure
  const said = new Set();
  const say = (what, text, element) => said.add(`${what}: “${text}” in ${placeOf(element)}`);

  const parentOf = (element) => element.parentElement ?? element.getRootNode().host ?? null;
  function* upFrom(element, last = null) {
    for (let each = element; each; each = parentOf(each)) {
      yield each;
      if (each === last) return;
    }
  }
  const placeOf = (element) => {
    const keyed = [...upFrom(element)].find((each) => /st-key-/.test(each.className));
    const key = keyed ? /st-key-[\w-]+/.exec(keyed.className)[0] : "page";
    return `${key} ${element.tagName.toLowerCase()}`;
  };
  const isVisible = (element) =>
    element.checkVisibility() && // not so in a closed expander
    [...upFrom(element)].every((each) => {
      const style = getComputedStyle(each);
      const forReaders = style.overflow === "hidden" && (each.offsetWidth <= 1 || each.offsetHeight <= 1);
      const folded = each.dataset?.testid === "stSidebar" && each.ariaExpanded === "false";
      const skips = each.dataset?.testid === "stSkipLink" || each.matches('a[href^="#st"]');
      const hidden = style.display === "none" || style.visibility === "hidden" || style.opacity === "0";
      return !(hidden || forReaders || folded || skips || style.clipPath.startsWith("inset(50%"));
    });

  function* elementsIn(root) {
    for (const element of root.querySelectorAll("*")) {
      yield element;
      if (element.shadowRoot) yield* elementsIn(element.shadowRoot);
    }
  }
  const pieceOf = (element) => {
    const texts = [...element.childNodes].filter((node) => node.nodeType === 3 && node.data.trim());
    const boxes = texts.flatMap((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return [...range.getClientRects()].filter((box) => box.width > 1 && box.height > 1);
    });
    const text = texts.map((node) => node.data.trim()).join(" ").slice(0, 60);
    return { element, text, boxes };
  };
  const silent = new Set(["SCRIPT", "STYLE", "OPTION", "TITLE", "NOSCRIPT"]);
  const every = [...elementsIn(document.body)].filter((each) => !silent.has(each.tagName));
  const pieces = every.map(pieceOf).filter((each) => each.boxes.length && isVisible(each.element));

  const main = document.querySelector('[data-testid="stMain"]');
  if (main.scrollWidth > main.clientWidth + 1) {
    say("scrolls sideways", `${main.scrollWidth} in ${main.clientWidth} px`, main);
  }

  const edges = (boxes) => ({
    left: Math.min(...boxes.map((box) => box.left)),
    right: Math.max(...boxes.map((box) => box.right)),
    top: Math.min(...boxes.map((box) => box.top + INK * box.height)),
    bottom: Math.max(...boxes.map((box) => box.bottom - INK * box.height)),
  });
  const explained = (element, until) => {
    const marked = [...upFrom(element, until)].some(
      (each) => getComputedStyle(each).textOverflow === "ellipsis",
    );
    return marked && [...upFrom(element)].slice(0, 6).some((each) => each.getAttribute("title"));
  };
  for (const piece of pieces) {
    const { element, text, boxes } = piece;
    const at = edges(boxes);
    const seen = { ...at };
    let scrolled = false;
    for (const each of upFrom(element)) {
      const { overflowX, overflowY } = getComputedStyle(each);
      if (!(each instanceof HTMLElement) || overflowX === "visible") continue;
      const box = each.getBoundingClientRect();
      const scrolls = /auto|scroll/.test(overflowX + overflowY);
      const aside = at.right > box.right + SLACK || at.left < box.left - SLACK;
      const below = at.bottom > box.bottom + SLACK || at.top < box.top - SLACK;
      if (!scrolled && !scrolls && aside && !explained(element, each)) say("cut", text, element);
      if (!scrolled && !scrolls && below) say("cut below", text, element);
      scrolled ||= scrolls || aside || below;
      for (const side of ["left", "top"]) seen[side] = Math.max(seen[side], box[side]);
      for (const side of ["right", "bottom"]) seen[side] = Math.min(seen[side], box[side]);
    }
    if (!scrolled && (at.right > innerWidth + SLACK || at.left < -SLACK)) {
      say("outside the window", text, element);
    }
    const figure = element.closest(".svg-container")?.getBoundingClientRect();
    if (figure && (at.left < figure.left - SLACK || at.right > figure.right + SLACK)) {
      say("leaves its figure", text, element);
    }
    piece.seen = seen;
  }

  // The sidebar lies over the page on narrow windows, as dialogs and menus do: a layer of its own.
  const coversWhatScrolls = (element) => {
    const { position, backgroundColor } = getComputedStyle(element);
    return position === "sticky" && !/, 0\)$|^transparent$/.test(backgroundColor);
  };
  const layerOf = (element) =>
    [...upFrom(element)].find(
      (each) =>
        getComputedStyle(each).position === "fixed" ||
        coversWhatScrolls(each) ||
        /stSidebar|stHeader|stToast/.test(each.dataset?.testid ?? ""),
    );
  // Slanted text, as along an axis: its box lies straight once the page is turned.
  const turned = ({ element, text, layer }) => {
    const { a, b, c, d, e, f } = element.getScreenCTM();
    const angle = Math.atan2(b, a);
    const { x, y, width, height } = element.getBBox();
    const [px, py] = [x + width / 2, y + height / 2];
    const [sx, sy] = [a * px + c * py + e, b * px + d * py + f];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [cx, cy] = [sx * cos + sy * sin, sy * cos - sx * sin];
    const high = (0.5 - INK) * height;
    const box = { left: cx - width / 2, right: cx + width / 2, top: cy - high, bottom: cy + high };
    return { element, text, layer, angle: Math.round(50 * angle), ...box };
  };
  const isSlanted = (element) => Math.abs(element.getScreenCTM?.()?.b ?? 0) > 0.02;
  const lines = pieces.flatMap(({ element, text, boxes, seen }) => {
    const layer = layerOf(element);
    if (isSlanted(element)) return element.tagName === "text" ? [turned({ element, text, layer })] : [];
    return boxes
      .map((box) => ({
        element,
        text,
        layer,
        angle: 0,
        left: Math.max(box.left, seen.left),
        right: Math.min(box.right, seen.right),
        top: Math.max(box.top + INK * box.height, seen.top),
        bottom: Math.min(box.bottom - INK * box.height, seen.bottom),
      }))
      .filter((line) => line.right > line.left && line.bottom > line.top);
  });
  lines.sort((a, b) => a.top - b.top);
  lines.forEach((a, i) => {
    for (let j = i + 1; j < lines.length && lines[j].top < a.bottom - SLACK; j++) {
      const b = lines[j];
      if (a.element === b.element || a.layer !== b.layer || a.angle !== b.angle) continue;
      const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (across > SLACK && down > SLACK) say(`lies on “${b.text}”`, a.text, a.element);
    }
  });

  for (const element of every) {
    if (!(element instanceof HTMLElement) || !element.matches(NAMES)) continue;
    if (!element.textContent.trim() || !isVisible(element)) continue;
    const { width } = element.getBoundingClientRect();
    if (width < Math.min(element.scrollWidth, LEAST) - 1) {
      say("class name collapsed", element.textContent, element);
    }
  }
  for (const element of every.filter((each) => each.matches(PICTURES) && isVisible(each))) {
    const { height } = element.getBoundingClientRect();
    if (height < LOWEST) say("has no height", `${Math.round(height)} px`, element);
  }
  return [...said];
}
