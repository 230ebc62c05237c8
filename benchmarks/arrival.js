/* Runs before a page's own scripts: notes the first frame that has a drawing in it, and tells
   one drawing from another. */
(plot) => {
  const all = (root, selector) => {
    const found = [...root.querySelectorAll(selector)];
    for (const node of root.querySelectorAll("*"))
      if (node.shadowRoot) found.push(...all(node.shadowRoot, selector));
    return found;
  };
  const drawn = () => {
    const drawing = all(document, plot)[0];
    if (!drawing) return "";
    const paths = all(drawing, "path[d]").map(
      (path) => path.getAttribute("d") + path.getAttribute("transform") + path.style.fill
    );
    return [...paths, ...all(drawing, "text").map((text) => text.textContent)].join();
  };
  const look = () => {
    if (drawn()) window.qlearnArrived = performance.now();
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
  window.qlearnDrawn = drawn;
}
