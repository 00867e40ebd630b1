// The video's length as a drawing: what is played, segments by score, evidence, where one is.

const [WIDE, HIGH, FOOT] = [1000, 60, 12];

function drawn(kind, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

export class Timeline {
  constructor(root, seek) {
    this.root = root;
    this.length = 0;
    root.addEventListener("click", (event) => {
      const box = root.getBoundingClientRect();
      if (this.length > 0) seek(((event.clientX - box.left) / box.width) * this.length);
    });
  }

  draw(found, length) {
    this.length = length;
    const x = (seconds) => (length > 0 ? Math.min(Math.max(seconds / length, 0), 1) * WIDE : 0);
    const bar = (name, [start, end], top, height) =>
      drawn("rect", {
        class: name, x: x(start), y: top, width: Math.max(x(end) - x(start), 3), height,
      });
    const room = HIGH - FOOT - 2;
    const parts = found.spans_s.map((each) => bar("span", each, 0, HIGH));
    parts.push(...found.gaps_s.map((each) => bar("gap", each, 1, HIGH - 2)));
    for (const each of found.segments) {
      const height = Math.max(room * Math.min(each.score, 1), 3);
      parts.push(bar("segment", [each.start_s, each.end_s], 2 + room - height, height));
    }
    for (const each of found.evidence) {
      const where = each.source_span_s ?? [each.time_s, each.time_s];
      parts.push(bar("evidence", where, HIGH - FOOT + 3, 6));
    }
    this.head = drawn("line", { class: "head", x1: 0, x2: 0, y1: 0, y2: HIGH });
    this.root.replaceChildren(...parts, this.head);
  }

  move(seconds) {
    if (!this.head) return;
    const at = this.length > 0 ? Math.min(Math.max(seconds / this.length, 0), 1) * WIDE : 0;
    this.head.setAttribute("x1", at);
    this.head.setAttribute("x2", at);
  }
}
