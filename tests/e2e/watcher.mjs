// Watches with a stock socket.io-client. See watch_log.py for the argument and what it does. Besides, "churn": N leaves
// the job of every Nth update and joins it again.
import { openSync, writeSync } from "node:fs";

import { io } from "socket.io-client";

const config = JSON.parse(process.argv[2]);
const file = openSync(config.log, "a");
const endings = new Set(["completed", "failed", "cancelled", "blocked"]);

let connections = 0;
let saidJoined = false;
let phase = "watching";
let seen;
let updates = 0;

const write = (line) => writeSync(file, JSON.stringify(line) + "\n");
const conn = () => `${config.name}#${connections}`;
const all = (done) => config.jobs.every((job) => done.has(job));
const transport = () => socket.io.engine?.transport?.name;
const reset = () => (seen = { states: new Set(), updated: new Set(), ended: new Set(), left: new Set(), away: new Set(), ponged: false });
reset();

const socket = io(config.url, {
  auth: { token: config.token },
  transports: config.transports,
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
});

socket.on("connect", () => {
  connections += 1;
  phase = "watching";
  reset();
  write({ t: "open", conn: conn(), transport: transport(), recovered: socket.recovered });
  const { engine } = socket.io;
  engine.on("upgrade", (to) => write({ t: "upgrade", conn: conn(), transport: to.name }));
  for (const job of config.jobs) socket.emit("join_job", { job_id: job });
});

socket.on("connect_error", (error) => write({ t: "connect_error", message: error.message, data: error.data }));
socket.on("disconnect", (reason) => write({ t: "close", conn: conn(), reason }));

socket.onAny((name, data, ...more) => {
  write({ t: "event", conn: conn(), name, data, ...(more.length > 0 && { more }) });
  const job = data?.job_id;
  if (name === "job_status") seen.states.add(job);
  if (name === "job_update") seen.updated.add(job);
  if (name === "job_update" && endings.has(data?.status)) seen.ended.add(job);
  if (phase === "watching" && config.churn) churn(name, data);
  if (name === "job_unsubscribed") seen.left.add(job);
  if (name === "pong") seen.ponged = true;
  if (!saidJoined && all(seen.states) && all(seen.updated)) {
    saidJoined = true;
    console.log("joined");
  }
  advance();
});

function churn(name, { job_id: job, status } = {}) {
  if (name === "job_update" && !endings.has(status) && !seen.away.has(job) && ++updates % config.churn === 0) {
    seen.away.add(job);
    socket.emit("leave_job", { job_id: job });
  }
  if (name === "job_unsubscribed") {
    seen.away.delete(job);
    seen.ended.delete(job);
    socket.emit("join_job", { job_id: job });
  }
}

function advance() {
  if (phase === "watching" && all(seen.ended) && seen.away.size === 0) {
    phase = "leaving";
    complete(true);
    for (const job of config.jobs) socket.emit("leave_job", { job_id: job });
    socket.emit("ping");
  } else if (phase === "leaving" && all(seen.left) && seen.ponged) {
    phase = "gone";
    leave(0);
  }
}

function complete(inTime) {
  write({ t: "complete", transport: transport(), ...(!inTime && { timed_out: true }) });
  console.log(inTime ? "done" : "timed out");
}

function leave(code) {
  clearTimeout(timer);
  process.exitCode = code;
  socket.disconnect();
  const force = setTimeout(() => {
    write({ t: "lingered" }); // the server did not answer the poll that was open
    process.exit(code);
  }, 3000);
  force.unref();
}

const timer = setTimeout(() => {
  if (phase === "watching") complete(false);
  leave(1);
}, config.timeout_s * 1000);
