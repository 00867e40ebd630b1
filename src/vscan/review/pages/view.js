// A case in words: which policy, what was found and when, what there is to know of it.

import { clock, count, element, plain, span } from "./words.js";

const byId = (id) => document.getElementById(id);

export function showCase(found, before, seek, beside) {
  const policy = found.policy ?? "Whole verdict";
  byId("title").textContent = found.title ? `${found.title} (${policy})` : policy;
  byId("name").textContent = found.name;
  byId("facts").textContent = facts(found).join(" · ");
  byId("description").textContent = found.description ?? "";
  byId("before").textContent = before
    ? `You ruled: ${before.ruling}${before.reason ? `, ${plain(before.reason)}` : ""}. It stands until you decide again.`
    : "";
  byId("remarks").replaceChildren(...remarks(found).map((each) => element("li", each)));
  byId("segments").replaceChildren(...found.segments.map((each, at) => segment(each, at, seek)));
  byId("evidence").replaceChildren(...found.evidence.map((each) => evidence(each, seek, beside)));
  byId("segments-title").hidden = !found.segments.length;
  byId("evidence-title").hidden = !found.evidence.length;
}

function facts(found) {
  const source = found.source;
  const told = [];
  if (found.severity) told.push(`severity ${found.severity}`);
  if (found.flagged) {
    told.push(`recommends ${found.action}`);
    told.push(`score ${found.score.toFixed(2)}, threshold ${found.threshold.toFixed(2)}`);
  }
  if (source.duration_s !== null) told.push(`${clock(source.duration_s)} long`);
  if (source.width) told.push(`${source.width} × ${source.height} ${source.codec ?? ""}`.trim());
  return told;
}

function remarks(found) {
  const told = [];
  if (found.error) told.push(`It could not be read: ${found.error}`);
  if (!found.flagged && found.policy)
    told.push(
      "The policy did not fire on this video. Uphold: there is nothing of it. " +
        "Overturn, missed segment: there is.",
    );
  if (!found.policy && !found.error)
    told.push("Nothing was found, but not all of it could be looked at.");
  told.push(...found.reasons.map(plain), ...found.warnings.map(plain));
  if (found.gaps_s.length) told.push(`not seen: ${found.gaps_s.map(span).join(", ")}`);
  return told;
}

function segment(each, at, seek) {
  const words = `${at + 1}. ${span([each.start_s, each.end_s])}, score ${each.score.toFixed(2)}, peak at ${clock(each.peak_s)}`;
  const button = element("button", words, { type: "button" });
  button.addEventListener("click", () => seek(each.start_s));
  return wrapped(button);
}

function evidence(each, seek, beside) {
  const button = element("button", words(each), { type: "button" });
  const at = each.source_span_s?.[0] ?? each.time_s;
  button.addEventListener("click", () => {
    seek(at);
    if (each.part && each.at_hand) beside(each);
  });
  return wrapped(button);
}

function words(each) {
  if (each.kind === "prompt")
    return `Prompt “${each.prompt}” at ${clock(each.time_s)}: score ${each.score.toFixed(2)}`;
  const how = [`score ${each.score.toFixed(2)}`];
  if (each.distance !== undefined) how.push(`distance ${each.distance} of 256`);
  if (each.similarity !== undefined) how.push(`similarity ${each.similarity.toFixed(3)}`);
  if (each.inliers !== undefined) how.push(count(each.inliers, "inlier"));
  if (each.transform !== "identity") how.push(plain(each.transform));
  if (each.speed !== 1) how.push(`${each.speed} times the speed`);
  if (each.note) how.push(each.note);
  how.push(each.at_hand ? "exemplar at hand" : "exemplar not at hand");
  return `${each.signal} match: ${span(each.source_span_s)} is ${each.exemplar} of ${each.index} at ${span(each.exemplar_span_s)}; ${how.join(", ")}`;
}

function wrapped(child) {
  const item = document.createElement("li");
  item.append(child);
  return item;
}
