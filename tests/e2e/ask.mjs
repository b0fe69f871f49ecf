// One stock client connects, emits, pings, and prints what it was told until it has the pong and as many answers
// (`error` or `job_status`) as it waits for.
import { io } from "socket.io-client";

const config = JSON.parse(process.argv[2]);
const told = { connected: false, connect_error: null, events: [] };
const socket = io(config.url, { auth: config.auth, transports: [config.transport], reconnection: false, timeout: 15000 });

function finish() {
  socket.offAny();
  console.log(JSON.stringify(told));
  socket.disconnect();
  clearTimeout(timer);
}

const timer = setTimeout(finish, 20000);
socket.on("connect", () => {
  told.connected = true;
  for (const args of config.emits) socket.emit(...args);
  socket.emit("ping");
});
socket.on("connect_error", (error) => {
  told.connect_error = { message: error.message, data: error.data };
  finish();
});
socket.on("disconnect", (reason) => (told.disconnected = reason));
socket.onAny((name, data) => {
  told.events.push([name, data]);
  const count = (...names) => told.events.filter(([told]) => names.includes(told)).length;
  if (count("pong") >= 1 && count("error", "job_status") >= config.answers) finish();
});
