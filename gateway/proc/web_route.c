/* Routes of the HTTP interface. Role web; pure. */
#include "gateway/proc/web_route.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/admin_json.h"

#define PAGED " after max#"
#define GET NULL, NULL, 0 /* the end of a row that only looks */
#define POST(path, ask, verb, segment, body, has, help)                                                              \
	{                                                                                                            \
		path, ask, verb, segment, "", GATE_##ask, has, help, "POST", body, 0                                 \
	}
#define DELETE(path, verb, segment, args, has, help)                                                                 \
	{                                                                                                            \
		path, WEB_JUDGE, verb, segment, args, NULL, has, help, "DELETE", NULL, 0                             \
	}
/* as those, and If-Match counts */
#define POST_GUARDED(path, verb, segment, body, help)                                                                \
	{                                                                                                            \
		path, WEB_JUDGE, verb, segment, "", NULL, "", help, "POST", body, 1                                  \
	}
#define DELETE_GUARDED(path, verb, segment, help)                                                                    \
	{                                                                                                            \
		path, WEB_JUDGE, verb, segment, "", NULL, "", help, "DELETE", NULL, 1                                \
	}
#define CHOSEN " *ids+ reason" /* at most 1,000 of them in one request */
#define GATE_WEB_JUDGE NULL
#define GATE_WEB_RELAY "web.operator"
#define ENTRY " treatment strength note format find group"
#define DECIDED " *channel *reason fingerprint seen"

