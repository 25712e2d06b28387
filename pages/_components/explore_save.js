// The map as a picture, with its title and legend: pixels, or points as shapes.

function save(s) {
  if (!s.image) return;
  full(s);
  const out = document.createElement("canvas"), band = 34, { scale } = s;
  out.width = s.dots.width;
  out.height = s.dots.height + band * scale;
  const c = out.getContext("2d"), style = getComputedStyle(s.root);
  c.fillStyle = style.backgroundColor;
  c.fillRect(0, 0, out.width, out.height);
  c.drawImage(s.dots, 0, band * scale);
  c.drawImage(s.over, 0, band * scale);
  c.scale(scale, scale);
  c.fillStyle = style.color;
  c.font = `600 15px ${style.fontFamily}`;
  c.fillText(`Map, ${s.data.subtitle}`, 8, 22);
  const colours = paletteOf(s.data.mode, s.dark);
  let x = 24 + c.measureText(`Map, ${s.data.subtitle}`).width;
  for (const entry of s.data.legend) {
    c.font = `13px ${style.fontFamily}`;
    c.fillStyle = colours[entry.slot];
    c.beginPath();
    c.arc(x + 5, 18, 5, 0, 7);
    c.fill();
    c.fillStyle = style.color;
    c.fillText(short(entry.name, 16), x + 14, 22);
    x += 30 + c.measureText(short(entry.name, 16)).width;
  }
  c.font = `600 14px ${style.fontFamily}`;
  c.textAlign = "center";
  for (const label of s.names.children) c.fillText(label.textContent, parseFloat(label.style.left), parseFloat(label.style.top) + band + 5);
  out.toBlob((blob) => hand(blob, "map.png"));
}

function hand(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const MOST_SHAPES = 50_000;

// Points in view as circles; above 50,000 of them no program would open the file with pleasure.
function saveShapes(s) {
  if (!s.points || !s.codes) return;
  const n = s.points.length / 2, rows = [], v = s.view, low = 65535;
  for (let i = 0; i < n && rows.length <= MOST_SHAPES; i++) {
    const x = s.points[2 * i] / low, y = s.points[2 * i + 1] / low;
    if (s.codes[i] < HIDDEN && x >= v.x && y >= v.y && x <= v.x + v.size && y <= v.y + v.size) rows.push(i);
  }
  if (rows.length > MOST_SHAPES) {
    s.note.textContent = "More than 50,000 points in view: come closer for an SVG, or save a PNG.";
    setTimeout(() => { s.note.textContent = ""; }, 5000);
    return;
  }
  const band = 34, style = getComputedStyle(s.root), colours = paletteOf(s.coloured[1], s.dark), parts = [];
  const escaped = (words) => String(words).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
  const words = (x, y, text, more = "") => `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${style.color}" ${more}>${escaped(text)}</text>`;
  rows.sort((a, b) => (s.codes[a] >> 4) - (s.codes[b] >> 4)); // the suspected come last, on top
  for (const i of rows) {
    const x = toX(s, s.points[2 * i] / low), y = toY(s, s.points[2 * i + 1] / low) + band;
    parts.push(`<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="${RADII[s.codes[i] >> 4]}" fill="${colours[s.codes[i] & 15] || colours[0]}"/>`);
  }
  let x = 24 + 7.2 * `Map, ${s.data.subtitle}`.length;
  const head = [words(8, 22, `Map, ${s.data.subtitle}`, 'font-weight="600" font-size="15"')];
  for (const entry of s.data.legend) {
    const name = short(entry.name, 16);
    head.push(`<circle cx="${x + 5}" cy="18" r="5" fill="${colours[entry.slot]}"/>`, words(x + 14, 22, name));
    x += 30 + 6.6 * name.length;
  }
  for (const label of s.names.children) head.push(words(parseFloat(label.style.left), parseFloat(label.style.top) + band + 5, label.textContent, 'font-weight="600" font-size="14" text-anchor="middle"'));
  const wide = Math.max(s.width, Math.ceil(x)), tall = s.height + band;
  const drawing = `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}" font-family="Source Sans 3, Source Sans Pro, sans-serif" font-size="13">`
    + `<rect width="100%" height="100%" fill="${style.backgroundColor}"/>${parts.join("")}${head.join("")}</svg>`;
  hand(new Blob([drawing], { type: "image/svg+xml" }), "map.svg");
}
