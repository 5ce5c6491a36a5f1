/*
 * Reply lines of the server: the one place that writes them. Pure. RFC 5321 4.2.1 (multi-line), 4.5.3.1.5 (512 octets
 * with CRLF), RFC 2034 4 (the enhanced code stands in every line, and its class is that of the reply).
 */
#include "gateway/smtp/smtpd_reply.h"

#include <stdio.h>
#include <string.h>

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
	if (len == 0)
		return room;
	*skip_r = 1;
	return len;
}

/* Replies are ASCII (no SMTPUTF8), and nothing in a text may end a line early. */
static int add_text(struct buf *out, const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (buf_addc(out, c >= 32 && c < 127 ? c : '?') < 0)
			return -1;
	}
	return 0;
}

static int add_line(struct buf *out, int code, const char *enh, const char *text, size_t n, char sep)
{
	if (buf_addf(out, "%03d%c%s%s", code, sep, enh, *enh && n ? " " : "") < 0)
		return -1;
	if (add_text(out, text, n) < 0)
		return -1;
	return buf_adds(out, "\r\n");
}

int smtpd_reply(struct buf *out, int code, const char *enh, const char *text)
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

int smtpd_reply_code(const struct problem *pr)
{
	if (pr->code >= 400 && pr->code < 600)
		return pr->code;
	return pr->cls == PROBLEM_TEMP ? 451 : pr->cls == PROBLEM_POLICY ? 550 : 554;
}

int smtpd_reply_problem(struct buf *out, const struct problem *pr)
{
	char enh[sizeof pr->enh];
	int code = smtpd_reply_code(pr);

	snprintf(enh, sizeof enh, "%s", pr->enh[0] ? pr->enh : "x.0.0");
	enh[0] = (char)('0' + code / 100);
	return smtpd_reply(out, code, enh, pr->text[0] ? pr->text : "Not accepted.");
}
