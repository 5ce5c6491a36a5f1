/*
 * Sealing and signing, by what must hold whatever the message: opened by the other gateway it is the same again, its
 * body octet for octet and its fields in their order, but for what "What sealing and signing change" in docs/ADMIN.md
 * lists. Signed content that was not 7-bit is another form of the same: of that only that it verifies is demanded.
 */
#include "gateway/mail/author_name.h"
#include "gateway/mail/protect.h"
#include "tests/fuzz/fuzz_pipes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A message as the comparison sees it. */
struct seen {
	struct header h;
	const uint8_t *body;
	size_t body_len;
};

static void read_message(struct arena *a, const void *p, size_t n, struct seen *s)
{
	static const struct header_limits lim = {.octets = 1 << 20, .fields = 2000};
	struct stream_mem m;
	struct problem pr = {0};

	stream_mem_init(&m, p, n);
	REQUIRE(header_read(a, &m.reader, 0, n, &lim, &s->h, &pr) == 0);
	s->body = (const uint8_t *)p + s->h.octets;
	s->body_len = n - s->h.octets;
}

static bool is_raw(const struct header_field *f, const char *text)
{
	return f->raw_len == strlen(text) && memcmp(f->raw, text, f->raw_len) == 0;
}

/* Fields that are not compared: ours, and those that never go out. */
static bool passed_over(const struct header_field *f, const struct header *sent)
{
	if (header_is(f, "Bcc") || header_is(f, "Resent-Bcc") || header_is(f, "MIME-Version") ||
	    header_is(f, "HP-Outer"))
		return true;
	if (is_raw(f, PIPES_TRACE_OUT) || is_raw(f, PIPES_TRACE_IN) || authres_is_forged(f, "auth.lab.example"))
		return true;
	return (header_is(f, "Message-ID") && header_find(sent, "Message-ID", 0) == NULL) ||
	       (header_is(f, "Date") && header_find(sent, "Date", 0) == NULL);
}

/* Fields whose order among each other stays. With protected fields those of relays come before the others. */
enum class { CONTENT, OTHERS, TRACE, NO_TRACE };

static bool of_class(const struct header_field *f, enum class class)
{
	if (class == CONTENT || header_is_content(f))
		return class == CONTENT && header_is_content(f);
	return class == OTHERS || (protect_kind(f) == PROTECT_TRACE) == (class == TRACE);
}

static const struct header_field *next(
    const struct header *h, const struct header *sent, size_t *at, enum class class)
{
	while (*at < h->n) {
		const struct header_field *f = &h->f[(*at)++];

		if (!passed_over(f, sent) && of_class(f, class))
			return f;
	}
	return NULL;
}

static void compare_fields(const struct seen *sent, const struct seen *came, enum class class)
{
	size_t i = 0, j = 0;
	const struct header_field *f, *g;

	do {
		f = next(&sent->h, &sent->h, &i, class);
		g = next(&came->h, &sent->h, &j, class);
		REQUIRE((f == NULL) == (g == NULL));
		REQUIRE(f == NULL || (f->raw_len == g->raw_len && memcmp(f->raw, g->raw, f->raw_len) == 0));
	} while (f != NULL);
}

static bool seven(const uint8_t *p, size_t n)
{
	size_t line = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == 0 || p[i] > 127 || (p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) ||
		    (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n')))
			return false;
		line = p[i] == '\n' ? 0 : line + 1;
		if (line > 998)
			return false;
	}
	return true;
}

/* What SMTP lets in: no bare CR or LF, no NUL. Else what is opened is encoded for its way inside. */
static bool lines(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == 0 || (p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) ||
		    (p[i] == '\r' && (i + 1 == n || p[i + 1] != '\n')))
			return false;
	return true;
}

/* An S/MIME layer of the message's own is opened as well, and what says that it holds protected fields is believed:
 * then something else arrives. */
static bool is_special(struct arena *a, const uint8_t *p, size_t n)
{
	struct mime_entity e;
	struct stream_mem m;
	struct problem pr = {0};

	stream_mem_init(&m, p, n);
	if (mime_entity_read(a, &m.reader, 0, n, &mime_limits_default, &e, &pr) != 0)
		return false;
	return mime_smime(&e) != MIME_SMIME_NONE || strcmp(e.type.type, "message") == 0 ||
	       mime_param(&e.type, "hp") != NULL || mime_param(&e.type, "protected-headers") != NULL;
}

/* Our signature holds where the message has one author, whose name shows no other address; else it stays on, and
 * vouches for no field. */
static void compare(struct arena *a, const uint8_t *data, size_t size, enum policy_treatment t, enum format_wrap wrap)
{
	struct seen sent, came;
	struct address from;
	char other[ADDRESS_TEXT_MAX];
	bool author, shows;

	fuzz_pipes_check(0);
	read_message(a, data, size, &sent);
	read_message(a, w.out[0].p, w.out[0].len, &came);
	author = header_author(a, &sent.h, &from, NULL) == 0;
	shows = author && author_name_other(a, header_find(&sent.h, "From", 0), &from, other);
	if (author)
		REQUIRE(strstr(w.res.log, shows		     ? "verdict=broken"
					  : t == POLICY_SEAL ? "verdict=sealed"
							     : "verdict=signed") != NULL);
	else if (wrap != FORMAT_WRAP_NONE)
		return;
	if (wrap == FORMAT_WRAP_NONE) {
		compare_fields(&sent, &came, OTHERS);
	} else {
		compare_fields(&sent, &came, TRACE);
		compare_fields(&sent, &came, NO_TRACE);
	}
	if (!lines(data, size) || (t == POLICY_SIGN && (!author || !seven(data, size))))
		return;
	compare_fields(&sent, &came, CONTENT);
	REQUIRE(sent.body_len == came.body_len && memcmp(sent.body, came.body, sent.body_len) == 0);
}

static void there_and_back(const uint8_t *data, size_t size, enum policy_treatment t, enum format_wrap wrap)
{
	struct arena *a = arena_new(PIPES_MEMORY);
	enum job_status s;
	struct buf made;

	pipes_job(&w, JOB_SEAL);
	pipes_verdict(&w, 0, t);
	w.verdicts[0].format = format_default();
	w.verdicts[0].format.wrap = (uint8_t)wrap;
	w.rq.was_sealed = JOB_NO;
	if (pipes_run(&w, data, size) != JOB_DONE || is_special(a, data, size)) {
		REQUIRE(w.res.status == JOB_DONE || w.res.status == JOB_REFUSE);
		arena_free(a);
		return;
	}
	made = pipes_take(&w, 0);
	s = fuzz_pipes_open(t == POLICY_SEAL ? JOB_OPEN : JOB_CHECK, made.p, made.len);
	REQUIRE(
	    s == JOB_DONE || (t == POLICY_SEAL && s == JOB_HOLD)); /* held: nested too deep, or encrypted in part */
	if (s == JOB_DONE)
		compare(a, data, size, t, wrap);
	else
		REQUIRE(w.res.why[0]);
	buf_clear(&made);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_pipes_start();
	there_and_back(data, size, POLICY_SEAL, size % 2 ? FORMAT_WRAP_FIELDS : FORMAT_WRAP_MESSAGE);
	there_and_back(data, size, size % 4 < 2 ? POLICY_SEAL : POLICY_SIGN, FORMAT_WRAP_NONE);
	return 0;
}
