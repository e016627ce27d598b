// The page: one stream at a time, live or from a recording.

import { Decisions, words } from './decisions.js';
import { Doubts } from './doubts.js';
import { open } from './feed.js';
import { Hypotheses } from './hypotheses.js';
import { keys } from './keyboard.js';
import { Overview } from './overview.js';
import { clock, palette, percent } from './paper.js';
import { Player } from './player.js';
import * as skeleton from './skeleton.js';
import * as timeline from './timeline.js';
import { STATES, Track } from './track.js';

const KEPT = 4096; // frames of each stream, live: two minutes at 30 a second
const WAITING = 'No camera yet. Frames come in at the daemon’s ingest socket; `signd send RECORDING` plays some.';
const SPEAK = 1000; // ms between two descriptions of the pictures

const $ = (id) => document.getElementById(id);
const about = await (await fetch('/about.json')).json();
const live = about.mode === 'live';
const tracks = new Map();
const player = new Player(live);
const hypotheses = new Hypotheses($('hypotheses'));
const decisions = new Decisions($('decisions'), $('none'), player);
const doubts = new Doubts($('doubts'), about.doubts);
const overview = new Overview($('overview'), $('scrub'), player, $('timeline'));
let lines = { start_speed: null, still_speed: null, rest_line: 1 };
let truths = [];
let whole = false;
let shown = true; // landmarks are

$('title').textContent = about.title;
document.title = `${about.title || 'live'} – signd`;
$('now').hidden = !live;

function take(item) {
  if (item.kind === 'hello') return begin(item);
  if (item.kind === 'truth') return truths.push(item);
  if (item.kind === 'end') whole = true;
  if (!item.stream) return;
  if (!tracks.has(item.stream)) add(item.stream);
  const track = tracks.get(item.stream);
  switch (item.kind) {
    case 'scene': track.scene(item); known(track, item); break;
    case 'frame': track.frame(item); light(track, item.state); break;
    case 'status':
      doubts.take(item);
      button(track).classList.toggle('doubtful', doubts.has(item.stream));
      if (item.status !== 'doubtful') light(track, item.status);
      break;
    case 'sign': decided(track, track.sign(item)); break;
    default:
  }
}

function begin(hello) {
  lines = hello;
  if (player.track) shown = hello.scenes;
}

// What is known of a file is told before its frames; it belongs where its last frame comes by.
function known(track, { seq }) {
  truths.filter((truth) => truth.end_seq === seq).forEach((truth) => track.truth(truth));
  truths = truths.filter((truth) => truth.end_seq !== seq);
}

function decided(track, sign) {
  if (!sign || track !== player.track) return;
  decisions.add(sign);
  if (live) say(sign);
}

function say(sign) { $('said').textContent = words(sign); }

function tell(text, bad = false) {
  $('feed').textContent = text;
  $('feed').classList.toggle('bad', bad);
}

function add(name) {
  const track = new Track(name, live ? KEPT : Infinity);
  tracks.set(name, track);
  const button = document.createElement('button');
  button.type = 'button';
  button.dataset.stream = name;
  const number = document.createElement('kbd');
  number.textContent = tracks.size < 10 ? tracks.size : '';
  button.append(number, name);
  button.addEventListener('click', () => select(track));
  $('streams').append(button);
  $('streams').hidden = !live && tracks.size < 2;
  if (!player.track) select(track);
  light(track, '');
}

function select(track) {
  player.select(track);
  decisions.select(track);
  watch(track.name);
  for (const button of $('streams').children) {
    button.setAttribute('aria-pressed', button.dataset.stream === track.name);
  }
}

// The lamp at a stream's name; in a recording, where all is past, it is dark.
function light(track, state) {
  if (!live) return;
  const { dataset } = button(track);
  if (dataset.state !== state) dataset.state = state;
}

function button(track) {
  return $('streams').children[[...tracks.keys()].indexOf(track.name)];
}

keys(player, (number) => {
  const track = [...tracks.values()][number];
  if (track) select(track);
});
const press = (id, move) => $(id).addEventListener('click', move);
press('play', () => player.toggle());
press('back', () => player.frames(-1));
press('on', () => player.frames(1));
press('earlier', () => player.decision(-1));
press('later', () => player.decision(1));
press('speed', () => player.faster());
press('now', () => player.toEnd());

