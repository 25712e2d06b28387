// Drawing points: no WebGL, so that it works on every machine. Few points are blended discs with
// smooth edges; very many are counted per pixel, and the count becomes opacity: nothing hides.

const PALETTES = {
  light: {
    dot: "#b4bcc5", ink: "#15181C",
    suspicion: ["#b4bcc5", "#E69F00", "#D55E00"],
    verdict: ["#b4bcc5", "#009E73", "#0072B2", "#CC79A7", "#D55E00", "#E69F00"],
    class: ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#882255", "#8F8A2A"],
  },
  dark: {
    dot: "#59636e", ink: "#E6E9ED",
    suspicion: ["#59636e", "#E8B04A", "#E9752A"],
    verdict: ["#59636e", "#2FB88D", "#4AA3DF", "#D58CB5", "#E9752A", "#E8B04A"],
    class: ["#4AA3DF", "#E9752A", "#2FB88D", "#D58CB5", "#E8B04A", "#A5D8F3", "#C0618F", "#BDB84F"],
  },
};
const DISCS = 60000; // points in view drawn as discs; above, they are counted
const RADII = [1.35, 2.1, 3.3]; // px: below, doubtful, suspected; size repeats colour
const HIDDEN = 64; // codes from here on are filtered away
const STEPS = 4; // discs are drawn at quarters of a pixel

function paletteOf(mode, dark) {
  const palette = PALETTES[dark ? "dark" : "light"];
  return mode === "class" ? [...palette.class, palette.dot] : palette[mode]; // the last: other classes
}

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

// How much of each pixel a disc covers, for its centre at each quarter of a pixel.
const masks = new Map();
function maskOf(radius) {
  const name = radius.toFixed(2);
  if (masks.has(name)) return masks.get(name);
  const reach = Math.ceil(radius + 1), side = 2 * reach + 1, all = [];
  for (let sy = 0; sy < STEPS; sy++) for (let sx = 0; sx < STEPS; sx++) {
    const cover = new Float32Array(side * side), cx = (sx + 0.5) / STEPS, cy = (sy + 0.5) / STEPS;
    for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
      const away = Math.hypot(x - reach + 0.5 - cx, y - reach + 0.5 - cy);
      cover[y * side + x] = Math.max(0, Math.min(1, radius + 0.5 - away));
    }
    all.push(cover);
  }
  const made = { reach, side, all };
  masks.set(name, made);
  return made;
}

// Draw what is in view into an opaque picture; returns the number of points in view.
// points: Uint16Array (x, y, x, y ...), 65535 = the whole map; codes: colour | level << 4.
function drawDots(image, points, codes, view, colours, background, scale) {
  const { width, height, data } = image;
  const back = rgb(background), n = points.length / 2;
  for (let i = 0; i < data.length; i += 4) {
    data[i] = back[0]; data[i + 1] = back[1]; data[i + 2] = back[2]; data[i + 3] = 255;
  }
  const kx = width / (65535 * view.size), ky = height / (65535 * view.size);
  const ox = (view.x / view.size) * width, oy = (view.y / view.size) * height;
  const left = 65535 * view.x, top = 65535 * view.y;
  const right = left + 65535 * view.size, bottom = top + 65535 * view.size;
  let seen = 0;
  for (let i = 0; i < n; i++) {
    const x = points[2 * i], y = points[2 * i + 1];
    if (x >= left && x <= right && y >= top && y <= bottom && codes[i] < HIDDEN) seen++;
  }
  const paint = colours.map(rgb);
  if (seen > DISCS) countDots(image, points, codes, paint, { kx, ky, ox, oy }, scale);
  else discs(image, points, codes, paint, { kx, ky, ox, oy, left, top, right, bottom }, scale, view, seen);
  return seen;
}

