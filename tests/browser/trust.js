/*
 * What people do with trust that takes more than one form, with and without JavaScript: certificates of many partners at once, changes that take two people, a PKCS#12 file
 * with a key of ours, what a mail would meet before and after an edit. Reads {files, names, rows, counts} and what hand.js says from standard input; says what is wrong and
 * ends with 1 when anything is.
 */
"use strict";
const { trouble, say } = require("./browser.js");
const { Hand, asked } = require("./hand.js");

let officer, admin;

/* ---- many partners' certificates ---- */

/* Each row of the table: its number, whose it is, its state and why. */
async function rows_are(h, want) {
	const got = await h.page.evaluate(() => [...document.querySelectorAll("main tbody tr")].map(r => [...r.children].map(c => c.innerText)));
	for (const [number, ...words] of want) {
		const row = got.find(r => Number(r[0]) === number);
		for (const w of words)
			if (!row || !row.join("\n").includes(w))
				h.wrong(`row ${number} does not say "${w}" but ${JSON.stringify(row)}`);
	}
	if (got.length !== want.length)
		h.wrong(`${got.length} rows instead of ${want.length}`);
}

async function no_private_keys(h) {
	for (const [input, button] of [["#content", "Show what is in it"], ["#many-content", "Look at it"]]) {
		await h.at("/certificates/import");
		await h.page.fill("#owner", "lab.example");
		await h.give(asked.files.partner_p12, input);
		await h.press(button);
		const said = await h.page.locator("[role=alert]").innerText();
		for (const words of [/^this is a PKCS#12 file \(.p12, .pfx\), the kind that carries a private key/, /private key of a partner or of an authority is never wanted here/, /not opened, and nothing of it is stored/,
			/Ask for the certificate alone \(.cer, .crt, .pem or .p7b\)/, /has to replace it/, /on the page of that domain/])
			if (!words.test(said))
				h.wrong(`of a PKCS#12 file for partners it is not said ${words} but "${said}"`);
	}
	await h.look("certificates-import-pkcs12");
}

/* The page comes to say it by itself; where there are no scripts the browser asks anew (noscript), here the test. */
async function renewed(h, words) {
	if (asked.script)
		await h.page.evaluate(() => { window.same = true; });
	for (const end = Date.now() + 60000; Date.now() < end && !(await h.text()).includes(words); await h.page.waitForTimeout(200))
		if (!asked.script) {
			if (!/<noscript><meta http-equiv="refresh" content="\d+">/.test(await h.page.content()))
				h.wrong("the page does not renew itself without scripts");
			await h.page.reload();
		}
	await h.says(words);
	if (asked.script && !await h.page.evaluate(() => window.same))
		h.wrong("the page did not renew itself but went elsewhere");
}

async function imports(h) {
	const { page } = h, n = asked.counts;
	await h.at("/certificates/import");
	await h.give(asked.files.many, "#many-content");
	await h.press("Look at it");
	await renewed(h, "Look at it, then store");
	await h.look("imports", true);
	await page.locator("section", { hasText: "Look at it, then store" }).getByRole("link", { name: "Look at it, then store" }).click();
	await page.waitForURL(/imports\/[0-9a-f]/);
	await h.says(`${n.all} certificates: ${n.new} new, ${n.warned} warned of, ${n.known} known already, ${n.refused} refused, 0 stored.`);
	await h.says(`${n.new} will be stored, each for the partner that it names. Nothing is stored yet.`);
	const here = page.url();
	for (const name of ["Refused", "Warned of", "Known"]) {
		await page.locator("nav.tabs").getByRole("link", { name, exact: true }).click();
		await page.waitForURL(/only=/);
		await rows_are(h, asked.rows[name]);
		if (name === "Refused")
			await h.look("imports-refused");
	}
	await h.at("/certificates?owner=" + asked.names.first);
	await h.says_not("1 certificate is stored for " + asked.names.first);
	await page.goto(here);
	await h.press("Store them");
	const bar = page.locator("progress");
	await h.says(`of ${n.new} are stored`);
	if (await bar.count() !== 1 || Number(await bar.getAttribute("max")) !== n.new || Number(await bar.getAttribute("value")) >= n.new)
		h.wrong("it is not seen how far it is: " + await bar.evaluateAll(l => l.map(e => e.outerHTML).join()));
	await renewed(h, `, ${n.new} stored.`);
	if (await bar.count() || await page.getByRole("button", { name: /Store them|Cancel the import/ }).count())
		h.wrong("it is done, but more is offered");
	await h.at("/certificates?owner=" + asked.names.first);
	await h.says("1 certificate is stored for " + asked.names.first);
	/* the same file again: nothing is left to store; cancelled */
	await h.at("/certificates/import");
	await h.give(asked.files.many, "#many-content");
	await h.press("Look at it");
	await renewed(h, "Look at it, then store");
	await page.getByRole("link", { name: "Look at it, then store" }).first().click();
	await page.waitForURL(/imports\/[0-9a-f]/);
	await h.says(`: 0 new, ${n.warned} warned of, ${n.new + n.known} known already`);
	await h.press("Store them");
	await h.says("can be stored unless those that are warned of are taken, too");
	await h.press("Cancel the import");
	await h.says("it was cancelled before anything was stored");
}

