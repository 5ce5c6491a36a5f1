#include "interop/kit/seen.h"

#include "interop/kit/second.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 16 }; /* digits of a hash in a sentence */

/* --- facts of both judges as texts ------------------------------------------------------------------------------ */

struct texts {
	char **all;
	size_t n;
};

static void add_text(struct texts *t, char *text)
{
	t->all = need_more(t->all, (t->n + 1) * sizeof(*t->all));
	t->all[t->n++] = text;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted, since their order says nothing; frees them. */
static void join(struct texts *t, struct buf *out)
{
	if (t->n > 0)
		qsort(t->all, t->n, sizeof(*t->all), by_text);
	for (size_t i = 0; i < t->n; i++) {
		buf_addf(out, "%s%s", i ? ", " : "", t->all[i]);
		free(t->all[i]);
	}
	free(t->all);
	*t = (struct texts){0};
}

static const char *member(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}

static char *signer_text(const char *cert, const char *digest, bool valid, const char *more)
{
	return text_make("%s signature with %s by %.*s%s", valid ? "valid" : "wrong", digest, SHORT,
	    *cert ? cert : "nobody known", more ? more : "");
}

/* Of a signer: its signed attributes, and whether its certificate is inside. */
static void add_more(struct texts *attributes, const bool *inside, struct buf *out)
{
	if (attributes) {
		buf_adds(out, ", signed attributes ");
		join(attributes, out);
	}
	if (inside)
		buf_addf(out, ", certificate %s", *inside ? "inside" : "not inside");
}

static char *first_signer(const struct signer *s, const json_t *mask)
{
	struct texts t = {0};
	struct buf more = {0};
	char *out;

	for (size_t i = 0; i < s->n_attributes; i++)
		add_text(&t, text_copy(s->attributes[i]));
	if (json_object_get(mask, "attributes"))
		add_more(&t, NULL, &more);
	if (json_object_get(mask, "certificate-inside"))
		add_more(NULL, &s->inside, &more);
	out = signer_text(s->cert_sha256, s->digest, s->valid, more.p);
	join(&t, &more);
	buf_free(&more);
	return out;
}

static char *second_signer(const json_t *s)
{
	const json_t *attributes = json_object_get(s, "attributes"),
		     *inside = json_object_get(s, "certificate-inside"), *one;
	bool is = json_is_true(inside);
	struct texts t = {0};
	struct buf more = {0};
	char *out;
	size_t i;

	json_array_foreach(attributes, i, one)
	    add_text(&t, text_copy(json_is_string(one) ? json_string_value(one) : ""));
	if (attributes)
		add_more(&t, NULL, &more);
	if (inside)
		add_more(NULL, &is, &more);
	out = signer_text(
	    member(s, "cert-sha256"), member(s, "digest"), json_is_true(json_object_get(s, "valid")), more.p);
	buf_free(&more);
	return out;
}

static char *recipient_text(const char *id, const char *keys)
{
	return text_make("%s for %.*s", keys, SHORT, *id ? id : "nobody known");
}

/* mask: the same layer by the second judge: what it does not tell is left out. */
static void first_layer(const struct layer *l, const json_t *mask, struct buf *out)
{
	struct texts t = {0};

	buf_addf(out, "%s (", layer_names[l->kind]);
	if (json_object_get(mask, "cipher"))
		buf_addf(out, "%s; ", l->cipher ? l->cipher : "");
	for (size_t i = 0; json_object_get(mask, "recipients") && i < l->n_recipients; i++)
		add_text(&t, recipient_text(l->recipients[i].id, l->recipients[i].keys));
	for (size_t i = 0; i < l->n_signers; i++)
		add_text(&t, first_signer(&l->signers[i], json_array_get(json_object_get(mask, "signers"), i)));
	join(&t, out);
	buf_adds(out, "), ");
}

static void second_layer(const json_t *l, struct buf *out)
{
	struct texts t = {0};
	const json_t *one;
	size_t i;

	buf_addf(out, "%s (", member(l, "kind"));
	if (json_object_get(l, "cipher"))
		buf_addf(out, "%s; ", member(l, "cipher"));
	json_array_foreach(json_object_get(l, "recipients"), i, one)
	{
		const char *id = member(one, "issuer-serial-sha256");

		add_text(&t, recipient_text(*id ? id : member(one, "ski"), member(one, "keys")));
	}
	json_array_foreach(json_object_get(l, "signers"), i, one) add_text(&t, second_signer(one));
	join(&t, out);
	buf_adds(out, "), ");
}

static void add_content(bool whole, const char *hash, const char *broken, struct buf *out)
{
	if (broken)
		buf_adds(out, "and then it is broken");
	else if (whole)
		buf_addf(out, "content %.*s", SHORT, hash);
	else
		buf_adds(out, "and then no key opens it");
}

static void compare(struct seen *n, const char *name)
{
	const json_t *layers = json_object_get(n->second, "layers"), *one;
	const char *broken = json_string_value(json_object_get(n->second, "broken")),
		   *content = member(n->second, "content-sha256");
	struct buf a = {0}, b = {0}, hex = {0};
	unsigned char hash[32];
	size_t i;

	sha256_of(n->first.content.p ? n->first.content.p : "", n->first.content.n, hash);
	hex_add(&hex, hash, sizeof(hash));
	for (i = 0; i < n->first.n; i++)
		first_layer(&n->first.layers[i], json_array_get(layers, i), &a);
	json_array_foreach(layers, i, one) second_layer(one, &b);
	add_content(n->first.whole, hex.p, n->first.broken, &a);
	add_content(*content != 0, content, broken, &b);
	/* where both stop at damage, how far each came says nothing */
	if (!(broken && n->first.broken) && strcmp(a.p, b.p) != 0)
		n->disagree = text_make("the judges disagree: OpenSSL sees %s%s%s%s; %s sees %s%s%s%s", a.p,
		    n->first.broken ? " (" : "", n->first.broken ? n->first.broken : "", n->first.broken ? ")" : "",
		    name, b.p, broken ? " (" : "", broken ? broken : "", broken ? ")" : "");
	buf_free(&a);
	buf_free(&b);
	buf_free(&hex);
}

/* --- asking ----------------------------------------------------------------------------------------------------- */

static void offer(struct seen *n, const struct credential *c)
{
	if (!c || !c->cert || n->n_keys == JUDGE_KEYS_MAX)
		return;
	for (size_t i = 0; i < n->n_keys; i++)
		if (n->keys[i] == c)
			return;
	n->keys[n->n_keys++] = c;
}

static void collect_keys(struct scene *s, struct seen *n)
{
	if (!s->world)
		return;
	offer(n, world_credential(s->world, s->c, "gateway", 's'));
	offer(n, world_credential(s->world, s->c, "gateway", 'e'));
	for (size_t i = 0; i < s->c->n_stmts; i++)
		if (!strcmp(s->c->stmts[i].verb, "cert") && s->c->stmts[i].n_words > 0)
			offer(n, world_credential(s->world, s->c, s->c->stmts[i].words[0], 'e'));
}

static void ask_second(struct scene *s, struct seen *n)
{
	struct buf why = {0};

	if (s->second)
		n->second = second_judge(s->second, n->mail->data.p, n->mail->data.n, n->keys, n->n_keys, &why);
	if (n->second && !json_is_true(json_object_get(n->second, "ok"))) {
		fail(&why, "%s", *member(n->second, "cannot") ? member(n->second, "cannot") : "it gives no reason");
		json_decref(n->second);
		n->second = NULL;
	}
	if (n->second)
		compare(n, second_name(s->second));
	else
		n->cannot = s->second ? text_make("the second judge (%s) cannot judge it: %s", second_name(s->second),
					    why.n ? why.p : "no reason given")
				      : text_copy("no second judge");
	buf_free(&why);
}

struct seen *seen_message(struct scene *s, const struct mail *m)
{
	struct seen *n;

	for (n = s->seen; n; n = n->next)
		if (n->mail == m)
			return n;
	n = need(sizeof(*n));
	n->mail = m;
	n->next = s->seen;
	s->seen = n;
	collect_keys(s, n);
	judge(m->data.p, m->data.n, n->keys, n->n_keys, &n->first);
	ask_second(s, n);
	return n;
}

enum verdict seen_second(const struct seen *n, struct buf *why)
{
	if (n->cannot) {
		fail(why, "%s", n->cannot);
		return NOT_RUN;
	}
	if (n->disagree) {
		fail(why, "%s", n->disagree);
		return FAILED;
	}
	return PASSED;
}

static bool tells(const json_t *layer, const struct layer *l, const char *name)
{
	const json_t *signers = json_object_get(layer, "signers");
	bool of_signer = strcmp(name, "cipher") != 0 && strcmp(name, "recipients") != 0;

	if (!of_signer)
		return l->kind > LAYER_AUTH_ENVELOPED || json_object_get(layer, name);
	for (size_t i = 0; i < l->n_signers; i++)
		if (!json_object_get(json_array_get(signers, i), name))
			return false;
	return true;
}

const char *seen_untold(const struct seen *n, const char *members)
{
	static const char *const all[] = {"cipher", "recipients", "attributes", "certificate-inside"};
	const json_t *layers = json_object_get(n->second, "layers");

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		for (size_t k = 0; text_is_word_in(all[i], members) && k < n->first.n; k++)
			if (!tells(json_array_get(layers, k), &n->first.layers[k], all[i]))
				return all[i];
	return NULL;
}

int seen_key(const struct seen *n, const struct credential *c)
{
	for (size_t i = 0; i < n->n_keys; i++)
		if (n->keys[i] == c || X509_cmp(n->keys[i]->cert, c->cert) == 0)
			return (int)i;
	return -1;
}

void seen_free(struct scene *s)
{
	while (s->seen) {
		struct seen *n = s->seen;

		s->seen = n->next;
		judged_free(&n->first);
		json_decref(n->second);
		free(n->cannot);
		free(n->disagree);
		free(n);
	}
}
