// Where the network looks: maps of the given and the suggested class over a grey copy of the image.

const MAP_WAIT = 500; // milliseconds between two questions while the worker draws
const INFERNO = [[0, 0, 4], [31, 12, 72], [85, 15, 109], [136, 34, 106], [186, 54, 85], [227, 89, 51], [249, 140, 10], [249, 201, 50], [252, 255, 164]];
const BLUE = [0, 114, 178];
const BROWN = [140, 81, 10];
const OVERLAYS = ["", "suggested", "given"];

function inferno(value) {
  const at = Math.min(1, Math.max(0, value)) * (INFERNO.length - 1);
  const low = Math.floor(at), high = Math.min(low + 1, INFERNO.length - 1);
  return INFERNO[low].map((part, i) => Math.round(part + (INFERNO[high][i] - part) * (at - low)));
}

// One pixel a cell; the browser smooths it when it is drawn larger.
function heat(map, colour) {
  const canvas = h("canvas", { width: map.v, height: map.u });
  const pen = canvas.getContext("2d");
  const picture = pen.createImageData(map.v, map.u);
  map.values.forEach((value, i) => {
    const [rgb, alpha] = colour(value);
    picture.data.set([...rgb, Math.round(255 * Math.min(1, Math.max(0, alpha)))], 4 * i);
  });
  pen.putImageData(picture, 0, 0);
  return canvas;
}

function layer(found, which) {
  const [given, other] = found.maps;
  if (which !== "difference") {
    return heat(which === "given" ? given : other, (value) => [inferno(value), Math.min(1, 0.15 + value) * (value > 0.02 ? 1 : 0)]);
  }
  const apart = { u: given.u, v: given.v, values: given.values.map((value, i) => other.values[i] - value) };
  return heat(apart, (value) => [value > 0 ? BLUE : BROWN, Math.min(1, Math.abs(value) * 1.2)]);
}

function grey(image, width, height) {
  const canvas = h("canvas", { width, height });
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, width, height);
  const picture = pen.getImageData(0, 0, width, height);
  for (let i = 0; i < picture.data.length; i += 4) {
    const light = 0.3 * picture.data[i] + 0.59 * picture.data[i + 1] + 0.11 * picture.data[i + 2];
    picture.data[i] = picture.data[i + 1] = picture.data[i + 2] = light;
  }
  pen.putImageData(picture, 0, 0);
  return canvas;
}

function mapPicture(s, found, which, words) {
  const width = s.image.naturalWidth || 1, height = s.image.naturalHeight || 1;
  const scale = 280 / Math.max(width, height);
  const canvas = h("canvas", { role: "img", "aria-label": words });
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d");
  pen.imageSmoothingQuality = "high";
  pen.drawImage(grey(s.image, canvas.width, canvas.height), 0, 0);
  pen.globalAlpha = s.mapOpacity;
  pen.drawImage(layer(found, which), 0, 0, canvas.width, canvas.height);
  return canvas;
}

async function needMaps(s) {
  const row = s.item.row, store = s.evidence, evidence = store.get(row);
  if (!evidence || evidence.loading || evidence.failed || evidence.maps?.asked === s.mapSource) return;
  evidence.maps = { asked: s.mapSource, state: "making" };
  const query = new URLSearchParams({ label: evidence.top[0]?.label ?? "", source: s.mapSource });
  for (;;) {
    let found;
    try {
      const answer = await fetch(`${at(s.data.urls.maps, row)}?${query}`, { credentials: "same-origin", cache: "no-store" });
      found = answer.ok ? await answer.json() : { state: "failed", words: "The maps cannot be loaded now." };
    } catch {
      found = { state: "failed", words: "The maps cannot be loaded now." };
    }
    const still = s.item && s.item.row === row && s.evidence === store && evidence.maps.asked === query.get("source");
    if (found.state !== "making" || !still) {
      if (!still && found.state === "making") evidence.maps = null; // asked again when it is back
      else evidence.maps = { ...found, asked: query.get("source") };
      if (still && showsEvidence(s)) { drawPanel(s); drawOverlay(s); }
      return;
    }
    await new Promise((done) => setTimeout(done, MAP_WAIT));
  }
}

function sourceSelect(s, found) {
  if (!found.sources || found.sources.length < 2) return null;
  const chosen = found.source || s.mapSource;
  const words = (title) => title.replace(/^(.*), ([^,]*)$/, "$2, $1"); // the technique first: a narrow box cuts
  const title = found.sources.find((one) => one.key === chosen)?.title;
  return h("select", { "aria-label": "whose maps", title, onchange: (event) => {
    s.mapSource = event.target.value;
    needMaps(s);
    drawPanel(s);
    s.root.focus({ preventScroll: true });
  } }, found.sources.map((one) => h("option", { value: one.key, selected: one.key === chosen }, short(words(one.title), 40))));
}

