/*
 * What people do, by hand of the browser, with and without JavaScript: signing in and out, every action of the pages of trust and of users. Reads {base, password,
 * script: bool, files: {...}, names: {...}} from standard input; says what is wrong and ends with 1 when anything is.
 */
"use strict";
const fs = require("fs");
const { open, trouble, say } = require("./browser.js");

const asked = JSON.parse(fs.readFileSync(0, "utf8"));
const how = asked.script ? "with scripts" : "without scripts";
let page, where = "";

async function at(path) {
	where = `${path} ${how}`;
	const r = await page.goto(asked.base + path);
	if (r.status() !== 200)
		trouble(where, "status " + r.status());
}

/* A button or link by its words, and the page to which it leads. */
async function press(name, within) {
	const box = within ? page.locator(within) : page;
	await Promise.all([page.waitForNavigation(), box.getByRole("button", { name }).first().click()]);
}

async function says(words) {
	const text = await page.locator("main").innerText();
	if (!text.includes(words)) {
		trouble(where, `"${words}" is not on ${page.url()}: ${text.slice(0, 500).replace(/\s+/g, " ")}`);
		throw new Error("stopped at " + where);
	}
}

async function sign_in(user, password) {
	await page.fill("#user", user);
	await page.fill("#password", password);
	await press("Sign in");
}

async function signing_in(user) {
	await page.goto(asked.base + "/");
	where = "sign in " + how;
	if (new URL(page.url()).pathname !== "/login")
		trouble(where, "who has not signed in is not led to the form but to " + page.url());
	await sign_in(user, "not the password of anybody");
	await says("are not right");
	if (await page.inputValue("#user") !== user || await page.inputValue("#password"))
		trouble(where, "the form forgot the name, or shows a password");
	await sign_in(user, asked.password);
	if (new URL(page.url()).pathname !== "/")
		trouble(where, "signed in, but at " + page.url());
	const cookies = await page.context().cookies();
	if (cookies.length !== 1 || !cookies[0].httpOnly || cookies[0].sameSite !== "Strict" || cookies[0].path !== "/")
		trouble(where, "the cookie is " + JSON.stringify({ ...cookies[0], value: "" }));
	return cookies[0].value;
}

async function decisions() {
	await at("/pending/" + asked.names.approve);
	await page.fill("#achannel", "phone");
	await page.fill("#areason", "compared with Ms Weber");
	await page.fill("#afingerprint", "00".repeat(32));
	await press("Approve");
	await says("another fingerprint");
	if (await page.inputValue("#areason") !== "compared with Ms Weber")
		trouble(where, "what was typed is lost with the error");
	await page.fill("#afingerprint", asked.names.fingerprint);
	await press("Approve");
	await says("The statement is approved");
	await at("/pending/" + asked.names.refuse);
	await page.fill("#rchannel", "letter");
	await page.fill("#rreason", "not theirs");
	await press("Refuse");
	await says("The statement is refused");
}

async function drop(file) {
	const data = await page.evaluateHandle(([name, text]) => {
		const d = new DataTransfer();
		d.items.add(new File([text], name));
		return d;
	}, ["dropped.pem", fs.readFileSync(file, "utf8")]);
	await page.dispatchEvent("[data-drop]", "drop", { dataTransfer: data });
}

async function certificates() {
	await at("/certificates/import");
	await page.fill("#owner", "lab.example");
	if (asked.script)
		await drop(asked.files.lab);
	else
		await page.fill("#content-text", fs.readFileSync(asked.files.lab, "utf8"));
	await press("Show what is in it");
	await says("1 certificate is in the file");
	await press("Store those marked");
	await says("The certificates are stored.");
	await says("CN=lab");
	await press(/^Remove/);
	await says("Remove this certificate of lab.example?");
	await press("Remove it");
	await says("The certificate is removed.");
	for (const kind of ["script", "crlf", "direction", "template", "long", "huge"]) {
		await at("/certificates/import");
		await page.fill("#owner", "hostile.example");
		await page.setInputFiles("#content", asked.files[kind]);
		await press("Show what is in it");
		if (await page.evaluate(() => window.owned || document.querySelectorAll("script").length !== 1 || document.querySelectorAll("main img").length !== 0))
			trouble(where, `a certificate with ${kind} in its names does harm`);
		await says(kind === "huge" ? "larger than 64 KiB" : "1 certificate is in the file");
	}
	await at("/certificates/import");
	await page.fill("#owner", "lab.example");
	await page.fill("#content-text", "this is no certificate");
	await press("Show what is in it");
	if (await page.locator("[role=alert]").count() !== 1)
		trouble(where, "nothing is said of a file that is none");
}

