// Draws the skeletons and moves them. Button and slider are native, so the keyboard works them.
"use strict";
const [skeleton, drawings] = JSON.parse(document.getElementById("drawings").textContent);
const MISSING = 65535;
const WIDTHS = { face: 1, lips: 1, arms: 3, left: 2, right: 2 };
const COLOURS = { face: "--soft", lips: "--soft", arms: "--ink", left: "--left", right: "--right" };

document.querySelectorAll("figure.clip").forEach((figure, n) => {
  const drawing = drawings[n];
  const bytes = Uint8Array.from(atob(drawing.points), (c) => c.charCodeAt(0));
  const points = new DataView(bytes.buffer);
  const canvas = figure.querySelector("canvas");
  const button = figure.querySelector("button");
  const slider = figure.querySelector("input");
  const output = figure.querySelector("output");
  let began = null; // time at which frame 0 was due; null while paused

  function draw() {
    const frame = Number(slider.value);
    const scale = window.devicePixelRatio || 1;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    canvas.width = width * scale;
    canvas.height = height * scale;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    // As large as fits, in the middle.
    const high = Math.min(height, width / drawing.aspect);
    const wide = high * drawing.aspect;
    const [left, top] = [(width - wide) / 2, (height - high) / 2];
    const style = getComputedStyle(canvas);
    context.lineJoin = context.lineCap = "round";
    for (const [kind, line] of skeleton.lines) {
      context.strokeStyle = style.getPropertyValue(COLOURS[kind]);
      context.lineWidth = WIDTHS[kind];
      context.beginPath();
      let down = false;
      for (const i of line) {
        const at = 4 * (frame * skeleton.count + i);
        const [x, y] = [points.getUint16(at, true), points.getUint16(at + 2, true)];
        if (x === MISSING) {
          down = false;
          continue;
        }
        const place = [left + (wide * x) / (MISSING - 1), top + (high * y) / (MISSING - 1)];
        down ? context.lineTo(...place) : context.moveTo(...place);
        down = true;
      }
      context.stroke();
    }
    output.textContent = `${drawing.frames[frame] + 1}/${drawing.frames.at(-1) + 1}`;
  }

  function pause() {
    began = null;
    button.textContent = "Play";
  }

  function play(now) {
    if (began === null) return;
    // A rest after the last frame shows where the clip begins anew.
    const due = Math.floor((now - began) / 1000 / Math.max(drawing.step, 0.001));
    if (due > Number(slider.max) + 10) began = now;
    slider.value = Math.min(due, Number(slider.max));
    draw();
    requestAnimationFrame(play);
  }

  button.addEventListener("click", () => {
    if (began !== null) return pause();
    button.textContent = "Pause";
    const from = slider.value === slider.max ? 0 : Number(slider.value);
    began = performance.now() - from * drawing.step * 1000;
    requestAnimationFrame(play);
  });
  slider.addEventListener("input", () => {
    pause();
    draw();
  });
  new ResizeObserver(draw).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
});