/* A file that ends in the middle: said with the import, and nothing of it can be stored. */
async function cut_off(h) {
	await h.at("/certificates/import");
	await h.give(asked.files.cut, "#many-content");
	await h.press("Look at it");
	await renewed(h, "a PEM block of this file is damaged or cut off");
	await h.says("Nothing of it is stored: mend the file, or ask for it anew, and import it again.");
	await h.page.locator("section", { hasText: "damaged or cut off" }).getByRole("link").first().click();
	await h.page.waitForURL(/imports\/[0-9a-f]/);
	await h.says("Nothing of it is stored");
	if (await h.page.getByRole("button", { name: /Store them|Cancel the import/ }).count())
		h.wrong("what is damaged is offered to be stored");
}

/* ---- two people ---- */

async function propose(h, domain) {
	const { page } = h;
	await h.at("/pending/" + domain);
	await page.fill("#achannel", "phone");
	await page.fill("#areason", "compared with Ms Weber");
	const right = asked.names.fingerprints[domain];
	for (const [typed, words] of [["00".repeat(32), "another fingerprint"], [right.slice(0, 12), "too short to decide by"], [right.slice(1) + right[0], "another fingerprint"]]) {
		await page.fill("#afingerprint", typed);
		await h.press("Approve");
		await h.says(words);
		if (new URL(page.url()).pathname === "/pending")
			h.wrong(`the fingerprint ${typed} is taken`);
	}
	/* as people read it to each other */
	await page.fill("#afingerprint", right.toUpperCase().match(/../g).join(":"));
	await h.press("Approve");
	await h.says("Nothing is changed yet: it waits for a second person, who finds it here.");
}

function proposal(h, domain) {
	return h.page.locator("section[aria-labelledby=two] li", { hasText: "Trust the statement that waits of " + domain });
}

/* What no page offers, with the right token: as somebody who writes his own forms. */
async function confirm_by_hand(h, domain) {
	const id = await proposal(h, domain).locator("input[name=id]").first().inputValue();
	await Promise.all([h.page.waitForNavigation(), h.page.evaluate(number => {
		const f = document.querySelector("form[action='/proposals/drop']").cloneNode(true);
		f.action = "/proposals/confirm";
		f.querySelector("[name=id]").value = number;
		document.body.append(f);
		f.submit();
	}, id)]);
	await h.says(`proposal ${id} is your own: a second person confirms it (two-person)`);
}

async function two_people() {
	const { approve, drop } = asked.names;
	await propose(officer, approve);
	await proposal(officer, approve).getByText("You proposed it: somebody else confirms it.").waitFor({ timeout: 5000 });
	if (await proposal(officer, approve).getByRole("button", { name: /Confirm/ }).count())
		officer.wrong("who proposed it is offered to confirm it");
	await confirm_by_hand(officer, approve);
	await officer.at("/pending/" + approve);
	await officer.says("waits");
	await admin.at("/");
	await admin.says("A second person is asked to confirm: Trust the statement that waits of " + approve);
	await admin.at("/pending");
	const text = await proposal(admin, approve).innerText();
	for (const words of ["u-trust-officer (session) from 127.0.0.1", "compared with Ms Weber", "phone"])
		if (!text.includes(words))
			admin.wrong(`the second person is not told "${words}": ${text}`);
	await admin.look("pending-proposal");
	await Promise.all([admin.page.waitForNavigation(), proposal(admin, approve).getByRole("button", { name: "Confirm: do it" }).click()]);
	await admin.says("It is done, in the name of both.");
	await admin.at("/partners/" + approve);
	await admin.says("proposed by u-trust-officer");
	await propose(officer, drop);
	await admin.at("/pending");
	await Promise.all([admin.page.waitForNavigation(), proposal(admin, drop).getByRole("button", { name: "Drop it" }).click()]);
	await admin.says("It is dropped: nothing was changed.");
	if (await proposal(admin, drop).count())
		admin.wrong("what was dropped still waits");
	await admin.at("/pending/" + drop);
	await admin.says(`A statement of ${drop} waits`);
}

