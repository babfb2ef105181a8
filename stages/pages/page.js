"use strict";

// Tables: a button in each header sorts by its column, and in reverse the second time.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const direction = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      const rows = [...table.tBodies[0].rows];
      rows.sort((one, other) => compare(one.cells[column], other.cells[column], direction));
      table.tBodies[0].append(...rows);
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", direction > 0 ? "ascending" : "descending");
    });
  });
}

// Numbers come before words, and missing values last, in either direction.
function compare(one, other, direction) {
  const rank = rankOf(one) - rankOf(other);
  if (rank) return rank;
  if (rankOf(one) === 0) return direction * (one.dataset.exact - other.dataset.exact);
  return direction * one.textContent.localeCompare(other.textContent);
}

function rankOf(cell) {
  return cell.dataset.exact ? 0 : cell.querySelector(".aside") ? 2 : 1;
}

// Animations: nothing moves until the reader asks for it.
for (const button of document.querySelectorAll(".play")) {
  const image = button.closest("figure").querySelector("img");
  const still = image.src;
  let plays = false;
  button.hidden = false;
  button.addEventListener("click", () => {
    plays = !plays;
    image.src = plays ? image.dataset.animation : still;
    button.innerHTML = plays
      ? '<span aria-hidden="true">❚❚</span> Pause'
      : '<span aria-hidden="true">▶</span> Play';
  });
}

// Graphs: a layer opens and closes. Each choice of open layers is drawn, or one way into the model.
for (const graph of document.querySelectorAll(".graph")) {
  const drawings = [...graph.children];
  const paths = ({ dataset }) => dataset.open.split(" ").filter(Boolean);
  const largest = drawings.reduce((one, other) =>
    paths(other).length > paths(one).length ? other : one);
  const contains = (outer, inner) => inner === outer || inner.startsWith(`${outer}.`);
  const button = document.createElement("button");
  button.type = "button";
  if (paths(largest).length) graph.prepend(button);

  const show = (wanted) => {
    const found = drawings.find((each) => paths(each).join(" ") === wanted.join(" "));
    if (!found) return false;
    for (const each of drawings) each.hidden = each !== found;
    button.textContent = found === largest ? "Close all layers" : "Open all layers";
    return true;
  };
  const toggle = (path) => {
    const open = paths(drawings.find((each) => !each.hidden));
    const closes = open.includes(path);
    const wanted = paths(largest).filter((each) =>
      closes ? open.includes(each) && !contains(path, each) : open.includes(each) || each === path);
    const way = paths(largest).filter((each) =>
      contains(each, path) && !(closes && each === path));
    if (!show(wanted)) show(way);
    const same = drawings.find((each) => !each.hidden)
      .querySelectorAll(`[data-layer="${CSS.escape(path)}"]`);
    [...same].find((each) => each.getClientRects().length)?.focus();
  };
  button.addEventListener("click", () => {
    show(largest.hidden ? paths(largest) : []);
  });
  for (const layer of graph.querySelectorAll("[data-layer]")) {
    layer.tabIndex = 0;
    layer.setAttribute("role", "button");
    layer.setAttribute("aria-expanded", layer.classList.contains("open"));
    layer.addEventListener("click", () => toggle(layer.dataset.layer));
    layer.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      toggle(layer.dataset.layer);
    });
  }
  show(paths(drawings.find((each) => !each.hidden)));
}

// The theme: the system's until the reader chooses one.
const theme = document.getElementById("theme");
const root = document.documentElement;
const systemIsDark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : systemIsDark.matches);
const name = () => (theme.textContent = isDark() ? "Light theme" : "Dark theme");
theme.hidden = false;
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  name();
});
systemIsDark.addEventListener("change", name);
name();

// Whatever scrolls can be reached and scrolled with the keyboard.
const observer = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    const scrolls =
      target.scrollWidth > target.clientWidth || target.scrollHeight > target.clientHeight;
    if (scrolls) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});
document.querySelectorAll(".scroll").forEach((each) => observer.observe(each));
