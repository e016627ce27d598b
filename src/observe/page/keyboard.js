// The keyboard, and the page that explains it.

export function keys(player, pick) {
  const help = document.getElementById('help');
  const ask = () => { if (!help.open) help.showModal(); };
  document.getElementById('ask').addEventListener('click', ask);

  const moves = {
    ' ': () => player.toggle(),
    ArrowLeft: (shift) => shift ? player.seconds(-1) : player.frames(-1),
    ArrowRight: (shift) => shift ? player.seconds(1) : player.frames(1),
    Home: () => player.toBegin(),
    End: () => player.toEnd(),
    '[': () => player.decision(-1),
    ']': () => player.decision(1),
    s: () => player.faster(),
    '?': ask,
  };
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || help.open) return;
    // A button in focus is pressed with the space bar.
    if (event.key === ' ' && event.target.closest('button')) return;
    const digit = /^[1-9]$/.test(event.key) && (() => pick(Number(event.key) - 1));
    const move = digit || (Object.hasOwn(moves, event.key) && moves[event.key]);
    if (!move) return;
    event.preventDefault();
    move(event.shiftKey);
  });
}