/* Confirmed by the admin: the words of the proposal, and what it says of itself. */
async function second(what, ...words) {
	const li = admin.page.locator("section[aria-labelledby=two] li", { hasText: what });
	await admin.at("/pending");
	const text = await li.innerText();
	for (const w of words)
		if (!text.includes(w))
			admin.wrong(`the second person is not told "${w}": ${text}`);
	await Promise.all([admin.page.waitForNavigation(), li.getByRole("button", { name: "Confirm: do it" }).click()]);
	await admin.says("It is done, in the name of both.");
}

/* Setting "all": a rule that is there, certificates of many. */
async function everything_by_two(h) {
	const { page } = h, waits = "Nothing is changed yet: it waits for a second person";
	await h.at("/policy/edit?name=laboratory");
	await page.selectOption("#treatment", "clear");
	await h.press("Show what changes");
	await h.press("Change it");
	await h.says(waits);
	await h.at("/policy");
	await h.says("Mail from anybody to *@lab.example must be signed and encrypted.");
	await admin.at("/pending");
	await admin.look("pending-proposal-rule");
	await second("Change the rule laboratory", "Treatment\nclear", "u-trust-officer");
	await h.at("/policy");
	await h.says("Mail from anybody to *@lab.example is sent as it is.");
	await h.at("/certificates/import");
	await h.give(asked.files.many, "#many-content");
	await h.press("Look at it");
	await renewed(h, "Look at it, then store");
	await page.getByRole("link", { name: "Look at it, then store" }).first().click();
	await page.waitForURL(/imports\/[0-9a-f]/);
	const here = page.url();
	await h.press("Store them");
	await h.says(waits);
	await page.goto(here);
	await h.says(" 0 stored.");
	await second("Store the certificates of the import " + here.replace(/.*\//, ""), "u-trust-officer");
	await page.goto(here);
	await renewed(h, `, ${asked.counts.new} stored.`);
}

/* ---- a key of ours out of a file ---- */

async function open_file(h, password) {
	await h.page.fill("#p12-password", password);
	await h.press("Open it");
}

/* Fingerprints are shown in groups. */
function plain(text) {
	return text.toLowerCase().replace(/[\s:]/g, "");
}

async function our_key(h) {
	const { page } = h, secret = asked.names.p12_password;
	await h.at("/domains/hospital.example");
	const before = await page.locator("article.cert").count();
	await h.give(asked.files.ours_p12, "#p12");
	await open_file(h, "quite another");
	const said = await page.locator("[role=alert]").allInnerTexts();
	if (said.length !== 1 || said[0] !== "the PKCS#12 file: the password is wrong, or the file was changed")
		h.wrong("of a wrong password it is said: " + JSON.stringify(said));
	if (await page.inputValue("#p12-password") || (await page.content()).includes("quite another"))
		h.wrong("the page shows the password that was typed");
	await h.look("domains-pkcs12-password", true);
	await h.give(asked.files.ours_p12, "#p12");
	await open_file(h, secret);
	await h.says("Keys for hospital.example out of a PKCS#12 file");
	await h.says("Nothing is stored yet");
	for (const words of [asked.names.p12_fingerprint, "CN=" + asked.names.p12_name, "health-authority"])
		if (!plain(await h.text()).includes(plain(words)))
			h.wrong(`what is in the file is shown without "${words}"`);
	if (/PRIVATE KEY/.test(await page.content()) || (await page.content()).includes(secret))
		h.wrong("a secret comes back to the browser");
	await h.look("domains-pkcs12");
	const other = await h.context.newPage();
	await other.goto(asked.base + "/domains/hospital.example");
	if (await other.locator("article.cert").count() !== before)
		h.wrong("a key is stored before it was said");
	await other.close();
	await h.press("Use this key for hospital.example");
	await h.says("The key of the PKCS#12 file is used for hospital.example from now on");
	await h.look("domains-pkcs12-used", true);
	await h.at("/domains/hospital.example");
	const after = await page.locator("article.cert").count();
	if (after <= before || !plain(await h.text()).includes(asked.names.p12_fingerprint))
		h.wrong(`the key of the file is not there: ${before} keys before, ${after} after`);
}

/* ---- before and after ---- */

async function ask_both(h, from, to) {
	await h.page.fill("#try_from", from);
	await h.page.fill("#try_to", to);
	await h.press("Show both answers");
}

/* The headings of both sides, and how many lines of each are marked. */
function sides(h) {
	return h.page.evaluate(() => [...document.querySelectorAll("#answers .side")].map(s => {
		const b = s.getBoundingClientRect();
		return { title: s.querySelector("h3").innerText, marks: s.querySelectorAll("mark").length, x: b.x, y: b.y, width: b.width };
	}));
}

async function sides_are(h, now, then, differ) {
	const s = await sides(h);
	if (s.length !== 2 || s[0].title !== "As it is now: " + now || s[1].title !== "As it would be: " + then)
		h.wrong("both sides say " + JSON.stringify(s.map(x => x.title)));
	else if (differ !== (s[0].marks > 0 && s[1].marks > 0))
		h.wrong(`the sides are ${differ ? "" : "not "}different, but marked are ${s[0].marks} and ${s[1].marks} lines`);
	else if (s[0].y !== s[1].y || s[1].x < s[0].x + s[0].width)
		h.wrong("they do not stand side by side: " + JSON.stringify(s));
}

async function compare(h) {
	const { page } = h, sealed = "It would be signed and encrypted.", clear = "It would be sent as it is.";
	await h.at("/policy/edit?name=laboratory");
	await page.selectOption("#treatment", "clear");
	await h.press("Show what changes");
	if (await page.inputValue("#try_to") !== "postmaster@lab.example")
		h.wrong("whom the rule is about is not suggested but " + await page.inputValue("#try_to"));
	await ask_both(h, "anna@hospital.example", "bob@lab.example");
	await sides_are(h, sealed, clear, true);
	await h.look("policy-compare");
	await page.setViewportSize({ width: 320, height: 900 });
	const [a, b] = await sides(h);
	if (!a || b.x !== a.x || b.y <= a.y)
		h.wrong("on a small window they do not stand below each other");
	await page.setViewportSize({ width: 1280, height: 900 });
	await ask_both(h, "anna@hospital.example", "bob@somewhere.example");
	await h.says("It makes no difference for this mail.");
	await ask_both(h, "anna@hospital.example", "no address");
	if (await page.locator("#answers [role=alert]").count() !== 1 || (await sides(h)).length)
		h.wrong("nothing is said of an address that is none");
	/* asking stored nothing; what was typed is still there, and is stored */
	const other = await h.context.newPage();
	await other.goto(asked.base + "/policy");
	if (/laboratory[^]*sent as it is/.test(await other.locator("main").innerText()))
		h.wrong("a question changed the rule");
	await other.close();
	await h.press("Change it");
	await h.says("The rule is changed");
	await h.at("/policy?sender=anna%40hospital.example&recipient=bob%40lab.example");
	await h.says("sent as it is");
	/* back again: the other way round */
	await h.at("/policy/edit?name=laboratory");
	await page.selectOption("#treatment", "seal");
	await h.press("Show what changes");
	await ask_both(h, "anna@hospital.example", "bob@lab.example");
	await sides_are(h, clear, sealed, true);
	await h.press("Change it");
	await h.at("/partners/lab.example/remove");
	await ask_both(h, "anna@hospital.example", "bob@lab.example");
	await h.says("As it would be:");
	await h.at("/partners/lab.example/edit");
	await page.fill("#note", "another note");
	await h.press("Show what changes");
	await ask_both(h, "anna@hospital.example", "bob@lab.example");
	await h.says("It makes no difference for this mail.");
	await sides_are(h, sealed, sealed, false);
}

async function main() {
	officer = await Hand.make();
	admin = await Hand.make();
	try {
		await officer.sign_in("u-trust-officer");
		await admin.sign_in("u-admin");
		for (const [h, f] of asked.names.all ? [[officer, everything_by_two]] : [[officer, no_private_keys], [officer, imports], [officer, cut_off], [officer, two_people], [admin, our_key], [officer, compare]])
			await f(h).catch(e => trouble(`${f.name}: ${h.where}`, e.message.slice(0, 600)));
	} catch (e) {
		trouble("signing in", e.message.slice(0, 600));
	}
	await officer.close();
	await admin.close();
	say();
}

main().catch(e => { console.log(e.stack); process.exit(1); });
