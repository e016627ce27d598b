// Where on the time line we are, and how we move along it.

import { still } from './paper.js';

const SPEEDS = [1, 0.5, 0.25];
// How quickly the view follows what comes in live, s.
const FOLLOW = 0.06;

export class Player {
  // `live`: begins at the newest frame and stays with it until told otherwise.
  constructor(live) {
    Object.assign(this, { live, x: 0, following: live, playing: live || !still(), speed: 1 });
    this.track = null;
  }

  select(track) {
    this.track = track;
    if (this.live) this.toEnd(); else this.x = Math.min(this.x, track.last);
  }

  // Lets `seconds` pass.
  pass(seconds) {
    const track = this.track;
    if (!track || track.empty) return;
    if (this.following) {
      const ahead = track.last - this.x;
      const jump = still() || ahead > 1 || ahead < 0;
      this.x += jump ? ahead : ahead * (1 - Math.exp(-seconds / FOLLOW));
    } else if (this.playing) {
      this.x = Math.min(this.x + seconds * this.speed, track.last);
      if (this.x === track.last && this.live) this.following = true;
    }
    this.x = Math.max(this.x, track.begin);
  }

  // At the end of what there will be: nothing to play any more.
  halt() { if (!this.live && this.track && this.x >= this.track.last) this.playing = false; }

  get index() { return this.track ? this.track.find(this.x) : -1; }

  toggle() {
    const ended = !this.live && this.track && this.x >= this.track.last;
    if (!this.playing && ended) this.x = this.track.begin;
    this.playing = !this.playing;
    this.following &&= this.playing;
  }

  // Goes to a place, and stays there.
  seek(x) {
    if (!this.track || this.track.empty) return;
    this.x = Math.max(this.track.begin, Math.min(x, this.track.last));
    this.following = this.playing = false;
  }

  frames(n) {
    if (!this.track || this.track.empty) return;
    const i = Math.max(this.track.first, Math.min(this.index + n, this.track.end - 1));
    this.seek(this.track.x(i));
  }

  seconds(s) { this.seek(this.x + s); }

  toBegin() { if (this.track) this.seek(this.track.begin); }

  toEnd() {
    if (!this.track) return;
    this.seek(this.track.last);
    if (this.live) this.following = this.playing = true;
  }

  // To the first frame of the decision before or after this place.
  decision(step) {
    const starts = this.track?.signs.map((sign) => sign.from) ?? [];
    const next = step > 0 ? starts.find((x) => x > this.x + 1e-6)
      : starts.findLast((x) => x < this.x - 1e-6);
    if (next !== undefined) this.seek(next);
  }

  faster() { this.speed = SPEEDS[(SPEEDS.indexOf(this.speed) + 1) % SPEEDS.length]; }
}
