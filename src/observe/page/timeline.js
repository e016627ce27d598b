// The seconds around now: decisions, what is known to be true, the state, motion against the
// segmenter's two thresholds, and what the gate says of the hand.

import { clock, palette, sheet, still } from './paper.js';
import { STATES } from './track.js';

const SECOND = 96; // pixels
const AHEAD = 0.4; // share of the line that lies ahead, where there is something
const FASTEST = 6; // shoulder widths a second at the plot's top
const FONT = '12px system-ui, sans-serif';

// The stretch of time that is shown: its begin and length in seconds.
export function stretch(canvas, track, x) {
  const length = Math.max(3, (canvas.clientWidth - gutter(canvas.clientWidth)) / SECOND);
  // Where less motion is wanted the line is turned like a page.
  const from = still() ? Math.floor(x / length) * length : x - (1 - AHEAD) * length;
  const latest = Math.max(track.begin, track.last + 0.15 - length);
  return { from: still() ? from : Math.max(track.begin, Math.min(from, latest)), length };
}

const gutter = (w) => (w > 620 ? 92 : 0);

export function draw(canvas, track, x, lines) {
  const { ctx, w, h } = sheet(canvas);
  const colours = palette();
  const left = gutter(w);
  const { from, length } = stretch(canvas, track, x);
  const scale = (w - left) / length;
  const px = (s) => left + (s - from) * scale;
  const truths = track.truths.length > 0;
  const lanes = { signs: [0, 26], truth: [29, truths ? 20 : -3], state: [truths ? 52 : 29, 14] };
  lanes.visible = [h - 43, 7];
  lanes.raised = [h - 28, 7];
  const top = lanes.state[0] + lanes.state[1] + 5;
  lanes.motion = [top, h - 50 - top];
  const pen = { ctx, w, h, left, colours, px, track, from, to: from + length, lanes };

  ctx.save();
  ctx.beginPath();
  ctx.rect(left, 0, w - left, h);
  ctx.clip();
  seconds(pen);
  if (!track.empty) {
    const [begin, end] = [Math.max(track.first, track.find(from) - 1), track.find(pen.to)];
    motion(pen, begin, end, lines);
    states(pen);
    flags(pen, begin, end);
    marks(pen);
    ctx.fillStyle = colours.accent;
    ctx.fillRect(px(x) - 1, 0, 2, h - 16);
  }
  ctx.restore();
  names(pen, truths, lines);
}

function seconds({ ctx, h, colours, px, from, to, lanes }) {
  ctx.fillStyle = colours.plot;
  ctx.fillRect(px(from), lanes.motion[0], px(to) - px(from), lanes.motion[1]);
  ctx.font = FONT;
  ctx.textAlign = 'center';
  for (let s = Math.ceil(from); s <= to; s += 1) {
    ctx.fillStyle = colours.line;
    ctx.fillRect(Math.round(px(s)), lanes.motion[0], 1, lanes.motion[1]);
    ctx.fillStyle = colours.soft;
    if (px(s) > px(from) + 16) ctx.fillText(clock(s).replace(/\.0$/, ''), px(s), h - 3);
  }
}

// Square-rooted, so that the thresholds stand clear of the ground.
const rise = ([top, height], m) => top + height * (1 - Math.sqrt(Math.min(m, FASTEST) / FASTEST));
// Of the rules; a tagger has none.
const thresholds = (lines, colours) =>
  [[lines.start_speed, 'start', colours.signing], [lines.still_speed, 'still', colours.offset]]
    .filter(([speed]) => speed !== null);

function motion(pen, begin, end, lines) {
  const { ctx, w, left, colours, px, track, lanes } = pen;
  const [top, height] = lanes.motion;
  const y = (m) => rise(lanes.motion, m);
  ctx.beginPath();
  ctx.moveTo(px(track.x(begin)), top + height);
  for (let i = begin; i <= end; i += 1) ctx.lineTo(px(track.x(i)), y(track.motion(i)));
  ctx.lineTo(px(track.x(end)), top + height);
  ctx.globalAlpha = 0.14;
  ctx.fillStyle = colours.motion;
  ctx.fill();
  ctx.globalAlpha = 1;
  // While the hand is not seen the last value stands: drawn faintly.
  ctx.strokeStyle = colours.motion;
  ctx.lineWidth = 1.75;
  ctx.lineJoin = 'round';
  for (let i = begin; i < end;) {
    const seen = track.visible(i);
    ctx.globalAlpha = seen ? 1 : track.seen(i) ? 0.3 : 0;
    ctx.beginPath();
    do ctx.lineTo(px(track.x(i)), y(track.motion(i))); while (i < end && track.visible(i++) === seen);
    ctx.stroke();
  }
  ctx.globalAlpha = 1;
  ctx.lineWidth = 1;
  for (const [speed, word, colour] of thresholds(lines, colours)) {
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(left, y(speed));
    ctx.lineTo(w, y(speed));
    ctx.stroke();
    ctx.setLineDash([]);
    if (left) continue;
    ctx.font = FONT;
    ctx.textAlign = 'right';
    ctx.fillText(word, w - 4, y(speed) + (word === 'start' ? -4 : 12));
  }
}

