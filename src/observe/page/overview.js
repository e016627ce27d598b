// Everything there is, on one line: states, decisions, and which stretch of it the time line shows.

import { clock, palette, sheet } from './paper.js';
import { STATES } from './track.js';
import { stretch } from './timeline.js';

export class Overview {
  constructor(canvas, slider, player, timeline) {
    Object.assign(this, { canvas, slider, player, timeline });
    const seek = (event) => {
      const { left, width } = canvas.getBoundingClientRect();
      const { track } = player;
      if (!track) return;
      const share = (event.clientX - left) / width;
      player.seek(track.begin + share * (track.last - track.begin));
    };
    slider.addEventListener('pointerdown', (event) => { slider.setPointerCapture(event.pointerId); seek(event); });
    slider.addEventListener('pointermove', (event) => { if (slider.hasPointerCapture(event.pointerId)) seek(event); });
    // The time line is moved by hand like a strip of paper.
    let hold = null;
    timeline.addEventListener('pointerdown', (event) => {
      timeline.setPointerCapture(event.pointerId);
      hold = { at: event.clientX, x: player.x };
    });
    timeline.addEventListener('pointermove', (event) => {
      if (!hold || !player.track || event.clientX === hold.at) return;
      const { length } = stretch(timeline, player.track, player.x);
      player.seek(hold.x - (event.clientX - hold.at) * length / timeline.clientWidth);
    });
    for (const end of ['pointerup', 'pointercancel']) timeline.addEventListener(end, () => { hold = null; });
  }

  draw() {
    const { track, x } = this.player;
    const { ctx, w, h } = sheet(this.canvas);
    const colours = palette();
    const { begin, last } = track;
    const px = (s) => (s - begin) / Math.max(last - begin, 1e-3) * w;
    const band = h - 22;
    track.runs.forEach(({ state, x: from }, i) => {
      const to = track.runs[i + 1]?.x ?? last;
      ctx.fillStyle = colours[STATES[state]];
      ctx.globalAlpha = state === 0 ? 0.35 : 1;
      ctx.fillRect(px(from), band, Math.max(px(to) - px(from), 0.5), 14);
    });
    ctx.globalAlpha = 1;
    for (const sign of track.signs) {
      ctx.fillStyle = sign.label === null ? colours.soft : colours.signing;
      ctx.fillRect(px(sign.from), band - 9, Math.max(px(sign.to) - px(sign.from), 2), sign.label === null ? 2 : 6);
    }
    const { from, length } = stretch(this.timeline, track, x);
    ctx.strokeStyle = colours.ink;
    ctx.lineWidth = 1.5;
    ctx.beginPath();
    const [a, b] = [Math.max(px(from), 1), Math.min(px(from + length), w - 1)];
    ctx.roundRect(a, 3, Math.max(b - a, 4), h - 6, 6);
    ctx.stroke();
    ctx.fillStyle = colours.accent;
    ctx.fillRect(Math.min(px(x), w - 2) - 1, 3, 3, h - 6);
  }

  // What a screen reader says of it.
  describe() {
    const { track, x } = this.player;
    const set = (name, value) => this.slider.setAttribute(`aria-${name}`, value);
    set('valuemax', (track.last - track.begin).toFixed(1));
    set('valuenow', (x - track.begin).toFixed(1));
    set('valuetext', `${clock(x - track.begin)} of ${clock(track.last - track.begin)}`);
  }
}
