// A stock socket.io-client. See peer.py.
import { createInterface } from "node:readline";

import { io } from "socket.io-client";

const config = JSON.parse(process.argv[2]);
const tell = (t, line) => console.log(JSON.stringify({ t, ...line }));
const jobs = new Set();

const socket = io(config.url, {
  auth: { token: config.token },
  transports: config.transports,
  reconnectionDelay: 100,
  reconnectionDelayMax: 500,
});

socket.io.on("open", () => socket.io.engine.on("upgrade", (to) => tell("upgrade", { transport: to.name })));
socket.on("connect", () => {
  tell("connect", { transport: socket.io.engine.transport.name });
  for (const job of jobs) socket.emit("join_job", { job_id: job });
});
socket.on("disconnect", (reason) => tell("disconnect", { reason }));
socket.onAny((name, data) => tell("event", { name, data }));

const lines = createInterface({ input: process.stdin });
lines.on("line", (line) => {
  const [verb, argument] = line.split(" ");
  if (verb === "renew") return socket.emit("auth", { token: argument });
  if (verb === "join") jobs.add(argument);
  else jobs.delete(argument);
  socket.emit(`${verb}_job`, { job_id: argument });
});
lines.on("close", () => socket.disconnect());
