/* From a figure's stored block to its numbers: the inverse of qlearn_book/grid.py.

   A sheet is a decoded figure: the template (what never moves), and for each moving property one
   array of 16-bit codes over all states. A code is a number in the scale of its axis or a text. */
(() => {
  "use strict";
  const GAP = 65535;

  async function inflate(base64) {
    const packed = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  /* Undo differences along points (columns), states (rows) or both; arithmetic is modulo 2^16. */
  function accumulate(codes, [rows, columns], diff) {
    if (diff !== "point")
      for (let i = columns; i < rows * columns; i++) codes[i] += codes[i - columns];
    if (diff !== "state")
      for (let row = 0; row < rows; row++)
        for (let i = row * columns + 1; i < (row + 1) * columns; i++) codes[i] += codes[i - 1];
  }

  async function decode(payload) {
    const bytes = await inflate(payload.block);
    const total = payload.moving.reduce((sum, { shape }) => sum + shape[0] * shape[1], 0);
    const texts = JSON.parse(new TextDecoder().decode(bytes.subarray(2 * total)));
    let from = 0;
    const moving = payload.moving.map((spec) => {
      const size = spec.shape[0] * spec.shape[1];
      const codes = new Uint16Array(size);
      for (let i = 0; i < size; i++) codes[i] = bytes[from + i] | (bytes[total + from + i] << 8);
      from += size;
      accumulate(codes, spec.shape, spec.diff);
      const [trace, prop] = [spec.path[1], spec.path.slice(2).join(".")];
      return { ...spec, length: spec.shape[1], codes, gap: GAP, trace, prop, texts: spec.kind === "text" && texts.shift() };
    });
    const names = Object.keys(payload.axes);
    const strides = {};
    names.reduceRight((stride, name) => {
      strides[name] = stride;
      return stride * payload.axes[name].length;
    }, 1);
    return { ...payload, moving, names, strides };
  }

  /* One moving number in axis scale (NaN in a gap), one moving text. */
  const numberAt = (m, state, i) => {
    const code = m.codes[state * m.length + i];
    return code === m.gap ? NaN : m.low + m.step * code;
  };
  const textAt = (m, state, i) => m.texts[m.codes[state * m.length + i]];

  /* The whole figure at one state, as plotly takes it. */
  function figureAt(sheet, state) {
    const figure = structuredClone(sheet.figure);
    for (const m of sheet.moving) {
      const last = m.path.length - 1;
      const parent = m.path.slice(0, last).reduce((node, key) => node[key], figure);
      const values = Array.from({ length: m.length }, (_, i) => {
        if (m.texts) return textAt(m, state, i);
        const value = numberAt(m, state, i);
        return Number.isNaN(value) ? null : m.log ? 10 ** value : value;
      });
      const single = typeof parent[m.path[last]] === "string";
      parent[m.path[last]] = single ? values[0] : values;
    }
    return figure;
  }

  window.qlearn = { inflate, decode, figureAt, numberAt, textAt };
})();
