/*
 * One line an event on descriptor 2. Every process; needs write, getpid and clock_gettime, all of which every sandbox
 * allows. Under systemd a line begins with the priority ("<4>", which the journal takes off); elsewhere with time and
 * level.
 */
#include "gateway/base/log.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

enum { LOG_LINE = 2048, LOG_EXIT = 75 };

static char role[32] = "postern";
static enum log_level most = LOG_LEVEL_INFO;
static int journal;

static const struct {
	const char *word;
	int priority; /* as in syslog(3) */
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", 3},
    [LOG_LEVEL_WARN] = {"warn", 4},
    [LOG_LEVEL_INFO] = {"info", 6},
    [LOG_LEVEL_DEBUG] = {"debug", 7},
};

struct line {
	char text[LOG_LINE + 1]; /* one more for the line end */
	size_t n;
	int full;
};

void log_init(const char *r, enum log_level m)
{
	if (mem_copy_str(role, sizeof role, r) < 0)
		log_panic("role name too long");
	most = m;
	journal = getenv("JOURNAL_STREAM") != NULL;
}

/* Three octets stay free for the dots that say something was cut. */
static void line_put(struct line *l, const char *s, size_t n)
{
	if (l->full || n > LOG_LINE - 3 - l->n) {
		l->full = 1;
		return;
	}
	memcpy(l->text + l->n, s, n);
	l->n += n;
}

/* Characters that are not seen, or change where others are seen: C1 controls, those of direction, joiners, line ends
 * and spaces but ASCII's (Unicode categories Cc, Cf, Zl, Zp, Zs), fillers and other Default_Ignorable ones, private
 * ones and what is no character. */
static bool is_unseen(uint32_t u)
{
	static const uint32_t ranges[][2] = {{0, 0xa0}, {0xad, 0xad}, {0x34f, 0x34f}, {0x600, 0x605}, {0x61c, 0x61c},
	    {0x6dd, 0x6dd}, {0x70f, 0x70f}, {0x890, 0x891}, {0x8e2, 0x8e2}, {0x115f, 0x1160}, {0x1680, 0x1680},
	    {0x17b4, 0x17b5}, {0x180b, 0x180f}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f},
	    {0x2800, 0x2800}, {0x3000, 0x3000}, {0x3164, 0x3164}, {0xd800, 0xf8ff}, {0xfdd0, 0xfdef},
	    {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff0, 0xfffb}, {0xfffe, 0xffff},
	    {0x110bd, 0x110cd}, {0x13430, 0x1345f}, {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x1fffe, 0x1ffff},
	    {0xe0000, UINT32_MAX}};

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (u >= ranges[i][0] && u <= ranges[i][1])
			return true;
	return false;
}

/* Octets of a character of UTF-8 (RFC 3629) beyond ASCII that may be shown as it is; 0: none begins at s. */
static size_t seen(const char *s, size_t most_octets)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const uint8_t *p = (const uint8_t *)s;
	size_t n = p[0] >= 0xf0 && p[0] < 0xf8	 ? 4
		   : p[0] >= 0xe0 && p[0] < 0xf0 ? 3
		   : p[0] >= 0xc2 && p[0] < 0xe0 ? 2
						 : 0;
	uint32_t u = n ? p[0] & (0xffu >> (n + 1)) : 0;

	if (n == 0 || n > most_octets)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80) /* the NUL at the end as well */
			return 0;
		u = u << 6 | (p[i] & 0x3f);
	}
	return u < least[n] || is_unseen(u) ? 0 : n;
}

/* A peer's words must not make a second line or drive a terminal: what is not printable is written as \xHH. */
static void line_words(struct line *l, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	for (; *s && !l->full; s++) {
		unsigned char c = (unsigned char)*s;
		char esc[4] = {'\\', 'x', hex[c >> 4], hex[c & 15]};

		if (c >= 0x20 && c <= 0x7e)
			line_put(l, s, 1);
		else
			line_put(l, esc, sizeof esc);
	}
}

/* Words that the format puts between quotes or angle brackets end where it says, whatever a peer put into them: a
 * line is read by programs too. */
static void line_value(struct line *l, const char *s, size_t most_octets, char end)
{
	s = s ? s : "(null)";
	for (size_t i = 0, n; i < most_octets && *s; i += n, s += n) {
		char one[2] = {*s, 0};

		n = seen(s, most_octets - i);
		if (n > 0) {
			line_put(l, s, n);
			continue;
		}
		n = 1;
		if (*s != end || end == 0)
			line_words(l, one);
		else
			line_words(l, end == '"' ? "'" : "\\x3e");
	}
}

struct spec {
	char conversion; /* s d u x, or % */
	int size;	 /* 0 int, 1 long, 2 long long, 3 size_t */
	int zeros;	 /* "%03d": 3 */
	size_t octets;	 /* "%.300s": 300 */
};

