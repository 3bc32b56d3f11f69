"use strict";
// Filters, orders and pages the cards. All of them stand in the page, which says everything without this script; text
// that it writes is put there by textContent.
(() => {
  const PAGE = 10;
  const byId = (id) => document.getElementById(id);
  const form = byId("filters"), tabs = document.querySelector(".tabs"), pager = document.querySelector(".pager");
  const number = (n) => n.toLocaleString("en");
  const readings = [...document.querySelectorAll(".reading")].map((section) => ({
    section,
    title: section.querySelector("h3").textContent,
    list: section.querySelector(".cards"),
    cards: [...section.querySelectorAll(".card")],
    orders: section.dataset.orders.split("|").filter(Boolean).map((each) => each.split(":")),
  }));
  window.addEventListener("beforeprint", () => { for (const each of document.querySelectorAll("details")) each.open = true; });
  if (!readings.length) return;
  for (const { cards } of readings) cards.forEach((card, place) => { card.dataset.orderRun = place; });

  const facets = [...form.querySelectorAll("[data-facet]")];
  const query = byId("query"), order = byId("order"), count = byId("count");
  let chosen = readings[0], page = 0;

  const button = (text, action) => {
    const node = document.createElement("button");
    node.type = "button";
    node.textContent = text;
    node.addEventListener("click", action);
    return node;
  };
  const words = new WeakMap();
  const textOf = (card) => {
    if (!words.has(card)) words.set(card, card.textContent.toLowerCase());
    return words.get(card);
  };
  const has = (node, name, value) => (node.dataset[name] || "").split(" ").includes(value);
  const matches = (card) => {
    const said = query.value.trim(), exact = said.startsWith("prompt:") ? said.slice(7).trim() : null;
    if (exact !== null && card.dataset.prompt !== exact) return false;
    if (exact === null && !said.toLowerCase().split(/\s+/).every((word) => textOf(card).includes(word))) return false;
    // What is not the card's own has to hold of one and the same piece.
    const wanted = facets.filter((each) => each.value).map((each) => [each.dataset.facet, each.value]);
    const rest = wanted.filter(([name, value]) => !has(card, name, value));
    return !rest.length || [...card.querySelectorAll("[data-piece]")].some((piece) => rest.every(([name, value]) => has(piece, name, value)));
  };

  const draw = () => {
    for (const each of readings) each.found = each.cards.filter(matches);
    const focused = tabs.contains(document.activeElement);
    for (const [place, tab] of [...tabs.children].entries()) {
      const own = readings[place];
      tab.setAttribute("aria-selected", String(own === chosen));
      tab.tabIndex = own === chosen ? 0 : -1;
      tab.querySelector("small").textContent = number(own.found.length);
      if (own === chosen && focused) tab.focus();
      own.section.hidden = own !== chosen;
    }
    const [key, sign] = (order.value || "run:1").split(":");
    const value = (card) => Number(card.getAttribute(`data-order-${key}`));
    const found = chosen.found.sort((a, b) => Number(sign) * (value(a) - value(b)) || a.dataset.orderRun - b.dataset.orderRun);
    const pages = Math.max(1, Math.ceil(found.length / PAGE));
    page = Math.min(page, pages - 1);
    const shown = found.slice(page * PAGE, (page + 1) * PAGE);
    for (const card of chosen.cards) card.hidden = true;
    for (const card of shown) card.hidden = false;
    chosen.list.append(...shown);
    count.textContent = `${number(found.length)} found. ${chosen.section.querySelector(".held").textContent}`;
    const step = (text, to, off) => { const node = button(text, () => turn(to)); node.disabled = off; return node; };
    const place = document.createElement("span");
    place.textContent = `Page ${number(page + 1)} of ${number(pages)}`;
    pager.replaceChildren(step("First", 0, page === 0), step("Previous", page - 1, page === 0), place, step("Next", page + 1, page >= pages - 1), step("Last", pages - 1, page >= pages - 1));
  };
  const turn = (to) => { page = to; draw(); chosen.section.focus({ preventScroll: true }); tabs.scrollIntoView(); };
  const choose = (reading) => {
    chosen = reading;
    page = 0;
    const options = [["as run", "orderRun", "1"], ...reading.orders].map(([name, key, sign]) => new Option(name, key === "orderRun" ? "run:1" : `${key}:${sign}`));
    order.replaceChildren(...options);
    draw();
  };
  const again = () => { page = 0; draw(); };
  const follow = (id) => {
    for (const each of facets) each.value = "";
    query.value = `prompt:${id}`;
    location.hash = `prompt=${encodeURIComponent(id)}`;
    again();
  };
  const fromHash = () => {
    if (!location.hash.startsWith("#prompt=")) return;
    try { query.value = `prompt:${decodeURIComponent(location.hash.slice(8))}`; } catch { return; }
    const first = readings.find((each) => each.cards.some(matches));
    choose(first && !chosen.cards.some(matches) ? first : chosen);
    byId("explore").scrollIntoView();
  };

  for (const reading of readings) {
    const tab = button(reading.title, () => choose(reading));
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", reading.section.id);
    tab.append(document.createElement("small"));
    tabs.append(tab);
    reading.section.tabIndex = -1;
    reading.section.setAttribute("role", "tabpanel");
    for (const card of reading.cards) {
      const node = button("follow", () => follow(card.dataset.prompt));
      node.setAttribute("aria-label", `Follow prompt ${card.dataset.prompt} through the run`);
      card.querySelector(".meta").append(node);
    }
  }
  tabs.addEventListener("keydown", (event) => {
    const at = readings.indexOf(chosen);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: readings.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(readings[(to + readings.length) % readings.length]);
  });
  let timer = 0;
  query.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(again, 120); });
  for (const each of [...facets, order]) each.addEventListener("change", again);
  byId("changes").addEventListener("change", (event) => byId("explore").classList.toggle("unmarked", !event.target.checked));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { byId("explore").classList.remove("unmarked"); again(); }));
  for (const each of [form, tabs, pager]) each.hidden = false;
  byId("explore").classList.add("browsing");
  choose(chosen);
  window.addEventListener("hashchange", fromHash);
  fromHash();
})();
