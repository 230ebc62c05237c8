/* Redraws what moves, straight in the SVG that plotly drew.

   A slider needs an answer within a frame; laying a whole figure out again takes plotly longer.
   But between two slider states only coordinates, texts and colours differ and every axis stands
   still, so it is enough to write new path data into the nodes that plotly made. When the reader
   points at the figure, figure.js lets plotly draw the same state in full (for hovering);
   tests/browser checks that both agree.

   After what a node draws changes, the browser paints that node; after the box around it or its
   transform changes, it sorts everything on the screen into layers again, which takes longer than
   all the rest. So what moves has no transform here, and a box that does not change. */
(() => {
  "use strict";
  const { numberAt, textAt } = window.qlearn;

  function axisOf(gd, trace, letter) {
    return gd._fullLayout[(trace[`${letter}axis`] || letter).replace(letter, `${letter}axis`)];
  }

  /* Pixels of a fixed coordinate array, or a function of (state, i) for a moving one. */
  function coordinate(axis, trace, letter, moving) {
    const { _m: slope, _b: shift } = axis;
    const m = moving.find((other) => other.prop === letter);
    if (m) return { length: m.length, moves: true, at: (state, i) => shift + slope * numberAt(m, state, i) };
    const scale = axis.type === "log" ? Math.log10 : Number;
    const fixed = trace[letter].map((v) => (v === null ? NaN : shift + slope * scale(v)));
    return { length: fixed.length, moves: false, at: (_, i) => fixed[i] };
  }

  const round = (pixels) => Math.round(pixels * 100) / 100;

  function linePath(x, y, state, steps) {
    const length = Math.min(x.length, y.length);
    let path = "";
    let begun = ""; // a stroke's first point, until a second one makes it a stroke
    let pen = false;
    for (let i = 0; i < length; i++) {
      const px = round(x.at(state, i));
      const py = round(y.at(state, i));
      if (Number.isNaN(px) || Number.isNaN(py)) pen = false;
      else if (pen) {
        path += begun + (steps ? `H${px}V${py}` : `L${px},${py}`);
        begun = "";
      } else {
        begun = `M${px},${py}`;
        pen = true;
      }
    }
    return path || "M0,0";
  }

  /* The children of a group, one per point; plotly leaves out points in gaps and empty texts.
     None if it has left out all of them. */
  function pool(group, selector, count) {
    const prototype = group && group.querySelector(selector);
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

  /* Whether a trace shows nothing in a state, so that it needs no nodes. */
  function isEmpty({ trace, x, y, count, words }, state) {
    for (let i = 0; i < count; i++) {
      const word = words ? textAt(words, state, i) : trace.mode === "text" ? trace.text[i] : "point";
      if (word !== "" && !Number.isNaN(x.at(state, i)) && !Number.isNaN(y.at(state, i))) return false;
    }
    return true;
  }

  /* Whether the nodes found before are still there: plotly, when it draws, takes away those at the
     end for which it has no point. */
  const whole = (nodes, count) => nodes && (count === 0 || nodes[count - 1].isConnected);

  /* What does not change is not written: the browser would lay it out again all the same. */
  function set(node, attribute, value) {
    const text = String(value);
    if (node.getAttribute(attribute) !== text) node.setAttribute(attribute, text);
  }
  function show(node, seen) {
    const display = seen ? "" : "none";
    if (node.style.display !== display) node.style.display = display;
  }
  /* Colours are read back in another notation than they are written in: what was written is kept. */
  function dye(nodes, written, i, colour) {
    if (written[i] !== colour) nodes[i].style.fill = written[i] = colour;
  }

  /* The path of a symbol, in steps from its centre. Plotly draws it around the origin and moves it
     by a transform, which is taken away; a node that is cloned afterwards has its outline with it. */
  function outline(node) {
    if (node.hasAttribute("transform")) {
      node.removeAttribute("transform");
      node.dataset.outline = inSteps(node.getAttribute("d"));
    }
    return node.dataset.outline;
  }

  /* The same path with relative commands. */
  function inSteps(path) {
    let [x, y] = [0, 0];
    let start = [x, y];
    let steps = "";
    for (const [, letter, given] of path.matchAll(/([MLHVAZ])([^MLHVAZ]*)/g)) {
      const numbers = (given.match(/-?[\d.]+(?:e-?\d+)?/g) ?? []).map(Number);
      const from = [x, y];
      if (letter === "Z") [x, y] = start;
      else if (letter === "H") x = numbers[0];
      else if (letter === "V") y = numbers[0];
      else [x, y] = numbers.slice(-2);
      if (letter === "M") start = [x, y];
      const step = `${x - from[0]},${y - from[1]}`;
      if (letter === "Z") steps += "z";
      else if (letter === "M") steps += `m${step}`;
      else if (letter === "A") steps += `a${numbers.slice(0, 5)} ${step}`;
      else steps += `l${step}`;
    }
    return steps;
  }

  /* How far from its point plotly has set a text, by a transform, which is taken away. */
  function offset(node) {
    if (node.hasAttribute("transform")) {
      const { e, f } = node.transform.baseVal.consolidate().matrix;
      node.removeAttribute("transform");
      node.dataset.offset = `${e},${f}`;
    }
    return node.dataset.offset.split(",").map(Number);
  }

  const HIDDEN = ".cartesianlayer .trace [style*='display: none']";

  class Painter {
    constructor(gd, sheet, colour) {
      Object.assign(this, { gd, sheet, colour, brushes: [] });
      gd.on("plotly_beforeplot", () => this.release());
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
        const [across, up] = [axisOf(this.gd, trace, "x"), axisOf(this.gd, trace, "y")];
        const x = coordinate(across, trace, "x", moving);
        const y = coordinate(up, trace, "y", moving);
        const box = `M0,0h0M${across._length},${up._length}h0`; // its corners, without extent
        const count = Math.min(x.length, y.length);
        const colours = moving.find((m) => m.prop === "marker.color");
        const words = moving.find((m) => m.prop === "text");
        const point = { trace, group, x, y, count, colours, words, box };
        if (!group) this.brushes.push((state) => isEmpty(point, state));
        else if (trace.type === "bar") this.brushes.push(this.bar(point));
        else {
          if (trace.mode.includes("lines")) this.brushes.push(this.line(point));
          if (trace.mode.includes("markers")) this.brushes.push(this.markers(point));
          if (trace.mode.includes("text")) this.brushes.push(this.texts(point));
        }
      }
    }

    /* Draw a state; false if a node that it needs is missing and plotly must draw it. */
    paint(state) {
      return this.brushes.every((brush) => brush(state));
    }

    /* Leave the nodes as plotly, which is about to draw, expects them. What is hidden shows again,
       because plotly gives these nodes to other points. What plotly emptied of its text goes: it
       would fill it at its second drawing only. */
    release() {
      for (const node of this.gd.querySelectorAll(HIDDEN)) show(node, true);
      for (const node of this.gd.querySelectorAll(".textpoint:not(:has(text))")) node.remove();
    }

    /* Each of the following finds its nodes once and gives the function that moves them. */

    line(point) {
      const { trace, group, x, y, box } = point;
      // Plotly makes a path of every stroke; here the first one takes them all.
      const [line, ...others] = group.querySelectorAll(".js-line");
      const fill = group.querySelector(".js-fill");
      return (state) => {
        if (!line) return isEmpty(point, state);
        const path = linePath(x, y, state, trace.line.shape === "hv");
        set(line, "d", box + path);
        for (const other of others) set(other, "d", "M0,0");
        if (fill) set(fill, "d", `${box}${path}Z`);
        return true;
      };
    }

    markers(point) {
      const { group, x, y, count, colours, box } = point;
      let nodes;
      let dyes;
      return (state) => {
        if (!whole(nodes, count)) [nodes, dyes] = [pool(group.querySelector(".points"), ".point", count), []];
        if (!nodes) return isEmpty(point, state);
        for (let i = 0; i < count; i++) {
          const px = round(x.at(state, i));
          const py = round(y.at(state, i));
          const seen = !Number.isNaN(px) && !Number.isNaN(py);
          show(nodes[i], seen);
          if (seen) set(nodes[i], "d", `${box}M${px},${py}${outline(nodes[i])}`);
          if (colours) dye(nodes, dyes, i, this.colour(textAt(colours, state, i)));
        }
        return true;
      };
    }

    texts(point) {
      const { trace, group, x, y, count, words } = point;
      let nodes;
      this.frame(group);
      return (state) => {
        if (!whole(nodes, count)) nodes = pool(group.querySelector(".text"), ".textpoint:has(text)", count);
        if (!nodes) return isEmpty(point, state);
        for (let i = 0; i < count; i++) {
          const px = round(x.at(state, i));
          const py = round(y.at(state, i));
          const word = words ? textAt(words, state, i) : trace.text[i];
          const seen = word !== "" && !Number.isNaN(px) && !Number.isNaN(py);
          show(nodes[i], seen);
          if (!seen) continue;
          const [dx, dy] = offset(nodes[i]);
          const text = nodes[i].firstElementChild;
          set(text, "x", round(px + dx));
          set(text, "y", round(py + dy));
          if (words && text.textContent !== word) text.textContent = word;
        }
        return true;
      };
    }

    /* A path that shows nothing, as large as the figure: it makes the box of the texts beside it. */
    frame(group) {
      let path = group.querySelector(":scope > .qx-frame");
      if (!path) {
        path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", "qx-frame");
        path.style.fill = "transparent";
        group.prepend(path);
      }
      const { width, height, _size } = this.gd._fullLayout;
      set(path, "d", `M${-_size.l},${-_size.t}h0m${width},${height}h0`);
    }

    bar({ trace, group, x, y, count, colours, box }) {
      const nodes = group.querySelectorAll(".point > path");
      const dyes = [];
      const { _m: xs } = this.gd._fullLayout.xaxis;
      const { _m: ys, _b: yb } = this.gd._fullLayout.yaxis;
      const half = Math.abs(xs * trace.width) / 2;
      const stretch = (state, i) => {
        const base = trace.base ? trace.base[i] : 0;
        const px = x.at(state, i);
        const top = y.at(state, i) + ys * base;
        const seen = !Number.isNaN(px) && !Number.isNaN(top);
        const [left, right, foot] = [round(px - half), round(px + half), round(yb + ys * base)];
        set(nodes[i], "d", seen ? `${box}M${left},${foot}V${round(top)}H${right}V${foot}Z` : "M0,0");
      };
      return (state) => {
        if (nodes.length < count) return false;
        for (let i = 0; i < count; i++) {
          if (x.moves || y.moves) stretch(state, i);
          if (colours) dye(nodes, dyes, i, this.colour(textAt(colours, state, i)));
        }
        return true;
      };
    }
  }

  window.qlearn.Painter = Painter;
})();
