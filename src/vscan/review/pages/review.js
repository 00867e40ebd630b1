// The page's flow: a case comes, is looked at, decided; keys press the buttons that stand for them.

import { Beside } from "./beside.js";
import { Player } from "./player.js";
import { Refused, get, post } from "./server.js";
import { Sight } from "./sight.js";
import { Timeline } from "./timeline.js";
import { showCase } from "./view.js";
import { clock, count, plain, pressed } from "./words.js";

const byId = (id) => document.getElementById(id);
const TICK_MS = 200;
const UNSEEN_MS = 300; // a ruling so soon after a case came up was meant for the one before
const KEYS = {
  " ": "play", ArrowLeft: "back", ArrowRight: "on", "[": "previous", "]": "next", w: "whole",
  r: "reveal", b: "cover", c: "colour", m: "sound", "-": "smaller", "+": "larger", "=": "larger",
  x: "beside", u: "uphold", o: "overturn", e: "escalate", s: "skip", z: "undo", "?": "help",
};
const RULED = { uphold: "Upheld", overturn: "Overturned", escalate: "Escalated" };

const source = new Player(byId("source"), refresh);
const exemplar = new Player(byId("exemplar"), () => beside.follow(source));
const beside = new Beside(byId("exemplar"), byId("beside"), exemplar);
const sight = new Sight(byId("stages"), [source, exemplar]);
const timeline = new Timeline(byId("timeline"), seek);
let turn = null; // as the server told it last
let busy = true;
let viewed = 0; // seconds since the case came up in which it was on the screen
let onScreen = false;
let sinceBreak = 0;

// ---- The case ---------------------------------------------------------------------------------

async function ask(request, words) {
  busy = true;
  enable();
  byId("alert").textContent = "";
  let came = false;
  try {
    show(await request(), words);
    came = turn.case !== null;
  } catch (error) {
    byId("alert").textContent = error.message;
    if (error instanceof Refused && error.status === 409) came = await again();
  } finally {
    if (came) await new Promise((done) => setTimeout(done, UNSEEN_MS));
    busy = false;
    enable();
  }
}

function say(words) {
  byId("status").textContent = words;
}

// What the server has at hand is another case than this page shows; whether there is one.
async function again() {
  try {
    show(await get("/api/case"), "");
    return turn.case !== null;
  } catch (error) {
    byId("alert").textContent = error.message;
    return false;
  }
}

