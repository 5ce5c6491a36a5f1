/* Requests of the web process, see the header. Role web, loop thread. */
#include "gateway/proc/web_job.h"

#include <arpa/inet.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"

/* __Host-: by TLS alone, from this host alone (RFC 6265bis). */
#define COOKIE_TLS "__Host-postern"
#define COOKIE_PLAIN "postern-session"
/* BODIES: of the largest size, at a time: each is in memory several times while it is worked at. */
enum { ASK_MS = 20000, PARSE = 8192, BODIES = 4 };

/* ---- names and values ---- */

/* A value under its name (octets that are no UTF-8 as "?"); a second one makes a list. */
static void add_value(json_t *o, const char *said, json_t *v)
{
	json_t *text = admin_json_text(said);
	const char *name = json_string_value(text);
	json_t *have = json_object_get(o, name);

	if (!have) {
		admin_json_set(o, name, v);
	} else if (json_is_array(have)) {
		admin_json_add(have, v);
	} else {
		json_t *list = json_array();

		admin_json_add(list, json_incref(have));
		admin_json_add(list, v);
		admin_json_set(o, name, list);
	}
	json_decref(text);
}

static enum MHD_Result one_argument(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct web_job *j = ctx;

	(void)kind;
	if (++j->fields > WEB_JOB_FIELDS_MAX)
		return MHD_NO;
	add_value(j->query, name, admin_json_text(value ? value : ""));
	return MHD_YES;
}

/* RFC 6750 2.1 */
static void read_token(struct web_job *j)
{
	const char *v = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Authorization");

	if (!v || strncasecmp(v, "Bearer ", 7) != 0)
		return;
	v += 7 + strspn(v + 7, " ");
	if (strlen(v) <= WEB_JOB_TOKEN_MAX)
		(void)snprintf(j->token, sizeof j->token, "%s", v);
}

static void read_session(struct web_job *j)
{
	const char *v = MHD_lookup_connection_value(j->c, MHD_COOKIE_KIND, COOKIE_TLS);
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	j->host_cookie = v != NULL;
	if (!v && !j->w->tls)
		v = MHD_lookup_connection_value(j->c, MHD_COOKIE_KIND, COOKIE_PLAIN);
	if (!v || !v[0] || strlen(v) > WEB_JOB_TOKEN_MAX)
		return;
	(void)snprintf(j->session, sizeof j->session, "%s", v);
	if (!HMAC(EVP_sha256(), v, (int)strlen(v), (const uint8_t *)"csrf", 4, mac, &n) || n != 32)
		log_fatal("no HMAC");
	encode_hex(mac, n, j->csrf);
}

struct told {
	const char *field, *value;
};

/* The last line of the field: what the server in front added. */
static enum MHD_Result one_told(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct told *t = ctx;

	(void)kind;
	if (value && strcasecmp(name, t->field) == 0)
		t->value = value;
	return MHD_YES;
}

/* The address that a web server in front tells, the last of its field. False: it tells none. */
static bool read_told(struct web_job *j)
{
	struct told t = {.field = j->w->set->client_field};
	char text[INET6_ADDRSTRLEN];
	struct in6_addr six;
	struct in_addr four;
	const char *comma;
	size_t n;

	if (!t.field[0])
		return false;
	(void)MHD_get_connection_values(j->c, MHD_HEADER_KIND, one_told, &t);
	if (!t.value)
		return false;
	comma = strrchr(t.value, ',');
	t.value = comma ? comma + 1 : t.value;
	t.value += strspn(t.value, " \t");
	n = strcspn(t.value, " \t");
	if (n >= sizeof text)
		return false;
	memcpy(text, t.value, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, &four) == 1)
		return inet_ntop(AF_INET, &four, j->from, sizeof j->from) != NULL;
	return inet_pton(AF_INET6, text, &six) == 1 && inet_ntop(AF_INET6, &six, j->from, sizeof j->from) != NULL;
}

static void read_from(struct web_job *j)
{
	const union MHD_ConnectionInfo *i = MHD_get_connection_info(j->c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = i ? i->client_addr : NULL;

	if (read_told(j))
		return;
	(void)snprintf(j->from, sizeof j->from, "?");
	if (sa && sa->sa_family == AF_INET)
		(void)inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, j->from, sizeof j->from);
	else if (sa && sa->sa_family == AF_INET6)
		(void)inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, j->from, sizeof j->from);
}

struct web_job *web_job_new(struct web_world *w, struct MHD_Connection *c, const char *url, const char *method)
{
	struct web_job *j = mem_new(sizeof *j);

