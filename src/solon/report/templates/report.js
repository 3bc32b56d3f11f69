"use strict";
// Browses the embedded rows. Every text is put on the page by textContent: what a model wrote is never parsed as HTML.
(() => {
  const PAGE = 10;
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const GRADES = new Map(data.grades);

  const el = (tag, options = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(options)) {
      if (name === "text") node.textContent = value;
      else if (name === "on") for (const [event, action] of Object.entries(value)) node.addEventListener(event, action);
      else if (value !== null && value !== undefined && value !== false) node.setAttribute(name, value);
    }
    node.append(...children.filter((child) => child !== null));
    return node;
  };
  const percent = (p) => `${(100 * p).toFixed(p > 0.995 || p < 0.005 ? 1 : 0)}%`;
  const lead = (text) => text.trim().replace(/\s+/g, " ");

  // The way from list a to list b with the fewest pieces deleted and inserted, by a longest common subsequence.
  const align = (a, b) => {
    const w = b.length + 1, length = new Uint16Array((a.length + 1) * w);
    for (let i = a.length - 1; i >= 0; i--)
      for (let j = b.length - 1; j >= 0; j--)
        length[i * w + j] = a[i] === b[j] ? length[(i + 1) * w + j + 1] + 1 : Math.max(length[(i + 1) * w + j], length[i * w + j + 1]);
    const parts = [];
    const push = (kind, piece) => {
      const last = parts[parts.length - 1];
      if (last && last[0] === kind) last[1] += piece; else parts.push([kind, piece]);
    };
    let i = 0, j = 0;
    while (i < a.length || j < b.length) {
      if (i < a.length && j < b.length && a[i] === b[j]) { push("same", a[i]); i++; j++; }
      else if (j >= b.length || (i < a.length && length[(i + 1) * w + j] >= length[i * w + j + 1])) push("del", a[i++]);
      else push("ins", b[j++]);
    }
    return parts;
  };
  const WORDS = /\s+|[^\s]+/g, SENTENCES = /[^.!?]*[.!?]*\s*/g;
  // What changed between two texts: whole sentences, or words where a sentence was only touched up.
  const changes = (before, after) => {
    const a = before.match(SENTENCES).filter(Boolean), b = after.match(SENTENCES).filter(Boolean);
    if (a.length * b.length > 250000) return [["same", after]];
    return align(a, b).flatMap((part, k, parts) => {
      const next = parts[k + 1], last = parts[k - 1];
      if (part[0] === "ins" && last && last[0] === "del" && touchUp(last[1], part[1])) return [];
      return (part[0] === "del" && next && next[0] === "ins" && touchUp(part[1], next[1])) || [part];
    });
  };
  const touchUp = (before, after) => {
    const a = before.match(WORDS) || [], b = after.match(WORDS) || [];
    if (a.length * b.length > 250000) return null;
    const parts = align(a, b), same = parts.reduce((n, [kind, text]) => n + (kind === "same" ? text.length : 0), 0);
    return same >= 0.7 * Math.max(before.length, after.length) ? parts : null;
  };
  const said = (text, before = null) => {
    const node = el("p", { class: "said" });
    if (!text) { node.append(el("small", { text: "(empty answer)" })); return node; }
    if (before === null || !byId("changes").checked) { node.textContent = text; return node; }
    if (before === text) { node.append(text, " ", el("small", { text: "(unchanged)" })); return node; }
    for (const [kind, words] of changes(before, text)) node.append(kind === "same" ? words : el(kind, { text: words }));
    return node;
  };

  const chips = (grade, cut) => {
    const found = [];
    if (cut) found.push(el("span", { class: "chip mute", text: "cut off" }));
    if (!grade) return found;
    for (const fault of grade.faults) {
      const detail = fault === "harmful" && grade.harms.length ? `: ${grade.harms.join(", ")}` : "";
      found.push(el("span", { class: `chip s-${fault}`, text: fault + detail }));
    }
    for (const merit of grade.merits) found.push(el("span", { class: `chip s-${merit}`, text: GRADES.get(merit).toLowerCase() }));
    if (!grade.faults.length && !grade.merits.length) found.push(el("span", { class: "chip mute", text: "no fault" }));
    return found;
  };
  const principle = (id, hash = null) => {
    if (!id) return null;
    const known = data.principles[id];
    if (!known) return el("p", { class: "principle", text: `Principle ${id}` });
    const box = el("details", { class: "principle" }, el("summary", { text: known.title }));
    for (const [name, title] of [["critique_request", "Critique request"], ["revision_request", "Revision request"], ["comparison_question", "Comparison question"]])
      if (known[name]) box.append(el("p", {}, el("b", { text: `${title}: ` }), lead(known[name])));
    box.append(el("p", {}, el("code", { text: id }), hash ? ` \u00b7 revised from the text with sha256 ${hash}\u2026` : ""));
    return box;
  };
  const ask = (id) => {
    const prompt = data.prompts[id];
    if (!prompt) return el("div", { class: "ask" }, el("p", { class: "said", text: `(prompt ${id})` }));
    const turns = el("div");
    const names = { human: "Human", assistant: "Assistant", system: "System" };
    for (const [role, text] of prompt.turns) {
      const who = prompt.turns.length > 1 ? el("b", { text: names[role] }) : null;
      turns.append(el("div", { class: "turn" }, who, el("p", { class: "said", text })));
    }
    return el("div", { class: "ask" }, turns, el("span", { class: `chip s-kind-${prompt.kind}`, text: prompt.kind }));
  };
  const meta = (row, ...facts) => {
    const line = el("div", { class: "meta" });
    line.append(el("span", {}, "prompt ", el("code", { text: row.prompt_id })));
    if (row.id !== row.prompt_id) line.append(el("span", {}, "row ", el("code", { text: row.id })));
    for (const fact of facts) if (fact) line.append(el("span", { text: fact }));
    line.append(el("button", { type: "button", text: "follow", "aria-label": `Follow prompt ${row.prompt_id} through the run`, on: { click: () => follow(row.prompt_id) } }));
    return line;
  };
  const worst = (grade) => (grade && grade.faults.length ? ` s-${grade.faults[0]}` : grade ? " s-helpful" : "");

  const drawChain = (row) => {
    const card = el("li", { class: "card" }, ask(row.prompt_id));
    row.steps.forEach((step, k) => {
      const box = el("div", { class: `step${worst(step.grade)}` });
      if (k > 0) {
        box.append(principle(step.principle, step.hash) || "");
        if (step.critique !== null) box.append(el("p", { class: "said critique", text: step.critique }));
      }
      const gated = step.kept === false ? el("span", { class: "chip mute", text: "not kept by the gate" }) : null;
      box.append(el("p", { class: "label" }, k ? `Revision ${k}` : "First answer", ...chips(step.grade, step.cut), gated));
      box.append(said(step.text, k ? row.steps[k - 1].text : null));
      card.append(box);
    });
    card.append(meta(row));
    return card;
  };
  const drawAnswers = (row) => {
    const columns = el("div", { class: "versus" });
    for (const [name, title] of data.models) {
      const answer = row.models[name];
      if (answer) columns.append(el("div", {}, el("p", { class: "label", text: title }), said(answer.text), el("p", { class: "label" }, ...chips(answer.grade, answer.cut))));
    }
    return el("li", { class: "card" }, ask(row.prompt_id), columns, meta(row));
  };
  const drawComparison = (row) => {
    const sides = el("div", { class: "versus" });
    for (const side of ["a", "b"]) {
      const p = row.p_a_preferred === null ? null : side === "a" ? row.p_a_preferred : 1 - row.p_a_preferred;
      const place = row.shown_first === "both" ? "shown in both orders" : row.shown_first === side ? "shown first" : "shown second";
      const note = [side.toUpperCase(), p === null ? "no verdict" : percent(p), place].join(" \u00b7 ");
      sides.append(el("div", { class: p !== null && p > 0.5 ? "won" : "" }, el("p", { class: "label", text: note }), said(row[side])));
    }
    const card = el("li", { class: "card" }, ask(row.prompt_id), principle(row.principle_id), sides);
    if (row.unscored) card.append(el("p", { class: "caution", text: `Unscored: ${row.unscored}` }));
    if (row.raw) card.append(el("details", {}, el("summary", { text: "What the judge wrote" }), el("p", { class: "said", text: row.raw })));
    if (row.rationale) card.append(el("details", {}, el("summary", { text: "Rationale" }), el("p", { class: "said", text: row.rationale })));
    card.append(meta(row, `${row.objective}, rated by ${row.rater}${row.method ? `, ${row.method}` : ""}`));
    return card;
  };
  const drawRollout = (row) => el("li", { class: "card" }, ask(row.prompt_id), said(row.text), el("p", { class: "label" }, ...chips(null, !row.finished)),
    meta(row, `step ${row.step}`, `preference score ${row.preference_score.toFixed(2)}`, `KL ${row.kl.toFixed(2)} nats`, `advantage ${row.advantage.toFixed(2)}`, `${row.tokens} tokens`, ...Object.entries(row.terms || {}).map(([name, score]) => `${name} ${score.toFixed(2)}`)));

  const certain = (row) => (row.p_a_preferred === null ? -1 : Math.abs(row.p_a_preferred - 0.5));
  const TABS = [
    { key: "chains", title: "Critique and revision", draw: drawChain, texts: (r) => r.steps.flatMap((s) => [s.text, s.critique || ""]), grades: (r) => r.steps.map((s) => s.grade), principles: (r) => r.steps.map((s) => s.principle), orders: { "as run": null, "most revised": (a, b) => moved(b) - moved(a) } },
    { key: "answers", title: "Before and after", draw: drawAnswers, texts: (r) => Object.values(r.models).map((m) => m.text), grades: (r) => Object.values(r.models).map((m) => m.grade), principles: () => [], orders: { "as run": null } },
    { key: "comparisons", title: "Judged pairs", draw: drawComparison, texts: (r) => [r.a, r.b, r.rationale || "", r.unscored || ""], grades: null, principles: (r) => [r.principle_id, ...(r.verdicts || []).map((v) => v.principle_id), ...(r.articles || [])], orders: { "as run": null, "most certain": (a, b) => certain(b) - certain(a), "least certain": (a, b) => certain(a) - certain(b) } },
    { key: "rollouts", title: "Reinforcement", draw: drawRollout, texts: (r) => [r.text], grades: null, principles: () => [], orders: { "by step": null, "last step first": (a, b) => b.step - a.step, "highest score": (a, b) => b.preference_score - a.preference_score, "lowest score": (a, b) => a.preference_score - b.preference_score, "highest KL": (a, b) => b.kl - a.kl } },
  ];
  const moved = (row) => row.steps.filter((step, k) => k && step.text !== row.steps[k - 1].text).length;
  const hasGrades = TABS.some((tab) => tab.grades && data.lists[tab.key].rows.some((row) => tab.grades(row).some(Boolean)));

  const state = { tab: TABS.find((tab) => data.lists[tab.key].rows.length) || TABS[0], page: 0 };
  const haystack = new WeakMap();
  const textOf = (tab, row) => {
    if (!haystack.has(row)) {
      const prompt = data.prompts[row.prompt_id];
      const names = tab.principles(row).filter(Boolean).flatMap((id) => [id, (data.principles[id] || {}).title || ""]);
      haystack.set(row, [row.id, row.prompt_id, ...(prompt ? prompt.turns.map((turn) => turn[1]) : []), ...tab.texts(row), ...names].join("\n").toLowerCase());
    }
    return haystack.get(row);
  };
  const matches = (tab) => {
    const query = byId("query").value.trim(), kind = byId("kind").value, wanted = byId("principle").value, fault = byId("fault").value;
    const exact = query.startsWith("prompt:") ? query.slice(7).trim() : null;
    const words = exact === null ? query.toLowerCase().split(/\s+/).filter(Boolean) : [];
    return data.lists[tab.key].rows.filter((row) => {
      if (exact !== null && row.prompt_id !== exact) return false;
      if (kind && (data.prompts[row.prompt_id] || {}).kind !== kind) return false;
      if (wanted && tab.principles(row).length && !tab.principles(row).includes(wanted)) return false;
      if (fault && tab.grades && !tab.grades(row).some((grade) => grade && (grade.faults.includes(fault) || grade.merits.includes(fault)))) return false;
      return words.every((word) => textOf(tab, row).includes(word));
    });
  };

  const drawTabs = (counts) => {
    const bar = document.querySelector(".tabs"), focused = bar.contains(document.activeElement);
    bar.replaceChildren(...TABS.filter((tab) => data.lists[tab.key].total).map((tab) => {
      const chosen = tab === state.tab;
      return el("button", { type: "button", role: "tab", id: `tab-${tab.key}`, "aria-selected": String(chosen), "aria-controls": "panel", tabindex: chosen ? "0" : "-1", on: { click: () => choose(tab) } },
        tab.title, el("small", { text: counts.get(tab).toLocaleString("en") }));
    }));
    byId("panel").setAttribute("aria-labelledby", `tab-${state.tab.key}`);
    if (focused) byId(`tab-${state.tab.key}`).focus();
  };
  const draw = () => {
    const found = new Map(TABS.map((tab) => [tab, matches(tab)]));
    drawTabs(new Map([...found].map(([tab, rows]) => [tab, rows.length])));
    const rows = found.get(state.tab), list = data.lists[state.tab.key], order = state.tab.orders[byId("order").value];
    if (order) rows.sort(order);
    const pages = Math.max(1, Math.ceil(rows.length / PAGE));
    state.page = Math.min(state.page, pages - 1);
    const number = (n) => n.toLocaleString("en");
    const held = list.rows.length < list.total ? ` This page holds ${number(list.rows.length)} of ${number(list.total)}, evenly spread; the run’s folder holds all.` : "";
    byId("count").textContent = `${number(rows.length)} found.${held}`;
    byId("rows").replaceChildren(...rows.slice(state.page * PAGE, (state.page + 1) * PAGE).map(state.tab.draw));
    const step = (text, page, off) => el("button", { type: "button", text, disabled: off ? "" : null, on: { click: () => turn(page) } });
    document.querySelector(".pager").replaceChildren(step("First", 0, state.page === 0), step("Previous", state.page - 1, state.page === 0),
      el("span", { text: `Page ${number(state.page + 1)} of ${number(pages)}` }), step("Next", state.page + 1, state.page >= pages - 1), step("Last", pages - 1, state.page >= pages - 1));
    byId("fault").disabled = !hasGrades || !state.tab.grades;
  };
  const turn = (page) => { state.page = page; draw(); byId("panel").focus({ preventScroll: true }); byId("explore").querySelector(".tabs").scrollIntoView(); };
  const fillOrders = () => byId("order").replaceChildren(...Object.keys(state.tab.orders).map((name) => el("option", { text: name })));
  const choose = (tab) => { state.tab = tab; state.page = 0; fillOrders(); draw(); };
  const follow = (id) => { for (const name of ["kind", "principle", "fault"]) byId(name).value = ""; byId("query").value = `prompt:${id}`; state.page = 0; location.hash = `prompt=${encodeURIComponent(id)}`; draw(); };
  const fromHash = () => {
    if (!location.hash.startsWith("#prompt=")) return;
    byId("query").value = `prompt:${decodeURIComponent(location.hash.slice(8))}`;
    state.page = 0;
    const tab = TABS.find((each) => matches(each).length);
    if (tab && !matches(state.tab).length) choose(tab); else draw();
    byId("explore").scrollIntoView();
  };

  document.querySelector(".tabs").addEventListener("keydown", (event) => {
    const tabs = TABS.filter((tab) => data.lists[tab.key].total), at = tabs.indexOf(state.tab);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    choose(tabs[(to + tabs.length) % tabs.length]);
  });
  let timer = 0;
  const again = () => { state.page = 0; draw(); };
  byId("query").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(again, 120); });
  for (const name of ["kind", "principle", "fault", "order", "changes"]) byId(name).addEventListener("change", again);
  document.querySelector(".filters").addEventListener("submit", (event) => event.preventDefault());
  for (const [id, known] of Object.entries(data.principles)) byId("principle").append(el("option", { value: id, text: known.title }));
  for (const [name, title] of GRADES) byId("fault").append(el("option", { value: name, text: title.toLowerCase() }));
  if (TABS.some((tab) => data.lists[tab.key].total)) {
    byId("explorer").hidden = false;
    fillOrders();
    draw();
    window.addEventListener("hashchange", fromHash);
    fromHash();
  }
})();
