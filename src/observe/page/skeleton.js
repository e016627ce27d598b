// The signer as the daemon sees them: shoulder widths, the origin between the shoulders. The order of
// points is that of crates/core/src/features/placement.rs; what is missing is not drawn.

import { palette, sheet, still } from './paper.js';

const HAND = 0, OTHER = 21, LIPS = 42, LIDS = 86, SHOULDER = 118, ELBOW = 120, WRIST = 122;
const NOSE = 124, CHIN = 125, FOREHEAD = 126, EYE = 127, EAR = 129;
const INDEX_TIP = 8;
const PALM = [0, 1, 5, 9, 13, 17];
const FINGERS = [[17, 18, 19, 20], [13, 14, 15, 16], [9, 10, 11, 12], [5, 6, 7, 8], [1, 2, 3, 4]];
const range = (from, n) => Array.from({ length: n }, (_, i) => from + i);
// Outlines of the lips: below from corner to corner, then back above.
const OUTER = [...range(LIPS, 11), ...range(LIPS + 11, 9).reverse()];
const INNER = [...range(LIPS + 20, 11), ...range(LIPS + 31, 9).reverse()];
// Outlines of the eyes, likewise.
const EYES = [LIDS, LIDS + 16].map((from) => [...range(from, 9), ...range(from + 9, 7).reverse()]);
// From nostril to nostril below the nose.
const NOSTRILS = [84, 83, 85];

// What the picture shows, shoulder widths.
const WIDTH = 3.2, ABOVE = 1.65, BELOW = 1.3;
const TRAIL = 1; // s

export function draw(canvas, track, i, restLine) {
  const { ctx, w, h } = sheet(canvas);
  const colours = palette();
  const unit = Math.min(w / WIDTH, h / (ABOVE + BELOW));
  const y0 = h / 2 + (ABOVE - BELOW) / 2 * unit;
  const at = ([x, y]) => [w / 2 + x * unit, y0 + y * unit];
  ctx.lineCap = ctx.lineJoin = 'round';
  rest(ctx, w, y0 + restLine * unit, colours);
  if (i < 0 || !track.seen(i)) return;
  const get = (j, frame = i) => { const p = track.point(frame, j); return p && at(p); };
  const pen = { ctx, get, unit, colours };
  body(pen);
  head(pen);
  hand(pen, OTHER, colours.other, 0.75);
  if (!still()) trail(pen, track, i);
  hand(pen, HAND, colours.accent, 1.1);
}

// Below this line a hand is taken to rest.
function rest(ctx, w, y, colours) {
  ctx.strokeStyle = colours.line;
  ctx.lineWidth = 1;
  ctx.setLineDash([2, 6]);
  line(ctx, [[0, y], [w, y]]);
  ctx.setLineDash([]);
  ctx.fillStyle = colours.soft;
  ctx.font = '12px system-ui, sans-serif';
  ctx.textAlign = 'right';
  ctx.fillText('rest line', w - 18, y - 6);
}

function body({ ctx, get, unit, colours }) {
  const [a, b, chin] = [get(SHOULDER), get(SHOULDER + 1), get(CHIN) ?? get(NOSE)];
  if (a && b) bust({ ctx, unit, colours }, a, b, chin);
  ctx.fillStyle = colours.limb;
  for (const side of [0, 1]) {
    const [shoulder, elbow, wrist] = [get(SHOULDER + side), get(ELBOW + side), get(WRIST + side)];
    limb(ctx, shoulder, elbow, 0.2 * unit, 0.15 * unit);
    limb(ctx, elbow, wrist, 0.15 * unit, 0.095 * unit);
  }
  ctx.strokeStyle = colours.edge;
  ctx.lineWidth = Math.max(1, 0.012 * unit);
  if (a && b) line(ctx, [a, b]);
  for (const side of [0, 1]) {
    const joints = [get(SHOULDER + side), get(ELBOW + side), get(WRIST + side)];
    pairs(joints).forEach((bone) => bone.every(Boolean) && line(ctx, bone));
    joints.forEach((joint) => joint && dot(ctx, joint, 0.022 * unit, colours.edge));
  }
}

// A hint of neck and chest, fading out: no landmark says where they end.
function bust({ ctx, unit, colours }, a, b, chin) {
  const neck = 0.13 * unit;
  const centre = middle(a, b);
  const throat = chin ?? [centre[0], centre[1] - 0.3 * unit];
  const below = 1.1 * unit;
  const fade = ctx.createLinearGradient(0, centre[1], 0, centre[1] + below);
  fade.addColorStop(0, colours.limb);
  fade.addColorStop(1, `${colours.limb}00`);
  ctx.fillStyle = fade;
  const side = a[0] < b[0] ? 1 : -1;
  ctx.beginPath();
  ctx.moveTo(throat[0] - side * neck, throat[1] - neck);
  ctx.quadraticCurveTo(throat[0] - side * neck, a[1] - 0.14 * unit, a[0], a[1] - 0.1 * unit);
  ctx.lineTo(a[0] + side * 0.12 * unit, a[1] + below);
  ctx.lineTo(b[0] - side * 0.12 * unit, b[1] + below);
  ctx.lineTo(b[0], b[1] - 0.1 * unit);
  ctx.quadraticCurveTo(throat[0] + side * neck, b[1] - 0.14 * unit, throat[0] + side * neck, throat[1] - neck);
  ctx.fill();
}