function states({ ctx, colours, px, track, from, to, lanes: { state: [y, height] } }) {
  ctx.font = FONT;
  ctx.textAlign = 'left';
  track.runs.forEach(({ state, x }, i) => {
    const end = track.runs[i + 1]?.x ?? track.last;
    if (end < from || x > to) return;
    const [a, b] = [px(Math.max(x, from)), px(Math.min(end, to))];
    ctx.fillStyle = colours[STATES[state]];
    ctx.globalAlpha = state === 0 ? 0.35 : 1;
    ctx.fillRect(a, y, Math.max(b - a, 1), height);
    ctx.globalAlpha = 1;
    const word = STATES[state];
    if (state === 0 || b - a < ctx.measureText(word).width + 10) return;
    ctx.fillStyle = colours['on-state'];
    ctx.fillText(word, a + 5, y + height - 3);
  });
}

function flags({ ctx, colours, px, track, lanes }, begin, end) {
  for (const [lane, is] of [['visible', (i) => track.visible(i)], ['raised', (i) => track.raised(i)]]) {
    const [y, height] = lanes[lane];
    ctx.fillStyle = colours.line;
    ctx.fillRect(px(track.x(begin)), y + height / 2, px(track.x(end)) - px(track.x(begin)), 1);
    ctx.fillStyle = colours.other;
    for (let i = begin; i <= end; i += 1) {
      if (!is(i)) continue;
      const a = px(track.x(i));
      const b = i < end ? px(track.x(i + 1)) : a + 3;
      ctx.fillRect(a, y, b - a + 0.5, height);
    }
  }
}

function marks({ ctx, colours, px, track, from, to, lanes }) {
  ctx.textAlign = 'left';
  const mark = ([y, height], { from: start, to: end }, text, fill, ink) => {
    const [a, width] = [px(start), Math.max(px(end) - px(start), 3)];
    ctx.beginPath();
    ctx.roundRect(a + 0.5, y + 0.5, width, height - 1, 6);
    ctx.lineWidth = 1;
    ctx.strokeStyle = ink;
    if (fill) { ctx.fillStyle = fill; ctx.fill(); } else ctx.stroke();
    ctx.save();
    ctx.beginPath();
    ctx.rect(a, y, width, height);
    ctx.clip();
    ctx.fillStyle = fill ? colours['on-state'] : ink;
    ctx.fillText(text, Math.max(a, px(from)) + 7, y + height / 2 + 4.5);
    ctx.restore();
  };
  const shown = (s) => s.to >= from && s.from <= to;
  ctx.font = `600 13px system-ui, sans-serif`;
  for (const sign of track.signs.filter(shown)) {
    const known = sign.label !== null;
    mark(lanes.signs, sign, known ? sign.label : '?', known && colours.signing, colours.soft);
  }
  ctx.font = FONT;
  for (const truth of track.truths.filter(shown)) mark(lanes.truth, truth, truth.label, null, colours.ink);
}

// What each lane is: in the margin, or, on a narrow page, above the plot only.
function names({ ctx, left, colours, lanes }, truths, lines) {
  ctx.font = FONT;
  ctx.fillStyle = colours.soft;
  if (!left) {
    ctx.textAlign = 'left';
    ctx.fillText('motion', 5, lanes.motion[0] + 13);
    return;
  }
  ctx.textAlign = 'right';
  const word = (text, middle) => ctx.fillText(text, left - 10, middle + 4);
  for (const lane of ['signs', truths && 'truth', 'state', 'visible', 'raised'].filter(Boolean)) {
    const [y, height] = lanes[lane];
    word({ signs: 'decided', truth: 'true' }[lane] ?? lane, y + height / 2);
  }
  word('motion', lanes.motion[0] + 8);
  for (const [speed, text, colour] of thresholds(lines, colours)) {
    ctx.fillStyle = colour;
    word(`${text} ${+speed.toFixed(2)}`, rise(lanes.motion, speed));
  }
}
