/*
 * A person at the browser, for the scripts here: pages, buttons by their words, what stands in the main part, signing in; look() says how a page looks (and leaves its
 * picture). What was asked comes from standard input: {base, password, script: bool, schemes, widths, shots: folder or "", small:
 * one picture of each page, ...}.
 */
"use strict";
const fs = require("fs");
const { open, trouble, fits, axe } = require("./browser.js");

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const how = asked.script ? "with scripts" : "without scripts";

class Hand {
	/* Without scripts: those of the page come empty, those of the test do what they do. */
	static async make() {
		const h = new Hand();
		Object.assign(h, await open(asked, { javaScriptEnabled: true, axe: true }));
		h.where = "";
		h.page.setDefaultTimeout(15000);
		if (!asked.script)
			await h.context.route("**/*.js", r => r.fulfill({ contentType: "text/javascript", body: "" }));
		return h;
	}

	async at(path) {
		this.where = `${path} ${how}`;
		const r = await this.page.goto(asked.base + path);
		if (r.status() !== 200)
			trouble(this.where, "status " + r.status());
	}

	wrong(what) {
		trouble(this.where, what);
	}

	/* A button by its words, and the page to which it leads. */
	async press(name, within) {
		const box = within ? this.page.locator(within) : this.page;
		await Promise.all([this.page.waitForNavigation(), box.getByRole("button", { name }).first().click()]);
	}

	text() {
		return this.page.locator("main").innerText();
	}

	async says(words) {
		const text = await this.text();
		if (text.includes(words))
			return;
		this.wrong(`"${words}" is not on ${this.page.url()}: ${text.slice(0, 500).replace(/\s+/g, " ")}`);
		throw new Error("stopped at " + this.where);
	}

	async says_not(words) {
		if ((await this.text()).includes(words))
			this.wrong(`"${words}" is on ${this.page.url()}, where it should not be`);
	}

	/* The page renews itself, or is asked for anew where there are no scripts. */
	async until(words, seconds) {
		for (const end = Date.now() + 1000 * (seconds || 60); Date.now() < end; await this.page.waitForTimeout(100)) {
			if ((await this.text().catch(() => "")).includes(words))
				return;
		}
		await this.says(words);
	}

	async fill(user, password) {
		await this.page.fill("#user", user);
		await this.page.fill("#password", password);
		await this.press("Sign in");
	}

	/* The value of the cookie. */
	async sign_in(user) {
		await this.page.goto(asked.base + "/");
		this.where = "sign in " + how;
		if (new URL(this.page.url()).pathname !== "/login")
			this.wrong("who has not signed in is not led to the form but to " + this.page.url());
		await this.fill(user, "not the password of anybody");
		await this.says("are not right");
		if (await this.page.inputValue("#user") !== user || await this.page.inputValue("#password"))
			this.wrong("the form forgot the name, or shows a password");
		await this.fill(user, asked.password);
		if (new URL(this.page.url()).pathname !== "/")
			this.wrong("signed in, but at " + this.page.url());
		const cookies = await this.page.context().cookies();
		if (cookies.length !== 1 || !cookies[0].httpOnly || cookies[0].sameSite !== "Strict" || cookies[0].path !== "/")
			this.wrong("the cookie is " + JSON.stringify({ ...cookies[0], value: "" }));
		return cookies[0].value;
	}

	/* As a mouse drops it. */
	async drop(file, zone) {
		const data = await this.page.evaluateHandle(([name, base64]) => {
			const d = new DataTransfer();
			d.items.add(new File([Uint8Array.from(atob(base64), c => c.charCodeAt(0))], name));
			return d;
		}, [file.replace(/.*\//, ""), fs.readFileSync(file).toString("base64")]);
		await this.page.dispatchEvent(zone || "[data-drop]", "drop", { dataTransfer: data });
	}

	/* Dropped where there are scripts, else chosen. */
	async give(file, input) {
		if (asked.script)
			await this.drop(file, `[data-drop]:has(${input})`);
		else
			await this.page.setInputFiles(input, file);
	}

	/* The page that only a form leads to, in all schemes and widths; name is its picture's (alone: none for the documentation). The size that it had comes back. */
	async look(name, alone) {
		if (!asked.schemes)
			return;
		for (const colorScheme of asked.schemes) {
			await this.page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
			for (const width of asked.widths) {
				const where = `${name} ${colorScheme} ${width}`;
				await this.page.setViewportSize({ width, height: 900 });
				await fits(this.page, where);
				await axe(this.page, where);
				await this.page.evaluate(() => window.scrollTo(0, 0));
				if (asked.shots && (asked.small ? !alone && colorScheme === "light" && width === 1280 : colorScheme === "light" || width === 1280))
					await this.page.screenshot({ path: `${asked.shots}/${name}-${width}${colorScheme === "dark" ? "-dark" : ""}.png`, fullPage: true, scale: "css" });
			}
		}
		await this.page.emulateMedia({ colorScheme: "light", reducedMotion: "reduce" });
		await this.page.setViewportSize({ width: 1280, height: 900 });
	}
}

module.exports = { Hand, asked, how };