static const struct web_route routes[] = {
    {"/healthz", WEB_ALIVE, NULL, NULL, "", NULL, "", "This process answers.", GET},
    {"/readyz", WEB_READY, NULL, NULL, "", NULL, "", "Judge and relay answer, too.", GET},
    {"/metrics", WEB_METRICS, "status", NULL, "", NULL, "", "Figures for Prometheus.", GET},
    {"/api/v1/openapi.json", WEB_OPENAPI, NULL, NULL, "", NULL, " openapi info paths", "This description.", GET},
    {"/api/v1/status", WEB_STATUS, "status", NULL, "", NULL, " judge relay",
	"What judge and relay say of themselves.", GET},
    {"/api/v1/partners", WEB_JUDGE, "partner.list", NULL, " match state sort after offset# max# counts?", NULL,
	" partners more", "The partners, each with its state at a glance: searched, in order, by pages.", GET},
    {"/api/v1/partners/{}", WEB_JUDGE, "partner.show", "domain", "", NULL, " listed certificates anchors",
	"Everything about one partner.", GET},
    {"/api/v1/certificates", WEB_JUDGE, "cert.list", NULL, " owner after# max#", NULL, " certificates",
	"Certificates of partners.", GET},
    {"/api/v1/statements/pending", WEB_JUDGE, "statement.pending", NULL, PAGED, NULL, " statements",
	"Statements that wait for a decision.", GET},
    {"/api/v1/rules", WEB_JUDGE, "rule.list", NULL, "", NULL, " rules", "The rules, in order.", GET},
    {"/api/v1/anchors", WEB_JUDGE, "anchor.list", NULL, " scope", NULL, " anchors", "Trust anchors.", GET},
    {"/api/v1/bundles", WEB_JUDGE, "bundle.list", NULL, "", NULL, " bundles", "Trust bundles.", GET},
    {"/api/v1/audit", WEB_JUDGE, "audit.list", NULL, " before# max# of", NULL, " rows",
	"Who changed what, newest first; of: a partner's domain or a person's address.", GET},
    {"/api/v1/messages/counts", WEB_RELAY, "message.counts", NULL, "", "web.viewer", " hours left_out",
	"Recipients of the last 24 hours, by hour, direction and outcome.", GET},
    {"/api/v1/queue", WEB_RELAY, "queue.list", NULL, " before# max# state match", "web.operator", " messages",
	"Mail, newest first.", GET},
    {"/api/v1/queue/{}", WEB_RELAY, "queue.show", "id", "", "web.operator", " id recipients",
	"Everything about one message but its content.", GET},
    {"/api/v1/certificates/{}", WEB_JUDGE, "cert.show", "sha256", "", NULL, " certificates fingerprint",
	"One certificate, by 8 or more digits of its fingerprint.", GET},
    {"/api/v1/bundles/one", WEB_JUDGE, "bundle.show", NULL, " url", NULL, " bundle", "One trust bundle.", GET},
    {"/api/v1/domains", WEB_JUDGE, "domain.list", NULL, "", NULL, " identities", "Our own domains and their keys.",
	GET},
    {"/api/v1/domains/{}/records", WEB_JUDGE, "domain.records", "domain", "", NULL, " records",
	"What one of our domains publishes in DNS.", GET},
    {"/api/v1/explain", WEB_JUDGE, "explain", NULL, " sender recipient reply_to_sealed?", NULL, " treatment",
	"What would happen to mail from one address to another.", GET},
    {"/api/v1/explain", WEB_JUDGE, "explain", NULL, "", NULL, "",
	"The same with an edit that is not made: as it is (now) and as it would be (then); nothing is stored.",
	"POST", " *recipient sender reply_to_sealed? with_rule{ without_rule with_partner{ without_partner", 0},
    {"/api/v1/audit/verification", WEB_JUDGE, "audit.verify", NULL, " head", NULL, " head", "Is the audit log whole?",
	GET},
    {"/api/v1/settings", WEB_JUDGE, "settings.show", NULL, " match changed?", NULL, " settings more",
	"What the configuration comes to, with defaults; no secrets.", GET},
    {"/api/v1/users", WEB_JUDGE, "user.list", NULL, "", NULL, " users", "Who may sign in, and tokens.", GET},
    {"/api/v1/messages", WEB_RELAY, "message.find", NULL,
	" id from to message_id outcome direction since# until# cursor limit#", "message.audit", " messages",
	"What became of messages; the search is in the audit log.", GET},
    {"/api/v1/messages/{}", WEB_RELAY, "message.show", "id", "", "message.audit", "",
	"One message's way through the gateway; the search is in the audit log.", GET},

    POST("/api/v1/partners", WEB_JUDGE, "partner.add", NULL, " *domain" ENTRY, " partner changed",
	"Lists a partner, or changes what is given of one."),
    {"/api/v1/partners/{}", WEB_JUDGE, "partner.set", "domain", "", NULL, " partner changed",
	"Changes what is given of a listed partner.", "PATCH", ENTRY, 1},
    {"/api/v1/partners/{}", WEB_JUDGE, "partner.remove", "domain", "", NULL, " domain still_protected",
	"A partner is listed no longer; its certificates and anchors go.", "DELETE", NULL, 1},
    POST("/api/v1/partners/{}/release", WEB_JUDGE, "partner.release", "domain", "", " domain",
	"Mail to it need not be protected because it once was."),
    POST("/api/v1/partners/{}/approve", WEB_JUDGE, "statement.approve", "domain", DECIDED " pin? follow?",
	" statement", "The statement that waits is taken."),
    POST("/api/v1/partners/{}/refuse", WEB_JUDGE, "statement.refuse", "domain", DECIDED, " statement",
	"The statement that waits is refused."),
    POST("/api/v1/partners/{}/compromised", WEB_JUDGE, "statement.compromised", "domain", DECIDED, " statement",
	"Its key is in other hands."),
    {"/api/v1/proposals", WEB_JUDGE, "proposal.list", NULL, "", NULL, " proposals",
	"Changes that wait for a second person (two-person).", GET},
    POST("/api/v1/proposals/confirm", WEB_JUDGE, "proposal.confirm", NULL, " *id#", " confirmed result",
	"The second person confirms a change: it is made."),
    DELETE("/api/v1/proposals", "proposal.drop", NULL, " id# reason", " dropped", "A change that waits is not made."),
    POST("/api/v1/certificates/preview", WEB_JUDGE, "cert.preview", NULL, " *content owner", " certificates",
	"What a file holds; nothing is stored."),
    POST("/api/v1/certificates", WEB_JUDGE, "cert.import", NULL, " *owner *content sha256+ pinned? force?", "",
	"Stores certificates of a partner."),
    {"/api/v1/imports", WEB_JUDGE, "import.list", NULL, "", NULL, " imports",
	"Imports of many certificates that are under way, or were within a day.", GET},
    {"/api/v1/imports/{}", WEB_JUDGE, "import.show", "id", " only after# max#", NULL, " import rows more next",
	"How far one is, and its certificates; only: new, warned, known, refused, stored.", GET},
    POST("/api/v1/imports", WEB_JUDGE, "import.begin", NULL, " *content pinned?", " import",
	"A file with certificates of many partners is looked at; nothing is stored yet."),
    POST("/api/v1/imports/{}/confirm", WEB_JUDGE, "import.confirm", "id", " force?", " import",
	"What was found new is stored, beside the mail."),
    DELETE("/api/v1/imports/{}", "import.cancel", "id", "", " import",
	"It is not done, or not to the end: what was stored stays."),
    POST("/api/v1/certificates/accept", WEB_JUDGE, "cert.accept", NULL, " *owner *sha256 local", "",
	"A certificate that waits is right."),
    DELETE("/api/v1/certificates/{}", "cert.remove", "sha256", " owner", "", "Removes a certificate of a partner."),
    {"/api/v1/anchors", WEB_JUDGE, "anchor.add", NULL, "", NULL, "", "Adds trust anchors.", "POST",
	" *content scope direction local sha256+ force?", 1},
    {"/api/v1/anchors/{}", WEB_JUDGE, "anchor.remove", "sha256", " scope local", NULL, "", "Removes a trust anchor.",
	"DELETE", NULL, 1},
    {"/api/v1/bundles", WEB_JUDGE, "bundle.add", NULL, "", NULL, "", "Adds a trust bundle.", "POST",
	" *url scope direction local signer every#", 1},
    {"/api/v1/bundles", WEB_JUDGE, "bundle.remove", NULL, " url", NULL, "", "Removes a trust bundle and its anchors.",
	"DELETE", NULL, 1},
    POST("/api/v1/pkcs12", WEB_JUDGE, "pkcs12.open", NULL, " *content password", " opened certificates",
	"Opens a PKCS#12 file in a process of its own; what is in it waits ten minutes under a number for its "
	"import."),
    POST("/api/v1/domains/{}", WEB_JUDGE, "domain.add", "domain",
	" mode algo days# organisation address opened force?", " keys",
	"Makes keys of one of our domains; mode is csr or self. With opened: takes those of an opened PKCS#12 file."),
    POST("/api/v1/domains/{}/tls", WEB_JUDGE, "domain.tls", "domain", " mode algo days# organisation", " keys",
	"Makes the TLS key of a host name; mode is csr or self."),
    POST("/api/v1/domains/{}/install", WEB_JUDGE, "domain.install", "domain", " *content force?", "",
	"Installs the certificates that a CA issued for our keys."),
    POST_GUARDED("/api/v1/domains/{}/rollover", "domain.rollover", "domain", " keys csr? cancel? due?",
	"Changes keys of one of our domains, step by step."),
    POST_GUARDED("/api/v1/keys/retire", "domain.retire", NULL, " *key force?", "One of our keys is used no longer."),
    POST("/api/v1/lookup", WEB_JUDGE, "lookup", NULL, " *address source", "",
	"Looks for certificates of an address now, in the network, too."),
    POST(
	"/api/v1/partners/{}/fetch", WEB_JUDGE, "statement.fetch", "domain", "", "", "Its statement is fetched now."),
    POST("/api/v1/partners/{}/statement", WEB_JUDGE, "statement.set", "domain", " local_parts pin follow?", "",
	"What is set for a partner's statements."),
    POST("/api/v1/bundles/refresh", WEB_JUDGE, "bundle.refresh", NULL, " *url force? wait?", "",
	"A trust bundle is fetched now; without waiting for it when wait is false."),
    POST_GUARDED("/api/v1/rules", "rule.add", NULL, " *name sender recipient treatment strength exempt position#",
	"Adds a rule."),
    {"/api/v1/rules/{}", WEB_JUDGE, "rule.set", "name", "", NULL, " name",
	"Changes what is given of a rule; its place, too, where a position is given.", "PATCH",
	" sender recipient treatment strength exempt position#", 1},
    DELETE_GUARDED("/api/v1/rules/{}", "rule.remove", "name", "Removes a rule."),
    POST_GUARDED("/api/v1/users", "user.add", NULL, " *name *role", "Adds a user, or changes its role."),
    DELETE_GUARDED("/api/v1/users/{}", "user.remove", "name", "Removes a user and its tokens."),
    POST("/api/v1/users/{}/tokens", WEB_JUDGE, "user.token", "name", " *label role days#", " token",
	"A token of a user, told this once."),
    POST("/api/v1/users/{}/sign-out", WEB_JUDGE, "user.sign-out", "name", "", "", "Ends a user's sessions."),
    {"/api/v1/sessions", WEB_JUDGE, "user.sessions", NULL, " name", NULL, " sessions",
	"Who is signed in to the web UI, since when and from where.", GET},
    DELETE("/api/v1/sessions/{}", "user.session-end", "id", "", "", "Ends one session."),
    DELETE("/api/v1/tokens", "user.revoke", NULL, " id#", "", "Revokes a token."),
    POST("/api/v1/messages/release", WEB_RELAY, "queue.release", NULL, CHOSEN, " messages failed",
	"What is held of these messages goes on."),
    POST("/api/v1/messages/retry", WEB_RELAY, "queue.retry", NULL, CHOSEN, " messages failed",
	"These messages are tried now."),
    POST("/api/v1/messages/hold", WEB_RELAY, "queue.hold", NULL, CHOSEN, " messages failed",
	"These messages are held."),
    POST("/api/v1/messages/delete", WEB_RELAY, "queue.delete", NULL, CHOSEN, " messages failed",
	"These messages are removed for good."),
    POST("/api/v1/queue/{}/release", WEB_RELAY, "queue.release", "id", " address reason", " changed",
	"What is held goes on."),
    POST("/api/v1/queue/{}/retry", WEB_RELAY, "queue.retry", "id", " address reason", " changed", "It is tried now."),
    POST("/api/v1/queue/{}/hold", WEB_RELAY, "queue.hold", "id", " address reason", " changed", "It is held."),
    POST("/api/v1/queue/{}/delete", WEB_RELAY, "queue.delete", "id", " address reason", " changed",
	"It is removed for good."),
};