	*j = (struct web_job){.w = w, .c = c, .method = method, .path = mem_str(url)};
	j->changes = strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0;
	j->query = json_object();
	buf_init(&j->body, (size_t)w->set->body_octets);
	buf_init(&j->value, (size_t)w->set->body_octets);
	j->most = w->set->body_octets;
	j->background = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "X-Postern-Background") != NULL;
	read_from(j);
	read_token(j);
	if (!j->token[0])
		read_session(j);
	(void)MHD_get_connection_values(c, MHD_GET_ARGUMENT_KIND, one_argument, j);
	return j;
}

void web_job_free(struct web_job *j)
{
	if (!j)
		return;
	if (j->post)
		(void)MHD_destroy_post_processor(j->post);
	if (j->own)
		j->own_free(j->own);
	j->w->bodies -= j->room;
	json_decref(j->query);
	json_decref(j->form);
	json_decref(j->relay_args);
	buf_clear(&j->body);
	buf_clear(&j->value);
	mem_wipe(j->token, sizeof j->token);
	mem_wipe(j->session, sizeof j->session);
	free(j->field);
	free(j->path);
	free(j->reply);
	free(j);
}

/* ---- the body ---- */

static void end_field(struct web_job *j)
{
	char *b64;

	if (!j->field)
		return;
	if (j->file && j->value.len > 0) {
		b64 = mem_raw(4 * ((j->value.len + 2) / 3) + 1);
		(void)encode_b64(j->value.p, j->value.len, b64);
		add_value(j->form, j->field, admin_json_text(b64));
		free(b64);
	} else if (!j->file) {
		add_value(j->form, j->field, admin_json_text(buf_str(&j->value)));
	}
	free(j->field);
	j->field = NULL;
	buf_reset(&j->value);
}

static enum MHD_Result on_field(void *ctx, enum MHD_ValueKind kind, const char *key, const char *filename,
    const char *content_type, const char *transfer_encoding, const char *data, uint64_t off, size_t size)
{
	struct web_job *j = ctx;

	(void)kind;
	(void)content_type;
	(void)transfer_encoding;
	if (off == 0) {
		end_field(j);
		if (!key || ++j->fields > WEB_JOB_FIELDS_MAX)
			return MHD_NO;
		j->field = mem_str(key);
		j->file = filename != NULL;
	}
	return j->field && buf_add(&j->value, data, size) == 0 ? MHD_YES : MHD_NO;
}

bool web_job_has_room(struct web_job *j, size_t n)
{
	size_t all = BODIES * (size_t)j->w->set->body_octets;

	if (n > all || j->w->bodies > all - n)
		return false;
	j->w->bodies += n;
	j->room = n;
	return true;
}

/* RFC 9110 8.3.1: the type, whatever its parameters. */
static bool is_json(const struct web_job *j)
{
	static const char json[] = "application/json";
	const char *type = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Content-Type");
	size_t n = sizeof json - 1;

	return type && strncasecmp(type, json, n) == 0 && (type[n] == '\0' || strchr("; \t", type[n]));
}

int web_job_take(struct web_job *j, const char *p, size_t n)
{
	j->taken += n;
	if (j->taken > (size_t)j->most)
		return -1;
	if (j->other)
		return 0;
	if (is_json(j))
		return buf_add(&j->body, p, n);
	if (!j->post && !j->api) {
		j->form = json_object();
		j->post = MHD_create_post_processor(j->c, PARSE, on_field, j);
	}
	j->other = !j->post;
	return j->other || MHD_post_process(j->post, p, n) == MHD_YES ? 0 : -1;
}

int web_job_taken(struct web_job *j)
{
	int rc = 0;

	if (j->post)
		rc = MHD_destroy_post_processor(j->post) == MHD_YES ? 0 : -1;
	j->post = NULL;
	if (j->form)
		end_field(j);
	else
		j->form = json_object();
	return rc;
}

/* ---- asking ---- */

static void send_request(struct web_job *j, struct admin_peer *p, const char *who, json_t *o, admin_peer_done *done)
{
	struct admin_request rq = {.text = json_dumps(o, JSON_COMPACT)};

	if (!rq.text)
		log_fatal("out of memory: JSON");
	json_decref(o);
	(void)snprintf(rq.who, sizeof rq.who, "%s", who);
	admin_peer_ask(p, &rq, ASK_MS, done, j);
	mem_free_secret(rq.text, strlen(rq.text));
}

static void ask_peer(
    struct web_job *j, struct admin_peer *p, const char *verb, const json_t *args, admin_peer_done *done)
{
	json_t *o = json_object();

	admin_json_set(o, "verb", admin_json_text(verb));
	admin_json_set(o, "args", args ? json_incref((json_t *)args) : json_object());
	if (p == j->w->judge && j->token[0])
		admin_json_set(o, "token", admin_json_text(j->token));
	else if (p == j->w->judge && j->session[0])
		admin_json_set(o, "session", admin_json_text(j->session));
	if (p == j->w->judge && j->background)
		admin_json_set(o, "background", json_true());
	send_request(j, p, j->from, o, done);
}