// Why there is no picture.
function veil(track, i) {
  if (!track) return put('veil', live ? WAITING : 'Nothing to be seen yet.');
  if (track.empty) return put('veil', 'No frame of this stream yet.');
  const unseen = shown ? 'No landmarks of this frame: they come only for the stream that is looked at.'
    : 'Landmarks are not shown beyond the daemon’s own machine.';
  put('veil', track.seen(i) ? '' : unseen);
}

function put(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

let drawn = '', spoken = 0, before = performance.now(), passed = 0;
function turn(now) {
  requestAnimationFrame(turn);
  player.pass((now - before) / 1000);
  before = now;
  if (whole) player.halt();
  const { track } = player;
  controls(track);
  doubts.show(track?.name);
  if (!track) return veil();
  const i = player.index;
  const sizes = ['skeleton', 'timeline'].map((id) => `${$(id).clientWidth}x${$(id).clientHeight}`);
  const what = [track.name, i, player.x, track.version, sizes, palette().ink].join();
  if (what === drawn) return;
  drawn = what;
  skeleton.draw($('skeleton'), track, i, lines.rest_line);
  timeline.draw($('timeline'), track, player.x, lines);
  overview.draw();
  decisions.mark(track, player.x);
  caption(track, i);
  if (track.empty) return;
  const crossed = track.signs.findLast((sign) => sign.made > passed && sign.made <= player.x);
  if (!live && player.playing && crossed) say(crossed);
  passed = player.x;
  if (now - spoken > SPEAK || !player.playing) {
    spoken = now;
    describe(track, i);
  }
}

function controls(track) {
  put('play', player.playing ? 'Pause' : 'Play');
  put('speed', { 1: '1×', 0.5: '½×', 0.25: '¼×' }[player.speed]);
  $('speed').setAttribute('aria-label', `Speed: ${player.speed}`);
  $('now').disabled = player.following;
  if (!track) return;
  const behind = track.last - player.x;
  const place = `${clock(player.x - track.begin)} / ${clock(track.last - track.begin)}`;
  put('clock', !live ? place : player.following ? 'now' : `${behind.toFixed(1)} s ago`);
}

function caption(track, i) {
  veil(track, i);
  const side = track.empty ? null : track.dominant(i);
  const state = (track.empty ? null : STATES[track.state(i)]) ?? 'none';
  $('stage').dataset.state = state;
  put('state', state);
  put('frame', track.empty ? '' : `frame ${track.seq(i)}`);
  const hand = $('hand');
  const text = side ? `${side} hand dominant` : '';
  if (hand.firstChild?.textContent !== text) {
    hand.textContent = text;
    if (side === 'left') {
      hand.append(Object.assign(document.createElement('small'), { textContent: 'drawn mirrored' }));
    }
  }
  hypotheses.show(track.empty ? [] : track.top(i));
}

function describe(track, i) {
  const side = track.dominant(i);
  const hand = side ? `dominant hand ${side}, ${track.visible(i) ? 'visible' : 'not visible'}, ${track.raised(i) ? 'raised' : 'at rest'}` : 'no hand seen yet';
  const [best] = track.top(i);
  const top = best ? `top hypothesis ${best[0] ?? 'no known sign'}, ${percent(best[1])}` : 'no hypothesis';
  const state = STATES[track.state(i)] ?? 'not known';
  $('skeleton').setAttribute('aria-label', `Skeleton of ${track.name}, frame ${track.seq(i)}: state ${state}; ${hand}; ${top}`);
  const last = track.signs.findLast((sign) => sign.made <= player.x);
  $('timeline').setAttribute('aria-label', `Time line of ${track.name} at ${clock(player.x - track.begin)}: state ${state}, motion ${track.motion(i).toFixed(1)} shoulder widths a second; last decision ${last ? words(last) : 'none'}`);
  overview.describe();
}

const watch = open(about.mode, take, tell);
watch();
requestAnimationFrame(turn);
