#include "gateway/proc/alert_mail.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { B64_LINE = 57, TEXT_MAX = ALERT_MAIL_MAX / 2 };

static const char *str(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? s : "";
}

/* Octets of the character at s when it is one that is not seen or turns the direction of others (C1, soft hyphen,
 * marks and embeddings of direction, zero widths, separators of lines, tags), in UTF-8; else 0. */
static size_t is_hidden(const char *s)
{
	static const char *const ranges[][2] = {{"\xc2\x80", "\xc2\x9f"}, {"\xc2\xad", "\xc2\xad"},
	    {"\xd8\x9c", "\xd8\x9c"}, {"\xe2\x80\x8b", "\xe2\x80\x8f"}, {"\xe2\x80\xa8", "\xe2\x80\xae"},
	    {"\xe2\x81\xa0", "\xe2\x81\xaf"}, {"\xef\xbb\xbf", "\xef\xbb\xbf"},
	    {"\xf3\xa0\x80\x80", "\xf3\xa0\xbf\xbf"}};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++) {
		size_t n = strlen(ranges[i][0]);

		if (strncmp(s, ranges[i][0], n) >= 0 && strncmp(s, ranges[i][1], n) <= 0)
			return n;
	}
	return 0;
}

/* What stands in a certificate is a stranger's: control characters and those that are not seen are shown as blanks.
 */
static void add_shown(struct buf *b, const char *s)
{
	size_t n;

	for (; *s; s += n) {
		bool control = (unsigned char)*s < 0x20 || *s == 0x7f;

		n = control ? 1 : is_hidden(s);
		if (buf_add(b, n ? " " : s, 1) != 0)
			return;
		n += !n;
	}
}

static void add_alert(struct buf *text, const json_t *a, size_t number)
{
	size_t room = TEXT_MAX - text->len;

	if (room < 8192) /* far more than one alert has */
		return;
	REQUIRE(buf_addf(text, "%zu. [%s%s] ", number, str(a, "kind"),
		    json_is_true(json_object_get(a, "urgent")) ? ", urgent" : "") == 0);
	add_shown(text, str(a, "text"));
	REQUIRE(buf_addf(text, "\r\n") == 0);
	if (str(a, "next")[0]) {
		REQUIRE(buf_addf(text, "   What to do: ") == 0);
		add_shown(text, str(a, "next"));
		REQUIRE(buf_addf(text, "\r\n") == 0);
	}
	REQUIRE(buf_addf(text, "\r\n") == 0);
}

static void write_text(const struct alert_mail *m, struct buf *text)
{
	const json_t *a;
	char at[21];
	size_t i;

	encode_time(m->now, at);
	REQUIRE(buf_addf(text, "The gateway %s says at %s:\r\n\r\n", m->hostname, at) == 0);
	json_array_foreach(m->alerts, i, a) add_alert(text, a, i + 1);
	REQUIRE(
	    buf_addf(text, "%s\r\nWho gets this: the setting alert-mail in section alerts of the configuration.\r\n",
		m->digest ? "This is the daily mail. Each of these is told at most once a day."
			  : "What lasts is told again in the daily mail, at most once a day.") == 0);
}

static void add_base64(struct buf *b, const struct buf *text)
{
	char line[4 * ((B64_LINE + 2) / 3) + 1];

	for (size_t at = 0; at < text->len; at += B64_LINE) {
		size_t n = text->len - at < B64_LINE ? text->len - at : B64_LINE;

		(void)encode_b64(text->p + at, n, line);
		REQUIRE(buf_addf(b, "%s\r\n", line) == 0);
	}
}

void alert_mail_write(const struct alert_mail *m, struct buf *b)
{
	size_t n = json_array_size(m->alerts), urgent = 0, i;
	const json_t *a;
	struct buf text;
	char date[32];

	json_array_foreach(m->alerts, i, a) urgent += json_is_true(json_object_get(a, "urgent"));
	encode_date(m->now, date);
	REQUIRE(buf_addf(b, "Date: %s\r\nFrom: Postern <%s>\r\nTo: ", date, m->from) == 0);
	for (i = 0; i < m->to->n; i++)
		REQUIRE(buf_addf(b, "%s<%s>", i > 0 ? ",\r\n " : "", m->to->v[i]) == 0);
	REQUIRE(buf_addf(b,
		    "\r\nMessage-ID: %s\r\nSubject: [Postern %s] %s%zu alert%s, %zu urgent\r\n"
		    "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		    m->message_id, m->hostname, m->digest ? "Daily: " : "", n, n == 1 ? "" : "s", urgent) == 0);
	buf_init(&text, TEXT_MAX);
	write_text(m, &text);
	add_base64(b, &text);
	buf_clear(&text);
}
