/* Brings the figures of a page to life: each mounts when it comes near the screen, follows the
   page's theme, and goes to the state that the page's address asks for. */
(() => {
  "use strict";
  const { Figure, Phone, payloadOf, readAddress, nearest } = window.qlearn;
  const figures = new Map(); // name -> Figure
  const phones = new Map(); // name -> Phone

  /* Go where the address points. Nothing in an address can do more than move a figure's controls. */
  async function follow() {
    const asked = readAddress(location.hash);
    if (!asked) return;
    const figure = figures.get(asked.name);
    if (!figure) {
      note(document.querySelector(".bd-article h1"), "The link asked for a figure that is not on this page.");
      return;
    }
    await figure.mount();
    if (!figure.sheet) return; // its data did not load; the figure says so
    const { positions, notes } = nearest(figure.sheet.axes, figure.first, asked.values);
    figure.question?.skip();
    figure.go(positions);
    figure.note.textContent = notes.length ? `The link did not fit this figure exactly: ${notes.join("; ")}.` : "";
    figure.root.scrollIntoView();
  }

  function note(after, text) {
    document.querySelector(".qx-lost")?.remove();
    const shown = document.createElement("p");
    shown.className = "qx-note qx-lost";
    shown.setAttribute("role", "status");
    shown.textContent = text;
    after?.after(shown);
  }

  function start() {
    for (const root of document.querySelectorAll("figure.qx")) figures.set(root.id, new Figure(root));
    for (const root of document.querySelectorAll("figure.phone"))
      phones.set(root.id, new Phone(root, () => payloadOf(root)));
    const near = new IntersectionObserver(
      (entries) => {
        for (const entry of entries)
          if (entry.isIntersecting) {
            near.unobserve(entry.target);
            (figures.get(entry.target.id) ?? phones.get(entry.target.id)).mount();
          }
      },
      { rootMargin: "400px" }
    );
    for (const { root } of [...figures.values(), ...phones.values()]) near.observe(root);
    new MutationObserver(() => {
      for (const figure of figures.values()) if (figure.painter) figure.draw();
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
    window.addEventListener("hashchange", follow);
    follow();
  }

  /* From now on the browser may skip what is off the screen; see book.css. */
  window.addEventListener("load", async () => {
    await document.fonts.ready;
    requestAnimationFrame(() =>
      requestAnimationFrame(() => document.documentElement.classList.add("qx-settled"))
    );
  });

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
