/* Draws what a kernel sends straight into the SVG of a live plotly figure, as painter.js does on a
   page: a slider that is dragged is answered without laying the figure out again. The module is
   appended to codec.js and painter.js by qlearn_book/painting.py, and run by anywidget. */

/* Numbers and texts that move, in the form that a Painter reads: one state, in axis scale. */
class Sheet {
  constructor() {
    this.figure = { data: [] };
    this.moving = [];
  }

  /* Take new values; whether nodes must be looked up anew because there are more of them. */
  take(gd, message, buffer) {
    let grown = false;
    let from = 0;
    for (const [trace, prop, length] of message.numbers) {
      const values = new Float64Array(buffer, 8 * from, length);
      from += length;
      const axis = gd._fullLayout[(gd._fullData[trace][`${prop}axis`] || prop).replace(prop, `${prop}axis`)];
      const { m, isNew } = this.property(trace, prop, length);
      grown ||= isNew;
      m.codes.fill(NaN); // a curve that got shorter ends in a gap
      m.codes.set(axis.type === "log" ? values.map(Math.log10) : values);
    }
    for (const [trace, prop, texts] of message.texts) {
      const { m, isNew } = this.property(trace, prop, texts.length);
      grown ||= isNew;
      m.texts = [...texts, ...Array(m.length - texts.length).fill("")];
      m.codes.forEach((_, i) => (m.codes[i] = i));
    }
    return grown;
  }

  property(trace, prop, length) {
    const old = this.moving.find((other) => other.trace === trace && other.prop === prop);
    if (old && old.length >= length) return { m: old, isNew: false };
    const m = { path: ["data", trace, prop], trace, prop, length, codes: new Float64Array(length), low: 0, step: 1 };
    this.moving = [...this.moving.filter((other) => other !== old), m];
    return { m, isNew: true };
  }
}

function render({ model, el }) {
  const { Painter } = window.qlearn;
  let gd = null;
  let sheet = null;
  let painter = null;

  const bind = () => {
    sheet.figure.data = gd.data;
    if (painter) painter.bind();
    else painter = new Painter(gd, sheet, (colour) => colour);
  };
  const follow = (message, buffers) => {
    const found = el.closest(".qlearn-explorer")?.querySelector(".js-plotly-plot");
    if (!found?._fullLayout) return; // plotly has not drawn yet, and will draw the newest state
    if (found !== gd) {
      [gd, sheet, painter] = [found, new Sheet(), null];
      gd.on("plotly_afterplot", () => {
        if (!painter) return;
        bind();
        painter.paint(0); // plotly may have drawn an older state than the newest one
      });
    }
    const { buffer, byteOffset, byteLength } = buffers[0];
    if (sheet.take(gd, message, buffer.slice(byteOffset, byteOffset + byteLength)) || !painter) bind();
    if (!painter.paint(0)) model.send({ refused: true });
    gd.dataset.painted = Number(gd.dataset.painted ?? 0) + 1;
  };
  model.on("msg:custom", follow);
  return () => model.off("msg:custom", follow);
}

export default { render };
