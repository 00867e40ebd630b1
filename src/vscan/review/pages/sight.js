// How much of the material is seen and heard: nothing clear, in colour or loud until it is asked for.

import { pressed } from "./words.js";

const SIZES = ["s", "m", "l"];
const MOST_BLUR = 4;

export class Sight {
  constructor(stages, players) {
    this.stages = stages;
    this.players = players; // the first is the video under review; only that one is ever heard
  }

  // Whether the style that blurs is there and known to this browser: without it all would be clear.
  get covers() {
    const shown = this.stages.querySelectorAll(".material");
    return shown.length > 0 && [...shown].every((each) => getComputedStyle(each).filter.includes("blur"));
  }

  // A new case: as small and as blurred as can be.
  reset() {
    this.cover();
    this.stages.dataset.size = SIZES[0];
  }

  cover() {
    this.stages.dataset.blur = MOST_BLUR;
    this.stages.dataset.grey = "on";
    this.hold(false);
    for (const each of this.players) {
      each.pause();
      each.video.muted = true;
    }
    this.#tell();
  }

  // A step clearer; what to say of it.
  clearer() {
    const left = Math.max(Number(this.stages.dataset.blur) - 1, 0);
    this.stages.dataset.blur = left;
    return left ? `Blur ${left} of ${MOST_BLUR}.` : "Clear.";
  }

  hold(held) {
    this.stages.dataset.held = held ? "on" : "off";
  }

  toggleColour() {
    this.stages.dataset.grey = this.stages.dataset.grey === "on" ? "off" : "on";
    this.#tell();
  }

  toggleSound() {
    this.players[0].video.muted = !this.players[0].video.muted;
    this.#tell();
  }

  resize(by) {
    const at = SIZES.indexOf(this.stages.dataset.size) + by;
    this.stages.dataset.size = SIZES[Math.min(Math.max(at, 0), SIZES.length - 1)];
  }

  listenToHold(button) {
    button.addEventListener("pointerdown", () => this.hold(true));
    for (const event of ["pointerup", "pointerleave", "pointercancel", "blur", "keyup"])
      button.addEventListener(event, () => this.hold(false));
    button.addEventListener("keydown", (event) => {
      if (event.key === " " || event.key === "Enter") this.hold(true);
    });
    document.addEventListener("keyup", (event) => event.key.toLowerCase() === "h" && this.hold(false));
    window.addEventListener("blur", () => this.hold(false));
  }

  #tell() {
    pressed(document.getElementById("colour"), this.stages.dataset.grey === "off");
    pressed(document.getElementById("sound"), !this.players[0].video.muted);
  }
}
