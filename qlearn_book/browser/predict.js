/* Predict, then see: a figure with a question stays veiled until the reader commits to a guess. */
(() => {
  "use strict";

  /* To three digits without an exponent, like `show` in prediction.py. */
  const show = (number) => {
    const text = Number(number.toPrecision(3)).toFixed(12).replace(/\.?0+$/, "");
    return text === "-0" || text === "" ? "0" : text;
  };

  function respond(guess, answer, unit) {
    if (typeof answer === "string")
      return `You chose “${guess}”. ${guess === answer ? "That is right." : `The figure shows: ${answer}.`}`;
    const right = `${show(answer)} ${unit}`.trim();
    const off = guess - answer;
    if (Math.abs(off) <= 0.05 * Math.abs(answer))
      return `You said ${show(guess)}. The figure shows ${right}: as good as right.`;
    return `You said ${show(guess)}. The figure shows ${right}: ${show(Math.abs(off))} too ${off > 0 ? "high" : "low"}.`;
  }

  class Prediction {
    /* `answered(positions)` moves the figure to the state that answers. */
    constructor(form, answered) {
      Object.assign(this, { form, answered, figure: form.closest("figure") });
      this.asked = JSON.parse(form.dataset.ask);
      this.veil(true);
      form.addEventListener("submit", (event) => {
        event.preventDefault();
        this.commit();
      });
      form.querySelector(".qx-skip").addEventListener("click", () => this.skip());
    }

    /* What is behind the veil can be neither seen nor reached by the keyboard. */
    veil(on) {
      this.figure.classList.toggle("qx-veiled", on);
      for (const part of this.figure.querySelectorAll(".qx-controls, .qx-stage, .qx-tools")) part.inert = on;
    }

    commit() {
      const given = new FormData(this.form).get("guess");
      const number = typeof this.asked.answer === "number";
      const guess = number ? Number(String(given).replace(",", ".")) : given;
      const missing = number ? String(given).trim() === "" || !Number.isFinite(guess) : guess === null;
      this.say(
        missing
          ? number ? "Please give a number, for example 12.5." : "Please choose one of the answers."
          : respond(guess, this.asked.answer, this.asked.unit)
      );
      if (missing) return;
      this.form.classList.add("qx-answered");
      this.veil(false);
      this.answered(this.asked.at);
    }

    skip() {
      this.form.classList.add("qx-skipped");
      this.veil(false);
    }

    say(sentence) {
      this.form.querySelector(".qx-verdict").textContent = sentence;
    }
  }

  Object.assign(window.qlearn, { Prediction, respond });
})();
