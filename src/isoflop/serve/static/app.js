"use strict";
(() => {
  document.documentElement.classList.add("js");

  const POLL_MS = 1000;
  const poll = (part) => {
    const said = part.querySelector("[role=status]");
    const again = async () => {
      try {
        const answer = await fetch(part.dataset.poll, { headers: { accept: "text/html" } });
        if (!answer.ok) return location.reload();
        if (!["queued", "running"].includes(answer.headers.get("x-job-state"))) return location.reload();
        const fresh = document.createElement("template");
        fresh.innerHTML = await answer.text();
        const state = fresh.content.querySelector("[role=status]");
        fresh.content.querySelector("[role=status]").remove();
        // The spoken line is changed in place and only where it says something new: a reader hears it once.
        if (said.textContent.trim() !== state.textContent.trim()) said.replaceChildren(...state.childNodes);
        while (said.nextSibling) said.nextSibling.remove();
        part.append(fresh.content);
      } catch { /* the server is away for a moment; the next look tells */ }
      setTimeout(again, POLL_MS);
    };
    setTimeout(again, POLL_MS);
  };

  const copy = (button) => button.addEventListener("click", async () => {
    const text = button.parentElement.querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.parentElement.querySelector("pre"));
      button.textContent = "Selected";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });

  const drop = (area) => {
    const input = area.querySelector("input[type=file]");
    const over = (is) => (event) => { event.preventDefault(); area.classList.toggle("over", is); };
    area.addEventListener("dragover", over(true));
    area.addEventListener("dragleave", over(false));
    area.addEventListener("drop", (event) => {
      over(false)(event);
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.form.requestSubmit();
    });
  };

  // The page is drawn anew for every change; whoever moves a slider by keys goes on where they were.
  const FOCUS = "isoflop-focus";
  const submitting = (field) => field.addEventListener("change", () => {
    const loser = document.getElementById(field.dataset.clears);
    if (loser) loser.value = "";
    sessionStorage.setItem(FOCUS, field.id);
    field.form.requestSubmit();
  });

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-poll]").forEach(poll);
    document.querySelectorAll("[data-copy]").forEach(copy);
    document.querySelectorAll("[data-drop]").forEach(drop);
    document.querySelectorAll("[data-submit-on-change]").forEach(submitting);
    document.getElementById(sessionStorage.getItem(FOCUS))?.focus();
    sessionStorage.removeItem(FOCUS);
    document.querySelectorAll("[data-confirm]").forEach((button) =>
      button.addEventListener("click", (event) => { if (!confirm(button.dataset.confirm)) event.preventDefault(); }));
  });
})();
