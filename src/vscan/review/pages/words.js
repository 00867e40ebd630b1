// Times, shares and codes as people read them.

export function clock(seconds) {
  const tenths = Math.max(0, Math.round(seconds * 10));
  const [hours, minutes] = [Math.floor(tenths / 36000), Math.floor(tenths / 600) % 60];
  const rest = ((tenths % 600) / 10).toFixed(1).padStart(4, "0");
  return hours ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}` : `${minutes}:${rest}`;
}

export function span([start, end]) {
  return `${clock(start)}–${clock(end)}`;
}

export function plain(code) {
  return code.replaceAll("_", " ");
}

export function count(number, word) {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}

// An element with text in it, and nothing else: what a verdict says is never markup.
export function element(name, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export function pressed(button, on) {
  button.setAttribute("aria-pressed", String(on));
}
