// The hypotheses as bars, most probable first.

import { percent } from './paper.js';

const ROWS = 5;

export class Hypotheses {
  constructor(list) {
    this.rows = Array.from({ length: ROWS }, () => {
      const row = document.createElement('li');
      const [label, share] = [document.createElement('span'), document.createElement('span')];
      row.append(label, share);
      list.append(row);
      return { row, label, share };
    });
  }

  show(top) {
    this.rows.forEach(({ row, label, share }, i) => {
      const [name, p] = top[i] ?? ['', 0];
      row.classList.toggle('none', name === null);
      label.textContent = name === null ? 'no known sign' : name || '\u00a0';
      share.textContent = name === '' ? '' : percent(p);
      row.style.setProperty('--p', p.toFixed(4));
    });
  }
}
