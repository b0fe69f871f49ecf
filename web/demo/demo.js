// Watches one job with the stock Socket.IO client, as any dashboard would.
//
//   /demo#token=JWT&job=ID   that job
//   /demo                    the server's own demo job (--dev only): /demo/session.json says which, and gives a token
"use strict";

const endings = new Set(["completed", "failed", "cancelled", "blocked"]);
const events_shown = 12;
const ask_again_ms = 1500;

const at = (id) => document.getElementById(id);

/** Token and job of this page; null where the server has no demo. */
async function find_session() {
  const given = new URLSearchParams(location.hash.slice(1));
  if (given.has("token") && given.has("job")) {
    return { token: given.get("token"), job_id: given.get("job"), fixed: true };
  }
  const answer = await fetch("/demo/session.json", { cache: "no-store" });
  return answer.ok ? await answer.json() : null;
}

// --- what the page shows

function show_connection(state, words = state) {
  at("connection").dataset.state = state;
  at("connection").textContent = words;
}

function show_job(job_id) {
  at("job-id").textContent = job_id;
  show_update({ status: "waiting", progress: 0, message: "", stage: "" });
  at("events").replaceChildren();
}

function show_update(update) {
  const progress = Number(update.progress) || 0;
  at("fill").style.width = `${progress}%`;
  at("fill").dataset.status = update.status;
  at("bar").setAttribute("aria-valuenow", String(progress));
  at("percent").textContent = `${Math.round(progress * 10) / 10}\u202f%`;
  at("status").textContent = update.status;
  at("status").dataset.status = update.status;
  if (update.stage !== undefined) {
    at("stage").textContent = update.stage ?? "";
  }
  if (update.message !== undefined) {
    at("message").textContent = update.message ?? "";
  }
}

function list_event(update) {
  const line = document.createElement("li");
  const add = (name, text) => {
    const cell = document.createElement("span");
    cell.className = name;
    cell.textContent = text;
    line.append(cell);
  };
  const time = update.timestamp ? new Date(update.timestamp) : new Date();
  add("time", time.toLocaleTimeString([], { hour12: false }) + "." + String(time.getMilliseconds()).padStart(3, "0"));
  add("status-word", update.status);
  add("number", `${update.progress ?? 0}\u202f%`);
  add("words", update.message ?? "");
  at("events").prepend(line);
  while (at("events").children.length > events_shown) {
    at("events").lastChild.remove();
  }
}

// --- the way of an update

let session = null;
let socket = null;
let asking = false;

const is_ours = (update) => session && String(update.job_id) === String(session.job_id);

function on_update(update) {
  if (!is_ours(update)) {
    return;
  }
  show_update(update);
  list_event(update);
  if (endings.has(update.status) && !session.fixed) {
    next_job();
  }
}

/** The demo starts a new job when one has ended: asks until it has. */
async function next_job() {
  if (asking) {
    return;
  }
  asking = true;
  const ended = session.job_id;
  try {
    while (session.job_id === ended) {
      await new Promise((done) => setTimeout(done, ask_again_ms));
      const next = await find_session().catch(() => null);
      if (next && next.job_id !== ended) {
        if (socket.connected) {
          socket.emit("leave_job", { job_id: ended });
        }
        session = next;
        show_job(session.job_id);
        join();
      }
    }
  } finally {
    asking = false;
  }
}

function join() {
  if (socket.connected) {
    socket.emit("join_job", { job_id: session.job_id });
  }
}

/** A token does not last for ever: the next attempt to connect takes a new one. */
async function renew_session() {
  const next = await find_session().catch(() => null);
  if (next) {
    if (next.job_id !== session.job_id) {
      show_job(next.job_id);
    }
    session = next;
  }
}

async function start() {
  show_connection("connecting");
  session = await find_session().catch(() => null);
  if (!session) {
    show_connection("refused", "no job to watch");
    at("message").textContent = "Open this page as /demo#token=TOKEN&job=ID, or run the server with --dev.";
    return;
  }
  show_job(session.job_id);

  socket = io({ path: session.path ?? "/socket.io/", auth: (give) => give({ token: session.token }) });
  socket.on("connect", () => {
    show_connection("connected", `connected by ${socket.io.engine.transport.name}`);
    socket.io.engine.once("upgrade", (transport) => show_connection("connected", `connected by ${transport.name}`));
    join(); // after every reconnect, too
  });
  socket.on("disconnect", (reason) => show_connection("connecting", `disconnected: ${reason}`));
  socket.on("connect_error", async (error) => {
    show_connection("refused", `not connected: ${error.message}`);
    if (!socket.active) { // refused by the server: the client does not try again by itself
      await new Promise((done) => setTimeout(done, ask_again_ms));
      await renew_session();
      socket.connect();
    }
  });
  socket.on("job_status", on_update);
  socket.on("job_update", on_update);
  socket.on("error", (error) => {
    at("message").textContent = error.message ?? "The server refused.";
    if (!session.fixed) {
      next_job();
    }
  });
}

window.addEventListener("hashchange", () => location.reload());
start();