function mapsSection(s, evidence) {
  const found = evidence.maps || { state: "making" };
  const head = h("b", null, "Where the network looks");
  if (found.state === "none") return h("div", { class: "sec maps nomap" }, h("div", { class: "hd" }, head, h("span", null, "Comes with a run of HNML.")));
  const select = sourceSelect(s, found);
  if (found.state === "failed") return h("div", { class: "sec maps" }, h("div", { class: "hd" }, head, h("span", { class: "sp" }), select), missing(short(found.words, 160)));
  if (found.state !== "ready") {
    return h("div", { class: "sec maps" }, h("div", { class: "hd" }, head, h("span", { class: "sp" }), h("span", null, "Drawing…")),
      h("div", { class: "mapset" }, [0, 1, 2].map(() => h("div", null, h("div", { class: "skeleton mapbox" })))));
  }
  const given = s.data.classes[found.given], other = s.data.classes[found.other];
  const percent = (part) => (found.share === null || !found.common ? "" : `, ${Math.round(100 * part)}${THIN}%`);
  const drawn = s.image.complete && s.image.naturalWidth;
  const one = (which, ...words) => h("button", { type: "button", class: `mapbtn ${s.overlayMap === which ? "on" : ""}`, title: "shows it over the image", onclick: () => setOverlay(s, s.overlayMap === which ? "" : which) },
    drawn ? mapPicture(s, found, which, `map of ${which}`) : h("div", { class: "skeleton mapbox" }), h("div", { class: "cap" }, ...words));
  const slider = h("input", { type: "range", min: "0.2", max: "1", step: "0.1", value: String(s.mapOpacity), "aria-label": "opacity of the maps", title: "opacity of the maps", oninput: (event) => {
    s.mapOpacity = Number(event.target.value);
    drawPanel(s);
    drawOverlay(s);
  } });
  const place = (number) => ` ${number.words}, above ${number.percentile}${THIN}% of images`;
  const figure = (number) => number.value.toFixed(2).replace("-", "−");
  const told = found.numbers.map((number) => figure(number) + place(number)).join("\n");
  const room = s.wide && window.innerHeight > 960;
  const numbers = room && found.numbers.length ? h("div", { class: "mapnumbers" }, found.numbers.map((number) =>
    h("div", null, h("b", null, figure(number)), place(number)))) : null;
  const words = short(found.words, 200).replace(/(\d)%/g, `$1${THIN}%`);
  return h("div", { class: "sec maps" },
    h("div", { class: "hd" }, head, h("span", { class: "sp" }), select,
      h("span", { class: "scale", title: "colour: nothing to most, the same for both maps" }, "0", h("i", { class: "ramp" }), "1"),
      !select ? h("span", { "aria-hidden": "true" }, "opacity") : null, slider),
    h("div", { class: "mapset" },
      one("given", named("b", given, {}, 12), ` given${percent(1 - found.share)}`),
      one("suggested", named("b", other, { class: "suggested" }, 12), ` suggested${percent(found.share)}`),
      one("difference", named("b", other, { class: "suggested" }, 10), " minus ", named("b", given, {}, 10))),
    h("div", { class: "mapwords", title: told || null }, h("span", null, words),
      told && !room ? h("u", { role: "note", "aria-label": told }, icon("help", 14)) : null), numbers);
}

// Over the large picture -------------------------------------------------------------------------

function setOverlay(s, which) {
  const found = s.item && s.evidence.get(s.item.row)?.maps;
  if (!showsEvidence(s)) { say(s, "The map comes after your answer.", true); return; }
  if (!found || found.state !== "ready") {
    say(s, found && found.state === "making" ? "The map is being drawn." : "The map comes with a run of HNML.", true);
    return;
  }
  s.overlayMap = which;
  drawPanel(s);
  drawOverlay(s);
}

function nextOverlay(s) {
  setOverlay(s, OVERLAYS[(OVERLAYS.indexOf(s.overlayMap) + 1) % OVERLAYS.length]);
}

function drawOverlay(s) {
  s.stage.querySelector("canvas.over")?.remove();
  const found = s.item && showsEvidence(s) && s.evidence.get(s.item.row)?.maps;
  if (!s.overlayMap || !found || found.state !== "ready" || !s.image || !s.image.naturalWidth) return;
  const canvas = mapPicture(s, found, s.overlayMap, `map of ${s.overlayMap} over the image`);
  canvas.className = "over";
  const box = s.image.getBoundingClientRect(), stage = s.stage.getBoundingClientRect();
  Object.assign(canvas.style, { left: `${box.left - stage.left}px`, top: `${box.top - stage.top}px`, width: `${box.width}px`, height: `${box.height}px` });
  s.stage.append(canvas);
}
