(id) => {
  /* What is on the screen of one figure, read from the SVG alone: pixels, texts and colours. */
  const root = document.getElementById(id);
  const plot = root.querySelector(".qx-plot");
  const layout = plot._fullLayout;
  const numbers = (text) => (text.match(/-?[\d.]+(e-?\d+)?/g) || []).map(Number);
  const shown = (node) => node.style.display !== "none";
  const vertices = (path) => {
    const strokes = [];
    let x = 0;
    let y = 0;
    for (const [, letter, rest] of path.matchAll(/([MLHV])([^MLHVZ]*)/g)) {
      const values = numbers(rest);
      if (letter === "H") x = values[0];
      else if (letter === "V") y = values[0];
      else [x, y] = values;
      if (letter === "M") strokes.push([]);
      strokes[strokes.length - 1].push([x, y]);
    }
    return strokes;
  };
  const traces = {};
  for (const group of plot.querySelectorAll(".cartesianlayer .trace")) {
    const trace = (traces[group.__data__[0].trace.index] = { lines: [], points: [], texts: [], bars: [] });
    if (group.classList.contains("bars")) {
      for (const node of group.querySelectorAll(".point > path")) {
        const outline = vertices(node.getAttribute("d")).at(-1) ?? [];
        const xs = outline.map((p) => p[0]);
        const ys = outline.map((p) => p[1]);
        trace.bars.push([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys), node.style.fill]);
      }
      continue;
    }
    const lines = [...group.querySelectorAll(".js-line")].flatMap((line) => vertices(line.getAttribute("d")));
    const strokes = lines.filter((stroke) => stroke.length > 1);
    trace.lines = strokes.length ? strokes : lines.slice(0, 1);
    // Plotly moves a symbol by a transform; a Painter's path starts at its centre, after two corners.
    for (const node of group.querySelectorAll(".points > .point")) {
      const [, , [centre] = []] = vertices(node.getAttribute("d"));
      const at = node.hasAttribute("transform") ? numbers(node.getAttribute("transform")) : centre;
      if (shown(node)) trace.points.push([...at, node.style.fill]);
    }
    // Plotly sets a text off its point by a transform, a Painter by its coordinates.
    for (const text of group.querySelectorAll(".textpoint > text")) {
      const node = text.parentNode;
      const [dx, dy] = node.hasAttribute("transform") ? [0, 0] : numbers(node.dataset.offset);
      if (shown(node))
        trace.texts.push([Number(text.getAttribute("x")) - dx, Number(text.getAttribute("y")) - dy, text.textContent]);
    }
  }
  const axis = ({ _m, _b, type }) => ({ slope: _m, shift: _b, log: type === "log" });
  return {
    traces,
    x: axis(layout.xaxis),
    y: axis(layout.yaxis),
    summary: root.querySelector(".qx-summary").textContent,
    data: plot.data.map(({ x, y, text }) => ({ x: [...x], y: [...y], text })),
    state: Number(root.dataset.state),
  };
}
