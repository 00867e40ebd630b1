// One video, or its stills where the browser cannot play it: within the spans that are to be seen.

import { get } from "./server.js";
import { clock } from "./words.js";

const WAIT_MS = 400;
const STILL_MS = 1000;
const NEAR_S = 0.05;

export class Player {
  constructor(root, told) {
    this.video = root.querySelector("video");
    this.picture = root.querySelector("img");
    this.notice = root.querySelector(".notice");
    this.told = told; // called when position, length or playing changed
    this.clear();
    this.video.addEventListener("loadedmetadata", () => this.#begun());
    this.video.addEventListener("loadeddata", () => this.#shown());
    this.video.addEventListener("error", () => this.mode === "video" && this.#fallBack());
    this.picture.addEventListener("load", () => this.#shown());
    for (const event of ["play", "pause", "seeked", "durationchange", "timeupdate"])
      this.video.addEventListener(event, () => { this.#keepWithin(); this.told(); });
  }

  clear() {
    this.turn = (this.turn ?? 0) + 1;
    clearInterval(this.timer);
    this.mode = "none";
    this.ready = false; // whether something of the material is on the screen
    this.whole = false;
    this.spans = [];
    this.times = [];
    this.at = 0;
    this.advancing = false;
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
    this.video.muted = true;
    this.video.hidden = this.picture.hidden = true;
    this.picture.removeAttribute("src");
    this.notice.textContent = "";
  }

  async load(place, spans) {
    this.clear();
    const turn = this.turn;
    [this.place, this.spans] = [place, spans];
    this.notice.textContent = "Checking that the file is the one that was judged …";
    try {
      let state = await get(`/api${place}`);
      while (state.state === "checking") {
        await new Promise((done) => setTimeout(done, WAIT_MS));
        if (turn !== this.turn) return;
        state = await get(`/api${place}`);
      }
      if (turn !== this.turn) return;
      if (!state.playable) return await this.#loadStills(turn);
      this.notice.textContent = "";
      this.mode = "video";
      this.video.hidden = false;
      this.video.src = `${place}/video`;
    } catch (error) {
      if (turn === this.turn) this.#refused(error);
    }
  }

  #refused(error) {
    this.mode = "none";
    this.video.hidden = this.picture.hidden = true;
    this.notice.textContent = `It cannot be shown: ${error.message}`;
    this.told();
  }

  #begun() {
    // A file whose pictures the browser cannot decode plays as sound alone.
    if (this.video.videoWidth === 0) this.#fallBack();
    else this.seek(this.spans[0]?.[0] ?? 0);
  }

  #shown() {
    this.ready = true;
    this.told();
  }

  #fallBack() {
    this.ready = false;
    this.#loadStills(this.turn).catch((error) => this.#refused(error));
  }

  async #loadStills(turn) {
    this.mode = "stills";
    this.video.pause();
    this.video.hidden = true;
    this.video.removeAttribute("src");
    this.notice.textContent = "A browser cannot play this file: frames are being read …";
    const { times_s } = await get(`/api${this.place}/stills`);
    if (turn !== this.turn) return;
    this.times = times_s;
    this.notice.textContent = times_s.length ? "" : "No frame of it could be read.";
    this.picture.hidden = !times_s.length;
    if (times_s.length) this.#still(0);
  }

  #still(at) {
    this.at = Math.min(Math.max(at, 0), this.times.length - 1);
    this.picture.src = `${this.place}/stills/${this.at}`;
    this.picture.alt = `Frame at ${clock(this.times[this.at])}`;
    this.told();
  }

  get position() {
    return this.mode === "stills" ? (this.times[this.at] ?? 0) : this.video.currentTime;
  }

  get length() {
    const told = this.video.duration;
    return this.mode === "video" && Number.isFinite(told) ? told : (this.spans.at(-1)?.[1] ?? this.times.at(-1) ?? 0);
  }

  get playing() {
    return this.mode === "stills" ? this.advancing : this.mode === "video" && !this.video.paused;
  }

  get seeking() {
    return this.mode === "video" && this.video.seeking;
  }

  get words() {
    return this.mode === "stills" && this.times.length ? `still ${this.at + 1} of ${this.times.length}` : "";
  }

  seek(seconds) {
    if (this.mode === "stills") {
      const far = this.times.map((time) => Math.abs(time - seconds));
      if (far.length) this.#still(far.indexOf(Math.min(...far)));
    } else if (this.mode === "video") {
      this.video.currentTime = Math.min(Math.max(seconds, 0), this.length);
    }
  }

  step(direction) {
    if (this.mode === "stills") this.#still(this.at + direction);
    else this.seek(this.position + direction);
  }

  toggle() {
    if (this.playing) return this.pause();
    const last = this.spans.at(-1)?.[1] ?? this.length;
    const end = this.whole ? this.length : Math.min(last, this.length);
    if (this.mode === "stills") {
      if (this.at >= this.times.length - 1) this.#still(0);
      this.advancing = true;
      this.timer = setInterval(() => this.#advance(), STILL_MS);
    } else if (this.mode === "video") {
      if (this.position >= end - NEAR_S) this.seek(this.whole ? 0 : (this.spans[0]?.[0] ?? 0));
      this.timer = setInterval(() => this.#keepWithin(), 50);
      this.video.play().catch(() => this.told());
    }
    this.told();
  }

  pause() {
    clearInterval(this.timer);
    this.advancing = false;
    this.video.pause();
    this.told();
  }

  #advance() {
    if (this.at >= this.times.length - 1) this.pause();
    else this.#still(this.at + 1);
  }

  // While it plays, what lies between the spans is passed over, and the last one's end is the end.
  #keepWithin() {
    if (!this.playing || this.mode !== "video" || this.whole || this.video.seeking) return;
    if (!this.spans.length) return; // all of it
    const at = this.video.currentTime;
    if (this.spans.some(([start, end]) => at >= start - NEAR_S && at < end)) return;
    const next = this.spans.find(([start]) => start > at);
    if (next) this.video.currentTime = next[0];
    else this.pause();
  }
}
