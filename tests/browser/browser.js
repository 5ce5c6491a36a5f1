/* A browser for the scripts here: Debian's chromium by playwright-core. What it says on its console is trouble: a refused script or style is seen there. */
"use strict";
const fs = require("fs");
const { chromium } = require("playwright-core");

let found = 0;

function trouble(where, what) {
	found++;
	console.log(`${where}: ${what}`);
}

/* Ends the process. */
function say() {
	process.exit(found ? 1 : 0);
}

async function open(asked, more) {
	const { axe, ...options } = more || {};
	const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] });
	const context = await browser.newContext({ extraHTTPHeaders: asked.headers || {}, ignoreHTTPSErrors: true, reducedMotion: "reduce", ...options });
	if (asked.cookies)
		await context.addCookies(asked.cookies);
	const page = await context.newPage();
	if (axe) /* in a world of its own: the policy of the page stands */
		await page.addInitScript(fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8"));
	page.on("console", m => { if (m.type() === "error" && !/Failed to load resource/.test(m.text())) trouble(page.url(), "console: " + m.text().slice(0, 300)); });
	page.on("pageerror", e => trouble(page.url(), "script: " + e.message));
	return { browser, context, page, close: () => browser.close() };
}

/* Nothing is wider than the window. */
async function fits(page, where) {
	const said = await page.evaluate(() => {
		const room = document.documentElement.clientWidth;
		if (document.documentElement.scrollWidth <= room)
			return "";
		const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > room + 1 && !e.closest(".scroll, pre"));
		return "the page is " + document.documentElement.scrollWidth + " wide: " + out.slice(0, 3).map(e => e.tagName + "." + e.className).join(", ");
	});
	if (said)
		trouble(where, said);
}

/* Of a page that was opened with axe. */
async function axe(page, where) {
	for (const v of await page.evaluate(async () => (await axe.run(document, { resultTypes: ["violations"] })).violations))
		trouble(where, `axe ${v.id}: ${v.help}: ${v.nodes.slice(0, 2).map(n => n.html.slice(0, 140)).join(" | ")}`);
}

module.exports = { open, trouble, say, fits, axe };
