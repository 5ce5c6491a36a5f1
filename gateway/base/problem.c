/* What went wrong in the world, as one value. Every process. No I/O. RFC 3463 codes are given by who found it. */
#include "gateway/base/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/*
 * The sentence ends in SMTP replies, logs and on terminals, and may quote what a peer sent: a line end would forge a
 * reply, an escape sequence a screen. C1 controls are looked for in UTF-8 (C2 80..9F); text cut inside a character
 * loses its rest.
 */
static void make_plain(char *s)
{
	size_t n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i], d = (unsigned char)s[i + 1];

		if (c < 0x20 || c == 0x7f)
			s[i] = '?';
		else if (c == 0xc2 && d >= 0x80 && d <= 0x9f)
			s[i] = s[i + 1] = '?';
	}
}

/* A text that was cut must not end in half a UTF-8 character. */
static void trim_partial(char *s)
{
	size_t n = strlen(s), k = n;

	while (k > 0 && n - k < 3 && ((unsigned char)s[k - 1] & 0xc0) == 0x80)
		k--;
	if (k == 0 || (unsigned char)s[k - 1] < 0xc0)
		return;

	unsigned char lead = (unsigned char)s[k - 1];
	size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;

	if (n - (k - 1) < want)
		s[k - 1] = 0;
}

__attribute__((format(printf, 2, 0))) static void set_text(struct problem *p, const char *fmt, va_list ap)
{
	int n = vsnprintf(p->text, sizeof p->text, fmt, ap);

	REQUIRE(n >= 0);
	if ((size_t)n >= sizeof p->text)
		trim_partial(p->text);
	make_plain(p->text);
}

static void set_codes(struct problem *p, enum problem_class cls, int code, const char *enh, const char *rfc)
{
	p->cls = cls;
	p->code = code;
	REQUIRE(mem_copy_str(p->enh, sizeof p->enh, enh ? enh : "") == 0);
	REQUIRE(mem_copy_str(p->rfc, sizeof p->rfc, rfc ? rfc : "") == 0);
}

int problem_set(
    struct problem *p, enum problem_class cls, int code, const char *enh, const char *rfc, const char *fmt, ...)
{
	va_list ap;

	if (!p)
		return -1;
	set_codes(p, cls, code, enh, rfc);
	va_start(ap, fmt);
	set_text(p, fmt, ap);
	va_end(ap);
	return -1;
}

int problem_temp(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	if (!p)
		return -1;
	set_codes(p, PROBLEM_TEMP, 451, "4.3.0", NULL);
	va_start(ap, fmt);
	set_text(p, fmt, ap);
	va_end(ap);
	return -1;
}

int problem_policy(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	if (!p)
		return -1;
	set_codes(p, PROBLEM_POLICY, 550, "5.7.1", NULL);
	va_start(ap, fmt);
	set_text(p, fmt, ap);
	va_end(ap);
	return -1;
}

int problem_perm(struct problem *p, const char *fmt, ...)
{
	va_list ap;

	if (!p)
		return -1;
	set_codes(p, PROBLEM_PERM, 554, "5.6.0", NULL);
	va_start(ap, fmt);
	set_text(p, fmt, ap);
	va_end(ap);
	return -1;
}

void problem_clear(struct problem *p)
{
	if (p)
		*p = (struct problem){.cls = PROBLEM_NONE};
}

int problem_prefix(struct problem *p, const char *fmt, ...)
{
	va_list ap;
	char old[sizeof p->text];

	if (!p)
		return -1;
	memcpy(old, p->text, sizeof old);
	va_start(ap, fmt);
	set_text(p, fmt, ap);
	va_end(ap);

	size_t n = strlen(p->text);
	int cut = snprintf(p->text + n, sizeof p->text - n, "%s", old) >= (int)(sizeof p->text - n);

	if (cut)
		trim_partial(p->text);
	return -1;
}

const char *problem_clause(const struct problem *p, char out[PROBLEM_TEXT_MAX])
{
	static const char *const openings[] = {"The ", "A ", "An ", "No "};
	size_t n = strlen(p->text);

	if (n > 0 && p->text[n - 1] == '.' && (n < 2 || p->text[n - 2] != '.'))
		n--;
	memcpy(out, p->text, n);
	out[n] = 0;
	for (size_t i = 0; i < sizeof openings / sizeof *openings; i++)
		if (strncmp(out, openings[i], strlen(openings[i])) == 0)
			out[0] = (char)(out[0] - 'A' + 'a');
	return out;
}
