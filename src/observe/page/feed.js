// Where items come from: the daemon's live stream, or a recording as far as it has been replayed.

const WAIT = 200; // ms

// Hands each item to `take`; `tell` is told, in words, how it goes. What is returned chooses the
// stream whose landmarks are to be shown.
export function open(mode, take, tell) {
  return mode === 'live' ? live(take, tell) : recording(take, tell);
}

// Events of all streams, landmarks of one: sixteen pictures would be a load for a phone.
function live(take, tell) {
  let source, lost = 0;
  return (stream) => {
    source?.close();
    source = new EventSource(stream ? `/live?scenes_of=${stream}` : '/live');
    source.onmessage = ({ data }) => {
      const item = JSON.parse(data);
      if (item.kind === 'lost') lost += item.items;
      if (item.kind === 'hello' || item.kind === 'lost') {
        tell(lost ? `live; ${lost} items came too fast for this page` : 'live');
      }
      take(item);
    };
    source.onerror = () => tell('the daemon does not answer; trying again', true);
  };
}

function recording(take, tell) {
  const decoder = new TextDecoder();
  const load = async () => {
    for (let from = 0; ;) {
      const answer = await fetch(`/items?from=${from}`);
      if (!answer.ok) throw new Error(await answer.text());
      const bytes = await answer.arrayBuffer();
      from += bytes.byteLength;
      for (const line of decoder.decode(bytes).split('\n')) {
        if (!line) continue;
        const item = JSON.parse(line);
        take(item);
        if (item.kind === 'end') return tell(item.error ?? '', item.error != null);
      }
      tell('replaying …');
      await new Promise((later) => setTimeout(later, bytes.byteLength ? 0 : WAIT));
    }
  };
  load().catch((error) => tell(`signd view does not answer: ${error.message}`, true));
  return () => {};
}
