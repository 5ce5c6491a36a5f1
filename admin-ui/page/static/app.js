// Comfort only: every page works without it. What it does stands in attributes of the page:
// data-select-all (a table whose boxes get one for all), data-drop (files dropped on it go into its input), data-busy
// (what a form says while it is being done), data-refresh (within the main part: seconds after which that is
// asked for anew, unless somebody is typing or has chosen something).
"use strict";

function selectAll(table) {
	const boxes = [...table.querySelectorAll("tbody input[type=checkbox]")];
	const head = table.querySelector("thead th");

	if (boxes.length < 2 || !head)
		return;
	const label = document.createElement("label"), all = document.createElement("input");
	const tell = () => {
		const n = boxes.filter((b) => b.checked).length;

		all.checked = n === boxes.length;
		all.indeterminate = n > 0 && n < boxes.length;
	};

	all.type = "checkbox";
	label.className = "check";
	label.append(all, "All");
	head.replaceChildren(label);
	all.addEventListener("change", () => boxes.forEach((b) => { b.checked = all.checked; }));
	boxes.forEach((b) => b.addEventListener("change", tell));
}

function dropZone(zone) {
	const input = zone.querySelector("input[type=file]"), hint = zone.querySelector("[data-drop-hint]");
	const over = (on) => (e) => {
		e.preventDefault();
		zone.classList.toggle("over", on);
	};

	if (!input)
		return;
	const name = () => {
		if (hint && input.files.length > 0)
			hint.textContent = [...input.files].map((f) => f.name + ", " + f.size + " octets").join("; ");
	};

	if (hint)
		hint.append(" Or drop it here.");
	input.addEventListener("change", name);
	zone.addEventListener("dragenter", over(true));
	zone.addEventListener("dragover", over(true));
	zone.addEventListener("dragleave", over(false));
	zone.addEventListener("drop", (e) => {
		over(false)(e);
		if (e.dataTransfer && e.dataTransfer.files.length > 0)
			input.files = e.dataTransfer.files;
		name();
	});
}

// Nothing is begun twice; what takes long says so.
function postForm(form) {
	form.addEventListener("submit", () => {
		if (form.dataset.busy) {
			const said = document.createElement("p");

			said.className = "muted";
			said.setAttribute("role", "status");
			said.textContent = form.dataset.busy;
			form.append(said);
		}
		setTimeout(() => form.querySelectorAll("button").forEach((b) => { b.disabled = true; }), 0);
	});
}

// What a page asks by itself says so: it does not keep a session alive in which nobody does anything.
async function renew() {
	const got = await fetch(location.href, {headers: {"X-Postern-Background": "1"}, redirect: "manual", cache: "no-store"});

	if (got.type === "opaqueredirect") // the session is over: to the page for signing in
		location.reload();
	if (!got.ok)
		return false;
	const fresh = new DOMParser().parseFromString(await got.text(), "text/html").getElementById("main");

	if (!fresh)
		return false;
	document.getElementById("main").replaceWith(fresh);
	wire(fresh);
	return true;
}

function refresh(element) {
	const seconds = Math.max(2, Number(element.dataset.refresh) || 10);

	setTimeout(async () => {
		const at = document.activeElement, busy = document.querySelector("main input:checked");
		const idle = !document.hidden && !busy && !(at && at.matches("input, select, textarea"));

		if (!idle || !await renew().catch(() => false))
			refresh(element);
	}, seconds * 1000);
}

function wire(root) {
	root.querySelectorAll("[data-select-all]").forEach(selectAll);
	root.querySelectorAll("[data-drop]").forEach(dropZone);
	root.querySelectorAll("form[method=post]").forEach(postForm);
	root.querySelectorAll("[data-refresh]").forEach(refresh);
}

wire(document);
// a page that comes out of the browser's memory has its buttons again
window.addEventListener("pageshow", () => document.querySelectorAll("button:disabled").forEach((b) => { b.disabled = false; }));