function show(told, words) {
  const passed = turn ? told.elsewhere - turn.elsewhere : told.elsewhere;
  turn = told;
  const parts = [words];
  if (passed > 0) parts.push(`${count(passed, "case")} passed over: decided by somebody else meanwhile.`);
  say(parts.filter(Boolean).join(" "));
  byId("progress").textContent = `${told.decided} of ${told.total} decided`;
  viewed = 0;
  byId("note").value = "";
  closeReasons();
  beside.hide();
  sight.reset();
  byId("case").hidden = told.case === null;
  byId("end").hidden = told.case !== null;
  byId("undo-last").hidden = !told.can_undo;
  if (told.case === null) return showEnd(told);
  const found = told.case;
  document.title = `Review: ${found.policy ?? "whole verdict"}`;
  showCase(found, told.before, seek, (each) => beside.show(turn.number, each));
  pressed(byId("whole"), false);
  source.load(`/cases/${told.number}/source`, found.spans_s);
  drawTimeline();
  byId("title").focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function showEnd(told) {
  source.clear();
  document.title = "Review: nothing is left";
  const words = [`${count(told.decided, "case")} decided.`];
  if (told.skipped) words.push(`${count(told.skipped, "case")} skipped, to be asked again with the next start.`);
  if (told.elsewhere) words.push(`${count(told.elsewhere, "case")} decided by somebody else meanwhile.`);
  byId("end-words").textContent = words.join(" ");
  byId("end-title").focus();
}

function enable() {
  const reasons = turn?.case?.reasons_to_overturn ?? [];
  for (const id of ["uphold", "overturn", "escalate", "skip"]) byId(id).disabled = busy;
  for (const id of ["undo", "undo-last"]) byId(id).disabled = busy || !turn?.can_undo;
  for (const each of byId("reasons").querySelectorAll("[data-reason]"))
    each.disabled = busy || !reasons.includes(each.dataset.reason);
  byId("beside").disabled = !atHand().length;
}

function decide(ruling, reason) {
  if (busy || !turn?.case) return;
  const body = {
    number: turn.number, ruling, reason, note: byId("note").value, seconds_viewed: viewed,
  };
  ask(() => post("/api/decision", body), `${RULED[ruling]}${reason ? `: ${plain(reason)}` : ""}.`);
}

function skip() {
  if (busy || !turn?.case) return;
  const body = { number: turn.number, seconds_viewed: viewed };
  ask(() => post("/api/skip", body), "Skipped.");
}

function undo() {
  if (busy || !turn?.can_undo) return;
  ask(() => post("/api/undo", { seconds_viewed: viewed }), "Opened again.");
}

function openReasons() {
  if (busy) return;
  byId("reasons").hidden = false;
  byId("overturn").setAttribute("aria-expanded", "true");
  byId("reasons").focus(); // on none of them: space plays on, and Enter that is still held rules nothing
}

function closeReasons() {
  byId("reasons").hidden = true;
  byId("overturn").setAttribute("aria-expanded", "false");
}

// ---- Moving about, and the exemplar beside ------------------------------------------------------

function seek(seconds) {
  source.seek(seconds);
}

function toSegment(by) {
  const starts = (turn?.case?.segments ?? []).map((each) => each.start_s);
  const at = source.position;
  const to = by > 0 ? starts.find((each) => each > at + 0.05) : starts.findLast((each) => each < at - 0.5);
  if (to !== undefined) seek(to);
}

function toggleWhole() {
  source.whole = !source.whole;
  pressed(byId("whole"), source.whole);
}

function atHand() {
  return (turn?.case?.evidence ?? []).filter((each) => each.part && each.at_hand);
}

function toggleExemplar() {
  const [first] = atHand();
  if (beside.match) beside.hide();
  else if (first) beside.show(turn.number, first);
}

// ---- Where one is -------------------------------------------------------------------------------

function drawTimeline() {
  const found = turn?.case;
  if (!found) return;
  const length = Math.max(source.length, found.source.duration_s ?? 0, found.spans_s.at(-1)?.[1] ?? 0);
  timeline.draw(found, length);
  byId("position").max = Math.max(length, 0.1);
}

function refresh() {
  const found = turn?.case;
  if (!found) return;
  if (Math.abs(Number(byId("position").max) - source.length) > 0.5 && source.ready) drawTimeline();
  const at = source.position;
  timeline.move(at);
  beside.follow(source);
  byId("position").value = at;
  const words = `${clock(at)} of ${clock(timeline.length)}`;
  byId("clock").textContent = words;
  byId("position").setAttribute("aria-valuetext", [words, source.words].filter(Boolean).join(", "));
  byId("play").firstChild.textContent = source.playing ? "Pause " : "Play ";
}

// ---- Time that is looked at, and breaks -----------------------------------------------------------

function startClock() {
  let last = performance.now();
  new IntersectionObserver((entries) => {
    onScreen = entries.at(-1).isIntersecting;
  }).observe(byId("source").querySelector(".frame"));
  setInterval(() => {
    const now = performance.now();
    // A machine that slept was not looked at.
    const passed = Math.min(now - last, 5 * TICK_MS) / 1000;
    last = now;
    if (document.hidden || document.querySelector("dialog[open]")) return;
    sinceBreak += passed;
    if (turn?.case && source.ready && onScreen) viewed += passed;
    byId("seen").textContent = `Looked at for ${Math.floor(viewed)} s`;
    const limit = Number(document.documentElement.dataset.breakAfterMin) * 60;
    if (limit > 0 && sinceBreak >= limit) proposeBreak();
  }, TICK_MS);
}

function proposeBreak() {
  sinceBreak = 0;
  sight.cover();
  byId("break").showModal();
}

// ---- Keys and buttons ---------------------------------------------------------------------------

function onKey(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
  const writing = event.target.matches("textarea");
  if (event.key === "Escape") {
    if (writing) byId("title").focus();
    else if (!byId("reasons").hidden) byId("cancel").click();
    return;
  }
  if (writing || !byId("keys-on").checked) return;
  const onControl = event.target.matches("button, input");
  if (onControl && (event.key === " " || event.key === "Enter")) return;
  if (event.target.matches("input") && event.key.startsWith("Arrow")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key; // Caps Lock
  if (press(key, event.repeat)) event.preventDefault();
}

// Whether the key stands for something here.
function press(key, repeated) {
  const moves = ["ArrowLeft", "ArrowRight"].includes(key);
  if (key === "h") {
    // A key that is still held was pressed for what was there before.
    if (!repeated) sight.hold(true);
    return true;
  }
  if (repeated && !moves) return key in KEYS;
  if (key === "n" && turn?.case) {
    byId("note").focus();
    return true;
  }
  if (!byId("reasons").hidden && /^[1-4]$/.test(key)) {
    byId("reasons").querySelectorAll("[data-reason]")[Number(key) - 1].click();
    return true;
  }
  const id = key === "z" && !turn?.case ? "undo-last" : KEYS[key];
  if (!id || (!turn?.case && !["help", "undo-last"].includes(id))) return false;
  byId(id).click();
  return true;
}

function listen() {
  const does = {
    play: () => source.toggle(), back: () => source.step(-1), on: () => source.step(1),
    previous: () => toSegment(-1), next: () => toSegment(1), whole: toggleWhole,
    reveal: () => say(sight.clearer()), cover: () => sight.cover(), colour: () => sight.toggleColour(), sound: () => sight.toggleSound(),
    smaller: () => sight.resize(-1), larger: () => sight.resize(1), beside: toggleExemplar,
    uphold: () => decide("uphold", null), escalate: () => decide("escalate", null),
    overturn: () => (byId("reasons").hidden ? openReasons() : closeReasons()),
    cancel: () => { closeReasons(); byId("overturn").focus(); },
    skip, undo, "undo-last": undo,
    help: () => byId("help-page").showModal(), "help-close": () => byId("help-page").close(),
    "break-over": () => byId("break").close(),
  };
  for (const [id, act] of Object.entries(does)) byId(id).addEventListener("click", act);
  for (const each of byId("reasons").querySelectorAll("[data-reason]"))
    each.addEventListener("click", () => decide("overturn", each.dataset.reason));
  byId("position").addEventListener("input", (event) => seek(Number(event.target.value)));
  sight.listenToHold(byId("hold"));
  document.addEventListener("keydown", onKey);
  document.addEventListener("visibilitychange", () => document.hidden && sight.cover());
}

listen();
startClock();
if (sight.covers) ask(() => get("/api/case"), "");
else
  byId("alert").textContent =
    "Nothing is shown, for it could not be blurred: the page's style did not come, or this browser does not know it. Load the page again, or take a newer browser.";
