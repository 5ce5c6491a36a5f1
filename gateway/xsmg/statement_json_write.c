/* Statements as text. Judge, tests; pure. Every string written here is a word of a table, base64, a time, or was
 * checked to have nothing that JSON escapes. */
#include "gateway/xsmg/statement_json_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"

static int put_time(struct buf *b, const char *name, int64_t t)
{
	char text[21];

	encode_time(t, text);
	return buf_addf(b, ",\"%s\":\"%s\"", name, text);
}

static int put_list(struct buf *b, const char *name, enum statement_kind kind, const struct statement_words *w)
{
	int r = buf_addf(b, "\"%s\":[", name);

	for (size_t i = 0; r == 0 && i < w->n; i++) {
		const char *word = statement_word(kind, w->word[i]);

		REQUIRE(word != NULL);
		r = buf_addf(b, "%s\"%s\"", i ? "," : "", word);
	}
	return r == 0 ? buf_addc(b, ']') : -1;
}

/* The words of bits, in the order of their values; nothing when there are none. */
static int put_bits(struct buf *b, const char *name, enum statement_kind kind, uint8_t bits)
{
	int r = 0, n = 0;

	if (!bits)
		return 0;
	r = buf_addf(b, ",\"%s\":[", name);
	for (unsigned bit = 1; r == 0 && bit <= 128; bit <<= 1) {
		if (!(bits & bit))
			continue;
		REQUIRE(statement_word(kind, bit) != NULL);
		r = buf_addf(b, "%s\"%s\"", n++ ? "," : "", statement_word(kind, bit));
	}
	return r == 0 ? buf_addc(b, ']') : -1;
}

static int put_cert(struct buf *b, const struct statement_cert *c, bool first)
{
	char *der = mem_raw(4 * ((c->der.n + 2) / 3) + 1);
	int r;

	REQUIRE(c->from < c->until && c->der.n > 0 && statement_word(STATEMENT_KIND_USE, c->use) != NULL);
	encode_b64(c->der.p, c->der.n, der);
	r = buf_addf(b, "%s{\"use\":\"%s\",\"der\":\"", first ? "" : ",", statement_word(STATEMENT_KIND_USE, c->use));
	if (r == 0)
		r = buf_adds(b, der);
	if (r == 0)
		r = buf_addc(b, '"');
	if (r == 0)
		r = put_time(b, "from", c->from);
	if (r == 0)
		r = put_time(b, "until", c->until);
	free(der);
	return r == 0 ? buf_addc(b, '}') : -1;
}

static int put_head(struct buf *b, const struct statement *s)
{
	char signer[48], domain[ADDRESS_DOMAIN_MAX + 1];

	REQUIRE(address_domain(s->domain, strlen(s->domain), domain, NULL) == 0 && strcmp(domain, s->domain) == 0);
	REQUIRE(s->serial > 0 && s->serial <= STATEMENT_SERIAL_MAX);
	REQUIRE(s->issued < s->expires && s->expires - s->issued <= STATEMENT_LIFE_MAX);
	encode_b64url(s->signer, sizeof s->signer, signer);
	if (buf_addf(b, "{\"v\":1,\"domain\":\"%s\",\"serial\":%" PRId64, s->domain, s->serial) < 0 ||
	    put_time(b, "issued", s->issued) < 0 || put_time(b, "expires", s->expires) < 0)
		return -1;
	return buf_addf(b, ",\"status\":\"%s\",\"signer\":\"%s\"", s->withdrawn ? "withdrawn" : "active", signer);
}

static int put_certs(struct buf *b, const struct statement *s)
{
	int r = buf_adds(b, ",\"certificates\":[");

	REQUIRE(s->ncerts > 0 && s->ncerts <= STATEMENT_CERTS_MAX);
	for (size_t i = 0; r == 0 && i < s->ncerts; i++)
		r = put_cert(b, &s->certs[i], i == 0);
	return r == 0 ? buf_addc(b, ']') : -1;
}

static int put_read(struct buf *b, const struct statement_read *rd)
{
	if (buf_adds(b, ",\"read\":{") < 0 || put_list(b, "content", STATEMENT_KIND_CONTENT, &rd->content) < 0 ||
	    buf_addc(b, ',') < 0 || put_list(b, "keys", STATEMENT_KIND_KEYS, &rd->keys) < 0 || buf_addc(b, ',') < 0 ||
	    put_list(b, "signatures", STATEMENT_KIND_SIGNATURES, &rd->signatures) < 0 || buf_addc(b, ',') < 0 ||
	    put_list(b, "formats", STATEMENT_KIND_FORMATS, &rd->formats) < 0)
		return -1;
	if (rd->headers.n &&
	    (buf_addc(b, ',') < 0 || put_list(b, "headers", STATEMENT_KIND_HEADERS, &rd->headers) < 0))
		return -1;
	REQUIRE(rd->octets <= (uint64_t)STATEMENT_SERIAL_MAX);
	if (rd->octets && buf_addf(b, ",\"octets\":%" PRIu64, rd->octets) < 0)
		return -1;
	return buf_addc(b, '}');
}

static int put_promise(struct buf *b, const char *name, enum statement_promise p)
{
	const char *word = statement_word(STATEMENT_KIND_PROMISE, p);

	return word ? buf_addf(b, ",\"%s\":\"%s\"", name, word) : 0;
}

static int put_write(struct buf *b, const struct statement_write *w)
{
	char until[21];

	if (!w->said)
		return 0;
	encode_time(w->until, until);
	if (buf_addf(b, ",\"write\":{\"until\":\"%s\"", until) < 0 || put_promise(b, "signs", w->signs) < 0 ||
	    put_promise(b, "encrypts", w->encrypts) < 0)
		return -1;
	return buf_addf(b, ",\"test\":%s}", w->test ? "true" : "false");
}

static int put_demand(struct buf *b, const struct statement *s)
{
	if (!s->demand_signed && !s->demand_encrypted)
		return 0;
	return buf_addf(b, ",\"demand\":[%s%s%s]", s->demand_signed ? "\"signed\"" : "",
	    s->demand_signed && s->demand_encrypted ? "," : "", s->demand_encrypted ? "\"encrypted\"" : "");
}

static int put_urls(struct buf *b, const struct statement *s)
{
	int r = 0;

	REQUIRE(s->nurls <= STATEMENT_URLS_MAX);
	for (size_t i = 0; r == 0 && i < s->nurls; i++) {
		REQUIRE(statement_url_ok(s->urls[i], strlen(s->urls[i])));
		r = buf_addf(b, "%s\"%s\"", i ? "," : ",\"urls\":[", s->urls[i]);
	}
	return r == 0 && s->nurls ? buf_addc(b, ']') : r;
}

int statement_json_write(const struct statement *s, struct buf *json)
{
	if (put_head(json, s) < 0 || put_certs(json, s) < 0 || put_read(json, &s->read) < 0 ||
	    put_write(json, &s->write) < 0 || put_demand(json, s) < 0 ||
	    put_bits(json, "asserts", STATEMENT_KIND_ASSERTS, s->asserts) < 0 ||
	    put_bits(json, "notices", STATEMENT_KIND_NOTICES, s->notices) < 0 || put_urls(json, s) < 0)
		return -1;
	return buf_addc(json, '}');
}
