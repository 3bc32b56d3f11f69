"use strict";
// Makes some things quicker; every page does all of its work without it.
(() => {
  document.documentElement.classList.add("scripted");
  // Single keys can be switched off, by those who speak to their browser or press keys by accident.
  const keysAreOn = () => localStorage.getItem("keys") !== "off";
  const hints = () => {
    document.querySelectorAll("[data-script]").forEach((one) => (one.hidden = false));
    document.querySelectorAll("[data-switch=keys]").forEach((one) => (one.checked = keysAreOn()));
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-switch=keys]")) localStorage.setItem("keys", event.target.checked ? "on" : "off");
  });
  hints();

  // Puts the page that a form was answered with in place of this one.
  const show = (html, address) => {
    const page = new DOMParser().parseFromString(html, "text/html");
    const main = page.querySelector("main");
    if (!main) throw new Error("not a page of this site");
    document.querySelector("main").replaceWith(main);
    document.title = page.title;
    history.replaceState(null, "", address);
    hints();
    const first = document.querySelector("main [autofocus]");
    if (first) first.focus();
  };

  const lost = (form) => {
    let told = document.querySelector(".offline");
    if (!told) {
      told = Object.assign(document.createElement("p"), { className: "offline" });
      told.setAttribute("role", "alert");
      form.prepend(told);
    }
    told.textContent = document.body.dataset.offline;
  };

  // A vote puts the next statement in place of this one, without loading the whole page anew.
  const swap = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const buttons = [...document.querySelectorAll("main button")];
    buttons.forEach((one) => one.setAttribute("aria-disabled", "true"));
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      show(await answer.text(), answer.url);
      scrollTo(0, 0);
    } catch {
      form.submitted = false;
      buttons.forEach((one) => one.removeAttribute("aria-disabled"));
      lost(form);
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-swap]");
    if (!form) return;
    event.preventDefault();
    if (form.submitted) return;
    form.submitted = true;
    swap(form, event.submitter);
  });

  // What takes long comes in parts (web/parts.py): texts that grow, then the page.
  const parts = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const region = document.getElementById(form.dataset.parts);
    const texts = [...region.querySelectorAll("[id]")];
    const stop = new AbortController();
    region.hidden = false;
    texts.forEach((one) => { one.textContent = ""; });
    region.querySelector("[data-stops]").onclick = () => stop.abort();
    const take = (line, address) => {
      const part = JSON.parse(line);
      if (part.page) return show(part.page, address);
      const into = texts.find((one) => one.id === part.into);
      if (into) into.textContent = (part.add ? into.textContent : "") + (part.add || part.say);
    };
    try {
      const headers = { Accept: "application/x-ndjson" };
      const answer = await fetch(form.action, { method: "POST", body, headers, signal: stop.signal });
      if (!answer.headers.get("content-type").startsWith(headers.Accept)) return show(await answer.text(), answer.url);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = "";
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        const lines = (rest + value).split("\n");
        rest = lines.pop();
        lines.forEach((line) => take(line, answer.url));
      }
      if (document.contains(form)) throw new Error("cut off");
    } catch {
      form.submitted = false;
      if (!stop.signal.aborted) lost(form);
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-parts]");
    if (!form || (event.submitter && event.submitter.hasAttribute("formaction"))) return;
    event.preventDefault();
    if (form.submitted) return;
    form.submitted = true;
    parts(form, event.submitter);
  });

  // Copies a text of the page.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copies]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copies).textContent);
    button.textContent = button.dataset.done;
  });

  // Nothing that somebody types, holds down, or asks of the browser.
  const isKey = (event) => keysAreOn() && !event.ctrlKey && !event.metaKey && !event.altKey && !event.repeat
    && !event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])");

  // Keys for what can be done, while one is within the region: a button or link is pressed; a choice is made, and what
  // its form asks for besides can be typed.
  document.addEventListener("keydown", (event) => {
    const region = event.target.closest("div[data-keys]");
    if (!region || !isKey(event)) return;
    const one = region.querySelector(`[data-press~="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!one) return;
    event.preventDefault();
    const details = one.closest("details");
    if (!details) return one.click();
    details.open = true;
    if (one.matches("[type=radio]")) one.checked = true;
    details.querySelector("textarea, input:not([type=radio], [type=hidden])").focus();
  });

  // Keys for choices, while one is within the form: the first question that is open takes the answer.
  const unanswered = (group) => !group.querySelector("input:checked");
  document.addEventListener("keydown", (event) => {
    const form = event.target.closest("form[data-keys]");
    if (!form || !isKey(event)) return;
    if (event.key === "Enter" && event.target.matches("h1, [type=radio]")) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("button.main"));
      return;
    }
    const groups = [...form.querySelectorAll("fieldset")];
    const group = event.target.closest("fieldset") ?? groups.find(unanswered);
    const choice = group?.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
    if (!choice) return;
    event.preventDefault();
    choice.checked = true;
    (groups.find(unanswered)?.querySelector("input") ?? form.querySelector("button.main")).focus();
  });

  // How many characters are left.
  for (const counter of document.querySelectorAll("[data-counts]")) {
    const field = document.getElementById(counter.dataset.counts);
    const show = () => {
      const left = Number(counter.dataset.most) - [...field.value.trim()].length;
      counter.textContent = counter.dataset.said.replace("{left}", left);
      counter.classList.toggle("over", left < 0);
    };
    field.addEventListener("input", show);
    counter.hidden = false;
    show();
  }

  // A run that goes on is shown as it is now, as long as it says that there is more to come. What was opened stays open.
  const live = document.querySelector("[data-live]");
  const ways = "summary, a, [tabindex]";
  const refresh = async () => {
    const answer = await fetch(live.dataset.live);
    if (!answer.ok) return;
    const part = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector(".going");
    if (!part) return;
    const open = [...live.querySelectorAll("details")].map((one) => one.open);
    const at = [...live.querySelectorAll(ways)].indexOf(document.activeElement);
    live.replaceChildren(part);
    live.querySelectorAll("details").forEach((one, nth) => { one.open = Boolean(open[nth]); });
    if (at >= 0) live.querySelectorAll(ways)[at]?.focus({ preventScroll: true });
  };
  const look = () => {
    if (!live?.querySelector("[data-again]")) return;
    setTimeout(async () => {
      if (!document.hidden) await refresh().catch(() => {});
      look();
    }, 3000);
  };
  look();
})();