async function anchors() {
	await at("/anchors/add");
	await page.fill("#scope", "soon.example");
	await page.setInputFiles("#content", asked.files.ca);
	await press("Show what is in it");
	await says("will be believed of soon.example");
	await press("Believe those marked");
	await says("The anchors count from now on.");
	await press(/^Remove .*soon\.example/);
	await says("No longer believe this anchor for soon.example?");
	await press("Remove it");
	await says("The anchor counts no longer.");
	await at("/bundles/add");
	await page.fill("#url", "https://127.0.0.1:1/b.p7b");
	await page.fill("#scope", "lab.example");
	await press("Add it");
	await says("The bundle is added.");
	await at("/bundles/show?url=" + encodeURIComponent("https://127.0.0.1:1/b.p7b"));
	await press("Remove");
	await press("Remove it");
	await says("The bundle and its anchors are removed.");
}

async function domains() {
	await at("/domains/hospital.example");
	await page.selectOption("#algo", "ec-p256");
	await press("Make keys");
	await says("2 new keys are made");
	await says("BEGIN CERTIFICATE REQUEST");
	await at("/domains/hospital.example");
	await page.setInputFiles("#content", asked.files.lab);
	await press("Install");
	await says("belongs to a key of ours");
}

async function policy() {
	await at("/policy/add");
	await page.fill("#name", "press");
	await page.fill("#sender", "press@hospital.example");
	await page.selectOption("#treatment", "sign");
	await page.selectOption("#strength", "prefer");
	await press("Show what changes");
	await says("Mail from press@hospital.example to anybody is signed where it can be.");
	await press("Add it");
	await says("The rule counts from now on.");
	await page.fill("#sender", "press@hospital.example");
	await page.fill("#recipient", "bob@somewhere.example");
	await press("Ask");
	await says("press");
	await press(/^Remove rule press/);
	await press("Remove it");
	await says("The rule counts no longer.");
}

async function users() {
	const name = asked.script ? "berta" : "carla";
	await at("/users/add");
	await page.fill("#name", name);
	await page.selectOption("#role", "operator");
	await press("Add");
	await says(`${name} is operator`);
	await page.selectOption("#role", "viewer");
	await press("Change");
	await says(`${name} is viewer`);
	await page.fill("#label", "monitoring");
	await press("Make a token");
	await says("postern_");
	await page.getByRole("link", { name: "Done" }).click();
	await press(/^Revoke/);
	await says("The token is revoked.");
	await press("End all its sessions");
	await says("All sessions of the user are ended.");
	await press("Remove this user");
	await press("Remove");
	await says("are gone");
	await at("/audit?verify=1");
	await says("The audit log is whole");
}

async function main() {
	const b = await open(asked, { javaScriptEnabled: true });
	/* scripts of the page are refused by the browser, those of the test are not */
	if (!asked.script)
		await b.context.route("**/*.js", r => r.fulfill({ contentType: "text/javascript", body: "" }));
	page = b.page;
	try {
		const before = await signing_in(asked.names.user);
		await decisions();
		await certificates();
		await anchors();
		await policy();
		await domains();
		await users();
		await at("/");
		await press("Sign out", ".person");
		await b.context.addCookies([{ name: (asked.names.cookie), value: before, url: asked.base }]);
		await page.goto(asked.base + "/partners");
		if (new URL(page.url()).pathname !== "/login")
			trouble("sign out " + how, "the old session still counts");
	} catch (e) {
		trouble(where, e.message.slice(0, 600));
	}
	await b.close();
	say();
}

main().catch(e => { console.log(e.stack); process.exit(1); });
