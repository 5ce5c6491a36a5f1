#include "admin-ui/page/page.h"

#include <string.h>

#include "admin-ui/page/page_admin.h"
#include "admin-ui/page/page_compare.h"
#include "admin-ui/page/page_message.h"
#include "admin-ui/page/page_overview.h"
#include "admin-ui/page/page_partner.h"

#define ASKS(...) ((const struct page_question[]){__VA_ARGS__, {0}})
#define SHOW                                                                                                         \
	{                                                                                                            \
		PAGE_JUDGE, "partner.show", "domain={}", "p", NULL, PAGE_MUST                                        \
	}
#define CHANGED "reason=?reason"
#define WITH_ENTRY                                                                                                   \
	"with_partner.treatment=?treatment with_partner.strength=?strength with_partner.format=?format: "            \
	"with_partner.find=?find: with_partner.group=?group:"

static const struct page pages[] = {
    {"/", "Overview", "/", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "status", "", "judge", NULL, PAGE_MUST},
	    {PAGE_RELAY, "status", "", "relay", NULL, PAGE_MAY_FAIL},
	    {PAGE_RELAY, "message.counts", "", "counts", NULL, PAGE_MAY_FAIL}),
	page_overview, "overview.html"},
    /* ---- partners ---- */
    {"/partners", "Partners", "/partners", PAGE_VIEWER,
	ASKS({PAGE_JUDGE, "partner.list", "match=?match state=?state sort=?sort offset#=?offset max#=100 counts!=1",
	    "list", NULL, PAGE_MUST}),
	page_partner_list, "partners.html"},
    {"/partners/add", "Add a partner", "/partners", PAGE_TRUST_OFFICER, NULL, page_partner_edit, "partner_edit.html"},
    {"/partners/{}", "Partner", "/partners", PAGE_VIEWER,
	ASKS(SHOW, {PAGE_RELAY, "message.find", "to={} limit#=50", "to", NULL, PAGE_OPERATORS},
	    {PAGE_RELAY, "message.find", "from={} limit#=50", "from", NULL, PAGE_OPERATORS},
	    {PAGE_JUDGE, "audit.list", "of={} max#=10", "history", NULL, PAGE_OPERATORS}),
	page_partner_show, "partner.html"},
    {"/partners/{}/history", "History of a partner", "/partners", PAGE_OPERATOR,
	ASKS({PAGE_JUDGE, "audit.list", "of={} before#=?before max#=100", "history", NULL, PAGE_MUST}),
	page_partner_history, "partner_history.html"},
    {"/partners/{}/edit", "Edit a partner", "/partners", PAGE_TRUST_OFFICER, ASKS(SHOW), page_partner_edit,
	"partner_edit.html"},
    {"/partners/{}/remove", "Remove a partner", "/partners", PAGE_TRUST_OFFICER,
	ASKS(SHOW, PAGE_COMPARE("without_partner={}")), page_partner_remove, "partner_remove.html"},
    {"/partners/{}/release", "Release a partner", "/partners", PAGE_TRUST_OFFICER, ASKS(SHOW), NULL,
	"partner_release.html"},
    {"/partners/{}/try", "Look up a partner", "/partners", PAGE_OPERATOR, NULL, NULL, "partner_try.html"},
    /* ---- messages ---- */
    {"/messages", "Messages", "/messages", PAGE_OPERATOR,
	ASKS({PAGE_RELAY, "message.find",
	    "id=?id from=?from to=?to message_id=?message_id outcome=?outcome direction=?direction since@=?since "
	    "until@=?until cursor=?cursor limit#=50",
	    "found", "search", PAGE_MAY_FAIL}),
	page_message_search, "messages.html"},
    {"/messages/held", "Held messages", "/messages", PAGE_OPERATOR,
	ASKS({PAGE_RELAY, "queue.list", "state=held max#=?max before#=?before", "held", NULL, PAGE_MUST}),
	page_message_held, "held.html"},
    {"/messages/{}", "Message", "/messages", PAGE_OPERATOR,
	ASKS({PAGE_RELAY, "message.show", "id={}", "m", NULL, PAGE_MUST},
	    {PAGE_RELAY, "queue.show", "id={}", "queue", NULL, PAGE_MAY_FAIL}),
	page_message_show, "message.html"},
    {"/messages/{}/release", "Release a message", "/messages", PAGE_OPERATOR, NULL, page_message_change,
	"message_change.html"},
    {"/messages/{}/retry", "Try a message now", "/messages", PAGE_OPERATOR, NULL, page_message_change,
	"message_change.html"},
    {"/messages/{}/hold", "Hold a message", "/messages", PAGE_OPERATOR, NULL, page_message_change,
	"message_change.html"},
    {"/messages/{}/delete", "Delete a message", "/messages", PAGE_OPERATOR, NULL, page_message_change,
	"message_change.html"},
};

/* ---- pages to which only actions lead ---- */

static const struct page partner_add = {NULL, "Add a partner", "/partners", PAGE_TRUST_OFFICER,
    ASKS({PAGE_JUDGE, "partner.show", "domain=?domain:", "p", NULL, PAGE_MUST},
	PAGE_COMPARE("with_partner.domain=?domain " WITH_ENTRY)),
    page_partner_change, "partner_change.html"};
static const struct page partner_set = {NULL, "Change a partner", "/partners", PAGE_TRUST_OFFICER,
    ASKS(SHOW, PAGE_COMPARE("with_partner.domain={} " WITH_ENTRY)), page_partner_change, "partner_change.html"};
static const struct page partner_lookup = {
    NULL, "Look up a partner", "/partners", PAGE_OPERATOR, NULL, page_partner_lookup, "partner_lookup.html"};