function discs(image, points, codes, paint, at, scale, view, seen) {
  const { width, height, data } = image, n = points.length / 2;
  const grown = scale * Math.min(2.4, Math.min(1.35, Math.max(0.62, (5000 / Math.max(seen, 1)) ** 0.28)) * (1 + 0.28 * Math.log2(1 / view.size)));
  const pad = 16 / Math.min(at.kx, at.ky);
  for (let level = 0; level < 3; level++) { // the suspected come last, on top
    const { reach, side, all } = maskOf(Math.round(8 * RADII[level] * grown) / 8);
    for (let i = 0; i < n; i++) {
      if (codes[i] >> 4 !== level) continue;
      const wx = points[2 * i], wy = points[2 * i + 1];
      if (wx < at.left - pad || wx > at.right + pad || wy < at.top - pad || wy > at.bottom + pad) continue;
      const x = wx * at.kx - at.ox, y = wy * at.ky - at.oy;
      const px = Math.floor(x), py = Math.floor(y);
      const cover = all[((y - py) * STEPS | 0) * STEPS + ((x - px) * STEPS | 0)];
      const colour = paint[codes[i] & 15] || paint[0];
      const r = colour[0], g = colour[1], b = colour[2];
      const x0 = px - reach, y0 = py - reach;
      const fromX = Math.max(0, -x0), toX = Math.min(side, width - x0);
      const fromY = Math.max(0, -y0), toY = Math.min(side, height - y0);
      for (let dy = fromY; dy < toY; dy++) {
        let to = 4 * ((y0 + dy) * width + x0 + fromX), from = dy * side + fromX;
        for (let dx = fromX; dx < toX; dx++, to += 4, from++) {
          const a = cover[from];
          if (a === 0) continue;
          data[to] += (r - data[to]) * a;
          data[to + 1] += (g - data[to + 1]) * a;
          data[to + 2] += (b - data[to + 2]) * a;
        }
      }
    }
  }
}

let sums = null; // kept between frames: a new one of some megabytes each time costs a pause

function countDots(image, points, codes, paint, at, scale) {
  const { width, height, data } = image, n = points.length / 2, size = width * height;
  if (!sums || sums.length < 4 * size) sums = new Float32Array(4 * size);
  sums.fill(0, 0, 4 * size);
  const weights = [0.35, 1.2, 3], step = scale >= 1.5 ? 2 : 1;
  for (let i = 0; i < n; i++) {
    const x = points[2 * i] * at.kx - at.ox, y = points[2 * i + 1] * at.ky - at.oy;
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const code = codes[i];
    if (code >= HIDDEN) continue;
    const weight = weights[code >> 4] || 0.35, colour = paint[code & 15] || paint[0];
    const side = code >> 4 ? step + 1 : step, px = x | 0, py = y | 0;
    for (let dy = 0; dy < side && py + dy < height; dy++) for (let dx = 0; dx < side && px + dx < width; dx++) {
      const to = 4 * ((py + dy) * width + px + dx);
      sums[to] += weight * colour[0]; sums[to + 1] += weight * colour[1];
      sums[to + 2] += weight * colour[2]; sums[to + 3] += weight;
    }
  }
  for (let i = 0; i < 4 * size; i += 4) {
    const weight = sums[i + 3];
    if (weight === 0) continue;
    const alpha = 1 - Math.exp(-weight);
    for (let c = 0; c < 3; c++) data[i + c] += (sums[i + c] / weight - data[i + c]) * alpha;
  }
}

// Points by place, for finding the one under the pointer.
const CELLS = 256;
const AT_ONCE = 150000; // points between two pauses, so that the page stays awake

async function placeIndex(points) {
  const n = points.length / 2, start = new Int32Array(CELLS * CELLS + 1), items = new Int32Array(n);
  const cell = (i) => (points[2 * i + 1] >> 8) * CELLS + (points[2 * i] >> 8);
  const pause = () => new Promise((go) => setTimeout(go));
  for (let from = 0; from < n; from += AT_ONCE) {
    for (let i = from; i < Math.min(n, from + AT_ONCE); i++) start[cell(i) + 1]++;
    if (n > AT_ONCE) await pause();
  }
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const next = start.slice(0, -1);
  for (let from = 0; from < n; from += AT_ONCE) {
    for (let i = from; i < Math.min(n, from + AT_ONCE); i++) items[next[cell(i)]++] = i;
    if (n > AT_ONCE) await pause();
  }
  return { start, items };
}

// The nearest point within `reach` px, -1 where there is none; larger discs win ties by a little.
function nearest(index, points, codes, x, y, view, width, height, reach) {
  const ux = 65535 * (view.x + (x / width) * view.size), uy = 65535 * (view.y + (y / height) * view.size);
  const kx = width / (65535 * view.size), ky = height / (65535 * view.size);
  const c0 = Math.max(0, (ux - reach / kx) >> 8), c1 = Math.min(CELLS - 1, (ux + reach / kx) >> 8);
  const r0 = Math.max(0, (uy - reach / ky) >> 8), r1 = Math.min(CELLS - 1, (uy + reach / ky) >> 8);
  let best = -1, least = reach;
  for (let r = r0; r <= r1; r++) for (let at = index.start[r * CELLS + c0]; at < index.start[r * CELLS + c1 + 1]; at++) {
    const i = index.items[at];
    if (codes[i] >= HIDDEN) continue;
    const away = Math.hypot((points[2 * i] - ux) * kx, (points[2 * i + 1] - uy) * ky) - 1.5 * (codes[i] >> 4);
    if (away < least) { least = away; best = i; }
  }
  return best;
}