const struct web_route *web_route_at(size_t i)
{
	return i < sizeof routes / sizeof *routes ? &routes[i] : NULL;
}

/* What stands for "{}" in seg, "" for a path without it. */
static bool fits(const char *pattern, const char *path, char seg[WEB_ROUTE_VALUE_MAX + 1])
{
	const char *hole = strchr(pattern, '{');
	size_t n = hole ? (size_t)(hole - pattern) : 0;

	seg[0] = '\0';
	if (!hole)
		return strcmp(pattern, path) == 0;
	if (strncmp(pattern, path, n) != 0)
		return false;
	path += n;
	n = strcspn(path, "/");
	if (n == 0 || n > WEB_ROUTE_VALUE_MAX || strcmp(path + n, hole + 2) != 0)
		return false;
	memcpy(seg, path, n);
	seg[n] = '\0';
	return true;
}

static void allow(const struct web_route *r, char allow_r[WEB_ROUTE_ALLOW])
{
	size_t n = strlen(allow_r);

	(void)snprintf(allow_r + n, WEB_ROUTE_ALLOW - n, "%s%s", n ? ", " : "", r->method ? r->method : "GET, HEAD");
}

static bool has_method(const struct web_route *r, const char *method)
{
	if (r->method)
		return strcmp(r->method, method) == 0;
	return strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
}

