// The class picker: `/` for one class, `M` for several. It is a text field, so review keys rest.

const PICKED_AT_MOST = 200; // rows drawn; the search narrows longer lists

function openPicker(s, several) {
  const keys = classKeys(s.data.classes);
  const names = s.data.classes.map(oneLine);
  const lower = names.map((name) => name.toLocaleLowerCase());
  const chosen = new Set(several ? [s.item.given] : []);
  let found = [];
  let active = 0;
  let moved = false;

  const field = h("input", {
    type: "text", class: "search", placeholder: `Search ${plural(names.length, "class", "classes")}`, autocomplete: "off",
    spellcheck: "false", role: "combobox", "aria-expanded": "true", "aria-controls": "picker-list", "aria-label": "Search classes",
  });
  const list = h("div", { class: "options", id: "picker-list", role: "listbox", "aria-multiselectable": several ? "true" : null });
  const save = several ? h("button", { type: "button", class: "primary", onclick: () => finish() }) : null;
  const box = h("div", { class: "picker", role: "dialog", "aria-label": several ? "Which classes are right?" : "Which class is it?" },
    h("div", { class: "sheethead" }, h("b", null, several ? "Which classes are right?" : "Which class is it?"),
      h("button", { type: "button", class: "plainbtn", onclick: () => close(), "aria-label": "Close" }, cap("Esc"))),
    field, list,
    h("div", { class: "pickfoot" }, several
      ? [h("span", { class: "cap" }, cap("Enter"), " marks, once more saves"), h("span", { class: "sp" }), save]
      : [h("span", { class: "cap" }, cap("Enter"), " takes it, ", cap("↑"), cap("↓"), " move")]));

  function close() {
    box.remove();
    s.picker = null;
    s.root.focus({ preventScroll: true });
  }

  function finish() {
    if (chosen.size < 2) return;
    close();
    s.act("multiple", { labels: [...chosen].sort((a, b) => a - b) });
  }

  function pick(label) {
    if (!several) {
      if (label === s.item.given) return;
      close();
      s.act("relabel", { label });
      return;
    }
    if (!chosen.delete(label)) chosen.add(label);
    field.value = "";
    draw();
    field.focus();
  }

  function search() {
    const words = field.value.trim().toLocaleLowerCase();
    const hits = [];
    for (let label = 0; label < names.length; label += 1) {
      const where = words ? lower[label].indexOf(words) : 0;
      if (where >= 0) hits.push([where === 0 ? 0 : 1, label]);
    }
    hits.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    found = hits.slice(0, PICKED_AT_MOST).map((hit) => hit[1]);
    active = Math.max(0, found.findIndex((label) => several || label !== s.item.given));
  }

  function draw() {
    search();
    moved = false;
    show();
  }

  function show() {
    list.replaceChildren(...(found.length ? found.map((label, i) => {
      const given = label === s.item.given;
      return h("div", {
        class: `option${i === active ? " active" : ""}${chosen.has(label) ? " chosen" : ""}`, id: `picker-${i}`, role: "option",
        "aria-selected": String(several ? chosen.has(label) : i === active), "aria-disabled": given && !several ? "true" : null,
        onclick: () => pick(label),
      }, several ? h("span", { class: "box" }, chosen.has(label) ? icon("check", 14) : null) : null,
      keys ? cap(keys[label], true) : null, named("span", names[label], {}, 40),
      h("span", { class: "sp" }), given ? h("span", { class: "cap" }, "given") : null);
    }) : [missing("No class of that name.")]));
    if (found.length) field.setAttribute("aria-activedescendant", `picker-${active}`);
    list.children[active]?.scrollIntoView({ block: "nearest" });
    if (save) {
      save.textContent = chosen.size < 2 ? "Mark two or more" : `Save ${chosen.size} classes`;
      save.disabled = chosen.size < 2;
    }
  }

  field.oninput = draw;
  field.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && several && (event.ctrlKey || event.metaKey)) finish();
    else if (event.key === "Enter" && !event.isComposing) {
      if (several && !field.value.trim() && !moved && chosen.size > 1) finish(); // a second Enter
      else if (found.length) pick(found[active]);
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      active = (active + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(found.length, 1);
      moved = true;
      show();
    } else return;
    event.preventDefault();
  };
  s.picker = { box, close };
  s.panel.append(box);
  draw();
  field.focus();
}
