/* Brings the figures of a page to life: each mounts when it comes near the screen, answers its
   controls at once, follows the page's theme, and says in its place when something went wrong. */
(() => {
  "use strict";
  const { decode, figureAt, textAt, Painter } = window.qlearn;
  const REST = 180; // ms without a move before plotly draws the state in full
  const FRAME = 180; // ms between two frames of a play button
  const CONFIG = { displayModeBar: false, responsive: true, showSendToCloud: false, plotlyServerURL: "" };
  const base = new URL(".", document.currentScript.src);
  const dark = () => document.documentElement.dataset.theme === "dark";
  const still = () => window.matchMedia("(prefers-reduced-motion: reduce)").matches;

  /* Classic scripts, not fetch: they load from a folder opened by double click too. */
  const loading = new Map();
  function load(url) {
    if (!loading.has(url))
      loading.set(
        url,
        new Promise((resolve, reject) => {
          const script = document.createElement("script");
          script.src = url;
          script.onload = resolve;
          script.onerror = () => {
            loading.delete(url);
            script.remove();
            reject(new Error(`could not load ${url.split("/").pop()}`));
          };
          document.head.append(script);
        })
      );
    return loading.get(url);
  }

  const payloads = new Map();
  window.qlearnData = (key, payload) => payloads.set(key, payload);

  const colour = (light) => (dark() && window.qlearnDark[light]) || light;
  function coloured(node) {
    if (typeof node === "string") return colour(node);
    if (Array.isArray(node)) return node.map(coloured);
    if (node && typeof node === "object")
      return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, coloured(child)]));
    return node;
  }

  class Figure {
    constructor(root) {
      this.root = root;
      this.plot = root.querySelector(".qx-plot");
      this.summary = root.querySelector(".qx-summary");
      this.controls = [...root.querySelectorAll("[data-axis]")];
      for (const control of this.controls) {
        control.addEventListener("input", () => this.moved());
        const button = control.querySelector(".qx-play");
        if (button) button.addEventListener("click", () => this.play(control, button));
      }
    }

    async mount() {
      try {
        const key = this.root.dataset.qx;
        await Promise.all([load(new URL("vendor/plotly/plotly-basic.min.js", base).href), load(this.root.dataset.src)]);
        this.sheet = await decode(payloads.get(key));
        payloads.delete(key);
        await this.draw();
        this.painter = new Painter(this.plot, this.sheet, colour);
        this.plot.on("plotly_afterplot", () => this.painter.bind());
        this.root.dataset.ready = "true";
        this.moved();
      } catch (error) {
        this.fail(error);
      }
    }

    /* Which state the controls show, as an index into the grid. */
    get state() {
      return this.controls.reduce((sum, control) => {
        const input = control.querySelector("input[type=range], input:checked");
        return sum + Number(input.value) * this.sheet.strides[control.dataset.axis];
      }, 0);
    }

    draw() {
      const figure = coloured(figureAt(this.sheet, this.state));
      return window.Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
    }

    moved() {
      for (const control of this.controls) this.name(control);
      if (!this.painter) return;
      const state = this.state;
      this.root.dataset.state = state;
      if (!this.painter.paint(state)) this.draw();
      const sentence = this.sheet.moving.find((m) => m.path.join(".") === "layout.meta.summary");
      if (sentence) this.summary.textContent = textAt(sentence, state, 0);
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.rested(), REST);
    }

    rested() {
      this.draw();
      this.root.querySelector(".qx-said").textContent = this.summary.textContent;
    }

    /* The value beside the slider, and the same value for a screen reader. */
    name(control) {
      const input = control.querySelector("input[type=range]");
      if (!input || !this.sheet) return;
      const shown = this.root.querySelector(`output[for="${input.id}"]`);
      const value = this.sheet.axes[control.dataset.axis][Number(input.value)];
      shown.textContent = Number(value.toPrecision(6)).toString();
      input.setAttribute("aria-valuetext", shown.textContent);
    }

    play(control, button) {
      const input = control.querySelector("input");
      const step = () => {
        input.value = Number(input.value) >= Number(input.max) ? 0 : Number(input.value) + 1;
        input.dispatchEvent(new Event("input", { bubbles: true }));
        if (input.value === input.max) stop();
      };
      const stop = () => {
        clearInterval(this.timer);
        this.timer = null;
        button.setAttribute("aria-pressed", "false");
      };
      if (this.timer) stop();
      else if (still()) step(); // one frame at a press for readers who asked for less motion
      else {
        button.setAttribute("aria-pressed", "true");
        step();
        this.timer = setInterval(step, FRAME);
      }
    }

    fail(error) {
      const note = document.createElement("div");
      note.className = "qx-failure";
      note.setAttribute("role", "alert");
      note.textContent = `This figure could not be drawn: ${error.message}. `;
      const again = document.createElement("button");
      again.type = "button";
      again.textContent = "Try again";
      again.addEventListener("click", () => {
        note.remove();
        this.mount();
      });
      note.append(again);
      this.plot.replaceChildren(note);
    }
  }

  function start() {
    const figures = new Map([...document.querySelectorAll("figure.qx")].map((root) => [root, new Figure(root)]));
    const near = new IntersectionObserver(
      (entries) => {
        for (const entry of entries)
          if (entry.isIntersecting) {
            near.unobserve(entry.target);
            figures.get(entry.target).mount();
          }
      },
      { rootMargin: "400px" }
    );
    for (const root of figures.keys()) near.observe(root);
    new MutationObserver(() => {
      for (const figure of figures.values()) if (figure.painter) figure.draw();
    }).observe(document.documentElement, { attributeFilter: ["data-theme"] });
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