/* A path without a hole goes before one with. */
const struct web_route *web_route_find(
    const char *path, const char *method, json_t **args_r, char allow_r[WEB_ROUTE_ALLOW])
{
	char seg[WEB_ROUTE_VALUE_MAX + 1];

	*args_r = NULL;
	for (int hole = 0; hole < 2; hole++) {
		allow_r[0] = '\0';
		for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
			if ((routes[i].segment != NULL) != hole || !fits(routes[i].path, path, seg))
				continue;
			allow(&routes[i], allow_r);
			if (!has_method(&routes[i], method))
				continue;
			*args_r = json_object();
			if (routes[i].segment)
				admin_json_set(*args_r, routes[i].segment, admin_json_text(seg));
			return &routes[i];
		}
		if (allow_r[0])
			break;
	}
	return NULL;
}

enum kind { UNKNOWN, TEXT, NUMBER, FLAG, LIST, OBJECT };

/* What a name may end in, in the order of kinds. */
static const char signs[] = "#?+{";

static enum kind kind_of(const char *args, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = args; *p == ' '; p += strcspn(p, " ")) {
		size_t len;

		p += p[1] == '*' ? 2 : 1;
		len = strcspn(p, " #?+{");
		if (len == n && strncmp(p, name, n) == 0)
			return p[len] && strchr(signs, p[len]) ? (enum kind)(NUMBER + (strchr(signs, p[len]) - signs))
							       : TEXT;
	}
	return UNKNOWN;
}