static void answered(struct web_job *j, const struct admin_reply *r, const char *why)
{
	void (*said)(struct web_job *, json_t *, const char *, const char *) = j->said;
	json_t *o = r ? json_loads(r->text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	json_t *data = json_is_true(json_object_get(o, "ok")) ? json_object_get(o, "data") : NULL;
	const json_t *e = json_object_get(o, "error");
	const char *code = json_string_value(json_object_get(e, "code"));
	const char *text = json_string_value(json_object_get(e, "text"));

	j->said = NULL;
	if (data)
		said(j, data, NULL, NULL);
	else
		said(j, NULL, r && code ? code : "unavailable",
		    r ? (text ? text : "an answer that says nothing") : why);
	json_decref(o);
}

static void peer_said(void *ctx, const struct admin_reply *r, const char *why)
{
	struct web_job *j = ctx;

	if (j->state == WEB_JOB_ASKING || j->state == WEB_JOB_WHO)
		answered(j, r, why);
}

/* The judge has let it through, or not. */
static void let_through(void *ctx, const struct admin_reply *r, const char *why)
{
	struct web_job *j = ctx;
	char text[640];
	json_t *ok = r ? admin_json_data(r->text, text) : NULL;
	const char *who = json_string_value(json_object_get(ok, "who"));

	if (j->state != WEB_JOB_ASKING) {
		;
	} else if (ok && who) {
		json_t *o = json_object();

		admin_json_set(o, "verb", admin_json_text(j->relay_verb));
		admin_json_set(o, "args", json_incref(j->relay_args));
		admin_json_set(o, "permit", json_incref(json_object_get(ok, "permit")));
		send_request(j, j->w->relay, who, o, peer_said);
	} else {
		answered(j, r, why);
	}
	json_decref(ok);
}

void web_job_ask(struct web_job *j, enum web_whom whom, const char *verb, json_t *args,
    void (*said)(struct web_job *j, json_t *data, const char *code, const char *text))
{
	json_t *o;

	REQUIRE(!j->said);
	j->said = said;
	if (whom == WEB_ASK_JUDGE) {
		ask_peer(j, j->w->judge, verb, args, peer_said);
		json_decref(args);
		return;
	}
	json_decref(j->relay_args);
	j->relay_args = args;
	j->relay_verb = verb;
	if (strcmp(verb, "alive") == 0) { /* anybody may ask whether it answers */
		ask_peer(j, j->w->relay, verb, NULL, peer_said);
		return;
	}
	o = json_object();
	admin_json_set(o, "verb", admin_json_text(verb));
	admin_json_set(o, "args", json_incref(args));
	ask_peer(j, j->w->judge, "web.permit", o, let_through);
	json_decref(o);
}

static void who_said(struct web_job *j, json_t *data, const char *code, const char *text)
{
	const char *user = json_string_value(json_object_get(data, "user")),
		   *role = json_string_value(json_object_get(data, "role"));

	if (user && role) {
		(void)snprintf(j->user, sizeof j->user, "%s", user);
		(void)snprintf(j->role, sizeof j->role, "%s", role);
	}
	if (data || strcmp(code, "unauthorized") == 0)
		j->then(j, NULL, NULL);
	else
		j->then(j, code, text);
}

void web_job_who(struct web_job *j, void (*then)(struct web_job *j, const char *code, const char *text))
{
	if (!j->session[0] && !j->token[0]) {
		then(j, NULL, NULL);
		return;
	}
	j->then = then;
	web_job_ask(j, WEB_ASK_JUDGE, "web.me", json_object(), who_said);
}

bool web_job_is_foreign(const struct web_job *j)
{
	const char *site = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Sec-Fetch-Site");
	const char *origin = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Origin");
	const char *host = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Host");
	const char *at = origin ? strstr(origin, "://") : NULL;

	if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
		return true;
	return origin && (!at || !host || strcasecmp(at + 3, host) != 0);
}

static bool is_header(const struct web_job *j, const char *name, const char *value)
{
	const char *v = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, name);

	return v && strcmp(v, value) == 0;
}

bool web_job_is_embedded(const struct web_job *j)
{
	return web_job_is_foreign(j) &&
	       !(is_header(j, "Sec-Fetch-Mode", "navigate") && is_header(j, "Sec-Fetch-Dest", "document"));
}

bool web_job_is_ours(const struct web_job *j, const char *csrf)
{
	size_t n = strlen(j->csrf);

	return !web_job_is_foreign(j) && n > 0 && csrf && strlen(csrf) == n && CRYPTO_memcmp(csrf, j->csrf, n) == 0;
}

