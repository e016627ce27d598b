// Where items come from: the daemon's live stream, or a recording as far as it has been replayed.

const WAIT = 200; // ms

// Hands each item to `take`; `tell` is told, in words, how it goes.
export function open(mode, take, tell) {
  return mode === 'live' ? live(take, tell) : recording(take, tell);
}

function live(take, tell) {
  const source = new EventSource('/live?scenes=1');
  let lost = 0;
  source.onmessage = ({ data }) => {
    const item = JSON.parse(data);
    if (item.kind === 'hello') tell('live');
    if (item.kind === 'lost') {
      lost += item.count;
      tell(`live; ${lost} items came too fast for this page`);
    }
    take(item);
  };
  source.onerror = () => tell('the daemon does not answer; trying again', true);
}

async function recording(take, tell) {
  const decoder = new TextDecoder();
  for (let from = 0; ;) {
    let bytes;
    try {
      const answer = await fetch(`/items?from=${from}`);
      if (!answer.ok) throw new Error(await answer.text());
      bytes = await answer.arrayBuffer();
    } catch (error) {
      return tell(`signd view has ended: ${error.message}`, true);
    }
    from += bytes.byteLength;
    for (const line of decoder.decode(bytes).split('\n')) {
      if (!line) continue;
      const item = JSON.parse(line);
      if (item.kind === 'end') return tell(item.error ?? '', item.error != null);
      take(item);
    }
    tell('replaying …');
    await new Promise((later) => setTimeout(later, bytes.byteLength ? 0 : WAIT));
  }
}
