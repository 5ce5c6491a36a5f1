/* Expectations about MIME around and inside CMS: micalg, smime-type, the parts. */
#include "interop/kit/expectation.h"

#include "interop/kit/make_message.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool passes_broken(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;

	if (j->n == 0)
		buf_adds(sentence, "; there is no S/MIME layer");
	else if (j->broken)
		buf_addf(sentence, "; it is broken: %s", j->broken);
	return j->n > 0 && !j->broken;
}

static bool listed(const char *list, const char *name)
{
	for (const char *at = list; *at;) {
		size_t n;

		at += strspn(at, " \t,");
		n = strcspn(at, " \t,");
		if (n == strlen(name) && !strncasecmp(at, name, n))
			return true;
		at += n;
	}
	return false;
}

/* RFC 8551 3.5.3.2 */
bool expect_micalg(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	bool good = true;

	buf_adds(sentence, "wanted a micalg that fits the digest of each signature");
	if (!passes_broken(v, sentence))
		return false;
	for (size_t i = 0; i < j->n; i++) {
		const struct layer *l = &j->layers[i];

		if (l->kind != LAYER_MULTIPART_SIGNED)
			continue;
		buf_addf(sentence, "; it is %s, and there is", l->micalg ? l->micalg : "missing");
		for (size_t k = 0; k < l->n_signers; k++) {
			const char *digest = l->signers[k].digest;
			char *name = !strncmp(digest, "sha", 3) ? text_make("sha-%s", digest + 3) : text_copy(digest);

			buf_addf(sentence, " %s", digest);
			good = good && l->micalg && listed(l->micalg, name);
			free(name);
		}
	}
	return good;
}

static bool suffix_fits(const char *value, const char *name, const char *suffix, struct buf *sentence)
{
	char *there = mime_parameter(value, name, NULL);
	size_t n = there ? strlen(there) : 0, m = strlen(suffix);
	bool fits = !there || (n >= m && !strcasecmp(there + n - m, suffix));

	if (there)
		buf_addf(sentence, "; %s=%.100s", name, there);
	free(there);
	return fits;
}

/* RFC 8551 3.2.1, 3.2.2: of the outermost layer, where they stand. */
bool expect_smime_type(struct view *v, struct buf *sentence)
{
	static const char *const types[] = {
	    "enveloped-data", "authEnveloped-data", "signed-data", NULL, "compressed-data"};
	const char *type, *content = mime_value(&v->outer, "Content-Type"),
			  *disposition = mime_value(&v->outer, "Content-Disposition");
	char *there;
	bool good;

	buf_adds(sentence, "wanted an smime-type and file names that fit the content");
	if (!passes_broken(v, sentence))
		return false;
	type = types[v->seen->first.layers[0].kind];
	if (v->seen->first.layers[0].kind == LAYER_SIGNED && v->seen->first.layers[0].n_signers == 0)
		type = "certs-only";
	if (!type) {
		buf_adds(sentence, "; a multipart/signed has none");
		return true;
	}
	there = mime_parameter(content, "smime-type", NULL);
	good = !there || !strcasecmp(there, type);
	buf_addf(sentence, "; the content is %s, and it says %s", type, there ? there : "nothing");
	free(there);
	type = !strcmp(type, "certs-only") ? ".p7c" : !strcmp(type, "compressed-data") ? ".p7z" : ".p7m";
	good = suffix_fits(content, "name", type, sentence) && good;
	return suffix_fits(disposition, "filename", type, sentence) && good;
}

/* --- parts ------------------------------------------------------------------------------------------------------ */

static void add_node(const struct mime *m, void *arg)
{
	buf_addf(arg, "%s%s", ((struct buf *)arg)->n ? ", " : "", *m->type ? m->type : "text/plain");
}

/* Of texts the line ends at the end do not count: they belong to the transport as well. */
static void add_octets(const struct mime *m, const struct buf *body, void *arg)
{
	bool text = !*m->type || !strncmp(m->type, "text/", 5);
	unsigned char hash[32];
	struct buf crlf = {0};
	size_t n;

	if (text)
		mime_canonical(body->p, body->n, &crlf);
	else
		buf_add(&crlf, body->p, body->n);
	for (n = crlf.n; text && n > 0 && (crlf.p[n - 1] == '\n' || crlf.p[n - 1] == '\r'); n--)
		;
	sha256_of(crlf.p, n, hash);
	buf_addf(arg, " (%zu octets ", n);
	hex_add(arg, hash, 8);
	buf_adds(arg, ")");
	buf_free(&crlf);
}

/* What is inside message/rfc822 by RFC 8551 3.1, or all of it. */
static void list_inside(const struct judged *j, struct buf *out)
{
	struct buf decoded = {0};
	struct mime m;

	mime_read(j->content.p, j->content.n, &m);
	if (j->n > 0 && !strcmp(m.type, "message/rfc822") && mime_decode(&m, &decoded, NULL) == 0)
		mime_walk(decoded.p, decoded.n, add_node, add_octets, out);
	else
		mime_walk(j->content.p, j->content.n, add_node, add_octets, out);
	mime_free(&m);
	buf_free(&decoded);
}

/* What was submitted, or what the author of that message wrote. */
static int list_wanted(struct view *v, struct buf *out, struct buf *sentence)
{
	struct buf octets = {0}, why = {0};
	const struct stmt *made = NULL;

	if (strcmp(v->words[0], "sent") != 0) {
		for (size_t i = 0; i < v->s->c->n_stmts; i++)
			if (!strcmp(v->s->c->stmts[i].verb, "message") &&
			    !strcmp(stmt_word(&v->s->c->stmts[i], 0, ""), v->words[0]))
				made = &v->s->c->stmts[i];
		if (made && make_plain(v->s, made, &octets, &why) < 0)
			buf_addf(sentence, "; %s", why.p);
	} else if (v->sent) {
		buf_add(&octets, v->sent->p, v->sent->n);
	}
	if (octets.n > 0)
		mime_walk(octets.p, octets.n, add_node, add_octets, out);
	else
		buf_adds(sentence, "; what was sent is not known");
	buf_free(&why);
	buf_free(&octets);
	return out->n > 0 ? 0 : -1;
}

bool expect_parts_are(struct view *v, struct buf *sentence)
{
	const struct judged *j = &v->seen->first;
	struct buf wanted = {0}, there = {0};
	bool good = false;

	buf_adds(sentence, "wanted the parts that were sent, with their octets");
	if (list_wanted(v, &wanted, sentence) < 0) {
		v->not_run = true;
	} else if (!j->whole) {
		buf_addf(sentence, "; the layers do not come off: %s",
		    j->broken ? j->broken : "no key of the case opens it");
	} else {
		list_inside(j, &there);
		good = !strcmp(wanted.p, there.p);
		buf_addf(sentence, "; sent were %.2000s%s%.2000s", wanted.p, good ? ", and came" : "; there are ",
		    good ? "" : there.p);
	}
	buf_free(&wanted);
	buf_free(&there);
	return good;
}
