/* One figure: it mounts when asked, answers its controls at once, offers its state as a link, as
   Python and as a table, and says in its place when something went wrong. */
(() => {
  "use strict";
  const { decode, figureAt, textAt, Painter, Prediction, address, asPython } = window.qlearn;
  const REST = 180; // ms without a move before what can wait is done
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
  async function payloadOf(root) {
    await load(root.dataset.src);
    return payloads.get(root.dataset.qx);
  }

  const colour = (light) => (dark() && window.qlearnDark[light]) || light;
  function coloured(node) {
    if (typeof node === "string") return colour(node);
    if (Array.isArray(node)) return node.map(coloured);
    if (node && typeof node === "object")
      return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, coloured(child)]));
    return node;
  }

  function button(label, click) {
    const made = document.createElement("button");
    Object.assign(made, { type: "button", textContent: label, onclick: click });
    return made;
  }

  class Figure {
    constructor(root) {
      this.root = root;
      this.plot = root.querySelector(".qx-plot");
      this.summary = root.querySelector(".qx-summary");
      this.note = root.querySelector(".qx-note");
      this.table = root.querySelector(".qx-data");
      this.controls = [...root.querySelectorAll("[data-axis]")].map((control) => {
        const range = control.querySelector("input[type=range]");
        return {
          control,
          axis: control.dataset.axis,
          inputs: [...control.querySelectorAll("input")],
          range,
          output: range && control.querySelector("output"),
        };
      });
      this.first = this.positions;
      for (const part of this.controls) {
        part.control.addEventListener("input", () => this.moved(part));
        const play = part.control.querySelector(".qx-play");
        if (play) play.addEventListener("click", () => this.play(part.range, play));
      }
      this.table.addEventListener("toggle", () => this.tabulate());
      const form = root.querySelector(".qx-predict");
      if (form) this.question = new Prediction(form, (positions) => this.go({ ...this.first, ...positions }));
      this.offer();
    }

    /* Once, whoever asks first; again only after it failed. */
    mount() {
      this.mounting ??= this.build();
      return this.mounting;
    }

    async build() {
      try {
        const plotly = load(new URL("vendor/plotly/plotly-basic.min.js", base).href);
        const [payload] = await Promise.all([payloadOf(this.root), plotly]);
        this.sheet ??= await decode(payload);
        payloads.delete(this.root.dataset.qx);
        this.plot.replaceChildren(); // the picture of the start makes room
        await this.draw();
        this.painter = new Painter(this.plot, this.sheet, colour);
        this.plot.on("plotly_afterplot", () => {
          this.painter.bind();
          if (this.drawn !== this.state) this.painter.paint(this.state); // the window was resized
        });
        this.plot.addEventListener("pointerenter", () => this.settle());
        this.root.dataset.ready = "true";
        this.show();
      } catch (error) {
        this.fail(error);
      }
    }

    /* The position of every control on its axis. */
    get positions() {
      const position = ({ range, inputs }) =>
        Number(range ? range.value : inputs.find((input) => input.checked).value);
      return Object.fromEntries(this.controls.map((part) => [part.axis, position(part)]));
    }

    /* The values that the controls show, and which state of the grid that is. */
    get values() {
      return Object.fromEntries(
        Object.entries(this.positions).map(([name, position]) => [name, this.sheet.axes[name][position]])
      );
    }
    get state() {
      return Object.entries(this.positions).reduce((sum, [name, at]) => sum + at * this.sheet.strides[name], 0);
    }

    /* Move the controls to these positions. */
    go(positions) {
      for (const { axis, range, inputs } of this.controls) {
        if (range) range.value = positions[axis];
        else inputs[positions[axis]].checked = true;
      }
      if (this.painter) this.show();
    }

    draw() {
      this.drawn = this.state;
      const figure = coloured(figureAt(this.sheet, this.state));
      return window.Plotly.react(this.plot, figure.data, figure.layout, CONFIG);
    }

    /* The reader moved a control. */
    moved(part) {
      if (!this.painter) return;
      this.touched = true;
      this.note.textContent = "";
      this.name(part);
      this.paint();
    }

    show() {
      for (const part of this.controls) this.name(part);
      this.paint();
    }

    paint() {
      const state = this.state;
      this.root.dataset.state = state;
      if (!this.painter.paint(state)) {
        this.draw();
        this.painter.bind(); // now: the event that tells of a drawing comes later
      }
      const sentence = this.sheet.moving.find((m) => m.path.join(".") === "layout.meta.summary");
      const words = sentence && textAt(sentence, state, 0);
      if (words && this.summary.textContent !== words) this.summary.textContent = words;
      clearTimeout(this.rest);
      this.rest = setTimeout(() => this.rested(), REST);
    }

    /* Plotly draws a state in full only for a reader who points at it, so that hovering finds its
       points: on a slow computer that takes longer than the next move of a slider may wait. */
    settle() {
      if (this.drawn !== this.state) this.draw();
    }

    /* What can wait until the slider stands still. */
    rested() {
      if (this.plot.matches(":hover")) this.settle();
      this.tabulate();
      if (!this.touched) return;
      this.root.querySelector(".qx-said").textContent = this.summary.textContent;
      history.replaceState(null, "", address(this.root.id, this.values));
    }

    /* The value beside the slider, and the same value for a screen reader. */
    name({ axis, range, output }) {
      if (!range) return;
      const value = this.sheet.axes[axis][Number(range.value)];
      output.textContent = Number(value.toPrecision(6)).toString();
      range.setAttribute("aria-valuetext", output.textContent);
    }

    play(range, play) {
      const step = () => {
        range.value = Number(range.value) >= Number(range.max) ? 0 : Number(range.value) + 1;
        range.dispatchEvent(new Event("input", { bubbles: true }));
        if (range.value === range.max) stop();
      };
      const stop = () => {
        clearInterval(this.timer);
        this.timer = null;
        play.setAttribute("aria-pressed", "false");
      };
      if (this.timer) stop();
      else if (still()) step(); // one frame at a press for readers who asked for less motion
      else {
        play.setAttribute("aria-pressed", "true");
        step();
        this.timer = setInterval(step, FRAME);
      }
    }

    /* --- what the reader takes along: a link, Python, the numbers ------------------------------ */

    offer() {
      const link = button("Copy link", () =>
        this.copy(link, new URL(address(this.root.id, this.values), location.href).href)
      );
      const python = button("Copy as Python", () => this.copy(python, asPython(this.sheet.call, this.values)));
      this.root.querySelector(".qx-tools").prepend(link, python);
      this.table.querySelector("summary").after(button("Download CSV", () => this.download()));
    }

    /* To the clipboard, or, where the browser allows none, into a field to copy from. */
    async copy(from, text) {
      const label = from.dataset.label ?? from.textContent;
      from.dataset.label = label;
      const say = (words) => {
        from.textContent = words;
        this.root.querySelector(".qx-said").textContent = words;
      };
      this.root.querySelector(".qx-copy")?.remove();
      try {
        await navigator.clipboard.writeText(text);
        say("Copied");
      } catch {
        const field = document.createElement("textarea");
        Object.assign(field, { className: "qx-copy", readOnly: true, value: text, rows: text.split("\n").length });
        field.setAttribute("aria-label", label);
        this.root.querySelector(".qx-tools").append(field);
        field.select();
        say("Copy it from here");
      }
      setTimeout(() => (from.textContent = label), 2000);
    }

    get rows() {
      return window.qlearn.rows(figureAt(this.sheet, this.state));
    }

    tabulate() {
      if (!this.table.open || !this.sheet) return;
      const caption = this.root.querySelector(".qx-title").textContent;
      this.root.querySelector(".qx-table").replaceChildren(window.qlearn.tableOf(this.rows, caption));
    }

    download() {
      const file = new Blob([window.qlearn.csvOf(this.rows)], { type: "text/csv" });
      const link = document.createElement("a");
      Object.assign(link, { href: URL.createObjectURL(file), download: `${this.root.id}.csv` });
      link.click();
      URL.revokeObjectURL(link.href);
    }

    fail(error) {
      this.mounting = null;
      const note = document.createElement("div");
      note.className = "qx-failure";
      note.setAttribute("role", "alert");
      note.textContent = `This figure could not be drawn: ${error.message}. `;
      note.append(
        button("Try again", () => {
          note.remove();
          this.mount();
        })
      );
      this.plot.before(note);
    }
  }

  Object.assign(window.qlearn, { Figure, payloadOf });
})();
