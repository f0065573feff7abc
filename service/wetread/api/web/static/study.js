// Switches the overlay in place; reloads the page once when an answer is still awaited.
"use strict";

const WAIT_MS = 2000;
const film = document.getElementById("film");
const links = [...document.querySelectorAll("[data-overlay]")];

function showFilm(isThere) {
  film.classList.remove("loading");
  film.hidden = !isThere;
  document.getElementById("nofilm").hidden = isThere;
}

function show(link) {
  const overlay = link.dataset.overlay;
  film.classList.add("loading");
  film.src = `${film.dataset.rendered}?overlay=${overlay}&size=1400&band=false`;
  film.alt = film.alt.replace(/overlay: .*$/, `overlay: ${overlay}`);
  document.getElementById("full").href = `${film.dataset.rendered}?overlay=${overlay}`;
  for (const other of links) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  window.history.replaceState(null, "", link.href);
}

if (film) {
  film.addEventListener("load", () => showFilm(true));
  film.addEventListener("error", () => showFilm(false));
  if (film.complete && film.naturalWidth === 0) showFilm(false);
  for (const link of links) {
    link.addEventListener("click", (event) => { event.preventDefault(); show(link); });
  }
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const link = links.find((one) => one.dataset.key === event.key.toLowerCase());
    if (link) show(link);
  });
}

if (document.querySelector(".case-head.waiting")) {
  window.setTimeout(() => window.location.reload(), WAIT_MS);
}
