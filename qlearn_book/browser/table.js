/* The data that a figure now shows: as rows, as a table, as CSV. Gives the same strings as
   qlearn_book/table.py for the same drawing; texts enter the page as texts, never as markup. */
(() => {
  "use strict";
  const isText = (trace) => trace.type !== "bar" && trace.mode === "text";
  const isNumber = (value) => value !== null && !Number.isNaN(value);

  /* Six significant digits at most. */
  const number = (value) => String(Number(value.toPrecision(6)));

  /* A coordinate as the axis names it, if its ticks have names; as a number otherwise. */
  function shown(value, axis) {
    const index = axis.tickmode === "array" ? axis.tickvals.indexOf(value) : -1;
    return index < 0 ? number(value) : axis.ticktext[index];
  }

  const pointsOf = (trace) =>
    trace.x
      .slice(0, trace.y.length)
      .map((x, i) => [x, trace.y[i]])
      .filter(([x, y]) => isNumber(x) && isNumber(y));

  /* (column, row, text) of a row of cells, both counted from one. */
  function cells(trace, traces) {
    const half = trace.width / 2;
    return trace.x.map((x, i) => {
      const base = trace.base[i];
      for (const other of traces.filter(isText)) {
        const within = (a, j) =>
          Math.abs(a - x) < half && base < other.y[j] && other.y[j] < base + trace.y[i];
        const found = other.x.findIndex(within);
        if (found >= 0) return [x + half, -base, other.text[found]];
      }
      return [x + half, -base, ""];
    });
  }

  /* The named curves of a drawing, each with its points or cells. */
  function seriesOf(traces) {
    const series = [];
    for (const trace of traces) {
      if (isText(trace)) continue;
      if (trace.base) {
        series.push([trace.name, cells(trace, traces)]);
        continue;
      }
      const points = pointsOf(trace);
      if (trace.fill === "toself") {
        const half = Math.floor(points.length / 2); // the upper curve, then the lower one backwards
        series.push([`${trace.name}, lower`, points.slice(half).reverse()]);
        series.push([`${trace.name}, upper`, points.slice(0, half)]);
      } else series.push([trace.name, points]);
    }
    return series;
  }

  /* [header, rows]: series, x, y of every point, and the text of every cell. */
  function rows(figure) {
    const { xaxis, yaxis } = figure.layout;
    const hasCells = figure.data.some((trace) => trace.base);
    const header = [
      "series",
      xaxis.title.text || (hasCells ? "column" : "x"),
      yaxis.title.text || (hasCells ? "row" : "y"),
      ...(hasCells ? ["text"] : []),
    ];
    const series = seriesOf(figure.data);
    const total = new Map();
    const seen = new Map();
    for (const [name] of series) total.set(name, (total.get(name) || 0) + 1);
    const found = [];
    for (const [name, points] of series) {
      seen.set(name, (seen.get(name) || 0) + 1);
      const numbered = total.get(name) > 1 ? `${name} ${seen.get(name)}` : name;
      for (const [x, y, ...text] of points) {
        const row = [numbered, shown(x, xaxis), shown(y, yaxis), ...text];
        found.push([...row, ...Array(header.length - row.length).fill("")]);
      }
    }
    return [header, found];
  }

  function append(parent, tag, text, attributes = {}) {
    const node = document.createElement(tag);
    node.textContent = text;
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    parent.append(node);
    return node;
  }

  /* A <table>: a body per series, headed by its name. */
  function tableOf([header, found], caption) {
    const table = document.createElement("table");
    append(table, "caption", caption);
    const columns = append(append(table, "thead", ""), "tr", "");
    for (const name of header.slice(1)) append(columns, "th", name, { scope: "col" });
    let body = null;
    found.forEach(([name, ...values], i) => {
      if (i === 0 || name !== found[i - 1][0]) {
        body = append(table, "tbody", "");
        const head = append(body, "tr", "");
        append(head, "th", name, { colspan: header.length - 1, scope: "rowgroup" });
      }
      const row = append(body, "tr", "");
      for (const value of values) append(row, "td", value);
    });
    return table;
  }

  /* Comma-separated values (RFC 4180), the header first. */
  function csvOf([header, found]) {
    const field = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
    return [header, ...found].map((row) => `${row.map(field).join(",")}\r\n`).join("");
  }

  Object.assign(window.qlearn, { rows, tableOf, csvOf });
})();
