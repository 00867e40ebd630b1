// The exemplar beside the video that matched it: hidden until asked for, and kept at the same place.

import { pressed } from "./words.js";

const [NEAR_S, FAR_S] = [0.1, 0.5];

export class Beside {
  constructor(root, button, player) {
    [this.root, this.button, this.player] = [root, button, player];
    this.match = null; // the piece of evidence that is shown
  }

  show(number, match) {
    this.match = match;
    this.root.hidden = false;
    this.root.querySelector("figcaption").textContent = `Exemplar ${match.exemplar} of ${match.index}`;
    pressed(this.button, true);
    this.player.load(`/cases/${number}/${match.part}`, [match.exemplar_span_s]);
  }

  hide() {
    this.match = null;
    this.player.clear();
    this.root.hidden = true;
    pressed(this.button, false);
  }

  // Shows what the match says is the same moment; before and after it, its first and last one.
  follow(source) {
    if (!this.match || !this.player.ready) return;
    const [[from], [start, end]] = [this.match.source_span_s, this.match.exemplar_span_s];
    const same = start + (source.position - from) * this.match.speed;
    const to = Math.min(Math.max(same, start), end);
    const player = this.player;
    const isVideo = player.mode === "video";
    if (isVideo) player.video.playbackRate = Math.min(Math.max(this.match.speed, 0.1), 10);
    const least = isVideo && !source.playing ? NEAR_S : FAR_S;
    if (Math.abs(player.position - to) > least && !player.seeking) player.seek(to);
    const plays = source.playing && same >= start && Math.max(to, player.position) < end - NEAR_S;
    if (isVideo && player.playing !== plays) player.toggle();
  }
}
