#include "admin-ui/page/page_next.h"

#include <string.h>

#include "admin-ui/page/page_json.h"

/* list, and the value of the member that tells its rows apart ("" any); who: the member that is the tail. */
static const struct {
	const char *list, *member, *value, *href, *who, *next;
} known[] = {
    {"statements", "state", "pending", "pending/", "domain",
	"compare the key's fingerprint with the partner by phone or letter, then press Approve or Refuse on the page "
	"of the "
	"decision"},
    {"statements", "state", "frozen", "pending/", "domain",
	"ask the partner by phone which statement is its own; then, on the page of the decision, Approve takes the "
	"one that "
	"waits and Refuse keeps the one that is trusted"},
    {"statements", "state", "", "partners/", "domain",
	"mail to it waits until a statement comes that can be trusted: on its page, Fetch it again looks for one; "
	"without a "
	"statement: Release"},
    {"proposals", "", "", "pending", "",
	"look at it under Decisions: anybody but who proposed it may confirm it there, or drop it"},
    {"waiting", "", "", "pending", "",
	"compare its fingerprint with the partner by phone, then press Take the new one under Decisions"},
    {"partners_noticed", "what", "broken-promise", "partners/", "domain",
	"ask it which of its mail goes out another way than through its gateway; its page shows what it promised"},
    {"partners_noticed", "what", "", "partners/", "domain",
	"mail to it is sealed as before; ask it, or whoever stands between, why XSMG is gone; when it stopped for "
	"good it "
	"withdraws its statement, or press Release on its page"},
    {"revoked", "", "", "partners/", "owner",
	"it is never used, pinned or not: ask the partner for another one, then Certificates, Import certificates"},
    {"bundles", "", "", "bundles/show?url=", "url",
	"ask its publisher; then, on its page, Fetch it now, or Take it all the same when the edition is right"},
    {"rollovers", "waits_for", "certificates", "domains/", "domain",
	"its new keys wait for the certification authority: the page of the domain has their requests, and Install "
	"for the "
	"answer"},
    {"rollovers", "waits_for", "", "domains/", "domain",
	"nothing to do: the new keys take over by themselves; the page of the domain shows when"},
    {"expiring", "kind", "sign", "domains/", "owner",
	"on the page of the domain, make its successor under Change keys, or have it renewed and press Install"},
    {"expiring", "kind", "decrypt", "domains/", "owner",
	"on the page of the domain, make its successor under Change keys, or have it renewed and press Install"},
    {"expiring", "kind", "tls", "domains/", "owner",
	"have it renewed, then press Install on its page under Our domains"},
    {"expiring", "kind", "own-statement", "domains/", "owner",
	"it is renewed by itself, and that failed: the gateway's log says why"},
    {"expiring", "kind", "anchor", "anchors", "",
	"ask its authority for the successor, then Add trust anchors; this one is removed there, too"},
    {"expiring", "kind", "bundle", "bundles", "",
	"its publisher has to put the successor into the bundle: the page of the bundle shows its anchors"},
    {"expiring", "kind", "statement", "partners/", "owner",
	"its successor did not come: press Fetch it again on the partner's page, else ask the partner"},
    {"expiring", "kind", "network", "partners/", "owner",
	"ask the partner to publish the successor; Try now on its page shows what is found"},
    {"expiring", "kind", "", "partners/", "owner",
	"ask the partner for the successor, then Certificates, Import certificates"},
};

void page_next(const char *list, json_t *row)
{
	if (!json_is_object(row))
		return;
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		bool newer = page_json_is(row, "newer");

		if (strcmp(known[i].list, list) != 0 ||
		    (known[i].value[0] && strcmp(page_json_str(row, known[i].member), known[i].value) != 0))
			continue;
		if (strcmp(page_json_str(row, "why"), "see postern audit list") == 0)
			page_json_set(row, "why", json_string("the audit log says why"));
		page_json_set(row, "href", json_string(known[i].href));
		page_json_set(row, "tail", page_json_text(known[i].who[0] ? page_json_str(row, known[i].who) : ""));
		page_json_set(row, "next",
		    json_string(
			newer ? "a newer key is in use: when nobody needs this one any more, press Retire on the "
				"page of the domain"
			      : known[i].next));
		return;
	}
}

void page_next_all(const char *list, json_t *rows)
{
	json_t *o;
	size_t i;

	json_array_foreach(rows, i, o) page_next(list, o);
}
