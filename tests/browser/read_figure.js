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
        const [outline = []] = vertices(node.getAttribute("d"));
        const xs = outline.map((p) => p[0]);
        const ys = outline.map((p) => p[1]);
        trace.bars.push([Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys), node.style.fill]);
      }
      continue;
    }
    const lines = [...group.querySelectorAll(".js-line")].flatMap((line) => vertices(line.getAttribute("d")));
    const strokes = lines.filter((stroke) => stroke.length > 1);
    trace.lines = strokes.length ? strokes : lines.slice(0, 1);
    for (const node of group.querySelectorAll(".points > .point"))
      if (shown(node)) trace.points.push([...(numbers(node.getAttribute("transform")).length ? numbers(node.getAttribute("transform")) : [0, 0]), node.style.fill]);
    for (const node of group.querySelectorAll(".textpoint > text"))
      if (shown(node.parentNode))
        trace.texts.push([Number(node.getAttribute("x")), Number(node.getAttribute("y")), node.textContent]);
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
