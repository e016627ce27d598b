// What was decided, the latest first; each leads to its place on the time line.

import { clock, percent } from './paper.js';

const MOST = 1000;

// Why a decision is no known sign; empty when it is one.
function why({ unknown, threshold }) {
  if (unknown === 'threshold') return `below the threshold of ${percent(threshold)}`;
  if (unknown === 'doubted') return 'too little of a sign in the movement';
  return unknown === 'no_sign' ? 'no label fits better' : '';
}

// A decision in words.
export function words(sign) {
  const { label, top } = sign;
  if (label !== null) return `${label}, ${percent(top[0]?.[1] ?? 0)}`;
  const best = top.find(([name]) => name !== null);
  const parts = ['no known sign', best && `perhaps ${best[0]}, ${percent(best[1])}`, why(sign)];
  return parts.filter(Boolean).join('; ');
}

export class Decisions {
  constructor(list, none, player) {
    Object.assign(this, { list, none, player, rows: new Map() });
    this.current = null;
  }

  // Shows those of a track from the beginning.
  select(track) {
    this.list.replaceChildren();
    this.rows.clear();
    this.current = null;
    track.signs.slice(-MOST).forEach((sign) => this.add(sign));
    this.none.hidden = track.signs.length > 0;
  }

  add(sign) {
    this.none.hidden = true;
    const row = document.createElement('li');
    const button = document.createElement('button');
    button.type = 'button';
    const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });
    const known = sign.label !== null;
    row.classList.toggle('unknown', !known);
    const second = sign.top.filter(([name]) => name !== sign.label || !known).filter(([, p]) => p >= 0.01).slice(0, 2);
    const others = second.map(([name, p]) => `${name ?? 'no known sign'} ${percent(p)}`).join(', ');
    button.append(make('time', clock(sign.from)), make('strong', known ? sign.label : 'no known sign'),
      make('span', known ? percent(sign.p) : ''),
      make('small', [`${sign.seconds.toFixed(2)} s, ended by ${sign.ended}`, why(sign), others].filter(Boolean).join(' · ')));
    button.addEventListener('click', () => this.player.seek(sign.from));
    row.append(button);
    this.list.prepend(row);
    this.rows.set(sign, button);
    if (this.rows.size > MOST) {
      const [[oldest, last]] = this.rows;
      last.parentElement.remove();
      this.rows.delete(oldest);
    }
  }

  // Marks the decision at a place, or the last one before it.
  mark(track, x) {
    const current = track.signs.findLast((sign) => sign.from <= x + 1e-6) ?? null;
    if (current === this.current) return;
    this.rows.get(this.current)?.removeAttribute('aria-current');
    this.current = current;
    for (const [sign, button] of this.rows) button.classList.toggle('ahead', sign.from > x);
    const button = this.rows.get(current);
    if (!button) return;
    button.setAttribute('aria-current', 'true');
    const { list } = this;
    const [top, bottom] = [button.offsetTop - list.offsetTop, button.offsetTop - list.offsetTop + button.offsetHeight];
    if (top < list.scrollTop || bottom > list.scrollTop + list.clientHeight) {
      list.scrollTop = top - list.clientHeight / 2;
    }
  }
}
