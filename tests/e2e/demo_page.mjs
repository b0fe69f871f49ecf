// Opens /demo in a real browser and says when its bar has moved: node demo_page.mjs URL [SCREENSHOT.png]
import { chromium } from "playwright-core";

const [, , url, screenshot] = process.argv;
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on("console", (line) => line.type() === "error" && complaints.push(line.text()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`${url}/demo`);
  const bar_beyond = (percent) =>
    page.waitForFunction((least) => Number(document.getElementById("bar").getAttribute("aria-valuenow")) > least, percent, { timeout: 30_000 });
  const bar = () => page.locator("#bar").getAttribute("aria-valuenow").then(Number);
  await bar_beyond(0);
  const first = await bar();
  await bar_beyond(first);
  const status = await page.locator("#status").textContent();
  if (screenshot) {
    await page.screenshot({ path: screenshot });
  }
  console.log(JSON.stringify({ first, then: await bar(), status, complaints }));
} finally {
  await browser.close();
}
