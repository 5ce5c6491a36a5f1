#include "interop/kit/making.h"

#include <stdlib.h>
#include <string.h>

#include "interop/kit/world.h"

const char *const zone_labels[ZONES] = {"", "signed.", "bogus."};

const struct domain *making_domain(const struct making *m, const char *name)
{
	for (size_t i = 0; i < m->n_domains; i++)
		if (!strcmp(m->domains[i].name, name))
			return &m->domains[i];
	return NULL;
}

const struct domain *making_domain_of(const struct making *m, const char *address)
{
	const char *at = strchr(address, '@'), *domain = at ? at + 1 : address;
	const struct domain *best = NULL;

	for (size_t i = 0; i < m->n_domains; i++) {
		size_t n = strlen(m->domains[i].domain), len = strlen(domain);
		bool fits = len >= n && !strcmp(domain + len - n, m->domains[i].domain) &&
			    (len == n || domain[len - n - 1] == '.');

		if (fits && (!best || n > strlen(best->domain)))
			best = &m->domains[i];
	}
	return best;
}

static const char *value_of(const struct making *m, const char *name, size_t n)
{
	const struct {
		const char *name, *value;
	} known[] = {
	    {"own", m->kit->gateway_domain}, {"kit", m->kit->kit_domain}, {"host", m->kit->host}, {"case", m->c->id}};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == n && !strncmp(known[i].name, name, n))
			return known[i].value;
	for (size_t i = 0; i < m->n_domains; i++)
		if (strlen(m->domains[i].name) == n && !strncmp(m->domains[i].name, name, n))
			return m->domains[i].domain;
	return NULL;
}

char *making_text(struct making *m, const char *text, struct buf *why)
{
	struct buf b = {0};

	buf_add(&b, "", 0);
	for (const char *p = text; *p;) {
		size_t n = *p == '{' ? strcspn(p, "}") : 0;
		const char *value = n > 1 && p[n] ? value_of(m, p + 1, n - 1) : NULL;

		if (n > 1 && !strncmp(p, "{http}", 6)) {
			buf_addf(&b, "http://%s", m->kit->http);
		} else if (*p == '{' && !value && why) {
			fail(why, "{%.*s} stands for nothing here", (int)(n > 0 ? n - 1 : 0), p + 1);
			buf_free(&b);
			return NULL;
		} else if (value) {
			buf_adds(&b, value);
		} else {
			buf_add(&b, p, 1);
			p++;
			continue;
		}
		p += n + 1;
	}
	return b.p;
}

static void add_domain(struct making *m, const char *name, enum zone zone)
{
	struct domain d = {text_copy(name),
	    strcmp(name, "p") ? text_make("%s-%s.%s%s", name, m->c->id, zone_labels[zone], m->kit->kit_domain)
			      : text_make("%s.%s%s", m->c->id, zone_labels[zone], m->kit->kit_domain),
	    zone};

	for (struct domain *there = m->domains; there < m->domains + m->n_domains; there++)
		if (!strcmp(there->name, name)) { /* `domain p zone=` moves it */
			free(there->name);
			free(there->domain);
			*there = d;
			return;
		}
	m->domains = need_more(m->domains, (m->n_domains + 1) * sizeof(*m->domains));
	m->domains[m->n_domains++] = d;
}

static int read_domains(struct making *m, struct buf *why)
{
	add_domain(m, "p", ZONE_PLAIN);
	for (size_t i = 0; i < m->c->n_stmts; i++) {
		const struct stmt *st = &m->c->stmts[i];
		const char *zone = stmt_attribute(st, "zone", "plain");

		if (strcmp(st->verb, "domain") != 0)
			continue;
		if (!text_is_word_in(zone, "plain,signed,bogus") || st->n_words != 1)
			return fail(why, "line %d: domain NAME zone=plain|signed|bogus", st->line);
		add_domain(m, st->words[0],
		    !strcmp(zone, "signed")  ? ZONE_SIGNED
		    : !strcmp(zone, "bogus") ? ZONE_BOGUS
					     : ZONE_PLAIN);
	}
	for (size_t i = 0; i < m->n_domains; i++) {
		const struct domain *d = &m->domains[i];

		/* the analyzer loses what add_domain put there: NOLINTNEXTLINE(clang-analyzer-unix.Malloc) */
		buf_addf(&m->names, "%s %s %s\n", m->c->id, d->name, d->domain);
		buf_addf(&m->zones[d->zone], "%s. MX 10 %s.\n", d->domain, m->kit->host);
	}
	return 0;
}