function head({ ctx, get, unit, colours }) {
  const [top, chin, nose] = [get(FOREHEAD), get(CHIN), get(NOSE)];
  const [near, far] = [get(EAR), get(EAR + 1)];
  if (near && far) {
    const wide = distance(near, far) / 2;
    const upright = top && chin;
    const centre = upright ? middle(top, chin) : middle(near, far);
    const tall = upright ? Math.max(wide, distance(top, chin) / 2 * 1.06) : wide * 1.35;
    const turn = upright ? Math.atan2(chin[1] - top[1], chin[0] - top[0]) - Math.PI / 2 : 0;
    ctx.beginPath();
    ctx.ellipse(...centre, wide, tall, turn, 0, 2 * Math.PI);
    ctx.fillStyle = colours.limb;
    ctx.fill();
    ctx.strokeStyle = colours.edge;
    ctx.lineWidth = Math.max(1, 0.012 * unit);
    ctx.stroke();
  }
  ctx.strokeStyle = colours.mark;
  ctx.lineWidth = Math.max(1, 0.01 * unit);
  EYES.forEach((ring, side) => {
    const [lids, eye] = [ring.map((j) => get(j)), get(EYE + side)];
    // Without a face mesh an eye is one point.
    if (lids.every(Boolean)) line(ctx, [...lids, lids[0]]);
    else if (eye) dot(ctx, eye, 0.022 * unit, colours.mark);
  });
  const nostrils = NOSTRILS.map((j) => get(j));
  if (nostrils.every(Boolean)) line(ctx, nostrils);
  if (nose) dot(ctx, nose, 0.018 * unit, colours.mark);
  if (chin && top) dot(ctx, chin, 0.014 * unit, colours.edge);
  const [outer, inner] = [OUTER, INNER].map((ring) => ring.map((j) => get(j)));
  if (![...outer, ...inner].every(Boolean)) return;
  ctx.beginPath();
  [outer, inner].forEach((ring) => { path(ctx, ring); ctx.closePath(); });
  ctx.fillStyle = colours.lips;
  ctx.fill('evenodd');
}

// Each finger lies on a rim of the ground's colour, so that crossed fingers stay apart.
function hand({ ctx, get, unit, colours }, base, colour, weight) {
  const points = range(base, 21).map((j) => get(j));
  if (!points[0]) return;
  const palm = PALM.map((j) => points[j]);
  if (palm.every(Boolean)) {
    ctx.beginPath();
    path(ctx, palm);
    ctx.closePath();
    ctx.strokeStyle = ctx.fillStyle = colours.card;
    ctx.lineWidth = 0.06 * weight * unit;
    ctx.stroke();
    ctx.fill();
    ctx.globalAlpha = 0.38;
    ctx.strokeStyle = ctx.fillStyle = colour;
    ctx.lineWidth = 0.03 * weight * unit;
    ctx.fill();
    ctx.globalAlpha = 0.75;
    ctx.stroke();
    ctx.globalAlpha = 1;
  }
  for (const finger of FINGERS) {
    const joints = finger.map((j) => points[j]);
    if (!joints.every(Boolean)) continue;
    ctx.strokeStyle = colours.card;
    ctx.lineWidth = 0.07 * weight * unit;
    line(ctx, joints);
    ctx.strokeStyle = colour;
    pairs(joints).forEach((bone, k) => {
      ctx.lineWidth = (0.046 - 0.007 * k) * weight * unit;
      line(ctx, bone);
    });
  }
}

// Where the dominant index finger's tip has been: a ribbon that narrows with age. One shape, so that
// it does not grow darker where it crosses itself.
function trail({ ctx, get, unit, colours }, track, i) {
  const [now, side] = [track.x(i), track.dominant(i)];
  const been = [];
  for (let k = i; k >= track.first && now - track.x(k) < TRAIL; k -= 1) {
    if (track.dominant(k) !== side) break;
    const tip = get(INDEX_TIP, k);
    if (tip) been.push({ tip, half: 0.024 * unit * (1 - (now - track.x(k)) / TRAIL) });
  }
  if (been.length < 3) return;
  const soft = been.map(({ tip }, k) => middle(middle(tip, been[Math.max(k - 1, 0)].tip),
    middle(tip, been[Math.min(k + 1, been.length - 1)].tip)));
  const edge = (sign) => soft.map(([x, y], k) => {
    const [a, b] = [soft[Math.max(k - 1, 0)], soft[Math.min(k + 1, soft.length - 1)]];
    const long = distance(a, b) || 1;
    const shift = sign * been[k].half / long;
    return [x - (b[1] - a[1]) * shift, y + (b[0] - a[0]) * shift];
  });
  ctx.beginPath();
  path(ctx, [...edge(1), ...edge(-1).reverse()]);
  ctx.globalAlpha = 0.4;
  ctx.fillStyle = colours.accent;
  ctx.fill();
  ctx.globalAlpha = 1;
}

function limb(ctx, a, b, from, to) {
  if (!a || !b) return;
  const turn = Math.atan2(b[1] - a[1], b[0] - a[0]);
  ctx.beginPath();
  ctx.arc(...a, from / 2, turn + Math.PI / 2, turn - Math.PI / 2);
  ctx.arc(...b, to / 2, turn - Math.PI / 2, turn + Math.PI / 2);
  ctx.fill();
}

function path(ctx, points) {
  points.forEach((p, i) => (i ? ctx.lineTo(...p) : ctx.moveTo(...p)));
}

function line(ctx, points) {
  ctx.beginPath();
  path(ctx, points);
  ctx.stroke();
}

function dot(ctx, p, radius, colour) {
  ctx.beginPath();
  ctx.arc(...p, radius, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
}

const pairs = (points) => points.slice(1).map((p, i) => [points[i], p]);
const middle = (a, b) => [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
const distance = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]);
