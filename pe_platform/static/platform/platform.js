/* Countdowns, and lists that refresh themselves. No page depends on it: without it the
   server's words stand as they were written. */
"use strict";

(() => {
  const POLL_MS = 5000;

  function spanOf(seconds) {
    const minutes = Math.floor(seconds / 60);
    if (minutes < 1) return `${seconds} s`;
    if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
    const hours = Math.floor(minutes / 60);
    return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
  }

  function tick() {
    for (const place of document.querySelectorAll("[data-countdown]")) {
      const due = Date.parse(place.dataset.countdown);
      if (Number.isNaN(due)) continue;
      const left = Math.round((due - Date.now()) / 1000);
      place.textContent = left > 0
        ? `${place.dataset.before || "in"} ${spanOf(left)}`
        : `${place.dataset.after || "overdue by"} ${spanOf(-left)}`;
      place.classList.toggle("is-overdue", left <= 0);
    }
  }

  /* A region keeps its place: focus stays on the same link, ticked boxes are not lost. */
  async function refresh(watcher) {
    const selector = watcher.dataset.refreshes;
    const present = document.querySelector(selector);
    if (!present || present.querySelector("input:checked")) return false;
    const answer = await fetch(window.location.href, { headers: { "X-Polling": "1" } });
    if (!answer.ok || answer.redirected) return false;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector(selector);
    if (!fresh) return false;
    const held = document.activeElement && present.contains(document.activeElement)
      ? document.activeElement.getAttribute("href") : null;
    present.replaceWith(document.adoptNode(fresh));
    if (held) {
      const again = fresh.querySelector(`a[href="${CSS.escape(held)}"]`);
      if (again) again.focus();
    }
    tick();
    return true;
  }

  async function poll(watcher) {
    if (document.hidden) return;
    const answer = await fetch(watcher.dataset.poll, { headers: { "X-Polling": "1" } });
    if (answer.redirected || answer.status === 403) {
      watcher.textContent = watcher.dataset.ended;
      return;
    }
    if (!answer.ok) return;
    const state = await answer.json();
    if (state.version === watcher.dataset.version) return;
    const more = state.open > Number(watcher.dataset.open);
    if (await refresh(watcher)) {
      watcher.dataset.version = state.version;
      watcher.dataset.open = String(state.open);
    }
    watcher.textContent = more ? watcher.dataset.fresh : "";
    document.title = document.title.replace(/^(\(\d+\) )?/, state.open ? `(${state.open}) ` : "");
  }

  /* With the focus on a link of the list: arrows go from case to case. */
  function move(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const list = event.target.closest && event.target.closest("[data-arrows], #result_list");
    if (!list || event.target.tagName !== "A") return;
    const links = [...list.querySelectorAll("tbody th a, tbody td a, a[data-row]")];
    const next = links[links.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
    if (!next) return;
    event.preventDefault();
    next.focus();
  }

  document.addEventListener("DOMContentLoaded", () => {
    tick();
    window.setInterval(tick, 1000);
    document.addEventListener("keydown", move);
    for (const watcher of document.querySelectorAll("[data-poll]")) {
      window.setInterval(() => poll(watcher).catch(() => {}), POLL_MS);
    }
  });
})();
