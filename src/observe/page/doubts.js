// What is doubtful about the landmarks and times of the stream that is looked at.

export class Doubts {
  // `said`: for each reason what was found, what is expected and what mends it.
  constructor(list, said) {
    this.list = list;
    this.said = said;
    this.held = new Map();
  }

  // With `appeared` and `reset` a stream begins anew. A status that is sent again comes before the doubts that hold.
  take({ stream, status, reason, retained }) {
    if (status !== 'doubtful') {
      if (retained || ['appeared', 'reset'].includes(status)) this.held.delete(stream);
      return;
    }
    if (!this.held.has(stream)) this.held.set(stream, new Set());
    this.held.get(stream).add(reason);
  }

  has(stream) { return this.held.has(stream); }

  show(stream) {
    const reasons = [...this.held.get(stream) ?? []];
    if (this.shown === `${stream} ${reasons}`) return;
    this.shown = `${stream} ${reasons}`;
    this.list.hidden = !reasons.length;
    this.list.replaceChildren(...reasons.map((reason) => {
      const { found, expected, remedy } = this.said[reason] ?? { found: reason };
      const row = document.createElement('li');
      const what = document.createElement('strong');
      what.textContent = `${found[0].toUpperCase()}${found.slice(1)}.`;
      row.append(what, expected ? ` Expected ${expected}. To mend it: ${remedy}.` : '');
      return row;
    }));
  }
}
