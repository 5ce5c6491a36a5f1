/*
 * What people do, by hand of the browser, with and without JavaScript: signing in and out, every action of the pages of trust and of users. Reads
 * {files: {...}, names: {...}} and what hand.js says from standard input; says what is wrong and ends with 1 when anything is.
 */
"use strict";
const fs = require("fs");
const { trouble, say } = require("./browser.js");
const { Hand, asked, how } = require("./hand.js");

let h, page;

async function decisions() {
	await h.at("/pending/" + asked.names.approve);
	await page.fill("#achannel", "phone");
	await page.fill("#areason", "compared with Ms Weber");
	await page.fill("#afingerprint", "00".repeat(32));
	await h.press("Approve");
	await h.says("another fingerprint");
	if (await page.inputValue("#areason") !== "compared with Ms Weber")
		h.wrong("what was typed is lost with the error");
	await page.fill("#afingerprint", asked.names.fingerprint);
	await h.press("Approve");
	await h.says("The statement is approved");
	await h.at("/pending/" + asked.names.refuse);
	await page.fill("#rchannel", "letter");
	await page.fill("#rreason", "not theirs");
	await h.press("Refuse");
	await h.says("The statement is refused");
}

async function certificates() {
	await h.at("/certificates/import");
	await page.fill("#owner", "lab.example");
	if (asked.script)
		await h.drop(asked.files.lab);
	else
		await page.fill("#content-text", fs.readFileSync(asked.files.lab, "utf8"));
	await h.press("Show what is in it");
	await h.says("1 certificate is in the file");
	await h.press("Store those marked");
	await h.says("The certificates are stored.");
	await h.says("CN=lab");
	await h.press(/^Remove/);
	await h.says("Remove this certificate of lab.example?");
	await h.press("Remove it");
	await h.says("The certificate is removed.");
	for (const kind of ["script", "crlf", "direction", "template", "long", "huge"]) {
		await h.at("/certificates/import");
		await page.fill("#owner", "hostile.example");
		await page.setInputFiles("#content", asked.files[kind]);
		await h.press("Show what is in it");
		if (await page.evaluate(() => window.owned || document.querySelectorAll("script").length !== 1 || document.querySelectorAll("main img").length !== 0))
			h.wrong(`a certificate with ${kind} in its names does harm`);
		await h.says(kind === "huge" ? "larger than 64 KiB" : "1 certificate is in the file");
	}
	await h.at("/certificates/import");
	await page.fill("#owner", "lab.example");
	await page.fill("#content-text", "this is no certificate");
	await h.press("Show what is in it");
	if (await page.locator("[role=alert]").count() !== 1)
		h.wrong("nothing is said of a file that is none");
}

async function anchors() {
	await h.at("/anchors/add");
	await page.fill("#scope", "soon.example");
	await page.setInputFiles("#content", asked.files.ca);
	await h.press("Show what is in it");
	await h.says("will be believed of soon.example");
	await h.press("Believe those marked");
	await h.says("The anchors count from now on.");
	await h.press(/^Remove .*soon\.example/);
	await h.says("No longer believe this anchor for soon.example?");
	await h.press("Remove it");
	await h.says("The anchor counts no longer.");
	await h.at("/bundles/add");
	await page.fill("#url", "https://127.0.0.1:1/b.p7b");
	await page.fill("#scope", "lab.example");
	await h.press("Add it");
	await h.says("The bundle is added.");
	await h.at("/bundles/show?url=" + encodeURIComponent("https://127.0.0.1:1/b.p7b"));
	await h.press("Fetch it now");
	await h.says("The bundle is being fetched.");
	await h.says("not fetched:"); // nobody answers there: what came of it shows by itself
	await h.press("Remove");
	await h.press("Remove it");
	await h.says("The bundle and its anchors are removed.");
}

async function domains() {
	await h.at("/domains/hospital.example");
	await page.selectOption("#algo", "ec-p256");
	await h.press("Make keys");
	await h.says("2 new keys are made");
	await h.says("BEGIN CERTIFICATE REQUEST");
	await h.at("/domains/hospital.example");
	await page.setInputFiles("#content", asked.files.lab);
	await h.press("Install");
	await h.says("belongs to a key of ours");
}

async function policy() {
	await h.at("/policy/add");
	await page.fill("#name", "press");
	await page.fill("#sender", "press@hospital.example");
	await page.selectOption("#treatment", "sign");
	await page.selectOption("#strength", "prefer");
	await h.press("Show what changes");
	await h.says("Mail from press@hospital.example to anybody is signed where it can be.");
	await h.press("Add it");
	await h.says("The rule counts from now on.");
	await page.fill("#sender", "press@hospital.example");
	await page.fill("#recipient", "bob@somewhere.example");
	await h.press("Ask");
	await h.says("press");
	await h.press(/^Remove rule press/);
	await h.press("Remove it");
	await h.says("The rule counts no longer.");
}

async function users() {
	const name = asked.script ? "berta" : "carla";
	await h.at("/users/add");
	await page.fill("#name", name);
	await page.selectOption("#role", "operator");
	await h.press("Add");
	await h.says(`${name} is operator`);
	await page.selectOption("#role", "viewer");
	await h.press("Change");
	await h.says(`${name} is viewer`);
	await page.fill("#label", "monitoring");
	await h.press("Make a token");
	await h.says("postern_");
	await page.getByRole("link", { name: "Done" }).click();
	await h.press(/^Revoke/);
	await h.says("The token is revoked.");
	await h.press("End all its sessions");
	await h.says("All sessions of the user are ended.");
	await h.press("Remove this user");
	await h.press("Remove");
	await h.says("are gone");
	await h.at("/audit?verify=1");
	await h.says("The audit log is whole");
}

async function main() {
	h = await Hand.make();
	page = h.page;
	try {
		const before = await h.sign_in(asked.names.user);
		await decisions();
		await certificates();
		await anchors();
		await policy();
		await domains();
		await users();
		await h.at("/");
		await h.press("Sign out", ".person");
		await h.context.addCookies([{ name: (asked.names.cookie), value: before, url: asked.base }]);
		await page.goto(asked.base + "/partners");
		if (new URL(page.url()).pathname !== "/login")
			trouble("sign out " + how, "the old session still counts");
	} catch (e) {
		trouble(h.where, e.message.slice(0, 600));
	}
	await h.close();
	say();
}

main().catch(e => { console.log(e.stack); process.exit(1); });
