/*
 * What people read. Names in certificates, addresses and replies of other servers come from outside: a terminal must
 * neither be driven by them nor show them in another order than they stand.
 */
#include "admin-ui/cli_out.h"

#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

enum { LINE_MAX_OCTETS = 8192, LABEL_COLUMNS = 15 };

void cli_out_init(void)
{
	(void)setlocale(LC_CTYPE, "C.UTF-8"); /* the texts are UTF-8 whatever the caller's locale is */
}

/* Octets of the next character and its columns; 1 and -1 for what is not to be shown. */
static size_t next(const char *s, int *columns_r)
{
	wchar_t w;
	mbstate_t st = {0};
	size_t n = mbrtowc(&w, s, strlen(s), &st);

	*columns_r = -1;
	if (n == (size_t)-1 || n == (size_t)-2 || n == 0)
		return 1;
	*columns_r = wcwidth(w);
	if (w == 0x61c || (w >= 0x200b && w <= 0x200f) || (w >= 0x2028 && w <= 0x202e) ||
	    (w >= 0x2060 && w <= 0x206f) || w == 0xfeff)
		*columns_r = -1;
	return n;
}

char *cli_out_clean(const char *s)
{
	char *out = mem_new(strlen(s) + 1), *to = out;

	while (*s) {
		int columns;
		size_t n = next(s, &columns);

		if (columns >= 0 || *s == '\n') {
			memcpy(to, s, n);
			to += n;
		} else {
			*to++ = '?';
		}
		s += n;
	}
	*to = '\0';
	return out;
}

size_t cli_out_width(const char *s)
{
	size_t sum = 0;

	while (*s) {
		int columns;

		s += next(s, &columns);
		sum += columns > 0 ? (size_t)columns : 0;
	}
	return sum;
}

size_t cli_out_fit(const char *s, size_t columns)
{
	const char *p = s;
	size_t sum = 0;

	while (*p) {
		int w;
		size_t n = next(p, &w);

		sum += w > 0 ? (size_t)w : 0;
		if (sum > columns)
			break;
		p += n;
	}
	return (size_t)(p - s);
}

static void say(FILE *f, const char *lead, const char *fmt, va_list ap) __attribute__((format(printf, 3, 0)));
static void say(FILE *f, const char *lead, const char *fmt, va_list ap)
{
	char text[LINE_MAX_OCTETS], *clean;

	(void)vsnprintf(text, sizeof text, fmt, ap);
	clean = cli_out_clean(text);
	fprintf(f, "%s%s\n", lead, clean);
	free(clean);
}

int cli_out_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fflush(stdout);
	say(stderr, "postern: ", fmt, ap);
	va_end(ap);
	return CLI_FAILED;
}

void cli_out_note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fflush(stdout);
	say(stderr, "", fmt, ap);
	va_end(ap);
}

void cli_out_line(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(stdout, "", fmt, ap);
	va_end(ap);
}

/* Octets of the first line of text, and of the blanks behind it. */
static size_t break_at(const char *text, size_t columns, size_t *skip_r)
{
	size_t fits = cli_out_fit(text, columns), n = fits;

	*skip_r = 0;
	if (text[fits] != '\0') {
		while (n > 0 && text[n] != ' ')
			n--;
		if (n == 0) /* a long word, such as a DNS name: in one piece, to be copied */
			n = strcspn(text, " ");
	}
	*skip_r = strspn(text + n, " ");
	return n;
}

void cli_out_wrap(const char *lead, size_t indent, const char *text)
{
	char *clean = cli_out_clean(text);
	size_t at = cli_out_width(lead), skip;

	printf("%s", lead);
	for (char *p = clean; *p == '\n'; p++)
		*p = ' ';
	for (const char *p = clean; *p;) {
		size_t n = break_at(p, at + 20 < CLI_OUT_COLUMNS ? CLI_OUT_COLUMNS - at : 20, &skip);

		printf("%.*s\n", (int)n, p);
		p += n + skip;
		if (*p) {
			printf("%*s", (int)indent, "");
			at = indent;
		}
	}
	if (!*clean)
		putchar('\n');
	free(clean);
}

void cli_out_field(const char *label, const char *value)
{
	char lead[64];

	if (!value[0])
		return;
	(void)snprintf(lead, sizeof lead, "%s%s%*s", label, label[strspn(label, " ")] ? ":" : " ",
	    cli_out_width(label) + 1 < LABEL_COLUMNS ? (int)(LABEL_COLUMNS - cli_out_width(label) - 1) : 1, "");
	cli_out_wrap(lead, LABEL_COLUMNS, value);
}

void cli_out_list(const char *lead, const json_t *array)
{
	const json_t *v;
	size_t i;

	json_array_foreach(array, i, v) if (json_is_string(v))
	    cli_out_wrap(lead, cli_out_width(lead), json_string_value(v));
}

int cli_out_json(const struct cli *c, const json_t *data)
{
	if (c->form != CLI_JSON)
		return 0;
	(void)json_dumpf(data, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
	return 1;
}

const char *cli_out_day(const char *iso, char out[11])
{
	(void)snprintf(out, 11, "%.10s", iso[0] ? iso : "never");
	return out;
}

const char *cli_out_minute(const char *iso, char out[17])
{
	(void)snprintf(out, 17, "%.16s", iso[0] ? iso : "never");
	if (strlen(out) == 16)
		out[10] = ' ';
	return out;
}

const char *cli_out_minute_ms(int64_t unix_ms, char out[17])
{
	char iso[21] = "";

	if (unix_ms > 0)
		encode_time(unix_ms / 1000, iso);
	return cli_out_minute(iso, out);
}

const char *cli_out_size(int64_t octets, char out[16])
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t u = 0;

	while (octets >= 1024 && u < sizeof units / sizeof *units - 1) {
		octets = (octets + 512) / 1024;
		u++;
	}
	(void)snprintf(out, 16, "%lld %s", (long long)octets, units[u]);
	return out;
}

const char *cli_out_span(int64_t seconds, char out[16])
{
	if (seconds < 120)
		(void)snprintf(out, 16, "%lld s", (long long)seconds);
	else if (seconds < 7200)
		(void)snprintf(out, 16, "%lld min", (long long)(seconds / 60));
	else if (seconds < 172800)
		(void)snprintf(out, 16, "%lld h", (long long)(seconds / 3600));
	else
		(void)snprintf(out, 16, "%lld days", (long long)(seconds / 86400));
	return out;
}