/* "certificates" and "anchors" of setup.json, for each name of a list */
static int handed(struct making *m, const struct stmt *st, json_t *list, struct buf *why)
{
	char *target = making_text(m, stmt_attribute(st, "for", "{p}"), why);
	int rc = target ? 0 : -1;

	for (size_t i = 0; rc == 0 && i < st->n_words; i++)
		for (const char *p = st->words[i]; rc == 0 && *p;) {
			size_t n = strcspn(p, ",");
			char *name = text_cut(p, n), *cert, *key;

			making_paths(m, name, &cert, &key);
			if (!file_there(cert))
				rc = fail(why, "line %d: no certificate %s above", st->line, name);
			json_array_append_new(
			    list, json_pack("{s:s, s:s, s:s, s:s}", "file", cert + strlen(m->kit->dir) + 1, "for",
				      target, "case", m->c->id, "name", name));
			free(name);
			free(cert);
			free(key);
			p += n + (p[n] == ',');
		}
	free(target);
	return rc;
}

static int listed(struct making *m, const struct stmt *st, struct buf *why)
{
	char *domain = making_text(m, stmt_word(st, 0, "{p}"), why);

	if (!domain)
		return -1;
	json_array_append_new(m->partners,
	    json_pack("{s:s, s:s, s:s, s:s}", "domain", domain, "treatment", stmt_attribute(st, "treatment", "seal"),
		"strength", stmt_attribute(st, "strength", "require"), "find", stmt_attribute(st, "find", "")));
	free(domain);
	return 0;
}

static int one(struct making *m, const struct stmt *st, struct buf *why)
{
	if (!strcmp(st->verb, "cert"))
		return making_cert(m, st, why);
	if (!strcmp(st->verb, "give"))
		return handed(m, st, m->certificates, why);
	if (!strcmp(st->verb, "anchor"))
		return handed(m, st, m->anchors, why);
	if (!strcmp(st->verb, "partner"))
		return listed(m, st, why);
	if (!strcmp(st->verb, "publish") || !strcmp(st->verb, "zone"))
		return making_publish(m, st, why);
	return 0;
}

static void forget_case(struct making *m)
{
	for (size_t i = 0; i < m->n_domains; i++) {
		free(m->domains[i].name);
		free(m->domains[i].domain);
	}
	free(m->domains);
	free(m->case_dir);
	m->domains = NULL;
	m->n_domains = 0;
	m->c = NULL;
	m->case_dir = NULL;
}

static int make_case(struct making *m, const struct case_file *c, struct buf *why)
{
	struct buf said = {0};
	int rc;

	m->c = c;
	m->n_keys = 0;
	m->case_dir = text_make("%s/%s/%s", m->dir, c->profile, c->id);
	rc = directory_make(m->case_dir, &said) < 0 ? -1 : read_domains(m, &said);
	for (size_t i = 0; rc == 0 && i < c->n_stmts; i++)
		if (one(m, &c->stmts[i], &said) < 0)
			rc = fail(&said, "line %d", c->stmts[i].line);
	if (rc < 0)
		fail(why, "%s/case: %s", c->dir, said.p);
	buf_free(&said);
	forget_case(m);
	return rc;
}

static int write_names(struct making *m, struct buf *why)
{
	char *names = text_make("%s/names", m->dir), *index = text_make("%s/http.index", m->dir);
	int rc = file_write(names, m->names.p ? m->names.p : "", m->names.n, 0644, why) < 0 ||
			 file_write(index, m->index.p ? m->index.p : "", m->index.n, 0644, why) < 0
		     ? -1
		     : 0;

	free(names);
	free(index);
	return rc;
}

/* A mail by which the gateway countersigns goes to this partner, who is in every world. */
static int make_countersign(struct making *m, struct buf *why)
{
	static const char text[] = "title countersign\nproves -\ncert enc usage=encrypt\ngive enc\n";
	struct case_file c = {
	    .id = text_copy("countersign"), .profile = text_copy("kit"), .dir = text_copy("countersign")};
	int rc = case_file_parse(text, sizeof(text) - 1, &c, why) < 0 ? -1 : make_case(m, &c, why);

	case_file_free(&c);
	return rc;
}

int world_make(const struct kit *k, const struct case_list *cases, struct buf *why)
{
	struct making m = {.kit = k,
	    .dir = text_make("%s/world", k->dir),
	    .now = time(NULL),
	    .partners = json_array(),
	    .certificates = json_array(),
	    .anchors = json_array()};
	int rc = directory_make(m.dir, why) < 0 ? -1 : making_authorities(&m, why);

	if (rc == 0)
		rc = make_countersign(&m, why);
	for (size_t i = 0; i < cases->n && rc == 0; i++)
		rc = make_case(&m, &cases->cases[i], why);
	if (rc == 0 && (write_names(&m, why) < 0 || making_zones(&m, why) < 0 || making_directory(&m, why) < 0 ||
			   making_instructions(&m, why) < 0))
		rc = -1;
	for (int i = 0; i < ZONES; i++)
		buf_free(&m.zones[i]);
	buf_free(&m.ldif);
	buf_free(&m.index);
	buf_free(&m.names);
	json_decref(m.partners);
	json_decref(m.certificates);
	json_decref(m.anchors);
	free(m.dir);
	return rc;
}
