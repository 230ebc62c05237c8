/* Random moves of a figure's sliders, drawn in one of two ways: by the page itself, or by a plain
   Plotly.react of the same state. Gives for each move the milliseconds of work until the drawing
   is laid out, and those from the input to the frame that shows it. */
async ([name, way, moves]) => {
  const root = document.getElementById(name);
  const plot = root.querySelector(".qx-plot");
  const controls = [...root.querySelectorAll("[data-axis]")];
  const source = await (await fetch(root.dataset.src)).text();
  const payload = JSON.parse(source.slice(source.indexOf(",") + 1, source.lastIndexOf(")")));
  const sheet = await window.qlearn.decode(payload);
  const frame = () =>
    new Promise((done) =>
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = done;
        channel.port2.postMessage(0);
      })
    );
  let seed = 1;
  const chance = (n) => (seed = (seed * 48271) % 2147483647) % n; // the same moves for both ways
  const results = [];
  for (let k = 0; k < moves; k++) {
    let state = 0;
    let last = null;
    for (const control of controls) {
      const axis = control.dataset.axis;
      const index = chance(sheet.axes[axis].length);
      const range = control.querySelector("input[type=range]");
      last = range || control.querySelectorAll("input")[index];
      if (range) range.value = index;
      else last.checked = true;
      state += index * sheet.strides[axis];
    }
    const began = performance.now();
    if (way === "page") last.dispatchEvent(new Event("input", { bubbles: true }));
    else {
      const figure = window.qlearn.figureAt(sheet, state);
      await window.Plotly.react(plot, figure.data, figure.layout, { displayModeBar: false });
    }
    plot.getBoundingClientRect(); // layout is part of the work
    const worked = performance.now();
    await frame();
    results.push([worked - began, performance.now() - began]);
    await new Promise((done) => setTimeout(done, 3 + chance(14))); // any phase of the frame
  }
  return results;
}