static const struct page message_change = {
    NULL, "Change messages", "/messages", PAGE_OPERATOR, NULL, page_message_change, "message_change.html"};
static const struct page message_changed = {
    NULL, "Messages", "/messages", PAGE_OPERATOR, NULL, page_message_changed, "message_changed.html"};

#define ENTRY "treatment=?treatment strength=?strength note=?note: format=?format: find=?find: group=?group:"
#define JUDGE(verb, args)                                                                                            \
	{                                                                                                            \
		PAGE_JUDGE, verb, args, "result", NULL, PAGE_MUST                                                    \
	}
#define RELAY(verb, args)                                                                                            \
	{                                                                                                            \
		PAGE_RELAY, verb, args, "result", NULL, PAGE_MUST                                                    \
	}

static const struct page_action actions[] = {
    /* ---- partners ---- */
    {"/partners/add", PAGE_TRUST_OFFICER, JUDGE("partner.add", "domain=?domain: " ENTRY), "/partners/add", NULL,
	&partner_add, NULL, "/partners/{?domain}?done=partner-added"},
    {"/partners/{}/edit", PAGE_TRUST_OFFICER, JUDGE("partner.set", "domain={} if_match=?if_match " ENTRY),
	"/partners/{}/edit", NULL, &partner_set, NULL, "/partners/{}?done=partner-changed"},
    {"/partners/{}/remove", PAGE_TRUST_OFFICER, JUDGE("partner.remove", "domain={}"), "/partners/{}/remove", NULL,
	NULL, NULL, "/partners?done=partner-removed"},
    {"/partners/{}/release", PAGE_TRUST_OFFICER, JUDGE("partner.release", "domain={}"), "/partners/{}/release", NULL,
	NULL, NULL, "/partners/{}?done=partner-released"},
    {"/partners/{}/fetch", PAGE_TRUST_OFFICER, JUDGE("statement.fetch", "domain={}"), "/partners/{}", NULL, NULL,
	NULL, "/partners/{}?done=statement-fetched"},
    {"/partners/{}/pin", PAGE_TRUST_OFFICER, JUDGE("statement.set", "domain={} pin=?pin:"), "/partners/{}", NULL,
	NULL, NULL, "/partners/{}?done=statement-pinned"},
    {"/partners/{}/try", PAGE_OPERATOR, JUDGE("lookup", "address={} source=?source"), "/partners/{}/try", NULL, NULL,
	&partner_lookup, NULL},
    /* ---- messages ---- */
    {"/messages/held/release", PAGE_OPERATOR, RELAY("queue.release", "ids*=?id " CHANGED), "/messages/held", "id",
	&message_change, &message_changed, NULL},
    {"/messages/held/retry", PAGE_OPERATOR, RELAY("queue.retry", "ids*=?id " CHANGED), "/messages/held", "id",
	&message_change, &message_changed, NULL},
    {"/messages/held/delete", PAGE_OPERATOR, RELAY("queue.delete", "ids*=?id " CHANGED), "/messages/held", "id",
	&message_change, &message_changed, NULL},
    {"/messages/{}/release", PAGE_OPERATOR, RELAY("queue.release", "id={} " CHANGED), "/messages/{}/release", NULL,
	NULL, NULL, "/messages/{}?done=message-released"},
    {"/messages/{}/retry", PAGE_OPERATOR, RELAY("queue.retry", "id={} " CHANGED), "/messages/{}/retry", NULL, NULL,
	NULL, "/messages/{}?done=message-retried"},
    {"/messages/{}/hold", PAGE_OPERATOR, RELAY("queue.hold", "id={} " CHANGED), "/messages/{}/hold", NULL, NULL, NULL,
	"/messages/{}?done=message-held"},
    {"/messages/{}/delete", PAGE_OPERATOR, RELAY("queue.delete", "id={} " CHANGED), "/messages/{}/delete", NULL, NULL,
	NULL, "/messages/{}?done=message-deleted"},
};

/* What stands for "{}" goes up to the next slash. Where the path goes on, or NULL. */
static const char *fill(const char *path, char out[PAGE_SEGMENT_MAX + 1])
{
	size_t n = strcspn(path, "/");

	if (n == 0 || n > PAGE_SEGMENT_MAX)
		return NULL;
	memcpy(out, path, n);
	out[n] = '\0';
	return path + n;
}

static int fits(const char *pattern, const char *path, char segments_r[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1])
{
	size_t hole = 0;

	for (size_t i = 0; i < PAGE_SEGMENTS; i++)
		segments_r[i][0] = '\0';
	while (*pattern) {
		if (pattern[0] == '{' && hole < PAGE_SEGMENTS) {
			pattern += 2;
			path = fill(path, segments_r[hole++]);
			if (!path)
				return 0;
		} else if (*pattern++ != *path++) {
			return 0;
		}
	}
	return *path == '\0';
}

const struct page *page_find(const char *path, char segments_r[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1])
{
	const struct page *p;

	for (size_t i = 0; (p = page_at(i)); i++)
		if (fits(p->path, path, segments_r))
			return p;
	return NULL;
}

const struct page_action *page_action_find(const char *path, char segments_r[PAGE_SEGMENTS][PAGE_SEGMENT_MAX + 1])
{
	const struct page_action *a;

	for (size_t i = 0; (a = page_action_at(i)); i++)
		if (fits(a->path, path, segments_r))
			return a;
	return NULL;
}

const struct page *page_at(size_t i)
{
	size_t n = sizeof pages / sizeof *pages;

	return i < n ? &pages[i] : page_admin_at(i - n);
}

const struct page_action *page_action_at(size_t i)
{
	size_t n = sizeof actions / sizeof *actions;

	return i < n ? &actions[i] : page_admin_action_at(i - n);
}
