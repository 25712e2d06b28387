// One image and its neighbours, each with its label and verdict in a sentence.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".desk");
  root.classList.toggle("dark", isDark(root));
  root.classList.toggle("wide", root.clientWidth > 480);
  const { chosen, groups, words } = data, picture = (row, alt) => thumb(at(data.thumb, row), alt);
  const top = h("div", { class: "top" }, picture(chosen.row, `labelled ${oneLine(chosen.given)}`),
    h("div", null,
      h("div", { class: "who" }, named("span", chosen.given), chosen.suggested ? [" → ", named("span", chosen.suggested, { class: "suggested" })] : null),
      h("div", { class: "m" }, short(chosen.id, 40)),
      h("div", { class: "m" }, words)));
  root.replaceChildren(top, h("div", { class: "cols" }, groups.map((group) => h("section", { class: "sec" },
    h("div", { class: "hd" }, h("b", { title: oneLine(group.name), class: group.is === "suggested" ? "suggested" : null }, short(group.name)), group.title),
    group.images.length ? null : h("div", { class: "missing" }, "No other image has this label."),
    group.images.map((image) => h("button", { type: "button", class: "nb", title: "Show its neighbours", onclick: () => setTriggerValue("jump", image.row) },
      picture(image.row, ""), h("span", { class: image.odd ? "o" : null }, image.sentence)))))));
}
