/* The reply parser of the client. Role relay. RFC 5321 4.2, RFC 2034 4. Octets are hostile: everything has a limit.
 */
#include "gateway/smtp/smtpc_chat.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

void smtpc_chat_init(struct smtpc_chat *h, size_t line_max, size_t lines_max)
{
	*h = (struct smtpc_chat){.line_max = line_max, .lines_max = lines_max};
	buf_init(&h->reply.text, SMTPC_CHAT_LONG_MAX);
}

void smtpc_chat_clear(struct smtpc_chat *h)
{
	buf_clear(&h->reply.text);
}

static int bad(struct smtpc_chat *h, const char *why)
{
	snprintf(h->why, sizeof h->why, "%s", why);
	return -1;
}

/*
 * 1 with the length of the line without CRLF, 0 when its end has not come. A bare CR or LF is refused, and NUL: what
 * one program takes for one reply another may take for two.
 */
static int find_line(struct smtpc_chat *h, const uint8_t *p, size_t n, size_t *len_r)
{
	for (size_t i = 0; i < n && i <= h->line_max; i++) {
		if (p[i] == 0)
			return bad(h, "a NUL octet in the reply");
		if (p[i] == '\n')
			return bad(h, "a line that ends with LF instead of CRLF");
		if (p[i] != '\r')
			continue;
		if (i + 1 == n)
			return 0;
		if (p[i + 1] != '\n')
			return bad(h, "a CR without LF in the reply");
		*len_r = i;
		return 1;
	}
	if (n > h->line_max)
		return bad(h, "a reply line over the limit (reply-line)");
	return 0;
}

static int digit(uint8_t c)
{
	return c >= '0' && c <= '9';
}

/* RFC 5321 4.2: Reply-code = %x32-35 %x30-35 %x30-39; then "-", SP or nothing. 0 when it is none. */
static int read_code(const uint8_t *p, size_t n)
{
	if (n < 3 || p[0] < '2' || p[0] > '5' || p[1] < '0' || p[1] > '5' || !digit(p[2]))
		return 0;
	if (n > 3 && p[3] != ' ' && p[3] != '-')
		return 0;
	return (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
}

static size_t number(const uint8_t *p, size_t n)
{
	size_t k = 0;

	while (k < n && k < 3 && digit(p[k]))
		k++;
	return k;
}

/* RFC 2034 4: "5.1.1 text"; RFC 3463 2: class.subject(1-3 digits).detail(1-3). Of another class than the code:
 * ignored. */
static void read_enh(struct smtpc_reply *r, const uint8_t *p, size_t n)
{
	size_t a, b;

	r->enh[0] = 0;
	if (n < 5 || p[0] != (uint8_t)('0' + r->code / 100) || p[1] != '.')
		return;
	a = number(p + 2, n - 2);
	if (a == 0 || 2 + a >= n || p[2 + a] != '.')
		return;
	b = number(p + 3 + a, n - 3 - a);

	size_t len = 3 + a + b;

	if (b == 0 || (len < n && p[len] != ' '))
		return;
	memcpy(r->enh, p, len);
	r->enh[len] = 0;
}

static int add_text(struct smtpc_chat *h, const uint8_t *p, size_t n)
{
	struct smtpc_reply *r = &h->reply;
	size_t max = h->may_be_long ? SMTPC_CHAT_LONG_MAX : SMTPC_CHAT_TEXT_MAX;

	if (n + 1 > max - r->text.len || (r->lines > 0 && buf_addc(&r->text, '\n') < 0))
		return bad(h, "a reply that is too long");

	uint8_t *to = buf_room(&r->text, n);

	if (!to)
		return bad(h, "a reply that is too long");
	for (size_t i = 0; i < n; i++)
		to[i] = p[i] == '\t' ? ' ' : p[i] < 0x20 || p[i] > 0x7e ? '?' : p[i];
	if (n)
		buf_added(&r->text, n);
	return 0;
}

/* One line of a reply: 1 when it is the last, 0 when more follow. */
static int take_line(struct smtpc_chat *h, const uint8_t *p, size_t n)
{
	struct smtpc_reply *r = &h->reply;
	int code = read_code(p, n);

	if (!code)
		return bad(h, "a line that does not begin with a reply code");
	if (r->lines > 0 && code != r->code)
		return bad(h, "lines of one reply with different codes");
	if (r->lines >= (h->may_be_long ? SMTPC_CHAT_LONG_LINES : h->lines_max))
		return bad(h, "more reply lines than the limit (reply-lines)");
	r->code = code;

	const uint8_t *text = n > 4 ? p + 4 : p + n;
	size_t len = n > 4 ? n - 4 : 0;

	if (r->lines == 0)
		read_enh(r, text, len);
	if (add_text(h, text, len) < 0)
		return -1;
	r->lines++;
	return n <= 3 || p[3] == ' ';
}

static void begin(struct smtpc_chat *h)
{
	if (!h->complete)
		return;
	h->complete = 0;
	h->reply.code = 0;
	h->reply.enh[0] = 0;
	h->reply.lines = 0;
	if (h->reply.text.len > SMTPC_CHAT_TEXT_MAX)
		buf_clear(&h->reply.text);
	buf_reset(&h->reply.text);
}

int smtpc_chat_feed(struct smtpc_chat *h, const uint8_t *p, size_t n, size_t *used_r)
{
	size_t len = 0, at = 0;
	int r = 0;

	begin(h);
	while (r == 0 && (r = find_line(h, p + at, n - at, &len)) == 1) {
		r = take_line(h, p + at, len);
		at += len + 2;
		if (r == 1)
			h->complete = 1;
		if (r != 0)
			break;
	}
	*used_r = at;
	return r;
}

const char *smtpc_chat_words(const struct smtpc_reply *r, char out[SMTPC_CHAT_WORDS])
{
	snprintf(out, SMTPC_CHAT_WORDS, "%03d %s", r->code, buf_str(&r->text));
	for (char *c = out; *c; c++) {
		if (*c == '\n')
			*c = ' ';
	}
	return out;
}

void smtpc_chat_log_command(const char *id, const char *remote, const char *line)
{
	log_debug(id, "smtpc", "command remote=%s line=\"%s\"", remote, line);
}

void smtpc_chat_log_reply(const char *id, const char *remote, const struct smtpc_reply *r)
{
	char words[SMTPC_CHAT_WORDS];

	log_debug(
	    id, "smtpc", "reply remote=%s lines=%zu words=\"%s\"", remote, r->lines, smtpc_chat_words(r, words));
}
