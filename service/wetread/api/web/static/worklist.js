// Keeps the worklist current without a flash: fetches the same page and changes only the cells that differ.
"use strict";

const PERIOD_MS = 4000;
const broken = new Set();

function patchRow(row, fresh) {
  row.className = fresh.className;
  for (let k = 0; k < fresh.cells.length; k += 1) {
    if (row.cells[k].innerHTML !== fresh.cells[k].innerHTML) row.cells[k].replaceWith(fresh.cells[k].cloneNode(true));
  }
  return row;
}

function patchBody(body, fresh) {
  const known = new Map([...body.rows].map((row) => [row.id, row]));
  const focused = document.activeElement && document.activeElement.closest("tr");
  const rows = [...fresh.rows].map((row) => (known.has(row.id) ? patchRow(known.get(row.id), row) : row));
  const isMoved = rows.length !== body.rows.length || rows.some((row, k) => row !== body.rows[k]);
  if (isMoved) body.replaceChildren(...rows);
  if (isMoved && focused && body.contains(focused)) focused.querySelector("a").focus({ preventScroll: true });
}

function patchText(id, page) {
  const [old, fresh] = [document.getElementById(id), page.getElementById(id)];
  if (old && fresh && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
}

async function refresh() {
  if (document.hidden) return;
  const response = await fetch(window.location.href, { credentials: "same-origin" });
  if (response.redirected) return window.location.reload();
  if (!response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const [table, fresh] = [document.getElementById("worklist"), page.getElementById("worklist")];
  if (table.hidden !== fresh.hidden) return window.location.reload();
  replaceKnownBroken(fresh);
  patchBody(table.tBodies[0], fresh.tBodies[0]);
  patchText("summary", page);
  patchText("pager", page);
}

async function keepCurrent() {
  try {
    await refresh();
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
  window.setTimeout(keepCurrent, PERIOD_MS);
}

// j and k walk the list, Enter opens.
function walk(event) {
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
  const links = [...document.querySelectorAll("#worklist a.open")];
  const at = links.indexOf(document.activeElement);
  const next = links[at < 0 ? 0 : Math.min(links.length - 1, Math.max(0, at + step))];
  if (next) { next.focus(); event.preventDefault(); }
}

// A picture that cannot be made is replaced by the icon, here and in every fresh copy of the page.
function replaceBroken(image) {
  if (image.closest(".thumbs")) image.replaceWith(document.getElementById("nopicture").content.cloneNode(true));
}

function onBroken(event) {
  if (event.target.tagName !== "IMG") return;
  broken.add(event.target.getAttribute("src"));
  replaceBroken(event.target);
}

function replaceKnownBroken(page) {
  for (const image of page.querySelectorAll(".thumbs img")) if (broken.has(image.getAttribute("src"))) replaceBroken(image);
}

// Pictures that failed before this script ran.
for (const image of document.querySelectorAll(".thumbs img")) {
  if (image.complete && image.naturalWidth === 0) onBroken({ target: image });
}

document.addEventListener("keydown", walk);
document.addEventListener("error", onBroken, true);
window.setTimeout(keepCurrent, PERIOD_MS);
