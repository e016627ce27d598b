// What is known of one stream, frame by frame, in compact arrays: 600 bytes a frame, so that an hour
// fits. A frame comes as two items, its scene and its event, in either order, joined by `seq` and `t`.

export const POINTS = 131;
export const STATES = ['idle', 'onset', 'signing', 'offset'];
export const UNKNOWN = 255;

const CHUNK = 1024;
const TOP = 10;
const MISSING = -32768;
// A longer pause takes this much of the time line, seconds.
const PAUSE = 2;
// How far back the other half of a frame may lie.
const REACH = 512;

const VISIBLE = 1, RAISED = 2, LEFT = 4, RIGHT = 8, SCENE = 16;

class Chunk {
  seq = new Float64Array(CHUNK);
  t = new Float64Array(CHUNK);
  x = new Float64Array(CHUNK);
  motion = new Float32Array(CHUNK);
  flags = new Uint8Array(CHUNK);
  state = new Uint8Array(CHUNK).fill(UNKNOWN);
  points = new Int16Array(CHUNK * POINTS * 2);
  tops = new Uint8Array(CHUNK);
  label = new Uint16Array(CHUNK * TOP);
  p = new Uint16Array(CHUNK * TOP);
}

export class Track {
  // `keep`: frames kept at least; older ones are forgotten.
  constructor(name, keep = Infinity) {
    Object.assign(this, { name, keep, first: 0, end: 0, version: 0 });
    this.signs = [];
    this.truths = [];
    // Stretches of one state: {state, x}, each up to the next.
    this.runs = [];
    this.chunks = new Map();
    this.labels = [null];
    this.numbers = new Map([[null, 0]]);
    this.known = -1;
  }

  scene(item) {
    const i = this.#place(item);
    if (i < 0) return;
    const [c, k] = this.#at(i);
    c.motion[k] = item.motion;
    c.flags[k] = SCENE | (item.visible && VISIBLE) | (item.raised && RAISED)
      | (item.dominant === 'left' && LEFT) | (item.dominant === 'right' && RIGHT);
    const to = k * POINTS * 2;
    item.points.forEach((point, j) => {
      const clamp = (v) => Math.max(-32767, Math.min(32767, Math.round(v * 1000)));
      c.points[to + 2 * j] = point ? clamp(point[0]) : MISSING;
      c.points[to + 2 * j + 1] = point ? clamp(point[1]) : MISSING;
    });
    this.version += 1;
  }

  frame(item) {
    const i = this.#place(item);
    if (i < 0) return;
    const [c, k] = this.#at(i);
    c.state[k] = STATES.indexOf(item.state);
    if (this.runs.at(-1)?.state !== c.state[k]) this.runs.push({ state: c.state[k], x: c.x[k] });
    c.tops[k] = Math.min(item.top.length, TOP);
    item.top.slice(0, TOP).forEach(([label, p], j) => {
      c.label[k * TOP + j] = this.#number(label);
      c.p[k * TOP + j] = Math.round(p * 65535);
    });
    this.known = Math.max(this.known, i);
    this.version += 1;
  }

  // A decision; it is known from the frame on that comes next.
  sign(item) {
    const to = this.#find(item.end_seq, item.end_t), from = this.#find(item.start_seq, item.start_t);
    if (to < 0) return null;
    const seconds = (item.end_t - item.start_t) / 1e9;
    const sign = { ...item, seconds, from: this.x(from < 0 ? this.first : from), to: this.x(to),
      made: this.x(Math.min(this.known + 1, this.end - 1)) };
    this.signs.push(sign);
    this.version += 1;
    return sign;
  }

  // A sign that is known to have been made; its last frame is the newest one.
  truth({ label, start_seq }) {
    let from = this.end - 1;
    while (from > this.first && this.seq(from) > start_seq) from -= 1;
    this.truths.push({ label, from: this.x(from), to: this.x(this.end - 1) });
    this.version += 1;
  }

  seq(i) { const [c, k] = this.#at(i); return c.seq[k]; }
  // Place on the time line, seconds: capture time, pauses shortened.
  x(i) { const [c, k] = this.#at(i); return c.x[k]; }
  motion(i) { const [c, k] = this.#at(i); return c.motion[k]; }
  state(i) { const [c, k] = this.#at(i); return c.state[k]; }
  visible(i) { return this.#flag(i, VISIBLE); }
  raised(i) { return this.#flag(i, RAISED); }
  seen(i) { return this.#flag(i, SCENE); }
  dominant(i) { return this.#flag(i, LEFT) ? 'left' : this.#flag(i, RIGHT) ? 'right' : null; }

  // A placed landmark in shoulder widths, or null.
  point(i, j) {
    const [c, k] = this.#at(i);
    const at = (k * POINTS + j) * 2;
    if (!(c.flags[k] & SCENE) || c.points[at] === MISSING) return null;
    return [c.points[at] / 1000, c.points[at + 1] / 1000];
  }

  // Hypotheses: [[label or null, probability], …].
  top(i) {
    const [c, k] = this.#at(i);
    return Array.from({ length: c.tops[k] }, (_, j) =>
      [this.labels[c.label[k * TOP + j]], c.p[k * TOP + j] / 65535]);
  }

  get empty() { return this.end === this.first; }
  get begin() { return this.empty ? 0 : this.x(this.first); }
  get last() { return this.empty ? 0 : this.x(this.end - 1); }

  // The frame shown at a place of the time line; -1 if there is none.
  find(x) {
    if (this.empty) return -1;
    let [low, high] = [this.first, this.end - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.x(middle) <= x + 1e-9) low = middle; else high = middle - 1;
    }
    return low;
  }

  #at(i) { return [this.chunks.get(Math.floor(i / CHUNK)), i % CHUNK]; }
  #flag(i, flag) { const [c, k] = this.#at(i); return (c.flags[k] & flag) !== 0; }

  #number(label) {
    if (!this.numbers.has(label)) {
      this.numbers.set(label, this.labels.length);
      this.labels.push(label);
    }
    return this.numbers.get(label);
  }

  #find(seq, t) {
    for (let i = this.end - 1; i >= Math.max(this.first, this.end - 4 * REACH); i -= 1) {
      const [c, k] = this.#at(i);
      if (c.seq[k] === seq && c.t[k] === t) return i;
    }
    return -1;
  }

  // The frame of an item: there already, or new at the end; -1 for one that comes too late.
  #place({ seq, t }) {
    let x = 0;
    if (!this.empty) {
      const [c, k] = this.#at(this.end - 1);
      const since = (t - c.t[k]) / 1e9;
      if (since <= 0) {
        const there = this.#find(seq, t);
        if (there >= 0) return there;
        if (since > -1 && seq < c.seq[k]) return -1;
      }
      x = c.x[k] + (since > 0 ? Math.min(since, PAUSE) : PAUSE / 2);
    }
    const i = this.end;
    const number = Math.floor(i / CHUNK);
    if (!this.chunks.has(number)) this.#grow(number);
    this.end += 1;
    const [c, k] = this.#at(i);
    [c.seq[k], c.t[k], c.x[k]] = [seq, t, x];
    return i;
  }

  #grow(number) {
    this.chunks.set(number, new Chunk());
    const oldest = Math.floor(this.first / CHUNK);
    if ((number - oldest - 1) * CHUNK < this.keep) return;
    this.chunks.delete(oldest);
    this.first = (oldest + 1) * CHUNK;
    const begin = this.begin;
    this.signs = this.signs.filter((sign) => sign.from >= begin);
    while (this.runs.length > 1 && this.runs[1].x <= begin) this.runs.shift();
  }
}
