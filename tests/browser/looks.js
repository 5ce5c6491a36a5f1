/*
 * How pages look, for everybody: axe without violations in light and dark, nothing wider than the window at three widths, a skip link, focus that is seen, one
 * heading on top, no script or style but the gateway's own. Reads {base, role, pages: [path], actions: [{path,
 * least}], roles: [{role, headers, pages}], headers, cookies, shots: folder or "", small: what fits in the
 * window alone, widths, schemes} from standard input; says
 * what is wrong, a line each, and ends with 1 when anything is.
 */
"use strict";
const fs = require("fs");
const { open, trouble, say, fits, axe } = require("./browser.js");

async function structure(page) {
	return page.evaluate(() => {
		const bad = [], levels = [...document.querySelectorAll("h1,h2,h3,h4")].map(h => Number(h.tagName[1]));
		if (levels.filter(n => n === 1).length !== 1)
			bad.push("h1 is there " + levels.filter(n => n === 1).length + " times");
		levels.forEach((n, i) => { if (i && n > levels[i - 1] + 1) bad.push("a heading h" + n + " follows h" + levels[i - 1]); });
		for (const e of document.querySelectorAll("[style], [onclick], [onload], script:not([src]), style"))
			bad.push("inline: " + e.outerHTML.slice(0, 80));
		if (window.owned)
			bad.push("a name from outside was run as a script");
		return bad;
	});
}

/* By the keyboard alone: the first stop is the skip link, it leads to the content, and what has the focus is seen to have it. */
async function keyboard(page) {
	const bad = [];
	await page.keyboard.press("Tab");
	const first = await page.evaluate(() => document.activeElement.getAttribute("href"));
	if (first !== "#main")
		bad.push("the first stop of the keyboard is not the skip link: " + first);
	for (let i = 0; i < 12; i++) {
		const where = await page.evaluate(() => {
			const e = document.activeElement, s = getComputedStyle(e);
			if (e === document.body)
				return "";
			return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 ? "" : e.outerHTML.slice(0, 80);
		});
		if (where)
			bad.push("focus is not seen on " + where);
		await page.keyboard.press("Tab");
	}
	await page.keyboard.press("Home");
	await page.evaluate(() => document.querySelector(".skip").focus());
	await page.keyboard.press("Enter");
	if (await page.evaluate(() => document.activeElement.id) !== "main")
		bad.push("the skip link does not lead to the content");
	return bad;
}

/* No form that the role may not send. */
async function offered(page, asked, where) {
	const forms = await page.evaluate(() => [...document.querySelectorAll("form[method=post]")].map(f => new URL(f.action).pathname));
	for (const path of forms) {
		const a = asked.actions.find(x => new RegExp("^" + x.path.replace(/\{2?\}/g, "[^/]+") + "$").test(path));
		if (path !== "/logout" && path !== "/login" && !a)
			trouble(where, "a form leads to " + path + ", which is no action");
		else if (a && a.least > asked.role)
			trouble(where, `${path} is offered to role ${asked.role}, which may not do it`);
	}
	return forms.length;
}

async function one(page, path, asked, scheme, width) {
	const where = `${path} ${scheme} ${width}`;
	await page.setViewportSize({ width, height: 900 });
	const r = await page.goto(asked.base + path);
	if (r.status() !== 200)
		return trouble(where, "status " + r.status());
	await fits(page, where);
	await axe(page, where);
	await offered(page, asked, where);
	if (scheme === "light")
		for (const b of await structure(page))
			trouble(where, b);
	if (scheme === asked.schemes[0] && width === asked.widths[asked.widths.length - 1])
		for (const b of await keyboard(page))
			trouble(where, b);
}

async function shot(page, path, asked, scheme, width) {
	const name = (path.replace(/\?.*/, "").replace(/[^a-z0-9.]+/gi, "-").replace(/^-|-$/g, "") || "overview") + `-${width}${scheme === "dark" ? "-dark" : ""}.png`;
	await page.goto(asked.base + path);
	await page.screenshot({ path: asked.shots + "/" + name, fullPage: !asked.small, scale: "css" });
}

/* The other roles: only what is offered. */
async function roles(asked) {
	for (const who of asked.roles) {
		const { page, close } = await open({ ...asked, ...who }, {});
		for (const path of who.pages) {
			const r = await page.goto(asked.base + path);
			if (r.status() !== 200)
				trouble(`${path} role ${who.role}`, "status " + r.status());
			await offered(page, { ...asked, ...who }, `${path} role ${who.role}`);
		}
		await close();
	}
}

async function main() {
	const asked = JSON.parse(fs.readFileSync(0, "utf8"));
	await roles(asked);
	for (const scheme of asked.schemes) {
		const { page, close } = await open(asked, { colorScheme: scheme, axe: true });
		for (const path of asked.pages)
			for (const width of asked.widths) {
				await one(page, path, asked, scheme, width);
				if (asked.shots && (scheme === "light" || width === 1280))
					await shot(page, path, asked, scheme, width);
			}
		await close();
	}
	say();
}

main().catch(e => { console.log(e.stack); process.exit(1); });