/* ---- answers ---- */

void web_job_finish(struct web_job *j, unsigned status, const char *type, const void *p, size_t n)
{
	bool waits = j->state == WEB_JOB_ASKING || j->state == WEB_JOB_WHO;

	if (j->state == WEB_JOB_DONE)
		return;
	j->state = WEB_JOB_DONE;
	j->status = status;
	j->type = type;
	j->reply = mem_raw(n + 1);
	if (n > 0)
		memcpy(j->reply, p, n);
	j->reply_n = n;
	if (!waits)
		return;
	web_job_go_on(j);
}

void web_job_go_on(struct web_job *j)
{
	MHD_resume_connection(j->c);
	j->w->again = true;
	loop_timer_set(j->w->timer, 0);
}

void web_job_redirect(struct web_job *j, const char *where)
{
	(void)snprintf(j->location, sizeof j->location, "%s", where);
	web_job_finish(j, MHD_HTTP_SEE_OTHER, "text/plain; charset=utf-8", "", 0);
}

/* By TLS, to here or to a web server in front: browsers say so with each form. Whoever lies about it gets a cookie
 * that his own browser does not send. */
static bool is_by_tls(const struct web_job *j)
{
	const char *origin = MHD_lookup_connection_value(j->c, MHD_HEADER_KIND, "Origin");

	return j->w->tls || (origin && strncasecmp(origin, "https://", 8) == 0);
}

void web_job_cookie(struct web_job *j, const char *value)
{
	bool tls = value[0] ? is_by_tls(j) : j->host_cookie || j->w->tls;

	(void)snprintf(j->cookie, sizeof j->cookie, "%s=%s; Path=/; HttpOnly; SameSite=Strict%s%s",
	    tls ? COOKIE_TLS : COOKIE_PLAIN, value, tls ? "; Secure" : "", value[0] ? "" : "; Max-Age=0");
}

void web_job_give_up(struct web_job *j)
{
	static const char text[] = "The gateway stops.\n";

	j->said = NULL;
	web_job_finish(j, MHD_HTTP_SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", text, sizeof text - 1);
}

#define NOTHING "default-src 'none'; frame-ancestors 'none'"
#define OWN                                                                                                          \
	"default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; form-action "  \
	"'self'; base-uri 'none'; frame-ancestors 'none'"

static enum MHD_Result head(struct MHD_Response *r, const char *name, const char *value)
{
	return value[0] ? MHD_add_response_header(r, name, value) : MHD_YES;
}

enum MHD_Result web_job_send(struct web_job *j)
{
	static const char *const fields[][2] = {
	    {"X-Content-Type-Options", "nosniff"},
	    {"Cross-Origin-Opener-Policy", "same-origin"},
	    {"Cross-Origin-Resource-Policy", "same-origin"},
	    {"Permissions-Policy", "camera=(), geolocation=(), microphone=()"},
	};
	struct MHD_Response *r = MHD_create_response_from_buffer(j->reply_n, j->reply, MHD_RESPMEM_MUST_COPY);
	enum MHD_Result rc = MHD_YES;

	if (!r)
		return MHD_NO;
	for (size_t i = 0; rc == MHD_YES && i < sizeof fields / sizeof *fields; i++)
		rc = head(r, fields[i][0], fields[i][1]);
	if (rc == MHD_YES) /* with "no-referrer" browsers send a form of ours with Origin: null */
		rc = head(r, "Referrer-Policy", j->page ? "same-origin" : "no-referrer");
	if (rc == MHD_YES)
		rc = head(r, "Cache-Control",
		    j->etag[0] && strcmp(j->type, "application/json") != 0 ? "no-cache" : "no-store");
	if (rc == MHD_YES)
		rc = head(r, "Content-Security-Policy", j->page ? OWN : NOTHING);
	if (rc == MHD_YES && j->w->tls)
		rc = head(r, "Strict-Transport-Security", "max-age=31536000");
	if (rc == MHD_YES)
		rc = head(r, "Content-Type", j->type);
	if (rc == MHD_YES)
		rc = head(r, "ETag", j->etag);
	if (rc == MHD_YES)
		rc = head(r, "Location", j->location);
	if (rc == MHD_YES)
		rc = head(r, "Set-Cookie", j->cookie);
	if (rc == MHD_YES && j->status == MHD_HTTP_UNAUTHORIZED && !j->page)
		rc = head(r, "WWW-Authenticate", "Bearer realm=\"postern\"");
	if (rc == MHD_YES && j->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		rc = head(r, "Allow", j->allow[0] ? j->allow : "GET, HEAD");
	if (rc == MHD_YES)
		rc = MHD_queue_response(j->c, j->status, r);
	MHD_destroy_response(r);
	return rc;
}
