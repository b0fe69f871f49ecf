// Runs the examples of docs/protocol.md as they stand there. Arguments: the page, the server's URL, a token, a job.
// Prints JSON lines [example, event, data]; ends when both have seen the ending.
import { readFileSync } from "node:fs";

const [page, base, token, job] = process.argv.slice(2);
const code = [...readFileSync(page, "utf8").matchAll(/^```js\n(.*?)^```/gms)].map((match) => match[1]).join("\n");
const { watchBySocket, watchByFetch } = new Function(`${code}; return { watchBySocket, watchByFetch };`)();

const ended = new Set();
const show = (example) => (event, data) => {
  console.log(JSON.stringify([example, event, data]));
  if (event === "completed") ended.add(example);
  if (ended.size === 2) process.exit(0);
};
watchBySocket(base, async () => token, job, show("socket"));
watchByFetch(base, async () => token, job, show("fetch"));
