/* Redraws what moves, straight in the SVG that plotly drew.

   A slider needs an answer within a frame; laying a whole figure out again takes plotly longer.
   But between two slider states only coordinates, texts and colours differ and every axis stands
   still, so it is enough to write new path data into the nodes that plotly made. When the slider
   rests, explorer.js lets plotly draw the same state in full (for hovering); tests/browser checks
   that both agree. */
(() => {
  "use strict";
  const { numberAt, textAt } = window.qlearn;

  /* Pixels of a fixed coordinate array, or a function of (state, i) for a moving one. */
  function coordinate(gd, sheet, trace, letter, moving) {
    const name = (trace[`${letter}axis`] || letter).replace(letter, `${letter}axis`);
    const axis = gd._fullLayout[name];
    const { _m: slope, _b: shift } = axis;
    const m = moving.find((other) => other.prop === letter);
    if (m) return { length: m.length, at: (state, i) => shift + slope * numberAt(m, state, i) };
    const scale = axis.type === "log" ? Math.log10 : Number;
    const fixed = trace[letter].map((v) => (v === null ? NaN : shift + slope * scale(v)));
    return { length: fixed.length, at: (_, i) => fixed[i] };
  }

  const round = (pixels) => Math.round(pixels * 100) / 100;

  function linePath(x, y, state, steps) {
    const length = Math.min(x.length, y.length);
    let path = "";
    let pen = false;
    for (let i = 0; i < length; i++) {
      const px = round(x.at(state, i));
      const py = round(y.at(state, i));
      if (Number.isNaN(px) || Number.isNaN(py)) pen = false;
      else {
        path += !pen ? `M${px},${py}` : steps ? `H${px}V${py}` : `L${px},${py}`;
        pen = true;
      }
    }
    return path || "M0,0";
  }

  /* The children of a group, one per point; plotly leaves out points in gaps and empty texts. */
  function pool(group, selector, count) {
    const prototype = group.querySelector(selector);
    if (!prototype) return null;
    const nodes = [...group.children];
    for (let i = 0; i < count; i++) {
      if (nodes[i] && nodes[i].matches(selector)) continue;
      const copy = prototype.cloneNode(true);
      if (nodes[i]) nodes[i].replaceWith(copy);
      else group.append(copy);
      nodes[i] = copy;
    }
    return nodes;
  }

  class Painter {
    constructor(gd, sheet, colour) {
      Object.assign(this, { gd, sheet, colour, brushes: [] });
      this.bind();
    }

    /* Look up nodes and axes again after plotly has drawn. */
    bind() {
      const groups = new Map();
      for (const node of this.gd.querySelectorAll(".cartesianlayer .trace"))
        groups.set(node.__data__[0].trace.index, node);
      const indices = new Set(this.sheet.moving.filter((m) => m.path[0] === "data").map((m) => m.trace));
      this.brushes = [];
      for (const index of indices) {
        const trace = this.sheet.figure.data[index];
        const moving = this.sheet.moving.filter((m) => m.path[0] === "data" && m.trace === index);
        const group = groups.get(index);
        if (!group) continue; // all of it in gaps: plotly made no nodes; drawn when the slider rests
        const x = coordinate(this.gd, this.sheet, trace, "x", moving);
        const y = coordinate(this.gd, this.sheet, trace, "y", moving);
        const brush = { trace, moving, group, x, y, colours: moving.find((m) => m.prop === "marker.color") };
        if (trace.type === "bar") this.brushes.push((state) => this.bar(brush, state));
        else {
          if (trace.mode.includes("lines")) this.brushes.push((state) => this.line(brush, state));
          if (trace.mode.includes("markers")) this.brushes.push((state) => this.markers(brush, state));
          if (trace.mode.includes("text")) this.brushes.push((state) => this.texts(brush, state));
        }
      }
    }

    /* Draw a state; false if some node is missing and plotly must draw it. */
    paint(state) {
      return this.brushes.every((brush) => brush(state));
    }

    line({ trace, group, x, y }, state) {
      const path = linePath(x, y, state, trace.line.shape === "hv");
      const line = group.querySelector(".js-line");
      if (!line) return false;
      line.setAttribute("d", path);
      const fill = group.querySelector(".js-fill");
      if (fill) fill.setAttribute("d", `${path}Z`);
      return true;
    }

    markers({ group, x, y, colours }, state) {
      const count = Math.min(x.length, y.length);
      const nodes = pool(group.querySelector(".points"), ".point", count);
      if (!nodes) return false;
      for (let i = 0; i < count; i++) {
        const px = round(x.at(state, i));
        const py = round(y.at(state, i));
        const seen = !Number.isNaN(px) && !Number.isNaN(py);
        nodes[i].style.display = seen ? "" : "none";
        if (seen) nodes[i].setAttribute("transform", `translate(${px},${py})`);
        if (colours) nodes[i].style.fill = this.colour(textAt(colours, state, i));
      }
      return true;
    }

    texts({ trace, moving, group, x, y }, state) {
      const words = moving.find((m) => m.prop === "text");
      const count = Math.min(x.length, y.length);
      const nodes = pool(group.querySelector(".text"), ".textpoint:has(text)", count);
      if (!nodes) return false;
      for (let i = 0; i < count; i++) {
        const px = round(x.at(state, i));
        const py = round(y.at(state, i));
        const word = words ? textAt(words, state, i) : trace.text[i];
        const seen = word && !Number.isNaN(px) && !Number.isNaN(py);
        nodes[i].style.display = seen ? "" : "none";
        if (!seen) continue;
        const text = nodes[i].firstElementChild;
        text.setAttribute("x", px);
        text.setAttribute("y", py);
        if (words && text.textContent !== word) text.textContent = word;
      }
      return true;
    }

    bar({ trace, group, x, y, colours }, state) {
      const nodes = group.querySelectorAll(".point > path");
      const count = Math.min(x.length, y.length);
      if (nodes.length < count) return false;
      const { _m: xs } = this.gd._fullLayout.xaxis;
      const { _m: ys, _b: yb } = this.gd._fullLayout.yaxis;
      const half = Math.abs(xs * trace.width) / 2;
      for (let i = 0; i < count; i++) {
        const base = trace.base ? trace.base[i] : 0;
        const px = x.at(state, i);
        const top = y.at(state, i) + ys * base;
        const seen = !Number.isNaN(px) && !Number.isNaN(top);
        const [left, right] = [round(px - half), round(px + half)];
        nodes[i].setAttribute(
          "d",
          seen ? `M${left},${round(yb + ys * base)}V${round(top)}H${right}V${round(yb + ys * base)}Z` : "M0,0"
        );
        if (colours) nodes[i].style.fill = this.colour(textAt(colours, state, i));
      }
      return true;
    }
  }

  window.qlearn.Painter = Painter;
})();
