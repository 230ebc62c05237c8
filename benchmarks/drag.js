/* Watches a figure with sliders while a mouse drags them: `qlearnDrag.answer(ms)` resolves to the
   milliseconds from the newest input to the frame that shows the first change of the drawing after
   it, or to null when nothing has changed in so many milliseconds.

   `sign` names the attribute of the plot that tells that it was drawn; without one every change
   inside the plot counts. Shadow roots are looked into: some libraries draw inside them. */
([plot, sign]) => {
  const all = (root, selector) => {
    const found = [...root.querySelectorAll(selector)];
    for (const node of root.querySelectorAll("*"))
      if (node.shadowRoot) found.push(...all(node.shadowRoot, selector));
    return found;
  };
  const drawing = all(document, plot)[0];
  let input = null;
  let answered = null;
  const frame = (then) =>
    requestAnimationFrame(() => {
      const channel = new MessageChannel();
      channel.port1.onmessage = then;
      channel.port2.postMessage(0);
    });
  const moved = (event) => {
    if (event.buttons !== 1) return;
    input = event.timeStamp;
    answered = null;
  };
  for (const kind of ["pointerdown", "pointermove"]) window.addEventListener(kind, moved, true);
  new MutationObserver(() => {
    const from = input;
    if (from === null || answered !== null) return;
    frame(() => {
      if (input === from) answered ??= performance.now() - from;
    });
  }).observe(
    drawing,
    sign ? { attributeFilter: [sign] } : { subtree: true, childList: true, attributes: true, characterData: true }
  );
  window.qlearnDrag = {
    answer: (patience) =>
      new Promise((resolve) => {
        const began = performance.now();
        const look = setInterval(() => {
          if (answered === null && performance.now() - began < patience) return;
          clearInterval(look);
          resolve(answered);
        }, 4);
      }),
  };
}
