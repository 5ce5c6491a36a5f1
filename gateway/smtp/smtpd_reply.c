/*
 * Reply lines of the server: the one place that writes them. Pure. RFC 5321 4.2.1 (multi-line), 4.5.3.1.5 (512 octets
 * with CRLF), RFC 2034 4 (the enhanced code stands in every line, and its class is that of the reply).
 */
#include "gateway/smtp/smtpd_reply.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/encword.h"
#include "gateway/smtp/smtpd.h"

enum { LINE_MAX_OCTETS = 512 };

/* How much of text (n octets) goes into one line of at most room: up to a '\n', else cut at the last blank. *skip_r =
 * octets of the separator. */
static size_t piece(const char *text, size_t n, size_t room, size_t *skip_r)
{
	const char *nl = memchr(text, '\n', n);
	size_t len = nl ? (size_t)(nl - text) : n;

	*skip_r = nl ? 1 : 0;
	if (len <= room)
		return len;
	*skip_r = 0;
	for (len = room; len > 0 && text[len] != ' '; len--)
		;
	while (len == 0 && room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80) /* within a character */
		room--;
	if (len == 0)
		return room;
	*skip_r = 1;
	return len;
}

static unsigned code_point(const char *p, size_t n)
{
	unsigned c = (unsigned char)p[0] & (0xffu >> (n + 1));

	for (size_t i = 1; i < n; i++)
		c = c << 6 | ((unsigned char)p[i] & 0x3f);
	return c;
}

/* As it may be sent: nothing in a text may end a line early but its own '\n'. Characters beyond ASCII stand there for
 * a client that said SMTPUTF8 (RFC 6531 3.7.4.2), else as "\x{FC}" (RFC 6533 3). */
static int add_sayable(struct buf *out, const char *text, bool utf8)
{
	size_t n = strlen(text);

	for (size_t i = 0, taken; i < n; i += taken) {
		size_t len = encword_char(text + i, n - i, &taken);
		int rc;

		if (text[i] == '\n')
			rc = buf_addc(out, '\n');
		else if (len == 0)
			rc = buf_addc(out, '?');
		else if (len > 1 && !utf8)
			rc = buf_addf(out, "\\x{%X}", code_point(text + i, len));
		else
			rc = buf_add(out, text + i, len);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int add_line(struct buf *out, int code, const char *enh, const char *text, size_t n, char sep)
{
	if (buf_addf(out, "%03d%c%s%s", code, sep, enh, *enh && n ? " " : "") < 0)
		return -1;
	if (buf_add(out, text, n) < 0)
		return -1;
	return buf_adds(out, "\r\n");
}

static int add_lines(struct buf *out, int code, const char *enh, const char *text)
{
	size_t n = strlen(text), room = LINE_MAX_OCTETS - strlen("250-  \r\n") - strlen(enh), before = out->len;

	do {
		size_t skip, len = piece(text, n, room, &skip);
		char sep = len + skip < n ? '-' : ' ';

		if (add_line(out, code, enh, text, len, sep) < 0) {
			out->len = before;
			return -1;
		}
		text += len + skip;
		n -= len + skip;
	} while (n > 0);
	return 0;
}

int smtpd_reply(struct buf *out, int code, const char *enh, const char *text, bool utf8)
{
	struct buf all;
	int rc;

	buf_init(&all, sizeof "\\x{10FFFF}" * (strlen(text) + 1));
	rc = add_sayable(&all, text, utf8);
	if (rc == 0)
		rc = add_lines(out, code, enh, buf_str(&all));
	buf_clear(&all);
	return rc;
}

int smtpd_reply_code(const struct problem *pr)
{
	if (pr->code >= 400 && pr->code < 600)
		return pr->code;
	return pr->cls == PROBLEM_TEMP ? 451 : pr->cls == PROBLEM_POLICY ? 550 : 554;
}

int smtpd_reply_problem(struct buf *out, const struct problem *pr, bool utf8)
{
	char enh[sizeof pr->enh];
	int code = smtpd_reply_code(pr);

	snprintf(enh, sizeof enh, "%s", pr->enh[0] ? pr->enh : "x.0.0");
	enh[0] = (char)('0' + code / 100);
	return smtpd_reply(out, code, enh, pr->text[0] ? pr->text : "Not accepted.", utf8);
}
