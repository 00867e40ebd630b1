// Requests to the server that this page came from, and its refusals as errors with words.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function answered(request) {
  let answer;
  try {
    answer = await request;
  } catch {
    throw new Refused(0, "The server does not answer. What was acknowledged is in the log; start it again.");
  }
  if (answer.ok) return answer.json();
  let told;
  try {
    const { message, remedy } = await answer.json();
    told = [message, remedy].filter(Boolean).join(". ");
  } catch {
    told = `The server refused (${answer.status}).`;
  }
  throw new Refused(answer.status, told);
}

export function get(path) {
  return answered(fetch(path, { credentials: "same-origin" }));
}

export function post(path, body) {
  return answered(
    fetch(path, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    }),
  );
}
