// The map as a PNG, with its title and legend.

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
  out.toBlob((blob) => {
    const link = h("a", { href: URL.createObjectURL(blob), download: "map.png" });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  });
}
