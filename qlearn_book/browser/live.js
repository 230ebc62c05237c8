/* A live figure: plotly draws it, and what a kernel sends while a slider moves is written straight
   into plotly's SVG, as painter.js does on a page. The module is appended to codec.js and painter.js
   by qlearn_book/live_plot.py, and run by anywidget. */
const CONFIG = { displayModeBar: false, responsive: true, showSendToCloud: false, plotlyServerURL: "" };

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

const PATIENCE = 30_000; // ms; a kernel that died never answers, and the next figure asks its own

/* plotly.js comes from the kernel, once for all figures of a notebook. */
function loadPlotly(model) {
  window.qlearnPlotly ??= new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      window.qlearnPlotly = null;
      reject(new Error("the kernel did not send plotly.js"));
    }, PATIENCE);
    const take = (message, buffers) => {
      if (message.kind !== "plotly.js") return;
      model.off("msg:custom", take);
      clearTimeout(late);
      const script = document.createElement("script");
      script.src = URL.createObjectURL(new Blob([buffers[0]], { type: "text/javascript" }));
      script.onload = () => resolve(window.Plotly);
      script.onerror = () => reject(new Error("plotly.js could not be run"));
      document.head.append(script);
    };
    model.on("msg:custom", take);
    model.send({ wants: "plotly.js" });
  });
  return window.qlearnPlotly;
}

function render({ model, el }) {
  const { Painter } = window.qlearn;
  const gd = document.createElement("div");
  const sheet = new Sheet();
  let painter = null;

  const bind = () => {
    sheet.figure.data = gd.data;
    if (painter) painter.bind();
    else painter = new Painter(gd, sheet, (colour) => colour);
  };
  const draw = async () => {
    const Plotly = await loadPlotly(model);
    const { data, layout } = structuredClone(model.get("drawing"));
    const isFirst = !gd._fullLayout;
    await Plotly.react(gd, data, layout, CONFIG);
    if (isFirst)
      gd.on("plotly_afterplot", () => {
        if (!painter) return;
        bind();
        painter.paint(0); // plotly may have drawn an older state than the newest one
      });
  };
  const follow = (message, buffers) => {
    if (message.kind !== "moving" || !gd._fullLayout) return; // plotly will draw the newest state
    if (message.numbers.length !== 2 * gd._fullData.length) return; // so will it other lines
    const { buffer, byteOffset, byteLength } = buffers[0];
    if (sheet.take(gd, message, buffer.slice(byteOffset, byteOffset + byteLength)) || !painter) bind();
    if (!painter.paint(0)) model.send({ wants: "plotly's drawing" });
    gd.dataset.painted = Number(gd.dataset.painted ?? 0) + 1;
  };
  el.append(gd);
  draw();
  model.on("change:drawing", draw);
  model.on("msg:custom", follow);
  return () => {
    model.off("change:drawing", draw);
    model.off("msg:custom", follow);
  };
}

export default { render };
