/* The extensions of a server. Role relay. RFC 5321 4.1.1.1, RFC 1870, RFC 2920, RFC 3030, RFC 3207, RFC 3461, RFC
 * 6152, RFC 6531, RFC 8689. No I/O. */
#include "gateway/smtp/smtpc_ehlo.h"

#include <string.h>
#include <strings.h>

static bool is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && strncasecmp(p, word, n) == 0;
}

/* RFC 1870 3: at most 20 digits; nonsense counts as "no limit told". */
static uint64_t read_size(const char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || v > (UINT64_MAX - 9) / 10)
			return 0;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	return v;
}

/* docs/XSMG.md: the versions that the server speaks, with blanks between them. */
static bool has_version(const char *p, size_t n, const char *version)
{
	while (n > 0) {
		const char *blank = memchr(p, ' ', n);
		size_t word = blank ? (size_t)(blank - p) : n;

		if (is(p, word, version))
			return true;
		p += word;
		n -= word;
		while (n > 0 && *p == ' ') {
			p++;
			n--;
		}
	}
	return false;
}

static void read_line(struct smtpc_ehlo *e, const char *p, size_t n)
{
	const char *blank = memchr(p, ' ', n);
	size_t word = blank ? (size_t)(blank - p) : n;

	const struct {
		const char *word;
		bool *to;
	} flags[] = {{"STARTTLS", &e->starttls}, {"PIPELINING", &e->pipelining}, {"8BITMIME", &e->eightbit},
	    {"DSN", &e->dsn}, {"CHUNKING", &e->chunking}, {"SMTPUTF8", &e->smtputf8}, {"REQUIRETLS", &e->requiretls},
	    {"SIZE", &e->size}};

	for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
		*flags[i].to |= is(p, word, flags[i].word);
	if (is(p, word, "SIZE"))
		e->size_max = blank ? read_size(blank + 1, n - word - 1) : 0;
	if (is(p, word, "XSMG"))
		e->xsmg = has_version(p + word, n - word, "1");
}

void smtpc_ehlo_read(struct smtpc_ehlo *e, const struct smtpc_reply *r)
{
	const char *p = buf_str(&r->text), *end = p + r->text.len;
	int first = 1;

	*e = (struct smtpc_ehlo){0};
	while (p < end) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = nl ? (size_t)(nl - p) : (size_t)(end - p);

		if (!first)
			read_line(e, p, n);
		first = 0;
		p += n + 1;
	}
}
