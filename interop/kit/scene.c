#include "interop/kit/scene.h"

#include "interop/kit/seen.h"
#include "interop/kit/visible.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_LENGTH = 64, SENTENCE_MAX = 8192 };

void scene_begin(struct scene *s, const struct kit *k, const struct case_file *c, const char *evidence)
{
	unsigned char random[8];
	struct buf hex = {0};

	*s = (struct scene){.kit = k, .c = c, .began = time(NULL)};
	if (RAND_bytes(random, sizeof(random)) != 1)
		die("no random octets");
	hex_add(&hex, random, sizeof(random));
	memcpy(s->nonce, hex.p, sizeof(s->nonce));
	buf_free(&hex);
	if (evidence) {
		struct buf why = {0};

		s->evidence = text_copy(evidence);
		if (directory_make(evidence, &why) < 0)
			die("%s", why.p);
	}
}

void scene_free(struct scene *s)
{
	for (size_t i = 0; i < s->n_named; i++) {
		free(s->named[i].name);
		buf_free(&s->named[i].octets);
	}
	for (size_t i = 0; i < s->n_findings; i++)
		free(s->findings[i].sentence);
	free(s->named);
	free(s->findings);
	free(s->evidence);
	buf_free(&s->transcript);
	buf_free(&s->trusted);
	seen_free(s);
	*s = (struct scene){0};
}

/* What {name} stands for; false: not known. */
static bool value(struct scene *s, const char *name, struct buf *out)
{
	const struct {
		const char *name, *before, *value;
	} fixed[] = {{"own", "", s->kit->gateway_domain}, {"case", "", s->c->id}, {"nonce", "", s->nonce},
	    {"kit", "", s->kit->kit_domain}, {"http", "http://", s->kit->http}, {"host", "", s->kit->host}};
	const char *domain;

	if (!strcmp(name, "date")) {
		time_add_rfc5322(out, s->began ? s->began : time(NULL));
		return true;
	}
	for (size_t i = 0; i < sizeof(fixed) / sizeof(*fixed); i++)
		if (!strcmp(name, fixed[i].name)) {
			buf_addf(out, "%s%s", fixed[i].before, fixed[i].value ? fixed[i].value : "");
			return true;
		}
	domain = s->world ? world_domain(s->world, s->c, name) : NULL;
	if (domain)
		buf_adds(out, domain);
	return domain != NULL;
}

/* The length of a name that ends with "}"; 0: none. */
static size_t name_length(const char *p, size_t left)
{
	size_t n = 0;

	while (n < left && n < NAME_MAX_LENGTH &&
	       ((p[n] >= 'a' && p[n] <= 'z') || (p[n] >= 'A' && p[n] <= 'Z') || (p[n] >= '0' && p[n] <= '9') ||
		   p[n] == '-'))
		n++;
	return n < left && p[n] == '}' ? n : 0;
}

static int expand(struct scene *s, const char *p, size_t n, bool strict, struct buf *out, struct buf *why)
{
	buf_add(out, "", 0);
	for (size_t i = 0; i < n; i++) {
		size_t len = p[i] == '{' ? name_length(p + i + 1, n - i - 1) : 0;
		char *name;
		bool known;

		if (len == 0) {
			buf_add(out, p + i, 1);
			continue;
		}
		name = text_cut(p + i + 1, len);
		known = value(s, name, out);
		if (!known && strict) {
			fail(why, "{%s} is not known in this case", name);
			free(name);
			return -1;
		}
		if (!known)
			buf_add(out, p + i, len + 2);
		free(name);
		i += len + 1;
	}
	return 0;
}

int scene_expand(struct scene *s, const char *text, struct buf *out, struct buf *why)
{
	return expand(s, text, strlen(text), true, out, why);
}

void scene_expand_octets(struct scene *s, const void *p, size_t n, struct buf *out)
{
	expand(s, p, n, false, out, NULL);
}

char *scene_text(struct scene *s, const char *text, struct buf *why)
{
	struct buf out = {0};

	if (scene_expand(s, text, &out, why) == 0)
		return out.p;
	buf_free(&out);
	return NULL;
}

void scene_found(struct scene *s, enum verdict verdict, int line, const char *format, ...)
{
	va_list ap;
	char *sentence = NULL;
	struct buf shown = {0}; /* what the gateway sent, or what is left of it when it was cut */

	va_start(ap, format);
	if (vasprintf(&sentence, format, ap) < 0)
		die("out of memory");
	va_end(ap);
	visible_add(&shown, sentence, strnlen(sentence, SENTENCE_MAX));
	if (strlen(sentence) > SENTENCE_MAX)
		buf_adds(&shown, " [cut]");
	free(sentence);
	s->findings = need_more(s->findings, (s->n_findings + 1) * sizeof(*s->findings));
	s->findings[s->n_findings++] = (struct finding){verdict, line, shown.p};
}

void scene_keep(struct scene *s, const char *name, const void *p, size_t n)
{
	struct buf why = {0};
	char *path;

	if (!s->evidence)
		return;
	path = text_make("%s/%02u-%s", s->evidence, ++s->n_evidence, name);
	for (char *at = path + strlen(s->evidence) + 1; *at; at++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_", *at))
			*at = '_';
	if (file_write(path, p ? p : "", n, 0644, &why) < 0)
		die("the evidence cannot be kept: %s", why.p);
	free(path);
}

struct buf *scene_named(struct scene *s, const char *name)
{
	for (size_t i = 0; i < s->n_named; i++)
		if (!strcmp(s->named[i].name, name))
			return &s->named[i].octets;
	return NULL;
}

struct buf *scene_name(struct scene *s, const char *name, const struct stmt *from)
{
	struct buf *there = scene_named(s, name);

	for (size_t i = 0; there && i < s->n_named; i++)
		if (&s->named[i].octets == there)
			s->named[i].from = from;
	if (there) {
		buf_clear(there);
		return there;
	}
	s->named = need_more(s->named, (s->n_named + 1) * sizeof(*s->named));
	s->named[s->n_named] = (struct named){.name = text_copy(name), .from = from};
	return &s->named[s->n_named++].octets;
}
