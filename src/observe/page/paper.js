// What the drawings share: a canvas at the screen's own resolution, the style sheet's colours, times.

const NAMES = ['ground', 'card', 'ink', 'soft', 'line', 'limb', 'edge', 'lips', 'mark', 'accent',
  'other', 'motion', 'plot', 'idle', 'onset', 'signing', 'offset', 'on-state'];

const scheme = matchMedia('(prefers-color-scheme: dark)');
const calm = matchMedia('(prefers-reduced-motion: reduce)');
let colours = null;
scheme.addEventListener('change', () => { colours = null; });

// The colours of the present scheme, by name.
export function palette() {
  if (!colours) {
    const style = getComputedStyle(document.documentElement);
    colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  }
  return colours;
}

// Whether the reader has asked for less motion.
export const still = () => calm.matches;

// Clears a canvas, fitted to its box; hands out its context and size in CSS pixels.
export function sheet(canvas) {
  const { clientWidth: w, clientHeight: h } = canvas;
  const ratio = devicePixelRatio || 1;
  const [W, H] = [Math.round(w * ratio), Math.round(h * ratio)];
  if (canvas.width !== W || canvas.height !== H) [canvas.width, canvas.height] = [W, H];
  const ctx = canvas.getContext('2d');
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, w, h);
  return { ctx, w, h };
}

// Minutes, seconds and tenths.
export function clock(seconds) {
  const tenths = Math.round(Math.max(0, seconds) * 10);
  const rest = (tenths % 600 / 10).toFixed(1).padStart(4, '0');
  return `${Math.floor(tenths / 600)}:${rest}`;
}

export const percent = (p) => `${Math.round(100 * p)} %`;
