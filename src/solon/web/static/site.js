"use strict";
// Makes two things quicker; every page does all of its work without it.
(() => {
  // A vote puts the next statement in place of this one, without loading the whole page anew.
  const swap = async (form, button) => {
    const body = new URLSearchParams(new FormData(form, button));
    const buttons = [...document.querySelectorAll("main button")];
    buttons.forEach((one) => one.setAttribute("aria-disabled", "true"));
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const main = page.querySelector("main");
      if (!main) throw new Error("not a page of this site");
      document.querySelector("main").replaceWith(main);
      document.title = page.title;
      history.replaceState(null, "", answer.url);
      const first = document.querySelector("main [autofocus]");
      if (first) first.focus();
      scrollTo(0, 0);
    } catch {
      form.submitted = false;
      buttons.forEach((one) => one.removeAttribute("aria-disabled"));
      let told = document.querySelector(".offline");
      if (!told) {
        told = Object.assign(document.createElement("p"), { className: "offline" });
        told.setAttribute("role", "alert");
        form.prepend(told);
      }
      told.textContent = document.body.dataset.offline;
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
})();
