/* Addresses that restore a figure's state, and the Python call that computes it.

   #contraction?gamma=0.9&depth=8&alpha=1 names the figure and the value of every control, those
   at their start too, so that a link outlives a change of defaults. Values, not positions, so that
   it outlives a change of the grid: the nearest value is taken, and the reader is told. */
(() => {
  "use strict";
  const LONGEST = 2000; // characters of an address that are read at all

  const address = (name, values) =>
    `#${name}?${new URLSearchParams(Object.entries(values).map(([key, value]) => [key, String(value)]))}`;

  /* The figure and the values that an address asks for; null if it asks for no state. */
  function read(hash) {
    const text = hash.slice(1, LONGEST);
    const mark = text.indexOf("?");
    if (mark < 0) return null;
    let name = text.slice(0, mark);
    try {
      name = decodeURIComponent(name);
    } catch {
      // not an encoding: taken as it stands
    }
    return { name, values: new URLSearchParams(text.slice(mark + 1)) };
  }

  const short = (text) => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

  /* The position on every axis that comes nearest to what was asked for, and what had to give.
     `start` holds the positions for what is missing. */
  function nearest(axes, start, asked) {
    const positions = { ...start };
    const notes = [];
    for (const [name, values] of Object.entries(axes)) {
      if (!asked.has(name)) {
        notes.push(`${name} is missing`);
        continue;
      }
      const text = asked.get(name);
      const number = Number(text);
      if (typeof values[0] === "string") {
        if (values.includes(text)) positions[name] = values.indexOf(text);
        else notes.push(`${name} = ${short(text)} is not among its choices`);
      } else if (text.trim() === "" || Number.isNaN(number)) notes.push(`${name} = ${short(text)} is no number`);
      else {
        const distance = values.map((value) => Math.abs(value - number));
        positions[name] = Number.isFinite(number)
          ? distance.indexOf(Math.min(...distance))
          : number > 0 ? values.length - 1 : 0;
        const got = values[positions[name]];
        if (Math.abs(got - number) > 1e-9 * Math.abs(got)) notes.push(`${name} = ${short(text)} became ${got}`);
      }
    }
    for (const name of new Set(asked.keys())) if (!Object.hasOwn(axes, name)) notes.push(`there is no ${short(name)}`);
    return { positions, notes: notes.slice(0, 6) };
  }

  /* Python for one state: `call` says where the functions live and which values are floats. */
  function asPython(call, values) {
    const literal = (name, value) => {
      if (typeof value === "string") return JSON.stringify(value);
      return call.floats.includes(name) && Number.isInteger(value) ? `${value}.0` : String(value);
    };
    const given = Object.entries(values).map(([name, value]) => `${name}=${literal(name, value)}`);
    return [
      "import plotly.graph_objects as go",
      "",
      `from ${call.draw[0]} import ${call.draw[1]} as draw`,
      `from ${call.compute[0]} import ${call.compute[1]} as compute`,
      "",
      `record = compute(${given.join(", ")})`,
      "go.Figure(draw(record))",
      "",
    ].join("\n");
  }

  Object.assign(window.qlearn, { address, readAddress: read, nearest, asPython });
})();