/* The conversion behind a percent sign; its length, 0: one that is not known here. */
static size_t spec_read(const char *p, struct spec *r)
{
	size_t n = 0;
	char *end;

	*r = (struct spec){.octets = SIZE_MAX};
	if (p[0] == '0' || p[0] == '.') {
		unsigned long v = strtoul(p + 1, &end, 10);

		n = (size_t)(end - p);
		if (p[0] == '0')
			r->zeros = v < 20 ? (int)v : 20;
		else
			r->octets = v;
	}
	for (; p[n] == 'l'; n++)
		r->size++;
	if (r->size == 0 && p[n] == 'z') {
		r->size = 3;
		n++;
	}
	r->conversion = p[n];
	return p[n] && strchr("sdux%", p[n]) && r->size <= 3 ? n + 1 : 0;
}

static bool is_known(const char *fmt)
{
	struct spec s;
	size_t n;

	for (const char *p = strchr(fmt, '%'); p; p = strchr(p + 1 + n, '%'))
		if ((n = spec_read(p + 1, &s)) == 0)
			return false;
	return true;
}

static void line_number(struct line *l, const struct spec *s, va_list *ap)
{
	char text[24];

	if (s->conversion == 'd')
		snprintf(text, sizeof text, "%0*lld", s->zeros,
		    s->size == 0   ? (long long)va_arg(*ap, int)
		    : s->size == 1 ? (long long)va_arg(*ap, long)
		    : s->size == 2 ? va_arg(*ap, long long)
				   : (long long)va_arg(*ap, ssize_t));
	else
		snprintf(text, sizeof text, s->conversion == 'x' ? "%0*llx" : "%0*llu", s->zeros,
		    s->size == 0   ? (unsigned long long)va_arg(*ap, unsigned)
		    : s->size == 1 ? (unsigned long long)va_arg(*ap, unsigned long)
		    : s->size == 2 ? va_arg(*ap, unsigned long long)
				   : (unsigned long long)va_arg(*ap, size_t));
	line_words(l, text);
}

static void line_format(struct line *l, const char *fmt, va_list *ap)
{
	bool quoted = false, angled = false;
	struct spec s;

	for (const char *p = fmt; *p; p++) {
		char one[2] = {*p, 0};

		if (*p == '%') {
			p += spec_read(p + 1, &s);
			if (s.conversion == 's')
				line_value(l, va_arg(*ap, const char *), s.octets, quoted ? '"' : angled ? '>' : 0);
			else if (s.conversion == '%')
				line_words(l, "%");
			else
				line_number(l, &s, ap);
			continue;
		}
		quoted = quoted != (*p == '"');
		angled = *p == '<' || (angled && *p != '>');
		line_words(l, one);
	}
}

static void line_head(struct line *l, enum log_level level)
{
	char head[128], when[21];
	struct timespec now;

	if (journal) {
		snprintf(head, sizeof head, "<%d>%s[%d] ", levels[level].priority, role, (int)getpid());
	} else {
		clock_gettime(CLOCK_REALTIME, &now);
		encode_time(now.tv_sec, when);
		snprintf(head, sizeof head, "%.19s.%03dZ %s %s[%d] ", when, (int)(now.tv_nsec / 1000000),
		    levels[level].word, role, (int)getpid());
	}
	line_words(l, head);
}

/* One write, so that lines of several processes do not mix. A full pipe loses the line: nothing may wait for its log.
 */
static void line_write(struct line *l)
{
	ssize_t r;

	if (l->full) {
		memcpy(l->text + l->n, "...", 3);
		l->n += 3;
	}
	l->text[l->n++] = '\n';
	do {
		r = write(2, l->text, l->n);
	} while (r < 0 && errno == EINTR);
}

__attribute__((format(printf, 4, 0))) static void emit(
    enum log_level level, const char *id, const char *component, const char *fmt, va_list ap)
{
	struct line l = {.n = 0};
	int saved = errno;

	if (level > most)
		return;
	line_head(&l, level);
	line_words(&l, id && *id ? id : "-");
	line_put(&l, " ", 1);
	line_words(&l, component);
	line_put(&l, " ", 1);
	errno = saved;
	if (is_known(fmt)) {
		va_list args;

		va_copy(args, ap);
		line_format(&l, fmt, &args);
		va_end(args);
	} else {
		/* a bug of ours: a peer's words would stand there with nothing that keeps them in their quotes */
		line_words(&l, "unknown-conversion format=\"");
		line_value(&l, fmt, SIZE_MAX, '"');
		line_words(&l, "\"");
	}
	line_write(&l);
	errno = saved;
}

void log_error(const char *id, const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_ERROR, id, component, fmt, ap);
	va_end(ap);
}

void log_warn(const char *id, const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_WARN, id, component, fmt, ap);
	va_end(ap);
}

void log_info(const char *id, const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_INFO, id, component, fmt, ap);
	va_end(ap);
}

void log_debug(const char *id, const char *component, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	emit(LOG_LEVEL_DEBUG, id, component, fmt, ap);
	va_end(ap);
}

void log_panic_at(const char *file, int line, const char *fmt, ...)
{
	char words[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	log_error(NULL, "panic", "at=%s:%d why=\"%s\"", file, line, words);
	abort();
}

void log_fatal(const char *fmt, ...)
{
	char words[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	log_error(NULL, "fatal", "%s", words);
	_exit(LOG_EXIT); /* no atexit work: whatever is broken must not be touched again */
}