/* Names in front of which is '*'. */
static int needs(const char *body, const json_t *sent, char why[200])
{
	for (const char *p = body; *p == ' '; p += 1 + strcspn(p + 1, " ")) {
		char name[40];

		if (p[1] != '*')
			continue;
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(p + 2, " #?+{"), p + 2);
		if (json_object_get(sent, name))
			continue;
		(void)snprintf(why, 200, "\"%s\" is needed", name);
		return -1;
	}
	return 0;
}

static bool is_kind(const json_t *v, enum kind k)
{
	const json_t *e;
	size_t i;

	if (k == LIST && json_is_array(v)) {
		json_array_foreach(v, i, e)
		{
			if (!json_is_string(e))
				return false;
		}
		return true;
	}
	return k == TEXT     ? json_is_string(v)
	       : k == NUMBER ? json_is_integer(v)
	       : k == FLAG   ? json_is_boolean(v)
	       : k == OBJECT ? json_is_object(v)
			     : false;
}

int web_route_body(const struct web_route *r, const json_t *sent, json_t *args, char why[200])
{
	static const char *const words[] = {
	    "", "a text", "a whole number", "true or false", "a list of texts", "an object"};
	const char *body = r->body ? r->body : "", *name;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)sent, name, v)
	{
		enum kind k = kind_of(body, name);

		if (k == UNKNOWN) {
			(void)snprintf(why, 200, "\"%.60s\" is no field of this", name);
			return -1;
		}
		if (!is_kind(v, k)) {
			(void)snprintf(why, 200, "\"%.60s\" is %s", name, words[k]);
			return -1;
		}
		admin_json_set(args, name, json_incref(v));
	}
	return needs(body, sent, why);
}

int web_route_arg(const struct web_route *r, const char *name, const char *value, json_t *args, char why[200])
{
	enum kind kind = kind_of(r->args, name);
	char *end;
	long long v;

	if (kind == UNKNOWN || json_object_get(args, name) || !value || strlen(value) > WEB_ROUTE_VALUE_MAX) {
		(void)snprintf(why, 200,
		    kind == UNKNOWN ? "\"%.60s\" is no parameter of this path"
				    : "parameter \"%.60s\" is given once, with a value of at most 400 octets",
		    name);
		return -1;
	}
	if (kind == TEXT) {
		admin_json_set(args, name, admin_json_text(value));
		return 0;
	}
	if (kind == FLAG) {
		if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0) {
			(void)snprintf(why, 200, "parameter \"%.60s\" is true or false", name);
			return -1;
		}
		admin_json_set(args, name, json_boolean(value[0] == 't'));
		return 0;
	}
	errno = 0;
	v = strtoll(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end || errno) {
		(void)snprintf(why, 200, "parameter \"%.60s\" is a whole number", name);
		return -1;
	}
	admin_json_set(args, name, json_integer(v));
	return 0;
}
