// Measures pages of a rendered site with Lighthouse, as on a phone, served with gzip: node tests/lighthouse.mjs _site
// Ends with 1 if a page has less than 97 for performance or less than 100 for accessibility, best practices or SEO.
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { pathToFileURL } from "node:url";
import zlib from "node:zlib";

const modules = path.resolve(process.env.LIGHTHOUSE ?? ".venv/lighthouse", "node_modules");
const load = (file) => import(pathToFileURL(path.join(modules, file)).href);
const { default: lighthouse } = await load("lighthouse/core/index.js");
const { launch } = await load("chrome-launcher/dist/index.js");

const LEAST = { performance: 97, accessibility: 100, "best-practices": 100, seo: 100 };
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };
const root = path.resolve(process.argv[2] ?? "_site");
const persona = fs.readdirSync(path.join(root, "site/segments")).find((name) => name !== "index.html");
const named = ["index", "compare", "act", "finder", "evidence", "stability", "explore", "data", "downloads"];
const pages = [...named.map((name) => `site/${name}.html`), `site/segments/${persona}`, "site/manual/reproduce.html"];

const server = http.createServer((request, response) => {
  const file = path.join(root, decodeURIComponent(new URL(request.url, "http://x").pathname));
  if (!file.startsWith(root) || !fs.existsSync(file) || fs.statSync(file).isDirectory()) {
    response.writeHead(404).end();
    return;
  }
  const type = TYPES[path.extname(file)] ?? "application/octet-stream";
  response.writeHead(200, { "content-type": type, "content-encoding": "gzip", "cache-control": "max-age=600" });
  response.end(zlib.gzipSync(fs.readFileSync(file)));
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const browser = await launch({ chromeFlags: ["--headless", "--no-sandbox", "--disable-gpu"] });
let failed = false;
for (const page of pages) {
  const address = `http://127.0.0.1:${server.address().port}/${page}`;
  const { lhr } = await lighthouse(address, { port: browser.port, logLevel: "silent" });
  const scores = Object.keys(LEAST).map((name) => Math.round(100 * lhr.categories[name].score));
  failed ||= Object.values(LEAST).some((least, i) => scores[i] < least);
  const times = ["first-contentful-paint", "largest-contentful-paint", "total-blocking-time", "cumulative-layout-shift"];
  console.log(page.padEnd(44), scores.join(" / "), ...times.map((name) => lhr.audits[name].displayValue));
}
await browser.kill();
server.close();
process.exitCode = failed ? 1 : 0;
