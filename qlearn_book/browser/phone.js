/* The phone that a reader plays: a table to step through, a screen to click on, values beside it.
   Everything comes from Python as data. What happens here is chance, from a seed, and the exact
   values of moves, which are a sum over what follows them. */
(() => {
  "use strict";
  const { inflate } = window.qlearn;
  const TYPES = { uint8: Uint8Array, int8: Int8Array, uint16: Uint16Array, int16: Int16Array };
  const ARROWS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  /* The arrays of the block; the twin of `unpack` in playable/data.py. */
  async function unpack(payload) {
    const bytes = await inflate(payload.block);
    const sheet = { ...payload };
    let from = 0;
    for (const { name, type, shape } of payload.arrays) {
      const size = shape.reduce((product, length) => product * length, 1);
      const values = new TYPES[type](size);
      for (let plane = 0; plane < values.BYTES_PER_ELEMENT; plane++, from += size)
        for (let i = 0; i < size; i++) values[i] |= bytes[from + i] << (8 * plane);
      sheet[name] = { values, shape };
    }
    return sheet;
  }

  /* The entries of an array at the first indices: one number, or a row of them. */
  function at({ values, shape }, ...indices) {
    const size = shape.slice(indices.length).reduce((product, length) => product * length, 1);
    const place = indices.reduce((sum, index, k) => sum * shape[k] + index, 0);
    return indices.length === shape.length ? values[place] : values.subarray(place * size, (place + 1) * size);
  }

  /* Numbers in [0, 1) from a seed (mulberry32). */
  function generator(seed) {
    let state = seed >>> 0;
    return () => {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    };
  }

  /* One episode. `chances`, `layout` and `task` are positions, `chance()` gives numbers in [0, 1). */
  class Game {
    constructor(sheet, { chances, layout, task }, chance) {
      Object.assign(this, { sheet, chances, layout, task, chance });
      Object.assign(this, { state: sheet.start, step: 0, reward: 0, event: 0 });
      this.look();
    }

    get over() {
      return this.sheet.terminal.includes(this.state) || this.step >= this.sheet.horizon;
    }

    /* The move that a click on a cell is. */
    moveAt(cell) {
      return at(this.sheet.cells, this.layout, this.state, cell);
    }

    /* Make a move; nothing happens after the end. */
    play(move) {
      if (this.over) return;
      const { sheet, chances } = this;
      const uniform = this.chance();
      const rungs = sheet.ladders[at(sheet.ladder, chances, this.state, move)];
      const drawn = rungs.findIndex((rung) => uniform < rung);
      this.before = this.state;
      this.event = at(sheet.happened, chances, this.state, move, drawn);
      this.state = at(sheet.next, chances, this.state, move, drawn);
      this.step += 1;
      this.reward = Number(this.state === sheet.goals[this.task]);
      this.look();
    }

    look() {
      this.frame = Math.floor(this.chance() * this.sheet.clocks.shape[0]);
    }

    /* Grey levels of all pixels of the screen, row by row. */
    pixels() {
      const { sheet, layout, state, frame } = this;
      const [, columns, size] = sheet.grid;
      const width = columns * size;
      const page = at(sheet.pages, layout, state).slice();
      const stamp = (levels, across, from) =>
        levels.forEach((level, i) => (page[from + Math.floor(i / across) * width + (i % across)] = level));
      stamp(at(sheet.clocks, frame), sheet.clocks.shape[2], 0);
      const banner = at(sheet.banners, layout, state);
      if (banner) stamp(at(sheet.adverts, frame), width, banner * size * width);
      const light = at(sheet.light, frame);
      return Uint8ClampedArray.from(page, (level, i) => sheet.themes[layout][level] + light[i]);
    }

    /* The moves that the screen offers, in the order of the table. */
    get offered() {
      const cells = at(this.sheet.cells, this.layout, this.state);
      return [...new Set([...cells, ...this.sheet.buttons])].sort((a, b) => a - b);
    }

    /* Whether a move does nothing here but let time pass, as a click on nothing (move 0) does. */
    isIdle(move) {
      const { sheet, chances, state } = this;
      const same = (array) => `${at(array, chances, state, move)}` === `${at(array, chances, state, 0)}`;
      return same(sheet.ladder) && same(sheet.next);
    }

    /* What the k-th policy of `sheet.exact` is worth from here: V(s), and Q(s, m) = Σ P (r + γ V). */
    exact(k) {
      const { sheet, chances, layout, task, state } = this;
      const v = (s) => at(sheet.v, k, chances, layout, task, s) / sheet.unit;
      const q = (move) => {
        const rungs = sheet.ladders[at(sheet.ladder, chances, state, move)];
        const after = at(sheet.next, chances, state, move);
        const target = (s) => (s === sheet.goals[task] ? 1 : sheet.gamma * v(s));
        return rungs.reduce((sum, rung, j) => sum + (rung - (rungs[j - 1] ?? 0)) * target(after[j]), 0);
      };
      return { v: v(state), q };
    }

    /* What the critic of the behaviour policy says; it sees the screen, not the chance of mishaps. */
    learned() {
      const { sheet, layout, task, state } = this;
      return {
        v: at(sheet.learned_v, state, layout, task) / sheet.learned.unit,
        q: (move) => at(sheet.learned_q, state, move, layout, task) / sheet.learned.unit,
      };
    }

    /* The chance that best play succeeds in the steps that are left. */
    get success() {
      const { sheet, chances, task, state, step } = this;
      return at(sheet.success, chances, task, state, sheet.horizon - step) / sheet.unit;
    }

    /* How many actions of an episode the behaviour policy makes on this screen, for this task. */
    get visits() {
      const { sheet, layout, task, state } = this;
      return at(sheet.visits, state, layout, task) / sheet.learned.unit;
    }
  }

  function made(tag, text, className = "") {
    const node = document.createElement(tag);
    node.textContent = text;
    if (className) node.className = className;
    return node;
  }

  const shown = (value) => value.toFixed(3).replace("-", "−");

  /* The element that a reader plays with; `fetch()` brings its data. */
  class Phone {
    constructor(root, fetch) {
      Object.assign(this, { root, fetch, cursor: [0, 0] });
      this.screen = root.querySelector(".phone-screen");
      this.said = root.querySelector(".phone-said");
      this.ring = root.querySelector(".phone-ring");
    }

    /* Once, whoever asks first; again only after it failed. */
    mount() {
      this.mounting ??= this.build();
      return this.mounting;
    }

    async build() {
      try {
        this.sheet ??= await unpack(await this.fetch());
        this.listen();
        this.restart();
        this.root.dataset.ready = "true";
      } catch (error) {
        this.fail(error);
      }
    }

    listen() {
      const [rows, columns] = this.sheet.grid;
      this.screen.addEventListener("click", (event) => {
        const box = this.screen.getBoundingClientRect();
        const inside = (offset, length, count) => Math.min(count - 1, Math.max(0, Math.floor((offset / length) * count)));
        this.point(inside(event.clientY - box.top, box.height, rows), inside(event.clientX - box.left, box.width, columns));
        this.touch();
      });
      this.screen.addEventListener("keydown", (event) => {
        const [down, right] = ARROWS[event.key] ?? [0, 0];
        if (down || right) {
          const [row, column] = this.cursor;
          this.point(Math.min(rows - 1, Math.max(0, row + down)), Math.min(columns - 1, Math.max(0, column + right)));
          this.say(`${this.place}: ${this.sheet.moves[this.game.moveAt(this.cell)][0]}.`, ".phone-place");
        } else if (event.key === "Enter" || event.key === " ") this.touch();
        else return;
        event.preventDefault();
      });
      for (const button of this.root.querySelectorAll("[data-move]"))
        button.addEventListener("click", () => this.play(Number(button.dataset.move)));
      this.root.querySelector(".phone-controls").addEventListener("input", () => this.restart());
      this.root.querySelector(".phone-again").addEventListener("click", () => this.restart());
      this.root.querySelector(".phone-luck").addEventListener("click", () => {
        const seed = this.root.querySelector("[data-axis=seed] input");
        seed.value = (Number(seed.value) || 0) + 1;
        this.restart();
      });
    }

    /* The position of a control on its axis. */
    chosen(axis) {
      const control = this.root.querySelector(`[data-axis=${axis}]`);
      const input = control.querySelector("select, input[type=number]") ?? control.querySelector("input:checked");
      return Math.trunc(Number(input.value)) || 0;
    }

    restart() {
      const [chances, layout, task, seed] = ["chances", "layout", "task", "seed"].map((axis) => this.chosen(axis));
      this.game = new Game(this.sheet, { chances, layout, task }, generator(seed));
      this.say(`${this.sheet.states[this.game.state]} ${this.count}`);
      this.draw();
    }

    get cell() {
      return this.cursor[0] * this.sheet.grid[1] + this.cursor[1];
    }
    get place() {
      return `Row ${this.cursor[0] + 1}, column ${this.cursor[1] + 1}`;
    }
    get count() {
      return `Step ${this.game.step} of ${this.sheet.horizon}, reward ${this.game.reward}.`;
    }

    point(row, column) {
      this.cursor = [row, column];
      this.ring.style.setProperty("--row", row);
      this.ring.style.setProperty("--column", column);
      this.ring.hidden = false;
    }

    touch() {
      this.play(this.game.moveAt(this.cell));
    }

    play(move) {
      const { game, sheet } = this;
      if (game.over) {
        this.say("The episode is over. Start again for another one.");
        return;
      }
      game.play(move);
      const unchanged = game.state === game.before && !game.event;
      const sentences = [
        sheet.moves[move][1],
        unchanged ? "Nothing changed." : sheet.events[game.event],
        sheet.states[game.state],
        this.count,
        this.ending,
      ];
      this.say(sentences.filter(Boolean).join(" "));
      this.draw();
    }

    get ending() {
      const { game, sheet } = this;
      if (!game.over) return "";
      if (!sheet.terminal.includes(game.state)) return "The time is over.";
      return game.reward ? "The task is fulfilled." : "This is not what was asked for.";
    }

    say(words, where = ".phone-said") {
      this.root.querySelector(where).textContent = words;
    }

    draw() {
      const { game, sheet, root } = this;
      Object.assign(root.dataset, { state: game.state, frame: game.frame, step: game.step, reward: game.reward });
      const canvas = this.screen.querySelector("canvas");
      const shown = new ImageData(canvas.width, canvas.height);
      game.pixels().forEach((grey, i) => shown.data.set([grey, grey, grey, 255], 4 * i));
      canvas.getContext("2d").putImageData(shown, 0, 0);
      this.say(`“${sheet.axes.task[game.task]}”`, ".phone-task");
      this.tabulate();
    }

    /* One row for V, one for each move that does something, one for all the others. */
    tabulate() {
      const { game, sheet } = this;
      const worth = [...sheet.exact.map((_, k) => game.exact(k)), game.learned()];
      const over = sheet.terminal.includes(game.state);
      const moves = over ? [] : [0, ...game.offered.filter((move) => !game.isIdle(move))];
      moves.sort((a, b) => worth[0].q(b) - worth[0].q(a));
      const highest = worth.map(({ q }) => shown(Math.max(...moves.map(q))));
      const row = (name, values, tops = []) => {
        const line = document.createElement("tr");
        line.append(made("th", name));
        line.firstChild.scope = "row";
        values.forEach((value, k) => {
          const cell = made("td", "");
          cell.append(shown(value) === tops[k] ? made("strong", shown(value)) : shown(value));
          cell.style.setProperty("--share", value);
          line.append(cell);
        });
        return line;
      };
      const name = (move) => (move ? sheet.moves[move][0] : "anything else");
      this.root.querySelector(".phone-values tbody").replaceChildren(
        row("value V", worth.map(({ v }) => v)),
        ...moves.map((move) => row(name(move), worth.map(({ q }) => q(move)), highest))
      );
      this.say(over ? "" : this.note, ".phone-note");
    }

    /* How far best play comes in the time, and what the critic may know of this screen. */
    get note() {
      const { game, sheet } = this;
      const { episodes, chances, tasks } = sheet.learned;
      const left = sheet.horizon - game.step;
      const success = (100 * game.success).toFixed(1);
      const elsewhere = game.chances === chances ? "" : ", not on this one";
      const trained = tasks.includes(game.task) ? "is one of those" : "is none of those";
      return (
        `In ${left} step${left === 1 ? "" : "s"} best play succeeds in ${success} %. ` +
        `The critic learned from ${episodes} episodes on the usual phone${elsewhere}. ` +
        `This task ${trained} it was trained on. ` +
        `For it the behaviour policy makes ${game.visits.toFixed(2)} actions of an episode on this screen.`
      );
    }

    fail(error) {
      this.mounting = null;
      const notice = made("div", `The phone could not be loaded: ${error.message}. `, "qx-failure");
      notice.setAttribute("role", "alert");
      const again = made("button", "Try again");
      Object.assign(again, { type: "button", onclick: () => (notice.remove(), this.mount()) });
      notice.append(again);
      this.root.querySelector(".phone-stage").before(notice);
    }
  }

  Object.assign(window.qlearn, { Game, Phone, generator, unpack });
})();
